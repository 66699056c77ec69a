// A page of another origin, open in the member's own browser while the member has come in: it can read and write nothing of the member's, at the
// gateway and at the stewards. What the member's own page can do with the same words stands beside each, so that nothing is refused for a slip.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { arrive, BROKEN, HALF_A_MINUTE, joinWhole, showOwn } from "./member.mjs";

export async function hostile(world) {
  const visitor = await arrive(world);
  await joinWhole(world, visitor);
  await visitor.open("/money");
  await showOwn(visitor, visitor.page.getByText("Nothing has been settled for you yet"));
  const id = await visitor.page.evaluate(() => JSON.parse(localStorage.getItem("rochdale.known")).member_id);
  assert.ok(await visitor.page.evaluate(() => JSON.parse(sessionStorage.getItem("rochdale.opened")).opened.session), "the member has a session");
  const before = await stateOf(world, id);
  const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>Another page</title><h1>Another page</h1>"));
  await new Promise((ready) => server.listen(0, ready));
  try {
    // Of another site, and of the same site with another port.
    for (const host of ["127.0.0.1", "localhost"]) await attack(world, visitor, `http://${host}:${server.address().port}`, id);
  } finally {
    server.close();
  }
  assert.deepEqual(await stateOf(world, id), before, "nothing was written");
  assert.ok(await visitor.page.evaluate(() => sessionStorage.getItem("rochdale.opened")), "and nobody was locked out");
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

/** All of the member's that a request could change. */
async function stateOf({ gateway }, id) {
  const member = await (await fetch(`${gateway}/v1/members/${id}`)).json();
  return { member, account: await (await fetch(`${gateway}/v1/accounts/${member.account}`)).json() };
}

async function attack(world, visitor, origin, id) {
  const page = await visitor.page.context().newPage();
  await page.goto(origin);
  await reads(world, visitor, page, id);
  await ownData(world, visitor, page, id);
  await forms(world, page, origin, id);
  await frames(world, page, origin);
  await windows(world, visitor, page);
  await stores(visitor, page);
  if (new URL(origin).hostname !== "localhost") await passkeys(page);
  await page.close();
}

/** What came of a request: its status, where the page may see it. */
const asked = (page, url, init = {}) => page.evaluate(([url, init]) => fetch(url, init).then((answer) => answer.status, (error) => error.name), [url, init]);

const CREDENTIALS = ["omit", "include"];

async function reads({ site, gateway }, visitor, page, id) {
  for (const path of [`/v1/members/${id}`, "/v1/cooperative", "/"]) {
    assert.equal(await asked(visitor.page, path), 200, `${path}, from the member's page`);
    for (const place of [site.url, gateway]) {
      for (const credentials of CREDENTIALS) assert.equal(await asked(page, place + path, { credentials }), "TypeError", `${place}${path}, ${credentials}`);
    }
  }
  const script = await page.evaluate(
    (src) => new Promise((done) => document.head.append(Object.assign(document.createElement("script"), { src, onload: () => done("ran"), onerror: () => done("refused") }))),
    await visitor.page.evaluate(() => document.querySelector("script[src]").src),
  );
  assert.equal(script, "refused", "a file of the app, as a script of another page");
}

/** Stewards answer any page: what is the member's takes the key of the session, which no page but the member's has. */
async function ownData({ site }, visitor, page, id) {
  const body = JSON.stringify({ reply_key: `0x${"11".repeat(32)}` });
  for (const steward of site.stewards) {
    assert.equal(await asked(page, `${steward}/v1/members/${id}/consent`, { credentials: "omit" }), 200, "what is public");
    assert.equal(await asked(page, `${steward}/v1/members/${id}/consent`, { credentials: "include" }), "TypeError", "with what a browser adds by itself");
    for (const what of ["row", "held", "openings"]) {
      const post = { method: "POST", headers: { "content-type": "application/json" }, body };
      const status = await asked(page, `${steward}/v1/members/${id}/${what}`, { ...post, credentials: "omit" });
      assert.ok([400, 401, 403].includes(status), `${what} without the key: ${status}`);
      assert.equal(await asked(page, `${steward}/v1/members/${id}/${what}`, { ...post, credentials: "include" }), "TypeError");
      const own = await asked(visitor.page, `${steward}/v1/members/${id}/${what}`, post);
      assert.equal(own, status, "and the member's page gets no more without the key");
    }
  }
}

const ZEROS = (bytes) => `0x${"00".repeat(bytes)}`;
/** What would change something if it were signed. */
const writesOf = (id, account) => [
  ["/v1/accounts/execute", { account, calls: [{ target: ZEROS(20), data: "0x" }], nonce: 0, deadline: 4_000_000_000, signature: ZEROS(65) }],
  ["/v1/members/payout", { member_id: id, payout: `0x${"5".repeat(40)}`, nonce: 0, deadline: 4_000_000_000, signature: ZEROS(65) }],
  ["/v1/consents/revoke", { member_id: id, nonce: 0, deadline: 4_000_000_000, signature: ZEROS(65) }],
  ["/v1/consents/erase", { member_id: id, nonce: 0, deadline: 4_000_000_000, signature: ZEROS(65) }],
];

/** A form goes anywhere, and its answer is what the browser shows next. A request without preflight goes, too, and its answer is nobody's. */
async function forms({ site, gateway }, page, origin, id) {
  const { account } = await (await fetch(`${gateway}/v1/members/${id}`)).json();
  for (const place of [site.url, gateway, ...site.stewards]) {
    for (const [path, body] of writesOf(id, account)) {
      if (site.stewards.includes(place) && !path.startsWith("/v1/consents")) continue;
      const text = JSON.stringify(body);
      assert.ok(["TypeError", 0].includes(await asked(page, place + path, { method: "POST", mode: "no-cors", credentials: "include", headers: { "content-type": "text/plain" }, body: text })), "opaque");
      for (const enctype of ["text/plain", "application/x-www-form-urlencoded"]) {
        const [answer] = await Promise.all([
          page.waitForNavigation({ url: place + path }),
          page.evaluate(
            ([action, enctype, text]) => {
              const form = Object.assign(document.createElement("form"), { method: "post", action, enctype });
              // The name's and the value's halves are one JSON text, with the equals sign between them inside a string.
              form.append(Object.assign(document.createElement("input"), { name: `${text.slice(0, -1)},"padding":"`, value: '"}' }));
              document.body.append(form);
              form.submit();
            },
            [place + path, enctype, text],
          ),
        ]);
        assert.ok(answer.status() >= 400, `${place}${path} by a form, ${enctype}: ${answer.status()}`);
        await page.goto(origin);
      }
    }
  }
}

async function frames({ site }, page, origin) {
  const framed = (src) =>
    page.evaluate(
      (src) =>
        new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.onload = () => done(frame.contentDocument?.title ?? "nothing to reach");
          frame.src = src;
          document.body.append(frame);
        }),
      src,
    );
  assert.equal(await framed(origin), "Another page", "a page in a frame of its own origin");
  assert.equal(await framed(`${site.url}/home`), "nothing to reach");
  const inFrame = page.frames().filter((frame) => frame.url().startsWith(site.url));
  for (const frame of inFrame) assert.equal(await frame.locator("#root").count(), 0, "the app in a frame of another page");
}

