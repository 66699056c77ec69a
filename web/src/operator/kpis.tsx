//! Key figures: how the cooperative does, each as it is now, with a page of its own.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Cohort, Kpi, Kpis } from "../api/generated";
import { readKpisWhole } from "../api/within";
import { csvOf } from "./figure";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { permille, useFormat } from "../ui/format";
import { Empty, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { GROUPS, isEmpty, isFlow, pair, type Stood, unitOfPart } from "./figure";
import { Room } from "./room";
import { useFigure } from "./words";

const DAYS = 90;
export const needs = () => [readKpisWhole(DAYS)];

export default function KpisPage() {
  const { t } = useTranslation("operator");
  const kpis = useRead(readKpisWhole(DAYS));
  return (
    <>
      <Room />
      <PageHead title={t("kpis.title")} lead={t("kpis.lead")} />
      <Await of={[kpis]}>{(seen) => (seen.kpis.every(isEmpty) ? <None /> : <All of={seen} />)}</Await>
    </>
  );
}

function None() {
  const { t } = useTranslation("operator");
  return (
    <Empty title={t("kpis.empty")}>
      <p>{t("kpis.emptyText")}</p>
      <p>
        <Link to="/health">{t("kpis.emptyLink")}</Link>
      </p>
    </Empty>
  );
}

function All({ of: { kpis, cohorts, now, days, first_day } }: { of: Kpis }) {
  const { t } = useTranslation("operator");
  const { time, number } = useFormat();
  const known = (group: string) => GROUPS.some((one) => one === group);
  const groups = [...GROUPS.map((group) => [group, kpis.filter((kpi) => kpi.group === group)] as const), ["other", kpis.filter(({ group }) => !known(group))] as const];
  return (
    <>
      <p className="small">{t("kpis.asOf", { time: time(now) })}</p>
      {groups.map(([group, inIt]) => inIt.length > 0 && <OneGroup key={group} group={group} kpis={inIt} first_day={first_day} />)}
      {cohorts.length > 0 && (
        <Section title={t("kpis.retention.title")}>
          <Retention cohorts={cohorts} />
        </Section>
      )}
      <p>
        <a href={csvOf(days)} download>
          {t("kpis.csv", { days: number(days) })}
        </a>
      </p>
    </>
  );
}

function OneGroup({ group, kpis, first_day }: { group: (typeof GROUPS)[number] | "other"; kpis: Kpi[]; first_day: number }) {
  const { t } = useTranslation("operator");
  const { name, value, label, day } = useFigure();
  const shown = ({ value: one, at }: Stood, unit: string) => (
    <>
      {value(one, unit)}
      {at !== undefined && <span className="part-what">{t("kpis.on", { date: day(first_day + at * 86_400) })}</span>}
    </>
  );
  const title = group === "other" ? t("kpis.others") : t(`kpis.group.${group}`);
  const rows = kpis.flatMap((kpi) => kpi.series.map((series) => ({ kpi, series })));
  return (
    <Section title={title}>
      <Table
        caption={t("kpis.caption", { group: title })}
        rows={rows}
        keyOf={({ kpi, series }) => `${kpi.id} ${series.label}`}
        columns={[
          {
            head: t("kpis.what"),
            cell: ({ kpi, series }) => (
              <>
                <Link to="/kpis/$kpi" params={{ kpi: kpi.id }}>
                  {name(kpi)}
                </Link>
                {(series.label || isFlow(kpi.id)) && <span className="part-what">{[series.label && label(kpi, series.label), isFlow(kpi.id) && t("kpis.flow")].filter(Boolean).join(", ")}</span>}
              </>
            ),
          },
          { head: t("kpis.now"), isNumber: true, cell: ({ kpi, series }) => shown(pair(kpi.id, series.values).now, unitOfPart(kpi.unit, series.label)) },
          { head: t("kpis.before"), isNumber: true, cell: ({ kpi, series }) => shown(pair(kpi.id, series.values).before, unitOfPart(kpi.unit, series.label)) },
        ]}
      />
    </Section>
  );
}

/** Of those who joined in a month, how many are still there after so many times 30 days. */
function Retention({ cohorts }: { cohorts: Cohort[] }) {
  const { t } = useTranslation("operator");
  const { number, percent } = useFormat();
  const ages = Math.max(...cohorts.map(({ stayed }) => stayed.length));
  return (
    <>
      <p>{t("kpis.retention.text")}</p>
      <Table
        caption={t("kpis.retention.caption")}
        rows={cohorts.toReversed()}
        keyOf={({ month }) => month}
        columns={[
          { head: t("kpis.retention.month"), cell: ({ month }) => month },
          { head: t("kpis.retention.joined"), isNumber: true, cell: ({ joined }) => number(joined) },
          ...Array.from({ length: ages }, (_, age) => ({
            head: t("kpis.retention.after", { days: number(age * 30) }),
            isNumber: true,
            cell: ({ stayed, joined }: Cohort) => {
              const left = stayed[age];
              return left === undefined ? t("kpis.none") : percent(permille(BigInt(left), BigInt(joined)));
            },
          })),
        ]}
      />
    </>
  );
}
