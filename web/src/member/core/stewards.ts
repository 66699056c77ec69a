//! Asking the stewards side by side, past the gateway. What most show is shown; who is away, or shows another thing, is named.
import * as v from "valibot";
import type { Cooperative, Steward } from "./facts";
import * as rules from "./rules";
import type { Session } from "./session";
import { askSigned } from "./signed";

export interface Answers<T> {
  readonly answers: { readonly steward: number; readonly address?: string; readonly said: T }[];
  readonly away: { readonly steward: number; readonly error: unknown }[];
}

/** Each steward is asked; none waits for another. */
export async function all<T>({ stewards }: Pick<Cooperative, "stewards">, ask: (steward: Steward) => Promise<T>): Promise<Answers<T>> {
  const outcomes = await Promise.allSettled(stewards.map(ask));
  const answers: Answers<T>["answers"] = [];
  const away: Answers<T>["away"] = [];
  outcomes.forEach((outcome, at) => {
    const { steward = 0, address = "" } = stewards[at] ?? {};
    if (outcome.status === "fulfilled") answers.push({ steward, address, said: outcome.value });
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

/** Milliseconds that a steward may take before another one's word has to do. */
const PATIENCE = 4_000;

/** Asks with a key that is nobody's, so that the answer is signed: who stands at a steward's place need not be it. */
async function heard<T>(cooperative: Cooperative, { url, address }: Steward, of: { method: "GET" | "POST"; path: string; body: unknown; schema: v.GenericSchema<unknown, T> }): Promise<T> {
  const { row_key: key } = await rules.draw();
  return askSigned({ cooperative, url: url.replace(/\/$/, ""), audience: address, key, session: null, patience: PATIENCE, ...of });
}

/** What each sees of a member's consent, in its own word. */
export const standings = (cooperative: Cooperative, member: number, stewards = cooperative.stewards) =>
  all({ stewards }, (steward) => heard(cooperative, steward, { method: "GET", path: `/v1/members/${member}/consent`, body: undefined, schema: Standing }));

/** Of those whose word counts, the answer of each, once. */
export function counted<T>({ answers }: Answers<T>, addresses: ReadonlySet<string>): Answers<T>["answers"] {
  const good = answers.filter(({ address }) => addresses.has((address ?? "").toLowerCase()));
  return [...new Map(good.map((one) => [one.address?.toLowerCase(), one])).values()];
}

/** Of those whose word counts, once each, what is said of this member. */
export function own(all: Answers<Standing>, who: { readonly account: string; readonly member_id: number | null }, addresses: ReadonlySet<string>): Answers<Standing>["answers"] {
  const answers = all.answers.filter(({ said: { account, member_id } }) => account.toLowerCase() === who.account.toLowerCase() && member_id === who.member_id);
  return counted({ ...all, answers }, addresses);
}

const Taken = v.looseObject({ state: v.picklist(["held", "on_chain"]) });

/** Hands a withdrawal to each: one that takes it releases nothing from then on, and brings it to the chain. */
export const handOver = (cooperative: Cooperative, kind: "revoke" | "erase", request: object, stewards = cooperative.stewards) =>
  all({ stewards }, (steward) => heard(cooperative, steward, { method: "POST", path: `/v1/consents/${kind}`, body: request, schema: Taken }));

const Erased = v.looseObject({ member_id: count, shares: count, at: count, complete: v.optional(v.nullable(v.looseObject({ at: count }))) });
export type Erased = v.InferOutput<typeof Erased>;

/** What each says that it destroyed, in its own word. */
export const erasures = (cooperative: Cooperative, member: number, stewards = cooperative.stewards) =>
  all({ stewards }, (steward) => heard(cooperative, steward, { method: "GET", path: `/v1/erasures/${member}`, body: undefined, schema: Erased }));
