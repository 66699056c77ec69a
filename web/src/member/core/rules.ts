//! What the rules' module can do, one function each: what crosses the boundary is checked here and nowhere else.
import * as v from "valibot";
import { askRules, type FromFile } from "./asking";
import type { Hex } from "./bytes";
import type { Cooperative, Member } from "./facts";
import { RulesFailure } from "./refusal";

type Schema<T> = v.GenericSchema<unknown, T>;

const hex = v.pipe(v.string(), v.regex(/^(0x)?([0-9a-fA-F]{2})*$/), v.transform((text) => (text.startsWith("0x") ? text : `0x${text}`) as Hex));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const decimal = v.pipe(v.string(), v.regex(/^[0-9]{1,39}$/));
/** A request that lacks its signature: sent as it is, with that put in. */
const request = v.looseObject({});

async function call<T>(name: string, argument: unknown, schema: Schema<T>): Promise<T> {
  return parse(name, (await askRules(name, argument)).text, schema);
}

function parse<T>(name: string, text: string, schema: Schema<T>): T {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new RulesFailure("broken", `${name}: ${v.getDotPath(issue) ?? "the answer"}: ${issue.message}`);
}

const Drawn = v.object({ row_key: hex, locker_key: hex, recovery_code: v.string() });
export type Drawn = v.InferOutput<typeof Drawn>;
export const draw = () => call("draw", {}, Drawn);

const AccountOf = v.object({ account: v.string(), guardians: v.array(v.string()), threshold: count, delay: count });
export type AccountOf = v.InferOutput<typeof AccountOf>;
export const accountOf = (of: { qx: Hex; qy: Hex; recovery_code: string }) => call("account_of", of, AccountOf);

/** What an account's contract keeps of whom it takes, where that is this code's key alone. */
export const recoveryOf = (recovery_code: string) => call("recovery_of", { recovery_code }, v.object({ recovery: hex }));

/** The code as it is kept; throws what is wrong with it. */
export const readCode = async (code: string): Promise<string> => (await call("read_code", { code }, v.object({ code: v.string() }))).code;

export const apply = (by: { cooperative: Cooperative; code: string; account: string; row_key: Hex }) => call("apply", by, request);

export const notice = async (language: string): Promise<string> => (await call("notice", { language }, v.object({ text: v.string() }))).text;

const Choice = v.looseObject({ permissions: v.array(v.looseObject({ term: v.string() })), modifiers: v.optional(v.array(v.looseObject({ term: v.string() })), []) });
export type Choice = v.InferOutput<typeof Choice>;
export const healthResearch = () => call("health_research", {}, Choice);

const ToAgree = v.object({ request, challenge: hex });
export type ToAgree = v.InferOutput<typeof ToAgree>;

const Consented = v.object({ request: v.looseObject({ version: count, receipt_commitment: hex }), challenge: hex, receipt: v.unknown(), words: v.array(v.string()) });
export const consent = (of: { cooperative: Cooperative; member: Member; choice: Choice; until: number; language: string; contact: string }) => call("consent", of, Consented);

export type Withdrawal = "revoke" | "erase" | "leave";
/** `nonce` and `now` are a steward's word, where the gateway does not answer. */
export const withdraw = (of: { cooperative: Cooperative; member: unknown; kind: Withdrawal; nonce?: number; now?: number }) => call("withdraw", of, ToAgree);

export const payTo = (of: { cooperative: Cooperative; member: Member; payout: string }) => call("pay_to", of, ToAgree);

const Contribution = v.object({
  request: v.looseObject({ commitment: v.string(), consent_version: count }),
  challenge: hex,
  cid: v.string(),
  digest: v.string(),
  quality: count,
  bytes: count,
});
export type Contribution = v.InferOutput<typeof Contribution>;
export async function contribute(of: { cooperative: Cooperative; member: Member; dataset: number }, record: FromFile): Promise<{ contribution: Contribution; blob: Uint8Array<ArrayBuffer> }> {
  const { text, blob } = await askRules("contribute", of, record);
  if (!blob) throw new RulesFailure("broken", "contribute: no blob");
  return { contribution: parse("contribute", text, Contribution), blob };
}

