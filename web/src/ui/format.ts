//! Money, dates and numbers as the reader's locale writes them. Amounts stay integers: no cent passes through a float.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";


/** The browser's own variant of the language, where it has one: `en-GB`, `de-AT`. */
export function localeOf(language: string, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
}

/** Micro-USDC as dollars, cut to whole cents: what is shown is never more than what is there. */
export function money(micro: string | bigint, locale: string): string {
  const cents = BigInt(micro) / 10_000n;
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, "0");
  const decimal = `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return new Intl.NumberFormat(locale, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" }).format(
    decimal as Intl.StringNumericLiteral,
  );
}

/** What is kept in parts of 10^18, cut to hundredths: what is shown is never more than what is there. */
export function units(wei: string | bigint, locale: string): string {
  const cents = BigInt(wei) / 10n ** 16n;
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, "0");
  const decimal = `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(decimal as Intl.StringNumericLiteral);
}

/** The chain's own coin in parts of 10^18, cut to millionths. */
export function coins(wei: string | bigint, locale: string): string {
  const digits = (BigInt(wei) / 10n ** 12n).toString().padStart(7, "0");
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(`${digits.slice(0, -6)}.${digits.slice(-6)}` as Intl.StringNumericLiteral);
}

/** Micro-USDC to the last digit that is there: what somebody allows to be taken is never told as less. */
export function exactly(micro: string | bigint, locale: string): string {
  const digits = (BigInt(micro) < 0n ? -BigInt(micro) : BigInt(micro)).toString().padStart(7, "0");
  const decimal = `${BigInt(micro) < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
  return new Intl.NumberFormat(locale, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", minimumFractionDigits: 2, maximumFractionDigits: 6 }).format(decimal as Intl.StringNumericLiteral);
}

/** Whole dollars and what of them is left, for charts alone, which draw and do not add. */
export const dollarsForDrawing = (micro: string): number => Number(BigInt(micro) / 10_000n) / 100;

/** `part` of `whole` in tenths of a per cent, rounded down; 0 where there is no whole. */
export const permille = (part: bigint, whole: bigint): number => (whole === 0n ? 0 : Number((part * 1_000n) / whole));

/** The same, rounded up: nothing that was used is told as unused. */
export const permilleUp = (part: bigint, whole: bigint): number => (whole === 0n ? 0 : Number((part * 1_000n + whole - 1n) / whole));

const SPANS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** Seconds as days, hours and minutes, to the last one that is there. */
export function span(seconds: number, locale: string): string {
  let left = seconds;
  const parts = SPANS.flatMap(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count > 0 ? [new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count)] : [];
  });
  return new Intl.ListFormat(locale).format(parts.length > 0 ? parts : [new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "long" }).format(0)]);
}

/** All of it for the language that is spoken; the same object until that changes. */
export function useFormat() {
  const { i18n } = useTranslation();
  return useMemo(() => formatOf(localeOf(i18n.language, navigator.languages)), [i18n.language]);
}

export function formatOf(locale: string) {
  const at = (seconds: number, style: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, style).format(seconds * 1000);
  return {
    money: (micro: string | bigint) => money(micro, locale),
    exactly: (micro: string | bigint) => exactly(micro, locale),
    coins: (wei: string | bigint) => coins(wei, locale),
    units: (wei: string | bigint) => units(wei, locale),
    number: (value: number) => new Intl.NumberFormat(locale).format(value),
    /** A decimal that is kept as text, digit for digit. */
    decimal: (text: string) => new Intl.NumberFormat(locale, { maximumFractionDigits: 20 }).format(text as Intl.StringNumericLiteral),
    percent: (permilles: number) =>
      new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(permilles / 1_000),
    /** Quality is kept in hundredths of a point of 100. */
    points: (bps: number) => new Intl.NumberFormat(locale, { maximumFractionDigits: bps % 100 === 0 ? 0 : 1 }).format(bps / 100),
    bytes: (count: number) => {
      const [unit, size] = count < 1_000_000 ? (["kilobyte", 1_000] as const) : (["megabyte", 1_000_000] as const);
      return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(count / size);
    },
    date: (seconds: number) => at(seconds, { dateStyle: "long" }),
    time: (seconds: number) => at(seconds, { dateStyle: "long", timeStyle: "short" }),
    span: (seconds: number) => span(seconds, locale),
    list: (items: string[]) => new Intl.ListFormat(locale).format(items),
  };
}
