//! An application to the ethics board, and the facts that it finds out: files that people hand to each other.
import * as v from "valibot";
import { Account } from "../chain/provider";

const yes = v.optional(v.boolean());
const text = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200)));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const FACTS = ["notForProfit", "publicBody", "commercial", "publishes", "returns", "collaboration", "genetic", "ancestry", "methodsDevelopment"] as const;
export type Fact = (typeof FACTS)[number];

/** The facts on which members' conditions turn. What is absent is not known, and no condition holds by it. */
export const Protocol = v.strictObject({
  ...(Object.fromEntries(FACTS.map((fact) => [fact, yes])) as Record<Fact, typeof yes>),
  country: v.optional(v.pipe(v.string(), v.regex(/^[A-Z]{2}$/))),
  institution: text,
  project: text,
  disease: v.optional(v.strictObject({ system: v.pipe(v.string(), v.minLength(1)), code: v.pipe(v.string(), v.minLength(1)) })),
});
export type Protocol = v.InferOutput<typeof Protocol>;

/** Most bytes of it that the contract takes. */
export const MOST = 1_024;

/** As it is signed: RFC 8785 JSON of what is known, and empty where nothing is. */
export function textOf(protocol: Protocol): string {
  const known = canonical(protocol);
  return known === "{}" ? "" : known;
}

/** Names in order, no blanks; numbers in it are whole. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).filter(([, part]) => part !== undefined).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${parts.map(([name, part]) => `${JSON.stringify(name)}:${canonical(part)}`).join(",")}}`;
}

/** As stewards read it from the chain: any other text says nothing. */
export function protocolOf(written: string): Protocol {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Protocol), written);
  return parsed.success && textOf(parsed.output) === written ? parsed.output : {};
}

export const KIND = "rochdale ethics application";
export const Application = v.object({
  kind: v.literal(KIND),
  version: v.literal(1),
  chain_id: count,
  ethics_registry: Account,
  researcher: Account,
  purpose: count,
  months: v.pipe(count, v.minValue(1), v.maxValue(120)),
  study: v.object({ title: v.pipe(v.string(), v.minLength(1)), summary: v.pipe(v.string(), v.minLength(1)), contact: v.pipe(v.string(), v.minLength(1)) }),
  protocol: Protocol,
});
export type Application = v.InferOutput<typeof Application>;

/** With the signature of the account that it names, where that signed it: without, anybody could have written it. */
export const SignedApplication = v.object({ ...Application.entries, signature: v.optional(v.pipe(v.string(), v.regex(/^0x([0-9a-f]{2})+$/i), v.transform((signature) => signature as `0x${string}`))) });
export type SignedApplication = v.InferOutput<typeof SignedApplication>;

/** All of an application, as its account signs it. */
export const wordsOf = (application: Application): string => canonical(v.parse(Application, application));

export const SIGNED = "rochdale ethics approval";
/** What the board hands over: anybody may send it to the contract. */
export const SignedApproval = v.object({
  kind: v.literal(SIGNED),
  version: v.literal(1),
  chain_id: count,
  approval: v.object({ researcher: Account, purpose: count, until: count, protocol: v.string(), nonce: v.pipe(v.string(), v.regex(/^[0-9]+$/)), deadline: count }),
  signature: v.pipe(v.string(), v.regex(/^0x([0-9a-f]{2})+$/i), v.transform((signature) => signature as `0x${string}`)),
});
export type SignedApproval = v.InferOutput<typeof SignedApproval>;

/** What a file holds, where it holds that. */
export function read<T>(schema: v.GenericSchema<unknown, T>, content: string): T | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), content);
  return parsed.success ? parsed.output : undefined;
}
