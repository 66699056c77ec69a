// What governors and operators see of the rules: whether the cooperative is constituted, what is stopped, and which program would take which's place.
import assert from "node:assert/strict";
import { chainOf, transact } from "./researcher.mjs";
import { HALF_A_MINUTE } from "./member.mjs";
import { rpc } from "./wallet.mjs";

const constitutionOf = async ({ url }) => (await fetch(`${url}/v1/constitution`)).json();

/** Before the houses may decide everything, the page says what is missing; then since when they do. */
export async function constituted({ own, page, open, see }) {
  const before = await constitutionOf(own);
  await open("/charter");
  await page.getByRole("heading", { name: "Can members decide everything yet?" }).waitFor();
  if (before.constituted_at == null) {
    await page.getByText(/^(Not yet|Everything that is needed is there)$/).waitFor();
    await page.getByText(`${before.seasoned_members}, and ${before.min_members} are needed`).waitFor();
    own.run("gov", "constitute");
    await open("/charter");
  }
  await page.getByText(/^Yes, since/).waitFor(HALF_A_MINUTE);
  const house = before.houses.find(({ house }) => house === "member");
  const said = await page.locator("main").innerText();
  assert.ok(said.includes(`needs ${house.proposal_threshold} vote`), said);
  assert.ok(said.includes(`${house.quorum_bps / 100}% of all votes, and at least ${house.quorum_floor}.`), said);
  await see("/charter");
}

/** The guardians stop a part: both rooms say so, and until when; it ends before its time, and they say that, too. */
export async function stopped({ own, page, open, see }) {
  const { guardian } = await constitutionOf(own);
  const { node, at } = chainOf(own);
  await rpc(node, "anvil_setBalance", [guardian, "0x56bc75e2d63100000"]);
  await transact(own, guardian, at.pause_guard, "PauseGuard", "pause", [[at.market], 3_600]);
  for (const path of ["/charter", "/operations"]) {
    await open(path);
    await page.getByText(/the sale of licences, until \d/).first().waitFor(HALF_A_MINUTE);
    assert.match(await page.locator("main").innerText(), /Stopped (now|in an emergency)\n+[^\n]+, until \d/);
    await see(`${path}, something is stopped`);
  }
  await transact(own, guardian, at.pause_guard, "PauseGuard", "unpause", [[at.market]]);
  await open("/charter");
  await page.getByText("Nothing is stopped now").waitFor(HALF_A_MINUTE);
}

/** Another program for the market: its address now and then, and what compares the two. */
export async function upgrade({ own, page, open, see }) {
  const { node, at } = chainOf(own);
  const slot = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
  const programOf = async (part) => `0x${(await rpc(node, "eth_getStorageAt", [part, slot, "latest"])).slice(-40)}`;
  const [now, then] = [await programOf(at.market), await programOf(at.treasury)];
  const made = JSON.parse(own.run("gov", "propose", "--name", "ada", "--json", "--why", "Mended market", "upgrade", "Market", "--implementation", then));
  await open(`/proposals/${made.proposals[0].proposal}`);
  const table = page.getByRole("table", { name: "The program of this part, before and after" });
  await table.waitFor(HALF_A_MINUTE);
  const rows = (await table.getByRole("row").allInnerTexts()).map((row) => row.toLowerCase());
  assert.ok(rows.some((row) => row.startsWith("before") && row.includes(now)) && rows.some((row) => row.startsWith("after") && row.includes(then)), rows.join("\n"));
  await page.getByText("rochdale coop upgrade --plan").waitFor();
  await see("/proposals, an upgrade");
}
