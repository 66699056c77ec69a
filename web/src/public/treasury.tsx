//! Where each cent went.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readCooperative, readTreasury, type TreasuryView } from "../api/generated";
import { useRead } from "../api/read";
import { readEpochWhole } from "../api/within";
import { Await } from "../ui/await";
import { permille, useFormat } from "../ui/format";
import { Empty, Facts, Figures, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";

export const needs = () => [readTreasury(), readCooperative()];

const POTS = ["contributors", "operations", "compliance", "reserve", "buyback"] as const;

export default function Treasury() {
  const { t } = useTranslation("public");
  const treasury = useRead(readTreasury());
  return (
    <>
      <PageHead title={t("treasury.title")} lead={t("treasury.lead")} />
      <Await of={[treasury]}>
        {(books) => {
          const total = POTS.reduce((sum, pot) => sum + BigInt(books[pot]), 0n);
          if (total > 0n) return <Books books={books} total={total} />;
          return (
            <Empty title={t("treasury.empty")}>
              <p>{t("treasury.emptyText")}</p>
              <p>
                <Link to="/datasets">{t("treasury.emptyLink")}</Link>
              </p>
            </Empty>
          );
        }}
      </Await>
    </>
  );
}

function Books({ books, total }: { books: TreasuryView; total: bigint }) {
  const { t } = useTranslation("public");
  const { money, percent } = useFormat();
  const cooperative = useRead(readCooperative());
  const rows = POTS.map((pot) => ({ pot, amount: BigInt(books[pot]), share: permille(BigInt(books[pot]), total) }));
  const cents = (BigInt(books.contributors) * 1_000_000n) / total;
  return (
    <>
      <Figures
        of={[
          [money(total), t("treasury.in")],
          [money(books.claimed), t("treasury.out")],
        ]}
      />
      <p>{t("treasury.dollar", { part: money(cents) })}</p>
      <div className="parts" aria-hidden="true">
        {rows.map(({ pot, amount, share }) => amount > 0n && <i key={pot} data-part={pot} style={{ flexGrow: share }} />)}
      </div>
      <Table
        caption={t("treasury.caption")}
        rows={[...rows, { pot: "sum" as const, amount: total, share: 1_000 }]}
        keyOf={(row) => row.pot}
        columns={[
          {
            head: t("treasury.pot"),
            cell: ({ pot }) =>
              pot === "sum" ? (
                t("treasury.sum")
              ) : (
                <>
                  <i className="swatch" data-part={pot} aria-hidden="true" />
                  {t(`treasury.pots.${pot}`)}
                </>
              ),
          },
          { head: t("treasury.amount"), isNumber: true, cell: ({ amount }) => money(amount) },
          { head: t("treasury.share"), isNumber: true, cell: ({ share }) => percent(share) },
        ]}
      />
      <Section title={t("treasury.membersTitle")}>
        <p>{t("treasury.slow")}</p>
        <Await of={[cooperative]}>{({ final_epoch }) => (final_epoch > 0 ? <Shared books={books} epoch={final_epoch} /> : <Kept books={books} />)}</Await>
        <p>
          <Link to="/epochs">{t("treasury.periods")}</Link>
        </p>
      </Section>
      <p className="small">{t("treasury.cents")}</p>
    </>
  );
}

/** Before the first settlement: all is still to be shared out. */
function Kept({ books }: { books: TreasuryView }) {
  const { t } = useTranslation("public");
  const { money } = useFormat();
  return <Facts of={[[t("treasury.booked"), money(books.contributors)], [t("treasury.later"), money(books.contributors)]]} />;
}

/** What the last final epoch says was shared out since the beginning, beside what was paid. */
function Shared({ books, epoch }: { books: TreasuryView; epoch: number }) {
  const { t } = useTranslation("public");
  const { money } = useFormat();
  const last = useRead(readEpochWhole(epoch));
  const [booked, claimed] = [BigInt(books.contributors), BigInt(books.claimed)];
  return (
    <Await of={[last]}>
      {({ header }) => {
        const allocated = BigInt(header?.cash_allocated ?? 0);
        return (
          <Facts
            of={[
              [t("treasury.booked"), money(booked)],
              [t("treasury.allocated"), money(allocated)],
              [t("treasury.claimed"), money(claimed)],
              [t("treasury.waiting"), money(allocated - claimed)],
              [t("treasury.later"), money(booked - allocated)],
            ]}
          />
        );
      }}
    </Await>
  );
}