/** The same package, to be agreed to again where the first agreement is over. */
export const contributeAgain = (of: { cooperative: Cooperative; member: Member; package: object }) => call("contribute_again", of, ToAgree);

/** A browser's assertion as the contracts take it. */
export const signatureOf = async (assertion: { client_data_json: string; authenticator_data: Hex; signature: Hex }): Promise<Hex> =>
  (await call("assertion", assertion, v.object({ signature: hex }))).signature;

const NewSession = v.object({ key: hex, until: count, challenge: hex });
export const session = (of: { cooperative: Cooperative; account: string; hours: number }) => call("session", of, NewSession);

export interface Signing {
  readonly cooperative: Cooperative;
  readonly key: Hex;
  readonly session: { account: string; until: number; signature: Hex } | null;
  readonly audience: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
}
const Signed = v.object({ headers: v.record(v.string(), v.string()), digest: hex });
export const signed = (of: Signing) => call("signed", of, Signed);

export const checkAnswer = async (of: { cooperative: Cooperative; audience: string; digest: Hex; status: number; body: string; signature: string }): Promise<boolean> =>
  (await call("check_answer", of, v.object({ good: v.boolean() }))).good;

/** The half that others seal to. */
export const publicOf = async (secret: string): Promise<string> => (await call("key_of", { secret }, v.object({ public: hex }))).public;

export const replyKey = () => call("reply_key", {}, v.object({ secret: hex, public: hex }));

const Score = v.object({ quality: count, uniqueness: count, authenticity: count, rarity: count });
const Code = v.object({ system: v.string(), code: v.string() });
const Of = v.union([v.object({ observation: Code }), v.object({ age: v.object({}) })]);
const Query = v.looseObject({
  dataset: count,
  cohort: v.optional(
    v.object({
      condition: v.optional(Code),
      sex: v.optional(v.picklist(["female", "male", "other", "unknown"])),
      age: v.optional(v.object({ from: count, to: count })),
      observation: v.optional(Code),
    }),
    {},
  ),
  ask: v.variant("kind", [
    v.looseObject({ kind: v.literal("count") }),
    v.looseObject({ kind: v.literal("mean"), of: Of }),
    v.looseObject({ kind: v.literal("histogram"), of: Of, edges: v.array(v.number()) }),
  ]),
});
export type Query = v.InferOutput<typeof Query>;

const Use = v.object({
  debit: count,
  at: count,
  license_id: count,
  researcher: v.string(),
  purpose: count,
  records: count,
  query: v.optional(v.nullable(Query)),
});
export type Use = v.InferOutput<typeof Use>;

const Row = v.object({
  epoch: count,
  row: v.looseObject({
    ...{ cash_earned: decimal, cash_streaming: decimal, usage_weight: decimal, closed: v.boolean(), streak: count },
    ...{ data_earned: decimal, data_locked: decimal, data_vesting: decimal, gov_earned: decimal, gov_locked: decimal, gov_vesting: decimal },
  }),
  leaf: v.looseObject({ cash: decimal, stream: decimal }),
  contributions: v.array(v.object({ contribution_id: count, score: v.nullable(Score), epoch: v.nullable(count), reasons: v.array(v.string()) })),
  uses: v.array(Use),
});
export type Row = v.InferOutput<typeof Row>;
export type ToOpen = { cooperative: Cooperative; member_id: number; secret: Hex; answer: unknown; steward: number };
export const openRow = (of: ToOpen) => call("open_row", of, Row);

const Opening = v.object({ contribution_id: count, scorer: count, reason: v.string(), first: count, last: count, times: count });
export type Opening = v.InferOutput<typeof Opening>;
export const openOpenings = (of: ToOpen) => call("open_openings", of, v.array(Opening));

