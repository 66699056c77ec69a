//! Questions: how they are weighed, ordered, kept, sent and opened. An order is kept before it is sent, so that the same one goes again and is paid once.
import * as v from "valibot";
import { SealedAnswer } from "../api/generated";
import { ReadFailure } from "../api/read";
import { type Contracts, type Desk, type Tell } from "../chain/desk";
import type { Terms } from "../chain/market";
import { Bytes } from "../chain/provider";
import { readSite, type Site } from "../chain/site";
import { keys, type Order, orders } from "../chain/store";
import { askRules } from "../member/core/asking";
import { RulesFailure } from "../member/core/refusal";
import { send } from "../member/core/send";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const milli = v.pipe(v.number(), v.safeInteger());
const Code = v.object({ system: v.string(), code: v.string() });
const Of = v.union([v.strictObject({ observation: Code }), v.strictObject({ age: v.object({}) })]);

/** A query as the rules read it. */
export const Query = v.object({
  version: count,
  dataset: count,
  cohort: v.optional(v.object({ condition: v.optional(Code), sex: v.optional(v.picklist(["female", "male", "other", "unknown"])), age: v.optional(v.object({ from: count, to: count })), observation: v.optional(Code) }), {}),
  ask: v.variant("kind", [
    v.object({ kind: v.literal("count") }),
    v.object({ kind: v.literal("mean"), of: Of, rows: count, lower: milli, upper: milli }),
    v.object({ kind: v.literal("histogram"), of: Of, rows: count, edges: v.array(milli) }),
  ]),
  rho: count,
});
export type Query = v.InferOutput<typeof Query>;

const Figure = v.object({ value: v.pipe(v.number(), v.safeInteger()), scale: v.pipe(count, v.minValue(1)), sigma_milli: count });
export type Figure = v.InferOutput<typeof Figure>;

export const Answered = v.looseObject({
  answer: v.looseObject({ rho: count, left_out: Figure, outcome: v.variant("status", [v.object({ status: v.literal("released"), figures: v.array(Figure) }), v.object({ status: v.literal("withheld"), reason: v.string() })]) }),
  cached: v.boolean(),
});
export type Answered = v.InferOutput<typeof Answered>;

async function call<T>(name: string, argument: unknown, schema: v.GenericSchema<unknown, T>): Promise<T> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), (await askRules(name, argument)).text);
  if (parsed.success) return parsed.output;
  throw new RulesFailure("broken", `${name}: ${v.getDotPath(parsed.issues[0]) ?? "the answer"}: ${parsed.issues[0].message}`);
}

const Read = v.object({ query: Query, digest: v.string() });
/** The query that a text is; throws what is wrong with it, in English. */
export const readQuery = (text: string) => call("read_query", { text }, Read);

const Expected = v.object({ figures: v.array(v.object({ what: v.picklist(["members", "mean", "bin"]), scale: count, sigma_milli: count })), gate_sigma_milli: count, answered_from: count, useful_from: count });
export type Expected = v.InferOutput<typeof Expected>;
/** How exact an answer about so many people would be. */
export const expected = (query: Query, cohort: number) => call("expect", { query, cohort }, Expected);

const TypedData = v.object({ domain: v.looseObject({}), types: v.record(v.string(), v.array(v.object({ name: v.string(), type: v.string() }))), primaryType: v.string(), message: v.record(v.string(), v.unknown()) });
const Drawn = v.object({ order: Bytes, request: v.looseObject({ order: v.looseObject({ deadline: count, query_digest: v.string() }), query: v.looseObject({}) }), typed_data: TypedData });
export type Drawn = v.InferOutput<typeof Drawn>;

/** Seconds that the rules give an order. */
const LIFETIME = 86_400;

/** An order that lacks its signature, as of the block that is final now. */
export async function draw(license: number, purpose: number, query: Query): Promise<Drawn> {
  const cooperative = await readSite();
  const { hash } = v.parse(v.looseObject({ hash: v.string() }), cooperative["finalized"]);
  return call("order", { cooperative, license_id: license, purpose, query, cut: hash }, Drawn);
}

/** Has the wallet sign an order, and keeps it. */
export async function signAndKeep(desk: Desk, contracts: Contracts, { license, key }: Pick<Terms, "license" | "key">, drawn: Drawn, tell: Tell): Promise<Order> {
  const signature = await contracts.sign(desk, drawn.typed_data, tell);
  const { deadline, query_digest } = drawn.request.order;
  const kept: Order = {
    order: drawn.order,
    account: desk.account,
    license,
    key,
    digest: query_digest,
    deadline,
    // Block time, as the deadline is.
    at: deadline - LIFETIME,
    query: drawn.request.query,
    request: { ...drawn.request, signature },
  };
  await orders.put(kept);
  return kept;
}

/** Stewards may have to be waited for; the gateway waits so long itself. */
const PATIENCE = 660_000;
/** Refused as it is: who refuses may lie, and the order is kept all the same. */
const OVER = ["bad_request", "license_invalid", "budget_exceeded", "forbidden", "conflict"];

/** Sends an order until there is an answer, and keeps that. Whoever sends the same one again gets the same answer, and pays nothing. */
export async function fetchAnswer(kept: Order): Promise<Order> {
  if (kept.answer) return kept;
  const sealed = await send("POST", "/v1/queries", kept.request, SealedAnswer, PATIENCE).catch(async (error: unknown) => {
    if (error instanceof ReadFailure && OVER.includes(error.code ?? "")) await orders.put({ ...kept, refused: error.message });
    throw error;
  });
  const { refused: _, ...rest } = kept;
  const answered: Order = { ...rest, answer: sealed };
  // Opened before it is kept: what does not open is asked for again.
  if ((await keyOf(answered)) !== undefined) await open(answered);
  await orders.put(answered);
  return answered;
}

export class NoKey extends Error {
  override readonly name = "NoKey";
}

/** The answer, checked against what was asked. */
export async function open(kept: Order, site?: Site): Promise<Answered> {
  const secret = await keyOf(kept);
  if (!secret) throw new NoKey("the key of the license is not in this browser");
  return call("open_answer", { cooperative: site ?? (await readSite()), secret, order: kept.order, request: kept.request, sealed: kept.answer }, Answered);
}

/** The key that its license names. */
const keyOf = async ({ account, key }: Order): Promise<string | undefined> => (await keys.of(account)).find((one) => one.public === key)?.secret;

export type OrderState = "answered" | "refused" | "open" | "late";
export const stateOf = ({ answer, refused, deadline }: Order, now: number): OrderState => (answer ? "answered" : refused !== undefined ? "refused" : deadline < now ? "late" : "open");
