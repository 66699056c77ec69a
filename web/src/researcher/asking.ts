//! Questions: how they are weighed, ordered, kept, sent and opened. An order is kept before it is sent, so that the same one goes again and is paid once.
import * as v from "valibot";
import { SealedAnswer } from "../api/generated";
import { ReadFailure } from "../api/read";
import { Already, type Contracts, type Desk, NoKey, type Tell } from "../chain/desk";
import type { Terms } from "../chain/market";
import { Account, Bytes } from "../chain/provider";
import { isSameSite, readSite, type Site } from "../chain/site";
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
  debit: v.looseObject({ order: Bytes, license_id: count }),
  result_digest: Bytes,
  /** Who signed the receipt. */
  worker: Account,
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

/** An order that lacks its signature, as of the block that is final now. For the cooperative that the page began with, and no other. */
export async function draw(site: Site, license: number, purpose: number, query: Query): Promise<Drawn> {
  const cooperative = await readSite();
  if (!isSameSite(site, cooperative)) throw new ReadFailure("refused", "/v1/cooperative", "the gateway shows other contracts than before", "other_cooperative");
  const { hash } = v.parse(v.looseObject({ hash: v.string() }), cooperative["finalized"]);
  return call("order", { cooperative, license_id: license, purpose, query, cut: hash }, Drawn);
}

/** Whether an order may still be charged: it has no answer here, and holds. Also where somebody refused it: who refuses may lie. */
export const isPending = ({ answer, deadline }: Order, now: number): boolean => !answer && deadline >= now;

/** Has the wallet sign an order, and keeps it. One tab at a time: two would have the same question charged twice. */
export const signAndKeep = (desk: Desk, contracts: Contracts, of: Pick<Terms, "license" | "key">, drawn: Drawn, tell: Tell): Promise<Order> => navigator.locks.request(`rochdale-order-${desk.account}`, () => signOne(desk, contracts, of, drawn, tell));

async function signOne(desk: Desk, contracts: Contracts, { license, key }: Pick<Terms, "license" | "key">, drawn: Drawn, tell: Tell): Promise<Order> {
  const { deadline, query_digest } = drawn.request.order;
  const now = await contracts.now(desk);
  const same = (await orders.of(desk.account)).find((one) => one.license === license && one.digest === query_digest && isHere(one, desk.site) && isPending(one, now));
  if (same) throw new Already(`order ${same.order} asks the same, and may still be charged`);
  const signature = await contracts.sign(desk, drawn.typed_data, tell);
  const kept: Order = {
    order: drawn.order,
    chain: desk.site.chain_id,
    committee: desk.site.manifest.addresses.steward_committee,
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

/** Of this cooperative, and not of another one that had the same chain or address. */
export const isHere = ({ chain, committee }: Order, { chain_id, manifest }: Site): boolean => chain === chain_id && committee === manifest.addresses.steward_committee;

/** Stewards may have to be waited for; the gateway waits so long itself. */
const PATIENCE = 660_000;
/** Refused as it is: who refuses may lie, and the order is kept all the same. */
const OVER = ["bad_request", "license_invalid", "budget_exceeded", "forbidden", "conflict"];

/** Sends an order until there is an answer, and keeps that. Whoever sends the same one again gets the same answer, and pays nothing. */
export async function fetchAnswer(kept: Order): Promise<Order> {
  if (kept.answer) return kept;
  // Without the key nobody could tell whether what comes is an answer.
  if ((await keyOf(kept)) === undefined) throw new NoKey("the key of the license is not in this browser");
  const sealed = await send("POST", "/v1/queries", kept.request, SealedAnswer, PATIENCE).catch(async (error: unknown) => {
    if (error instanceof ReadFailure && OVER.includes(error.code ?? "")) await orders.update(kept.order, (now) => (now.answer ? now : { ...now, refused: error.message }));
    throw error;
  });
  const { refused: _, ...rest } = kept;
  const answered: Order = { ...rest, answer: sealed };
  // Opened before it is kept: what does not open is asked for again.
  await open(answered);
  await orders.update(kept.order, ({ refused: _, ...now }) => (now.answer ? now : { ...now, answer: sealed }));
  return answered;
}

/** The answer, checked against what was asked. */
export async function open(kept: Order, site?: Site): Promise<Answered> {
  const secret = await keyOf(kept);
  if (!secret) throw new NoKey("the key of the license is not in this browser");
  const answered = await call("open_answer", { cooperative: site ?? (await readSite()), secret, order: kept.order, request: kept.request, sealed: kept.answer }, Answered);
  // No license is answered from another's answer.
  if (answered.debit.license_id !== kept.license) throw new RulesFailure("broken", `the answer was paid under license ${answered.debit.license_id}`);
  return answered;
}

/** Anybody can seal something to the license's key. It is the worker's answer where the chain has the receipt of just this one. */
export async function isTheWorkers(desk: Desk, contracts: Contracts, answered: Answered): Promise<boolean> {
  const receipt = await contracts.receiptOf(desk, answered.debit.order);
  return receipt !== undefined && receipt.worker === answered.worker && receipt.digest.toLowerCase() === answered.result_digest.toLowerCase();
}

/** The key that its license names. */
const keyOf = async ({ account, key }: Order): Promise<string | undefined> => (await keys.of(account)).find((one) => one.public === key)?.secret;

export type OrderState = "answered" | "refused" | "open" | "late";
export const stateOf = ({ answer, refused, deadline }: Order, now: number): OrderState => (answer ? "answered" : refused !== undefined ? "refused" : deadline < now ? "late" : "open");
