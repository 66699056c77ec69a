//! What the wasm module's `check_record` gives, as `crates/browser/src/check.rs` has it: a boundary like any other.
import * as v from "valibot";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const CATEGORIES = ["availability", "conformity", "accuracy", "plausibility"] as const;

const Part = v.object({ category: v.picklist(CATEGORIES), passed: count, checked: count, points: count, weight: count });
export type Part = v.InferOutput<typeof Part>;

const Reason = v.object({
  check: v.string(),
  category: v.nullable(v.picklist(CATEGORIES)),
  element: v.string(),
  paths: v.array(v.string()),
  count,
  lost: count,
  text: v.string(),
});
export type Reason = v.InferOutput<typeof Reason>;

const Looked = v.object({
  name: v.string(),
  patient: v.nullable(v.string()),
  bytes: count,
  quality: count,
  gated: v.boolean(),
  parts: v.array(Part),
  reasons: v.array(Reason),
});
export type Looked = v.InferOutput<typeof Looked>;

const PassedOver = v.object({ name: v.string(), reason: v.string(), fault: v.boolean() });
export type PassedOver = v.InferOutput<typeof PassedOver>;

/** The first records and the first inputs without one, and how many of each the file has. */
export const Checked = v.object({ records: v.array(Looked), records_in_all: count, passed_over: v.array(PassedOver), passed_over_in_all: count });
export type Checked = v.InferOutput<typeof Checked>;
