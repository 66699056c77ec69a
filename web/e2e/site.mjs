// The built app on a port of its own. Whose gateway it shows may change under it: another's, none, or one that keeps it waiting.
import { serverOf, stewardsOf } from "../scripts/serve.mjs";

export async function listen(gateway) {
  let shown = gateway;
  let held = [];
  let isHolding = false;
  const server = serverOf(() => shown);
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
    // A port that nobody listens on: the connection breaks, as with a gateway that was stopped.
    away: () => (shown = "http://127.0.0.1:9"),
    hold: () => (isHolding = true),
    release: () => {
      isHolding = false;
      held.splice(0).forEach((go) => go());
    },
    close: () => server.close(),
  };
}
