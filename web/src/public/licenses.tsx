//! Who uses the data: licenses that were sold, and what questions cost of the privacy budget.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { kindOf, purposeOf } from "../api/codes";
import { type BudgetView, type LicenseView, readBudget, readCooperative, readDatasets, readLicenses } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { permilleUp, useFormat } from "../ui/format";
import { Code, Empty, More, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";

export const needs = () => [readLicenses(), readDatasets(), readCooperative(), readBudget()];

export default function Licenses() {
  const { t } = useTranslation("public");
  const licenses = useRead(readLicenses());
  const datasets = useRead(readDatasets());
  const cooperative = useRead(readCooperative());
  const budget = useRead(readBudget());
  return (
    <>
      <PageHead title={t("licenses.title")} lead={t("licenses.lead")} />
      <Await of={[licenses, datasets, cooperative]}>
        {(sold, sets, { now }) =>
          sold.length === 0 ? (
            <Empty title={t("licenses.empty")}>
              <p>{t("licenses.emptyText")}</p>
              <p>
                <Link to="/datasets">{t("licenses.emptyLink")}</Link>
              </p>
            </Empty>
          ) : (
            <Sold licenses={[...sold].reverse()} kinds={new Map(sets.map((set) => [set.dataset, set.data_type]))} now={now} />
          )
        }
      </Await>
      <Section title={t("licenses.questions")}>
        <Await of={[budget]}>{(charged) => <Questions budget={charged} />}</Await>
      </Section>
    </>
  );
}

function Sold({ licenses, kinds, now }: { licenses: LicenseView[]; kinds: Map<number, number>; now: number }) {
  const { t } = useTranslation(["public", "common"]);
  const { date } = useFormat();
  return (
    <>
      <Table
        caption={t("licenses.caption")}
        rows={licenses}
        keyOf={(license) => license.license_id}
        columns={[
          { head: t("licenses.number"), cell: (license) => license.license_id },
          { head: t("licenses.what"), cell: ({ dataset }) => t(`common:kind.${kindOf(kinds.get(dataset) ?? 0)}`) },
          { head: t("licenses.purpose"), cell: ({ purpose }) => t(`common:purpose.${purposeOf(purpose)}.name`) },
          { head: t("licenses.paidFor"), cell: ({ records }) => t("licenses.records", { count: records }) },
          { head: t("licenses.until"), cell: ({ expiry }) => date(expiry) },
          {
            head: t("licenses.state"),
            cell: ({ expiry }) => (
              <span className="tag" data-tone={expiry > now ? "good" : undefined}>
                {t(expiry > now ? "licenses.active" : "licenses.ended")}
              </span>
            ),
          },
        ]}
      />
      <More title={t("licenses.accounts")}>
        <p>{t("licenses.accountsText")}</p>
        <Table
          caption={t("licenses.accountsCaption")}
          rows={licenses}
          keyOf={(license) => license.license_id}
          columns={[
            { head: t("licenses.number"), cell: (license) => license.license_id },
            { head: t("licenses.holder"), cell: ({ holder }) => <Code>{holder}</Code> },
          ]}
        />
      </More>
    </>
  );
}

function Questions({ budget: { debits, answered, rho, limits } }: { budget: BudgetView }) {
  const { t } = useTranslation("public");
  const { percent } = useFormat();
  const used = limits && Math.min(1_000, permilleUp(BigInt(rho), BigInt(limits.lifetime)));
  return (
    <>
      <p>
        {t("licenses.asked", { count: debits })} {debits > 0 && (answered === debits ? t("licenses.allAnswered") : t("licenses.answered", { count: answered }))}
      </p>
      <p>{t("licenses.budget")}</p>
      {debits > 0 && <p>{used ? t("licenses.used", { part: percent(used) }) : t("licenses.unknown")}</p>}
    </>
  );
}
