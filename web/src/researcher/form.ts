//! A question as a form has it, and as the query that it is: both ways. Values are typed in units and kept in thousandths; no digit passes through a float.
import type { Query } from "./asking";
import { nanoOf, rhoOf } from "./rho";

export interface Form {
  kind: "count" | "mean" | "histogram";
  /** A code as `system|code`, or the age. */
  of: string;
  rows: string;
  lower: string;
  upper: string;
  edges: string;
  sex: "any" | "female" | "male" | "other" | "unknown";
  from: string;
  to: string;
  condition: string;
  observation: string;
  rho: string;
}

export const AGE = "age";

export const NEW: Form = { kind: "count", of: AGE, rows: "1", lower: "0", upper: "100", edges: "0, 20, 40, 60, 80, 100", sex: "any", from: "", to: "", condition: "", observation: "", rho: "0.02" };

/** `80.5` as 80500; the text itself where it is no such number, which the rules then refuse by the field's name. */
export function milliOf(text: string): number | string {
  const [, sign = "", whole, part = ""] = /^([-−]?)([0-9]{1,10})(?:[.,]([0-9]{1,3}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) return text;
  const size = Number(whole + part.padEnd(3, "0"));
  return sign ? -size || 0 : size;
}

export function unitOf(milli: number): string {
  const digits = String(Math.abs(milli)).padStart(4, "0");
  return `${milli < 0 ? "-" : ""}${digits.slice(0, -3)}.${digits.slice(-3)}`.replace(/\.?0+$/, "");
}

const wholeOf = (text: string): number | string => (/^[0-9]{1,9}$/.test(text.trim()) ? Number(text) : text);

function codeOf(text: string): { system: string; code: string } {
  const at = text.lastIndexOf("|");
  return { system: text.slice(0, Math.max(0, at)).trim(), code: text.slice(at + 1).trim() };
}

/** The JSON of what the form says; whether it is a query, the rules tell. */
export function textOf(form: Form, dataset: number): string {
  const { sex, from, to, condition, observation, kind } = form;
  const cohort = {
    ...(condition && { condition: codeOf(condition) }),
    ...(sex !== "any" && { sex }),
    ...((from || to) && { age: { from: wholeOf(from || "0"), to: wholeOf(to || "150") } }),
    ...(observation && { observation: codeOf(observation) }),
  };
  const of = form.of === AGE ? { age: {} } : { observation: codeOf(form.of) };
  const rows = wholeOf(form.rows);
  const ask =
    kind === "count" ? { kind } : kind === "mean" ? { kind, of, rows, lower: milliOf(form.lower), upper: milliOf(form.upper) } : { kind, of, rows, edges: form.edges.split(/[;\s]+|,\s+/).filter(Boolean).map(milliOf) };
  return JSON.stringify({ version: 1, dataset, ...(Object.keys(cohort).length > 0 && { cohort }), ask, rho: nanoOf(form.rho) ?? form.rho }, null, 2);
}

/** What a query says in the form; of what it does not say, the form keeps what it had. */
export function formOf({ cohort, ask, rho }: Query, before: Form): Form {
  const named = (code: { system: string; code: string } | undefined) => (code ? `${code.system}|${code.code}` : "");
  const measured = ask.kind === "count" ? {} : { of: "age" in ask.of ? AGE : named(ask.of.observation), rows: String(ask.rows) };
  const bounds = ask.kind === "mean" ? { lower: unitOf(ask.lower), upper: unitOf(ask.upper) } : ask.kind === "histogram" ? { edges: ask.edges.map(unitOf).join(", ") } : {};
  return {
    ...before,
    kind: ask.kind,
    ...measured,
    ...bounds,
    sex: cohort.sex ?? "any",
    from: cohort.age ? String(cohort.age.from) : "",
    to: cohort.age ? String(cohort.age.to) : "",
    condition: named(cohort.condition),
    observation: named(cohort.observation),
    rho: rhoOf(rho),
  };
}
