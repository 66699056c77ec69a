//! One order: sent until there is an answer, and the answer as chart, table and files. It needs no wallet: the order is signed.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import * as v from "valibot";
import { type DatasetView, readDatasets, SealedAnswer } from "../api/generated";
import { useRead } from "../api/read";
import { ChainAway, ChainFailed, useChain } from "../chain/act";
import { type Contracts, type Desk, NoKey } from "../chain/desk";
import { Room, WithWallet } from "../chain/room";
import { useSite } from "../chain/site";
import { type Order, orders } from "../chain/store";
import { saveFile } from "../member/parts/save";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Facts, More, Notice, Section } from "../ui/page";
import { useQuestion } from "../ui/question";
import { Table } from "../ui/table";
import { type Answered, fetchAnswer, isHere, isTheWorkers, open, Query, stateOf } from "./asking";
import { csv, read, type Reading, readings, type What } from "./figures";
import { IntervalChart } from "./interval-chart";
import { rhoOf } from "./rho";

export const needs = () => [readDatasets()];

export default function AnswerPage() {
  const { t } = useTranslation("researcher-ask");
  const { order } = useParams({ from: "/answers/$order" });
  const kept = useQuery({ queryKey: ["order", order], queryFn: async () => (await orders.get(order)) ?? null, networkMode: "always", staleTime: 0 });
  const datasets = useRead(readDatasets());
  return (
    <Room title={t("answer.title")} back={<Link to="/ask">{t("title")}</Link>}>
      <Await of={[kept, datasets]}>{(one, sets) => (one ? <Known kept={one} datasets={sets} refresh={() => void kept.refetch()} /> : <p>{t("answer.absent")}</p>)}</Await>
    </Room>
  );
}

function Known({ kept, datasets, refresh }: { kept: Order; datasets: DatasetView[]; refresh: () => void }) {
  const { t } = useTranslation("researcher-ask");
  const question = useQuestion(datasets);
  const query = useMemo(() => v.safeParse(Query, kept.query), [kept.query]);
  if (!query.success) return <p>{t("answer.absent")}</p>;
  return (
    <>
      <p className="asked">{question(query.output)}</p>
      {kept.answer ? <Opened kept={kept} query={query.output} datasets={datasets} /> : <Sending kept={kept} refresh={refresh} />}
      <Receipt kept={kept} />
    </>
  );
}

/** Sends the order as soon as the page is open: the same one as often as it takes, and it is paid once. */
function Sending({ kept, refresh }: { kept: Order; refresh: () => void }) {
  const { t } = useTranslation("researcher-ask");
  const queries = useQueryClient();
  const site = useSite();
  const begun = useRef(false);
  const sending = useAct(async () => {
    await fetchAnswer(kept);
    await queries.invalidateQueries({ queryKey: ["orders", kept.account] });
    refresh();
  });
  const state = site.data && stateOf(kept, site.data.now);
  useEffect(() => {
    // Twice would do no harm, but is not needed: development renders twice.
    if (begun.current || state !== "open") return;
    begun.current = true;
    sending.act();
  }, [state, sending]);
  return (
    <>
      <div role="status">{sending.state.at === "working" && <p className="working">{t("answer.waiting")}</p>}</div>
      {kept.refused !== undefined && sending.state.at !== "working" && (
        <Notice title={t("answer.refused")} tone="bad">
          <p>{t("answer.refusedText")}</p>
          <More title={t("answer.said")}>
            <p lang="en">{kept.refused}</p>
          </More>
        </Notice>
      )}
      {state === "late" && <Notice title={t("answer.late")}>{<p>{t("answer.lateText")}</p>}</Notice>}
      {sending.state.at === "failed" && <ChainFailed error={sending.state.error} kept={t("answer.keptText")} />}
      {state !== undefined && sending.state.at !== "working" && (
        <p>
          <button type="button" className="button" onClick={() => sending.act()}>
            {t("answer.send")}
          </button>
        </p>
      )}
    </>
  );
}

