//! One key figure over time: how it is worked out, a chart, and the same numbers in a table.
import { Link, useParams } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Kpi, Kpis } from "../api/generated";
import { readKpisWhole } from "../api/within";
import { csvOf } from "./figure";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { type Days, Legend, Lines } from "../ui/lines";
import { Empty, Facts, Figures, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { drawn, isEmpty, isFlow, newest, rowsOf, textOf, unitOfPart } from "./figure";
import { Room } from "./room";
import { useFigure } from "./words";

const SPANS = [30, 90, 366] as const;
const DAYS = 90;
export const needs = () => [readKpisWhole(DAYS)];

export default function KpiPage() {
  const { t } = useTranslation("operator");
  const { name } = useFigure();
  const { kpi: id } = useParams({ from: "/kpis/$kpi" });
  const [days, setDays] = useState<number>(DAYS);
  const kpis = useRead(readKpisWhole(days));
  const kpi = kpis.data?.kpis.find((one) => one.id === id);
  return (
    <>
      <Room />
      <PageHead title={kpi ? name(kpi) : t("kpis.one")} back={<Link to="/kpis">{t("kpis.back")}</Link>} />
      <fieldset className="spans">
        <legend>{t("kpis.span")}</legend>
        {SPANS.map((span) => (
          <button key={span} type="button" className="button quiet" aria-pressed={span === days} onClick={() => setDays(span)}>
            {t("kpis.days", { count: span })}
          </button>
        ))}
      </fieldset>
      <Await of={[kpis]}>{(seen) => (kpi ? <Whole kpi={kpi} of={seen} /> : <p>{t("kpis.unknown")}</p>)}</Await>
    </>
  );
}

function Whole({ kpi, of }: { kpi: Kpi; of: Kpis }) {
  const { t } = useTranslation("operator");
  const { why, unit, value, label, day } = useFigure();
  return (
    <>
      <p>{why(kpi)}</p>
      {isEmpty(kpi) ? (
        <Empty title={t("kpis.noneYet")}>
          <p>{t("kpis.noneYetText")}</p>
          <p>
            <Link to="/kpis">{t("kpis.back")}</Link>
          </p>
        </Empty>
      ) : (
        <>
          <Figures
            of={kpi.series.map((series) => {
              const { value: last, at } = newest(series.values);
              const when = at !== undefined ? t("kpis.on", { date: day(of.first_day + at * 86_400) }) : t(isFlow(kpi.id) ? "kpis.today" : "kpis.now");
              return [value(last, unitOfPart(kpi.unit, series.label)), [series.label && label(kpi, series.label), when].filter(Boolean).join(", ")];
            })}
          />
          <Over kpi={kpi} of={of} />
        </>
      )}
      <Section title={t("kpis.how")}>
        <Facts
          of={[
            [t("kpis.unitTerm"), unit(kpi.unit)],
            [t("kpis.formula"), <span key="formula" lang="en">{kpi.formula}</span>],
            [t("kpis.source"), <span key="source" lang="en">{kpi.source}</span>],
          ]}
        />
        <p>
          <a href={csvOf(of.days)} download>
            {t("kpis.csv", { days: of.days })}
          </a>
        </p>
      </Section>
    </>
  );
}

function Over({ kpi, of: { first_day } }: { kpi: Kpi; of: Kpis }) {
  const { t } = useTranslation("operator");
  const { name, value, label, day, locale } = useFigure();
  const rows = useMemo(() => rowsOf(kpi, first_day), [kpi, first_day]);
  const days = useMemo<Days>(() => {
    const ordered = rows.toReversed();
    return [ordered.map(({ day }) => day), ...kpi.series.map((_, at) => ordered.map(({ values }) => drawn(values[at] ?? null)))];
  }, [rows, kpi]);
  const nameDay = useCallback((day: number) => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" }).format(day * 1_000), [locale]);
  const nameValue = useCallback((drawnValue: number) => textOf(drawnValue.toFixed(4), kpi.unit, locale), [kpi.unit, locale]);
  const names = kpi.series.map((series) => (series.label ? label(kpi, series.label) : name(kpi)));
  return (
    <Section title={t("kpis.time")}>
      {rows.length > 1 && (
        <figure className="figure wide-figure">
          <figcaption>{t("kpis.chart", { name: name(kpi) })}</figcaption>
          {names.length > 1 && <Legend names={names} />}
          <Lines days={days} title={t("kpis.chart", { name: name(kpi) })} nameDay={nameDay} nameValue={nameValue} />
        </figure>
      )}
      <div className="tall">
        <Table
          caption={t("kpis.table", { name: name(kpi) })}
          rows={rows}
          keyOf={({ day }) => day}
          columns={[
            { head: t("kpis.day"), cell: (row) => day(row.day) },
            ...names.map((head, at) => ({ head, isNumber: true, cell: ({ values }: (typeof rows)[number]) => value(values[at] ?? null, unitOfPart(kpi.unit, kpi.series[at]?.label ?? "")) })),
          ]}
        />
      </div>
    </Section>
  );
}
