//! The member's things: one JSON text in the locker. Changes are functions of what is there, so that two devices can make them at once.
import * as v from "valibot";
import type { Hex } from "./bytes";

const hex = v.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Passkey = v.object({ credential: v.string(), qx: hex, qy: hex, opens: v.boolean() });

/** What was agreed to, word for word as it was shown, with what the stewards hold. */
const Receipt = v.object({
  version: count,
  given_at: count,
  until: count,
  language: v.string(),
  notice: v.string(),
  sentences: v.array(v.string()),
  receipt: v.unknown(),
});
export type Receipt = v.InferOutput<typeof Receipt>;

const Added = v.object({ commitment: v.string(), name: v.string(), bytes: count, quality: count, at: count, consent_version: count });
export type Added = v.InferOutput<typeof Added>;

export const Things = v.object({
  form: v.literal(1),
  account: v.string(),
  guardians: v.array(v.string()),
  threshold: count,
  delay: count,
  passkey: Passkey,
  /** A passkey that the recovery code is putting in place. */
  next: v.nullable(Passkey),
  row_key: hex,
  /** The invitation, until it is used. */
  invitation: v.nullable(v.string()),
  member_id: v.nullable(count),
  receipts: v.array(Receipt),
  added: v.array(Added),
});
export type Things = v.InferOutput<typeof Things>;

export const parseThings = v.parser(v.pipe(v.string(), v.parseJson(), Things));

/** Always in the same order, so that equal things are equal texts. */
export const textOf = (things: Things): string => JSON.stringify(v.parse(Things, things));

/** One receipt a version: a second try at the same version replaces the first. */
export const withReceipt = (receipt: Receipt) => (things: Things): Things => ({
  ...things,
  receipts: [...things.receipts.filter(({ version }) => version !== receipt.version), receipt],
});

export const withAdded = (added: Added) => (things: Things): Things => ({
  ...things,
  added: [...things.added.filter(({ commitment }) => commitment !== added.commitment), added],
});
