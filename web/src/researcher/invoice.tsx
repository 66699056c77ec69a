//! What was paid for a license, as the chain shows it, on a page that prints.
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { purposeOf } from "../api/codes";
import { ChainAway, useChain } from "../chain/act";
import type { Contracts, Desk } from "../chain/desk";
import type { Payment, Terms } from "../chain/market";
import { Room, WithWallet } from "../chain/room";
import { useBy } from "../chain/wallet";
import { Await } from "../ui/await";
import { LongField } from "../ui/form";
import { useFormat } from "../ui/format";
import { Code, Facts, Section } from "../ui/page";
import { Table } from "../ui/table";

export default function Invoice() {
  const { t } = useTranslation("researcher-buy");
  const by = useBy();
  const { license } = useParams({ from: "/invoice/$license" });
  return (
    <Room title={t("invoice.title", { license })} lead={t("invoice.lead", by)} back={<Link to="/desk">{t("desk.title")}</Link>}>
      <WithWallet>{(desk, contracts) => <Paid desk={desk} contracts={contracts} license={Number(license)} />}</WithWallet>
    </Room>
  );
}

function Paid({ desk, contracts, license }: { desk: Desk; contracts: Contracts; license: number }) {
  const paid = useChain(desk, ["invoice", license], async () => {
    const terms = await contracts.termsOf(desk, license);
    return { terms, ...(await contracts.payments(desk, terms)) };
  });
  return (
    <Await of={[paid]} failed={ChainAway}>
      {({ terms, payments, isWhole }) => <Page desk={desk} terms={terms} payments={payments} isWhole={isWhole} />}
    </Await>
  );
}

function Page({ desk, terms, payments, isWhole }: { desk: Desk; terms: Terms; payments: Payment[]; isWhole: boolean }) {
  const { t } = useTranslation(["researcher-buy", "common"]);
  const { exactly: money, number, date, time } = useFormat();
  const [billed, setBilled] = useState("");
  const total = payments.reduce((sum, { amount }) => sum + amount, 0n);
  // A sum of what was found is none of what was paid.
  const isKnown = isWhole && payments.length > 0 && payments.every(({ amount }) => amount > 0n);
  const { site } = desk;
  return (
    <>
      <div className="no-print">
        <LongField label={t("researcher-buy:invoice.billed")} hint={t("researcher-buy:invoice.billedHint")} value={billed} change={setBilled} rows={3} />
        <p>
          <button type="button" className="button" onClick={() => window.print()}>
            {t("researcher-buy:invoice.print")}
          </button>
        </p>
      </div>
      {billed && (
        <Section title={t("researcher-buy:invoice.to")}>
          <p className="lines">{billed}</p>
        </Section>
      )}
      <Section title={t("researcher-buy:invoice.for")}>
        <Facts
          of={[
            [t("researcher-buy:desk.licence"), terms.license],
            [t("researcher-buy:desk.data"), t("researcher-buy:desk.dataset", { dataset: terms.dataset, records: number(terms.records) })],
            [t("researcher-buy:request.purpose"), t(`common:purpose.${purposeOf(terms.purpose)}.name`)],
            [t("researcher-buy:invoice.period"), t("researcher-buy:invoice.fromTo", { from: date(terms.issuedAt), to: date(terms.expiry) })],
            [t("researcher-buy:invoice.holder"), <Code key="holder">{terms.holder}</Code>],
            [t("researcher-buy:invoice.seller"), <Code key="seller">{site.manifest.addresses.market}</Code>],
            [t("researcher-buy:invoice.chain"), site.chain_id],
          ]}
        />
      </Section>
      <Table
        caption={t("researcher-buy:invoice.caption")}
        rows={payments}
        keyOf={({ hash }) => hash}
        columns={[
          { head: t("researcher-buy:invoice.when"), cell: ({ at }) => time(at) },
          { head: t("researcher-buy:invoice.what"), cell: ({ kind, expiry }) => t(`researcher-buy:invoice.${kind}`, { until: date(expiry) }) },
          { head: t("researcher-buy:invoice.amount"), isNumber: true, cell: ({ amount }) => (amount > 0n ? money(amount) : t("researcher-buy:invoice.elsewhere")) },
          { head: t("researcher-buy:desk.transaction"), cell: ({ hash }) => <Code>{hash}</Code> },
        ]}
      />
      <p className="total">
        <strong>{isKnown ? t("researcher-buy:invoice.total", { amount: money(total) }) : t("researcher-buy:invoice.noTotal")}</strong>
      </p>
      {!isWhole && <p>{t("researcher-buy:invoice.notWhole")}</p>}
      {payments.some(({ amount }) => amount === 0n) && <p>{t("researcher-buy:invoice.elsewhereText")}</p>}
      <p>{t("researcher-buy:invoice.tax")}</p>
    </>
  );
}
