//! What a key figure's numbers are, and how they are put into words.
import type { Kpi } from "../api/generated";

export const GROUPS = ["members", "contributions", "diversity", "governance", "revenue", "budget", "treasury"] as const;
export type Group = (typeof GROUPS)[number];

/** Figures that this page has words for; others stand with the gateway's. */
export const KNOWN = [
  ...["members_joined", "members_ended", "members_active", "records_contributed", "contribution_rate", "contribution_quality"],
  ...["diversity_shannon", "diversity_simpson", "proposals_opened", "participation", "turnout", "votes_gini", "votes_nakamoto"],
  ...["licensed_value", "revenue_by_dataset", "revenue_by_asset", "time_to_payout", "budget_left", "treasury_balance", "treasury_spent", "treasury_runway"],
] as const;
export type Known = (typeof KNOWN)[number];
export const knownOf = (id: string): Known | undefined => KNOWN.find((known) => known === id);

export const UNITS = ["members", "records", "records per member", "USDC", "DATA", "days", "share", "nats", "accounts", "zCDP", "proposals", "whole records", "USDC, DATA"] as const;
export type Unit = (typeof UNITS)[number];
export const unitOf = (unit: string): Unit | undefined => UNITS.find((known) => known === unit);

export const LABELS = ["types", "sources", "member", "token", "held", "delegated", "USDC", "DATA", "contributors", "operations", "compliance", "reserve", "buyback"] as const;
export type Label = (typeof LABELS)[number];
export const labelOf = (label: string): Label | undefined => LABELS.find((known) => known === label);

/** A text with a point, as the locale writes it: shares as per cent, dollars to the cent, else up to three digits. Digits are cut, not rounded up. */
export function textOf(value: string, unit: string, locale: string): string {
  const [whole = "0", part = ""] = value.split(".");
  const cut = (digits: number) => (digits > 0 ? `${whole}.${part.padEnd(digits, "0").slice(0, digits)}` : whole) as Intl.StringNumericLiteral;
  if (unit === "share") return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(cut(3));
  if (unit === "USDC") return new Intl.NumberFormat(locale, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" }).format(cut(2));
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 3 }).format(cut(3));
}

/** Where parts of a figure are counted in different units, each part is named after its own. */
export const unitOfPart = (unit: string, label: string): string => (unit.includes(", ") ? label : unit);

/** Charts draw, and do not add. */
export const drawn = (value: string | null): number | null => (value === null ? null : Number(value));

/** A value, and on which day of the series, from 0, where that is another one than the day that was asked for. */
export interface Stood {
  readonly value: string | null;
  readonly at?: number;
}

/** The newest value that there is by the last day. */
export function newest(values: readonly (string | null)[]): Stood {
  const at = values.findLastIndex((value) => value !== null);
  const value = values[at];
  return value == null ? { value: null } : { value, ...(at < values.length - 1 && { at }) };
}

/** Figures that count what happened on a day: of these, days are added up. */
const FLOWS: readonly Known[] = ["members_joined", "members_ended", "records_contributed", "proposals_opened", "licensed_value", "revenue_by_dataset", "revenue_by_asset", "treasury_spent"];
export const isFlow = (id: string): boolean => FLOWS.some((flow) => flow === id);

const DIGITS = 18;
const parts = (value: string): bigint => {
  const [whole = "0", part = ""] = value.split(".");
  return BigInt(whole + part.padEnd(DIGITS, "0").slice(0, DIGITS));
};

/** To the last digit; nothing where no day has a value. */
export function sum(values: readonly (string | null)[]): string | null {
  const there = values.filter((value) => value !== null);
  if (there.length === 0) return null;
  const total = there.reduce((all, value) => all + parts(value), 0n).toString().padStart(DIGITS + 1, "0");
  return `${total.slice(0, -DIGITS)}.${total.slice(-DIGITS)}`;
}

/** What stands now and what stood 30 days before: the newest value of each, or what happened in 30 days. */
export function pair(id: string, values: readonly (string | null)[]): { now: Stood; before: Stood } {
  if (isFlow(id)) return { now: { value: sum(values.slice(-30)) }, before: { value: sum(values.slice(-60, -30)) } };
  return { now: newest(values), before: newest(values.slice(0, -30)) };
}

export const isEmpty = ({ series }: Pick<Kpi, "series">): boolean => series.every(({ values }) => values.every((value) => value === null));

/** Rows of a figure, the newest first; days before there was anything are left out. */
export function rowsOf({ series }: Pick<Kpi, "series">, first_day: number): { day: number; values: (string | null)[] }[] {
  const days = Math.max(0, ...series.map(({ values }) => values.length));
  const rows = Array.from({ length: days }, (_, at) => ({ day: first_day + at * 86_400, values: series.map(({ values }) => values[at] ?? null) }));
  const begun = rows.findIndex(({ values }) => values.some((value) => value !== null));
  return begun < 0 ? [] : rows.slice(begun).reverse();
}

/** The figures as a table. */
export const csvOf = (days: number): string => `/v1/kpis.csv?days=${days}`;
