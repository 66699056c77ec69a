//! The member's things: one JSON text in the locker. Changes are functions of what is there, so that two devices can make them at once.
import * as v from "valibot";
import type { Hex } from "./bytes";
import { Pin } from "./pinned";

const hex = v.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const Passkey = v.object({ credential: v.string(), qx: hex, qy: hex, opens: v.boolean() });

/** What was agreed to, word for word as it was shown, with what the stewards hold. */
const Receipt = v.object({
  version: count,
  given_at: count,
  until: count,
  language: v.string(),
  notice: v.string(),
  sentences: v.array(v.string()),
  receipt: v.unknown(),
  /** What the chain shows while it holds. */
  commitment: v.optional(v.nullable(hex), null),
});
export type Receipt = v.InferOutput<typeof Receipt>;

const Added = v.object({ commitment: v.string(), name: v.string(), bytes: count, quality: count, at: count, consent_version: count });
export type Added = v.InferOutput<typeof Added>;

/** A service that was ordered for DATA. Whoever delivers it is shown the request and the blinder, of which the chain shows a digest. `done`: the chain showed it. */
const Ordered = v.object({
  ...{ service: count, price: v.string(), request: v.string(), blinder: hex, nonce: count, at: count, done: v.boolean() },
  /** The chain's newest block before it was sent, and the block time until which what was signed counts. */
  ...{ block: v.optional(count), until: v.optional(count) },
  /** Its time is over, and the chain did not show it. */
  lapsed: v.optional(v.boolean(), false),
});
export type Ordered = v.InferOutput<typeof Ordered>;

export const Things = v.object({
  form: v.literal(1),
  account: v.string(),
  guardians: v.array(v.string()),
  threshold: count,
  delay: count,
  passkey: Passkey,
  row_key: hex,
  /** The invitation, until it is used. */
  invitation: v.nullable(v.string()),
  member_id: v.nullable(count),
  receipts: v.array(Receipt),
  added: v.array(Added),
  ordered: v.optional(v.array(Ordered), []),
  /** The cooperative that was joined, for devices that do not know it. */
  pin: v.optional(v.nullable(Pin), null),
  /** Secrets of the doors that lead here, so that they can be emptied. */
  doors: v.optional(v.array(hex), []),
});
export type Things = v.InferOutput<typeof Things>;

export const parseThings = v.parser(v.pipe(v.string(), v.parseJson(), Things));

/** Always in the same order, so that equal things are equal texts. */
export const textOf = (things: Things): string => JSON.stringify(v.parse(Things, things));

/** Each stays until one is known to hold: of two that were signed for one version, either may come on the chain. */
export const withReceipt = (receipt: Receipt) => (things: Things): Things => ({
  ...things,
  receipts: [...things.receipts.filter(({ commitment }) => commitment === null || commitment !== receipt.commitment), receipt],
});

/** One is on the chain: others of its version never will be. */
export const withHolding = (version: number, holding: string) => (things: Things): Things => ({
  ...things,
  receipts: things.receipts.filter((one) => one.version !== version || one.commitment?.toLowerCase() === holding.toLowerCase()),
});

/** What the chain says of the choice that holds, or held last. */
export interface Shown {
  readonly consent_version: number;
  readonly consent_commitment: string;
}

/**
 * The receipt of the choice on the chain, and those of earlier ones. Where two were signed for one version, the commitment tells which came; of an
 * earlier version with two, nobody can tell, and neither is shown.
 */
export function receiptsOf(receipts: readonly Receipt[], { consent_version, consent_commitment }: Shown): { current: Receipt | undefined; older: Receipt[] } {
  const of = (version: number) => receipts.filter((one) => one.version === version);
  const current = of(consent_version).find(({ commitment }) => commitment?.toLowerCase() === consent_commitment.toLowerCase());
  const older = receipts.filter(({ version }) => version < consent_version && of(version).length === 1).sort((one, other) => other.version - one.version);
  return { current, older };
}

export const withDoor = (door: Hex) => (things: Things): Things => ({ ...things, doors: [...new Set([...things.doors, door])] });

/** Each by its blinder, which is drawn for it alone. */
export const withOrdered = (ordered: Ordered) => (things: Things): Things => ({
  ...things,
  ordered: [...things.ordered.filter(({ blinder }) => blinder !== ordered.blinder), ordered],
});

/** After an erasure: what tells of records and choices is gone; what it takes to be paid what was earned stays. */
export const withoutRecords = (things: Things): Things => ({ ...things, receipts: [], added: [], ordered: [], invitation: null, row_key: "0x" });

export const withAdded = (added: Added) => (things: Things): Things => ({
  ...things,
  added: [...things.added.filter(({ commitment }) => commitment !== added.commitment), added],
});
