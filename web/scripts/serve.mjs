#!/usr/bin/env node
// Serves dist/ as the gateway does, with the headers of headers.json, and passes /v1 and /openapi.json on to a gateway.
//
//   npm run serve -- URL-of-a-gateway [--port 8480]
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { basename, extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(WEB, "dist");
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** A server, not yet listening. `gateway()` is asked at each request, so that a test may change it. */
export function serverOf(gateway) {
  const headers = JSON.parse(readFileSync(join(DIST, "headers.json"), "utf8"));
  const origins = new Map();
  const known = async (whose) => {
    const before = origins.get(whose);
    if (before && Date.now() < before.until) return before.found;
    const asked = stewardsOf(whose).then((found) => ({ found, until: Infinity }), () => ({ found: before?.found ?? [], until: Date.now() + AGAIN }));
    origins.set(whose, await asked);
    return origins.get(whose).found;
  };
  return createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url, "http://localhost");
    if (pathname.startsWith("/v1/") || pathname === "/openapi.json") return pass(asked, answer, gateway());
    send(answer, fileOf(pathname), withStewards(headers, await known(gateway())));
  });
}

/** Milliseconds: a file waits no longer for a gateway that hangs, and the next ones do not wait for it again so soon. */
const PATIENCE = 5_000;
const AGAIN = 30_000;

/** Where the stewards are, as the gateway's directory says: the page asks them too. */
export async function stewardsOf(gateway) {
  const { stewards } = await (await fetch(`${gateway}/v1/cooperative`, { signal: AbortSignal.timeout(PATIENCE) })).json();
  return [...new Set(stewards.map(({ url }) => new URL(url).origin))];
}

/** The policy lets the page ask them; nothing else of it changes. */
export function withStewards(headers, origins) {
  const policy = "Content-Security-Policy";
  const all = { ...headers.all, [policy]: headers.all[policy].replace("connect-src 'self'", ["connect-src 'self'", ...origins].join(" ")) };
  return { ...headers, all };
}

/** A file of dist/; the page itself for every address without a dot, since the page knows its own routes. */
function fileOf(pathname) {
  const path = join(DIST, normalize(decodeURIComponent(pathname)));
  const isThere = path.startsWith(DIST) && statSync(path, { throwIfNoEntry: false })?.isFile();
  if (isThere) return path;
  return basename(pathname).includes(".") ? undefined : join(DIST, "index.html");
}

function send(answer, path, headers) {
  const isAsset = path?.startsWith(join(DIST, "assets"));
  answer.setHeaders(new Map(Object.entries({ ...headers.all, ...(isAsset ? headers.asset : headers.page) })));
  if (!path) return answer.writeHead(404).end();
  answer.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
  createReadStream(path).pipe(answer);
}

/** Where the gateway does not answer, nobody does: the browser sees the connection break, as with the gateway itself. */
export function pass(asked, answer, gateway) {
  const { method, headers, url } = asked;
  const onward = request(new URL(url, gateway), { method, headers }, (came) => {
    answer.writeHead(came.statusCode, came.headers);
    came.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  asked.pipe(onward);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const words = process.argv.slice(2);
  const at = words.indexOf("--port");
  const port = at < 0 ? 8480 : Number(words[at + 1]);
  const gateway = words.find((word) => word.startsWith("http")) ?? "http://127.0.0.1:8400";
  serverOf(() => gateway).listen(port, "127.0.0.1", () => console.log(`http://localhost:${port} shows ${gateway}`));
}