function Opened({ kept, query, datasets }: { kept: Order; query: Query; datasets: DatasetView[] }) {
  const { t } = useTranslation(["researcher-ask", "researcher-chain"]);
  const opened = useQuery({ queryKey: ["opened", kept.order], queryFn: () => open(kept), retry: false, networkMode: "always", staleTime: Number.POSITIVE_INFINITY });
  if (opened.error instanceof NoKey) {
    return (
      <Notice title={t("researcher-chain:key.missing")} tone="bad">
        <p>{t("researcher-ask:answer.noKey")}</p>
        <p>
          <Link to="/desk">{t("researcher-chain:places./desk")}</Link>
        </p>
      </Notice>
    );
  }
  return (
    <Await of={[opened]} failed={ChainAway}>
      {(answered) =>
        kept.checked ? (
          <Answer kept={kept} query={query} answered={answered} datasets={datasets} />
        ) : (
          <WithWallet>
            {(desk, contracts) => (
              <Check desk={desk} contracts={contracts} kept={kept} answered={answered}>
                <Answer kept={kept} query={query} answered={answered} datasets={datasets} />
              </Check>
            )}
          </WithWallet>
        )
      }
    </Await>
  );
}

/** The server could have sealed an answer of its own making: the chain says whose it is, and the wallet asks it. */
function Check({ desk, contracts, kept, answered, children }: { desk: Desk; contracts: Contracts; kept: Order; answered: Answered; children: ReactNode }) {
  const { t } = useTranslation("researcher-ask");
  const checked = useChain(desk, ["receipt", kept.order], async () => {
    if (!isHere(kept, desk.site)) return false;
    const is = await isTheWorkers(desk, contracts, answered);
    if (is) await orders.update(kept.order, (now) => ({ ...now, checked: true }));
    return is;
  });
  return (
    <Await of={[checked]} failed={ChainAway}>
      {(is) =>
        is ? (
          children
        ) : (
          <div role="alert">
            <Notice title={t("answer.notTheirs")} tone="bad">
              <p>{t("answer.notTheirsText")}</p>
              <button type="button" className="button quiet" onClick={() => void checked.refetch()}>
                {t("answer.checkAgain")}
              </button>
            </Notice>
          </div>
        )
      }
    </Await>
  );
}

function Answer({ kept, query, answered, datasets }: { kept: Order; query: Query; answered: Answered; datasets: DatasetView[] }) {
  const { t } = useTranslation("researcher-ask");
  const { outcome, left_out, rho } = answered.answer;
  const name = useNames(query, datasets);
  return (
    <>
      {outcome.status === "withheld" ? (
        <Notice title={t("answer.withheld")}>
          <p>{t("answer.withheldText")}</p>
        </Notice>
      ) : (
        <Shown kept={kept} all={readings(query, outcome.figures)} name={name} answered={answered} />
      )}
      <p>{answered.cached ? t("answer.cached") : t("answer.charged", { rho: rhoOf(rho) })}</p>
      <LeftOut reading={read(left_out, { of: "members" })} />
    </>
  );
}

function LeftOut({ reading: { value, low, high } }: { reading: Reading }) {
  const { t } = useTranslation("researcher-ask");
  const decimal = useDecimal();
  return <p>{t("answer.leftOut", { value: decimal(value), low: decimal(low), high: decimal(high) })}</p>;
}

type Named = (what: What) => { long: string; short: string; unit: string };

/** What a figure is of, and its unit. */
function useNames(query: Query, datasets: DatasetView[]): Named {
  const { t } = useTranslation("researcher-ask");
  const of = query.ask.kind === "count" ? undefined : query.ask.of;
  const code = of && "observation" in of ? of.observation : undefined;
  const known = code && datasets.flatMap(({ codes }) => codes ?? []).find((one) => one.system === code.system && one.code === code.code);
  const measured = code ? (known?.name ?? `${code.system}|${code.code}`) : t("age");
  const unit = code ? (known?.unit ?? t("answer.asWritten")) : t("answer.years");
  return (what) => {
    if (what.of === "members") return { long: t("answer.members"), short: t("answer.members"), unit: t("answer.people") };
    if (what.of === "measured") return { long: t("answer.measured", { what: measured }), short: t("answer.measured", { what: measured }), unit: t("answer.people") };
    if (what.of === "mean") return { long: t("answer.mean", { what: measured }), short: t("answer.mean", { what: measured }), unit };
    const { from, below } = what;
    const short = from === undefined && below === undefined ? t("answer.any") : from === undefined ? `< ${below}` : below === undefined ? `≥ ${from}` : `${from}–${below}`;
    const words = from === undefined && below === undefined ? t("answer.any") : from === undefined ? t("answer.below", { below }) : below === undefined ? t("answer.from", { from }) : t("answer.fromBelow", { from, below });
    return { long: `${measured} ${words} (${unit})`, short, unit: t("answer.people") };
  };
}