/** A window that the other page opens is the member's own page, and out of its reach; what it says to it is not heard. */
async function windows({ site }, visitor, page) {
  const [opened, reach] = await Promise.all([
    page.context().waitForEvent("page"),
    page.evaluate(async (url) => {
      window.heard = [];
      window.addEventListener("message", ({ data }) => window.heard.push(data));
      window.theirs = window.open(url);
      await new Promise((go) => setTimeout(go, 2_000));
      const attempt = (act) => {
        try {
          return String(act() ?? "nothing");
        } catch (error) {
          return error.name;
        }
      };
      for (const said of [{ kind: "who" }, { kind: "locked" }, { kind: "opened", tab: {} }, "lock"]) attempt(() => window.theirs.postMessage(said, "*"));
      await new Promise((go) => setTimeout(go, 1_000));
      const reached = [() => window.theirs.document.title, () => window.theirs.localStorage.length, () => window.theirs.sessionStorage.length].map(attempt);
      return { reached, heard: window.heard, isAway: window.theirs.closed };
    }, `${site.url}/home`),
  ]);
  await opened.locator("main h1").first().waitFor(HALF_A_MINUTE);
  assert.equal(await opened.evaluate(() => window.opener), null, "the member's page knows of no opener");
  assert.deepEqual([reach.isAway, reach.heard], [true, []], "it is out of reach, and says nothing");
  assert.ok(reach.reached.every((what) => /Error|nothing/.test(what)), String(reach.reached));
  await opened.close();
  assert.ok(await visitor.page.evaluate(() => sessionStorage.getItem("rochdale.opened")), "nobody was locked out");
}

/** The browser's stores and channels are the origin's own. */
async function stores(visitor, page) {
  const look = async () => {
    const heard = [];
    const channel = new BroadcastChannel("rochdale.opened");
    channel.onmessage = ({ data }) => heard.push(data.kind);
    channel.postMessage({ kind: "who" });
    await new Promise((go) => setTimeout(go, 700));
    channel.close();
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    return { local: Object.keys(localStorage), tab: Object.keys(sessionStorage), databases, cookies: document.cookie, heard };
  };
  const own = await visitor.page.context().newPage();
  await own.goto(visitor.page.url());
  const seen = await own.evaluate(look);
  assert.ok(seen.local.includes("rochdale.known") && seen.heard.includes("opened"), "what the member's own pages find and hear");
  assert.equal(seen.cookies, "", "no cookie: there is none that a browser could add");
  await own.close();
  assert.deepEqual(await page.evaluate(look), { local: [], tab: [], databases: [], cookies: "", heard: [] });
  await page.evaluate(() => new BroadcastChannel("rochdale.opened").postMessage({ kind: "locked" }));
}

async function passkeys(page) {
  const outcome = await page.evaluate(() =>
    navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32), rpId: "localhost", timeout: 3_000 } }).then(() => "agreed", (error) => error.name),
  );
  assert.equal(outcome, "SecurityError", "the member's passkey is for the member's site");
}
