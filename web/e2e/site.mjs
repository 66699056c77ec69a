// The app on a port of its own, as a gateway serves it. Whose answers it shows may change under it: another's, nobody's, or those of one that
// keeps it waiting.
import { createServer } from "node:http";
import { pass, serverOf, stewardsOf } from "../scripts/serve.mjs";

/** A port that nobody listens on: the connection breaks, as with a gateway that was stopped. */
const NOBODY = "http://127.0.0.1:9";

/** The files are those that the gateway has had since it was started; with `isBuilt`, those of dist/ as they are now. */
export async function listen(gateway, isBuilt = false) {
  let shown = gateway;
  let held = [];
  let isHolding = false;
  // Where nobody answers, the page is one that came before.
  const files = () => (shown === NOBODY ? gateway : shown);
  const fromGateway = (asked, answer) => pass(asked, answer, isOfApi(asked.url) ? shown : files());
  const server = isBuilt ? serverOf(() => shown) : createServer(fromGateway);
  const [serve] = server.listeners("request");
  server.removeAllListeners("request");
  server.on("request", (asked, answer) => {
    const go = () => serve(asked, answer);
    if (isHolding && asked.url.startsWith("/v1/")) held.push(go);
    else go();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    /** Whom a member's pages ask beside it. */
    stewards: await stewardsOf(gateway),
    // Not by its number: passkeys and secure contexts are for names.
    url: `http://localhost:${server.address().port}`,
    be: (other) => (shown = other),
    away: () => (shown = NOBODY),
    hold: () => (isHolding = true),
    release: () => {
      isHolding = false;
      held.splice(0).forEach((go) => go());
    },
    close: () => server.close(),
  };
}

const isOfApi = (url) => url.startsWith("/v1/") || url.startsWith("/openapi.json");
