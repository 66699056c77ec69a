//! Being paid: what the stewards see counts, whatever the gateway says.
import { beforeEach, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import { claim } from "./paying";
import { NotConfirmed } from "./send";
import type { Session } from "./session";

const world = vi.hoisted(() => ({ cash: 10n, says: async (): Promise<unknown> => ({ paid: [], later: [], skipped: [] }) }));
vi.mock("./witnessing", () => ({ paidTo: async () => ({ cash: world.cash, data: 0n, gov: 0n }) }));
vi.mock("./send", async (original) => ({ ...(await original<object>()), send: () => world.says() }));

const paid = { paid: [{ member_id: 7, cash: "999", data: "0", gov: "0" }], later: [], skipped: [] };
const session = {} as Session;

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(world, { cash: 10n, says: async () => ({ paid: [], later: [], skipped: [] }) });
});
async function done() {
  const result = claim(session, 7).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(120_000);
  return result;
}

it("is what the stewards see more than before, not the sum that the gateway names", async () => {
  world.says = async () => ((world.cash = 14n), paid);
  expect(await done()).toEqual({ kind: "paid", cash: 4n, data: 0n, gov: 0n });
});
it("is not told where only the gateway says so", async () => {
  world.says = async () => paid;
  expect(await done()).toBeInstanceOf(NotConfirmed);
});
it("is told where the answer was lost and the money came a moment later", async () => {
  world.says = async () => {
    setTimeout(() => (world.cash = 14n), 3_000);
    throw new ReadFailure("unreachable", "", "");
  };
  expect(await done()).toMatchObject({ kind: "paid", cash: 4n });
});
it("fails where no answer and no money came", async () => {
  world.says = () => Promise.reject(new ReadFailure("unreachable", "", ""));
  expect(await done()).toMatchObject({ kind: "unreachable" });
});
it("is told also where the gateway says that there is nothing, and says why nothing came where it did not", async () => {
  world.says = async () => ((world.cash = 11n), { paid: [], later: [7], skipped: [] });
  expect(await done()).toMatchObject({ kind: "paid", cash: 1n });
  const kinds = [];
  for (const more of [{ later: [7] }, { skipped: [7] }, {}]) {
    world.says = async () => ({ paid: [], later: [], skipped: [], ...more });
    kinds.push(((await done()) as { kind: string }).kind);
  }
  expect(kinds).toEqual(["later", "refused", "nothing"]);
});
