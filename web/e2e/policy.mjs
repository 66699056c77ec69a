// The headers bite: what they forbid does not happen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { stewardsOf, withStewards } from "../scripts/serve.mjs";
import { visit } from "./browser.mjs";

const HEADERS = JSON.parse(readFileSync(new URL("../headers.json", import.meta.url), "utf8"));

export const tests = ({ browser, site, gateway }) => [
  ["each file comes with the headers", () => headers(site.url, gateway)],
  ["the gateway serves the same, where it serves the app", () => served(gateway)],
  ["no style, picture or frame of another comes in", () => scripts(browser, site)],
  ["no text becomes markup or a worker", () => sinks(browser, site)],
  ["nothing is asked of another site", () => elsewhere(browser, site)],
];

async function served(gateway) {
  const isThere = (await (await fetch(gateway)).text()).includes('id="root"');
  assert.ok(isThere, "this gateway shows no app: build it before the cooperative is started");
  await headers(gateway, gateway);
}

async function headers(url, gateway) {
  const allowed = withStewards(HEADERS, await stewardsOf(gateway));
  const html = await (await fetch(url)).text();
  const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
  assert.ok(assets.length > 2, "the page names its files");
  for (const path of ["/", "/epochs/3", ...assets]) {
    const answer = await fetch(url + path);
    const wanted = { ...allowed.all, ...(path.startsWith("/assets/") ? HEADERS.asset : HEADERS.page) };
    for (const [name, value] of Object.entries(wanted)) assert.equal(answer.headers.get(name), value, `${name} of ${path}`);
  }
  assert.equal((await fetch(`${url}/assets/nothing.js`)).status, 404, "an asset that is gone is no page");
}

async function scripts(browser, site) {
  const visitor = await visit(browser, site);
  await visitor.open("/");
  const blocked = await visitor.page.evaluate(async () => {
    const blocked = [];
    document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
    const style = document.createElement("style");
    style.textContent = "body { color: red }";
    document.head.append(style);
    const image = document.createElement("img");
    image.src = "http://127.0.0.1:9/pixel.png";
    document.body.append(image);
    const frame = document.createElement("iframe");
    frame.src = "/";
    document.body.append(frame);
    await new Promise((done) => setTimeout(done, 500));
    return blocked;
  });
  for (const directive of ["style-src-elem", "img-src", "frame-src"]) assert.ok(blocked.includes(directive), `${directive} let it pass; blocked: ${blocked}`);
  await visitor.close();
}

async function sinks(browser, site) {
  const visitor = await visit(browser, site);
  await visitor.open("/");
  const thrown = await visitor.page.evaluate(() => {
    const attempt = (act) => {
      try {
        act();
        return "allowed";
      } catch (error) {
        return error.name;
      }
    };
    return [
      attempt(() => (document.createElement("div").innerHTML = "<b>text</b>")),
      attempt(() => document.createElement("img").setAttribute("onerror", "window.ran = true")),
      attempt(() => setTimeout("window.ran = true")),
      attempt(() => new Worker("/assets/worker.js")),
      attempt(() => (document.createElement("script").src = "/assets/worker.js")),
      attempt(() => window.trustedTypes.createPolicy("another", {})),
    ];
  });
  assert.deepEqual([...new Set(thrown)], ["TypeError"]);
  await visitor.close();
}

async function elsewhere(browser, site) {
  const visitor = await visit(browser, site);
  await visitor.open("/");
  const outcome = await visitor.page.evaluate(() => fetch("http://127.0.0.1:9/").then(() => "sent", (error) => error.message));
  assert.notEqual(outcome, "sent");
  assert.ok(visitor.seen.complaints.some((text) => text.includes("connect-src")), "the policy, not the network, refused it");
  await visitor.close();
}
