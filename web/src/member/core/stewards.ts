//! Asking the stewards side by side, past the gateway. What most show is shown; who is away, or shows another thing, is named.
import * as v from "valibot";
import { exchange, fetchRead, judge, readOf } from "../../api/read";
import type { Cooperative, Steward } from "./facts";
import * as rules from "./rules";
import type { Session } from "./session";
import { askSigned } from "./signed";

export interface Answers<T> {
  readonly answers: { readonly steward: number; readonly said: T }[];
  readonly away: { readonly steward: number; readonly error: unknown }[];
}

/** Each steward is asked; none waits for another. */
export async function all<T>({ stewards }: Cooperative, ask: (steward: Steward) => Promise<T>): Promise<Answers<T>> {
  const outcomes = await Promise.allSettled(stewards.map(ask));
  const answers: Answers<T>["answers"] = [];
  const away: Answers<T>["away"] = [];
  outcomes.forEach((outcome, at) => {
    const steward = stewards[at]?.steward ?? 0;
    if (outcome.status === "fulfilled") answers.push({ steward, said: outcome.value });
    else away.push({ steward, error: outcome.reason });
  });
  return { answers, away };
}

/** What most say alike, and how many say another thing. */
export function most<T>(all: readonly T[]): { said: T; differ: number } | undefined {
  const groups = new Map<string, T[]>();
  for (const said of all) {
    const key = JSON.stringify(said);
    groups.set(key, [...(groups.get(key) ?? []), said]);
  }
  const [largest] = [...groups.values()].sort((one, other) => other.length - one.length);
  return largest && { said: largest[0] as T, differ: all.length - largest.length };
}

export interface Mine {
  readonly cooperative: Cooperative;
  readonly session: Session;
  readonly member_id: number;
}

/** What a member reads of its own, sealed to a key that is drawn for this answer. */
async function read<T>(mine: Mine, what: "row" | "openings" | "held", more: object, open: (of: rules.ToOpen) => Promise<T>): Promise<Answers<T>> {
  const { cooperative, session, member_id } = mine;
  const { account, until, signature, key } = session;
  return all(cooperative, async ({ url, address, steward }) => {
    const reply = await rules.replyKey();
    const whom = { cooperative, url: url.replace(/\/$/, ""), audience: address, key, session: { account, until, signature } };
    const body = { reply_key: reply.public, ...more };
    const answer = await askSigned({ ...whom, method: "POST", path: `/v1/members/${member_id}/${what}`, body, schema: v.looseObject({}) });
    return open({ cooperative, member_id, secret: reply.secret, answer, steward });
  });
}

export const rows = (mine: Mine) => read(mine, "row", {}, rules.openRow);
export const openings = (mine: Mine) => read(mine, "openings", {}, rules.openOpenings);
/** With the shares of these records, where any are named: each that is handed out stands in the log of openings. */
export const held = (mine: Mine, contributions: number[] = []) => read(mine, "held", { contributions }, rules.openHeld);

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Standing = v.looseObject({
  member_id: count,
  steward: count,
  account: v.string(),
  active: v.boolean(),
  consent: v.string(),
  consent_version: count,
  consent_nonce: count,
  now: count,
  withdrawals: v.array(v.looseObject({ erases: v.boolean(), taken: count })),
});
export type Standing = v.InferOutput<typeof Standing>;

/** What each sees of a member's consent: anyone may ask. */
export const standings = (cooperative: Cooperative, member: number) =>
  all(cooperative, ({ url }) => fetchRead(readOf(`${url.replace(/\/$/, "")}/v1/members/${member}/consent`, Standing, [200]), undefined, 10_000));

const Taken = v.looseObject({ state: v.picklist(["held", "on_chain"]) });

/** Hands a withdrawal to each: one that takes it releases nothing from then on, and brings it to the chain. */
export const handOver = (cooperative: Cooperative, kind: "revoke" | "erase", request: object) =>
  all(cooperative, async ({ url }) => {
    const path = `${url.replace(/\/$/, "")}/v1/consents/${kind}`;
    const init = { method: "POST", body: JSON.stringify(request), headers: { "content-type": "application/json" } };
    return judge({ path, schema: Taken, statuses: [200] }, await exchange(path, init, 15_000));
  });

const Erased = v.looseObject({ shares: count, at: count, complete: v.optional(v.nullable(v.looseObject({ at: count }))) });

/** What each says that it destroyed. */
export const erasures = (cooperative: Cooperative, member: number) =>
  all(cooperative, ({ url }) => fetchRead(readOf(`${url.replace(/\/$/, "")}/v1/erasures/${member}`, Erased, [200]), undefined, 10_000));