const HeldRecord = v.looseObject({ contribution_id: count, commitment: v.string(), erased: v.boolean(), record: v.nullable(v.looseObject({ blob_digest: v.string() })) });
export type HeldRecord = v.InferOutput<typeof HeldRecord>;
const Held = v.looseObject({ contributions: v.array(HeldRecord), claimed: v.looseObject({ cash: decimal, data: decimal, gov: decimal }) });
export type Held = v.InferOutput<typeof Held>;
export const openHeld = (of: ToOpen) => call("open_held", of, Held);

/** The member's own record, put together again from its sealed blob and what the stewards hold of it. */
export async function openRecord(of: { cooperative: Cooperative; member_id: number; held: HeldRecord[] }, sealed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const { blob } = await askRules("open_record", of, undefined, sealed);
  if (!blob) throw new RulesFailure("broken", "open_record: no record");
  return blob;
}

const Parts = v.nullable(v.object({ floor: decimal, usage: decimal, data: decimal, early: decimal }));
export type Parts = v.InferOutput<typeof Parts>;
export const cashParts = (of: { epoch: unknown; member_id: number; row: unknown }) => call("cash_parts", of, Parts);

export const lockerId = (secret: Hex) => call("locker_id", { secret }, v.object({ id: v.string(), key: hex }));
export const lockerSeal = async (secret: Hex, version: number, text: string): Promise<string> => (await call("locker_seal", { secret, version, text }, v.object({ sealed: v.string() }))).sealed;
export const lockerOpen = async (secret: Hex, version: number, sealed: string): Promise<string> => (await call("locker_open", { secret, version, sealed }, v.object({ text: v.string() }))).text;
export const doorOfCode = async (recovery_code: string): Promise<Hex> => (await call("door_of_code", { recovery_code }, v.object({ secret: hex }))).secret;

export const approveRecovery = (of: { cooperative: Cooperative; account: string; recovery_code: string; qx: Hex; qy: Hex; round: number }) => call("approve_recovery", of, request);

export type House = "member" | "token";
export type Support = "for" | "against" | "abstain";
export type Act =
  | { kind: "veto" }
  | { kind: "set_recovery"; recovery_code: string }
  | { kind: "vote"; proposal: string; houses: House[]; support: Support }
  | { kind: "delegate"; to: string }
  | { kind: "lock"; amount: string; tier: number }
  | { kind: "unlock"; index: number }
  | { kind: "sync" }
  /** `price` in parts of 10^18. The request and the blinder are shown to whoever delivers. */
  | { kind: "order"; service: number; price: string; request: string; blinder: Hex };
export const accountAct = (of: { cooperative: Cooperative; account: string; nonce: number; act: Act }) => call("account_act", of, ToAgree);

/** Where a passkey's account is that nobody may replace. */
export const ownAccount = (of: { qx: Hex; qy: Hex }) => call("own_account", of, v.object({ account: v.string() }));
/** What the passkey signs so that its account says yes to a digest. */
export const ownWord = (of: { cooperative: object; account: string; hash: Hex }) => call("own_word", of, v.object({ challenge: hex }));
/** A signature of an account that is not created yet. */
export const beforeCreation = (of: { qx: Hex; qy: Hex; signature: Hex }) => call("before_creation", of, v.object({ signature: hex }));
/** A batch, and `trial`: the data of the account's call to itself that makes the same. */
export const ownCalls = (of: { cooperative: object; account: string; nonce: number; calls: { target: string; data: Hex }[] }) => call("own_calls", of, v.object({ request, challenge: hex, trial: hex }));

/** `poll` as the gateway gives it, and its number, by which the rules see that it is the one that was shown. */
export const ballot = (of: { cooperative: Cooperative; member: Member; id: string; poll: unknown; choice: number; sequence: number }) => call("ballot", of, ToAgree);
/** The members are those of a block that is final, with its time. */
export const holdPoll = (of: { cooperative: Cooperative; member: Member; question: string; options: string[]; snapshot_block: number; snapshot_time: number; days: number }) => call("hold_poll", of, ToAgree);