function Shown({ kept, all, name, answered }: { kept: Order; all: Reading[]; name: Named; answered: Answered }) {
  const { t } = useTranslation("researcher-ask");
  const head = useRef<HTMLHeadingElement>(null);
  const drawn = useMemo(
    // A mean and a number of people have no common axis: the first is what was asked.
    () => (all[0]?.what.of === "mean" ? all.slice(0, 1) : all).map(({ what, value, low, high }) => ({ name: name(what).short, value: Number(value), low: Number(low), high: Number(high) })),
    [kept.order, t],
  );
  const rows = all.map((one) => ({ ...one, ...name(one.what) }));
  const table = () => csv([["figure", "unit", "value", "standard_error", "low_95", "high_95"], ...rows.map(({ long, unit, value, error, low, high }) => [long, unit, value, error, low, high])]);
  return (
    <section aria-labelledby="answer">
      <h2 id="answer" ref={head} tabIndex={-1}>
        {t("answer.result")}
      </h2>
      <IntervalChart of={drawn} title={t("answer.chart")} />
      <Table
        caption={t("answer.caption")}
        rows={rows}
        keyOf={({ long }) => long}
        columns={[
          { head: t("answer.figure"), cell: ({ long }) => long },
          { head: t("answer.value"), isNumber: true, cell: ({ value, unit }) => <Number_ value={value} unit={unit} /> },
          { head: t("answer.interval"), isNumber: true, cell: ({ low, high }) => <Between low={low} high={high} /> },
          { head: t("answer.error"), isNumber: true, cell: ({ error }) => <Number_ value={error} /> },
        ]}
      />
      <p>{t("answer.noise")}</p>
      <p className="buttons no-print">
        <button type="button" className="button quiet" onClick={() => saveFile(`answer-${kept.order.slice(2, 10)}.csv`, new Blob([table()], { type: "text/csv;charset=utf-8" }))}>
          {t("answer.csv")}
        </button>
        <button type="button" className="button quiet" onClick={() => saveFile(`answer-${kept.order.slice(2, 10)}.json`, new Blob([`${JSON.stringify({ order: kept.order, query: kept.query, ...answered }, null, 2)}\n`], { type: "application/json" }))}>
          {t("answer.json")}
        </button>
      </p>
    </section>
  );
}

/** A decimal as the reader's locale writes it, digit for digit. */
function useDecimal() {
  const { decimal } = useFormat();
  return decimal;
}

function Number_({ value, unit }: { value: string; unit?: string }) {
  const decimal = useDecimal();
  return <>{unit ? `${decimal(value)} ${unit}` : decimal(value)}</>;
}

function Between({ low, high }: { low: string; high: string }) {
  const { t } = useTranslation("researcher-ask");
  const decimal = useDecimal();
  return <>{t("answer.between", { low: decimal(low), high: decimal(high) })}</>;
}

function Receipt({ kept }: { kept: Order }) {
  const { t } = useTranslation("researcher-ask");
  const { time } = useFormat();
  const sealed = v.safeParse(SealedAnswer, kept.answer);
  return (
    <Section title={t("receipt.title")}>
      <Facts
        of={[
          [t("licence"), kept.license],
          [t("when"), time(kept.at)],
          [t("receipt.order"), <Code key="order">{kept.order}</Code>],
          [t("receipt.query"), <Code key="query">{kept.digest}</Code>],
          [t("receipt.until"), time(kept.deadline)],
          ...(sealed.success ? ([[t("receipt.anchored"), <Code key="mined">{sealed.output.mined.tx}</Code>]] as [string, ReactNode][]) : []),
        ]}
      />
      <More title={t("json")}>
        <pre tabIndex={0} role="region" aria-label={t("json")} lang="en">
          <code>{JSON.stringify(kept.query, null, 2)}</code>
        </pre>
      </More>
    </Section>
  );
}
