//! Names of key figures, of their parts and their values, in the language that is spoken.
import { useTranslation } from "react-i18next";
import type { Kpi } from "../api/generated";
import { localeOf } from "../ui/format";
import { knownOf, labelOf, textOf, unitOf } from "./figure";

/** The gateway's own words, where this page has none, are English. */
export function useFigure() {
  const { t, i18n } = useTranslation("operator");
  const locale = localeOf(i18n.language, navigator.languages);
  return {
    name: ({ id, name }: Pick<Kpi, "id" | "name">): string => {
      const known = knownOf(id);
      return known ? t(`kpis.figure.${known}.name`) : name;
    },
    why: ({ id }: Pick<Kpi, "id">): string | undefined => {
      const known = knownOf(id);
      return known && t(`kpis.figure.${known}.why`);
    },
    unit: (unit: string): string => {
      const known = unitOf(unit);
      return known ? t(`kpis.unit.${known.replaceAll(" ", "-") as "members"}`) : unit;
    },
    label: ({ id }: Pick<Kpi, "id">, label: string): string => {
      if (id === "revenue_by_dataset") return t("kpis.dataset", { number: label });
      const known = labelOf(label);
      return known ? t(`kpis.label.${known}`) : label;
    },
    value: (value: string | null, unit: string): string => (value === null ? t("kpis.none") : textOf(value, unit, locale)),
    /** A day of a series. */
    day: (at: number): string => new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(at * 1_000),
    locale,
  };
}
