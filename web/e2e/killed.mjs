// The gateway's process is killed or stands still while a member is at it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isAccessible } from "./browser.mjs";
import { addRecord, arrive, BROKEN, button, joinWhole } from "./member.mjs";

/** Readings of a record that is sealed to more than two parts. */
const MANY = 12_000;
const PART = 2 << 20;

/** The process id of the cooperative's gateway. `rochdale up` starts another one where it ends. */
function gatewayOf({ state }) {
  const lineOf = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  };
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && lineOf(name).includes(`${state}/gateway/gateway.toml`) && !lineOf(name).split("\0")[0].endsWith("/rochdale"));
  assert.equal(found.length, 1, `processes of the gateway: ${found}`);
  return Number(found[0]);
}

const memberOf = async ({ url }, page) => {
  const id = await page.evaluate(() => JSON.parse(localStorage.getItem("rochdale.known")).member_id);
  return (await fetch(`${url}/v1/members/${id}`)).json();
};

/** Until it is so; a minute and a half at most. */
async function until(what, isSo) {
  for (let waits = 0; !(await isSo().catch(() => false)); waits += 1) {
    assert.ok(waits < 180, what);
    await new Promise((go) => setTimeout(go, 500));
  }
}

export async function killedWhileUploading(own) {
  const visitor = await arrive(own);
  const { page } = visitor;
  await joinWhole(own, visitor);
  const before = gatewayOf(own);
  const sent = [];
  let isKilled = false;
  await page.context().route(/\/v1\/blobs\/[a-z2-7]+$/, async (route) => {
    const { pathname } = new URL(route.request().url());
    // The first part is kept, and the gateway gone before the second one comes.
    if (sent.length === 1 && !isKilled) {
      process.kill(before, "SIGKILL");
      await until("the gateway ends", async () => gatewayOf(own) !== before);
      isKilled = true;
      return route.abort("connectionreset");
    }
    const answer = await route.fetch();
    if (answer.ok()) sent.push(pathname);
    return route.fulfill({ response: answer });
  });
  await addRecord(own, visitor, "large.json", MANY);
  await until("the gateway is killed", async () => isKilled);
  await until("it is there again", async () => (await fetch(`${own.url}/v1/health`)).ok);
  const prompts = visitor.device.prompts();
  await page.reload();
  await page.getByText("Stored, number").waitFor({ timeout: 120_000 });
  assert.equal(visitor.device.prompts(), prompts, "what was agreed to is sent without asking again");
  assert.equal((await memberOf(own, page)).contributions, 1);
  assert.ok(sent.length >= 3, `${sent.length} parts of ${PART} bytes`);
  assert.equal(new Set(sent).size, sent.length, "no part is sent twice");
  visitor.isClean(BROKEN, own.stewards);
  await visitor.close();
}

/** The keepers take it and bring it to the chain, though the gateway and all that it would do stand still. */
export async function stopsWithoutServer(own) {
  const visitor = await arrive(own);
  const { page } = visitor;
  await joinWhole(own, visitor);
  await visitor.open("/sharing/stop");
  const pid = gatewayOf(own);
  process.kill(pid, "SIGSTOP");
  try {
    await button(page, "Stop sharing, with your passkey").click();
    await page.getByText("You have stopped sharing").waitFor({ timeout: 120_000 });
    assert.match(await page.locator("main").innerText(), /\d of \d keepers (have taken it and obey it already|confirm it)/);
    await isAccessible(page, "/sharing/stop, done without the server");
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await until("the keepers bring it to the chain", async () => (await memberOf(own, page)).consent === "revoked");
  visitor.isClean(BROKEN, own.stewards);
  await visitor.close();
}
