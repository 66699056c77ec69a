//! The query workspace: a question as a form with its JSON beside it, what it would cost and be worth before anything is spent, and what was asked.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { purposeOf } from "../api/codes";
import { type DatasetView, readBudget, readDatasets, readLicenses, readSizes } from "../api/generated";
import { useRead } from "../api/read";
import { ChainAway, ChainButton, ChainFailed, useChain } from "../chain/act";
import type { Contracts, Desk, Step } from "../chain/desk";
import { OpenKey, useKeys } from "../chain/keys";
import type { Terms } from "../chain/market";
import { Room, WithWallet } from "../chain/room";
import { type Order, orders } from "../chain/store";
import { useBy } from "../chain/wallet";
import { kept } from "../member/core/kept";
import { RulesFailure } from "../member/core/refusal";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Field, LongField, Options, Select } from "../ui/form";
import { useFormat } from "../ui/format";
import { Code, Empty, Facts, More, Notice, Section } from "../ui/page";
import { useQuestion } from "../ui/question";
import { Table } from "../ui/table";
import * as v from "valibot";
import { draw, type Drawn, expected, isHere, isPending, type Query, Query as QuerySchema, readQuery, signAndKeep, stateOf } from "./asking";
import { BudgetLeft, leastLeft } from "./budget";
import { poolOf, usePool } from "./size";
import { AGE, type Form, formOf, NEW, textOf } from "./form";
import { decimal } from "./figures";
import { rhoOf } from "./rho";
import { Snippets } from "./snippet";

export const needs = () => [readDatasets(), readLicenses(), readSizes(), readBudget()];

/** What was being written is there again after a reload. */
const draft = kept(() => sessionStorage, "rochdale.question", v.object({ license: v.number(), text: v.string() }));

export default function Ask() {
  const { t } = useTranslation("researcher-ask");
  return (
    <Room title={t("title")} lead={t("lead")}>
      <WithWallet>{(desk, contracts) => <Licensed desk={desk} contracts={contracts} />}</WithWallet>
    </Room>
  );
}

/** Licenses that questions can be asked under: those that last, with right 1. */
function Licensed({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation("researcher-ask");
  const listed = useRead(readLicenses());
  const datasets = useRead(readDatasets());
  const ids = (listed.data ?? []).filter(({ holder }) => holder.toLowerCase() === desk.account).map(({ license_id }) => license_id);
  const own = useChain(desk, ["licenses", ids.join()], async () => ({ now: await contracts.now(desk), terms: (await Promise.all(ids.map((id) => contracts.termsOf(desk, id)))).filter(({ holder }) => holder === desk.account) }));
  return (
    <Await of={[listed, own, datasets]} failed={ChainAway}>
      {(_, { now, terms }, sets) => {
        const live = terms.filter(({ expiry, right }) => expiry > now && right === 1).reverse();
        return (
          <>
            {live.length === 0 ? (
              <Empty title={t("none")}>
                <p>{t("noneText")}</p>
                <p>
                  <Link to="/datasets">{t("noneLink")}</Link>
                </p>
              </Empty>
            ) : (
              <Workspace desk={desk} contracts={contracts} licenses={live} datasets={sets} now={now} />
            )}
            <History desk={desk} datasets={sets} now={now} />
          </>
        );
      }}
    </Await>
  );
}

interface Working {
  desk: Desk;
  contracts: Contracts;
  licenses: Terms[];
  datasets: DatasetView[];
  /** Block time, as the wallet's node tells it. */
  now: number;
}

function Workspace({ desk, contracts, licenses, datasets, now }: Working) {
  const { t } = useTranslation(["researcher-ask", "common"]);
  const begun = draft.read();
  const [id, setId] = useState(licenses.find(({ license }) => license === begun?.license)?.license ?? licenses[0]?.license ?? 0);
  const terms = licenses.find(({ license }) => license === id) ?? (licenses[0] as Terms);
  const [form, setForm] = useState<Form>(NEW);
  const [text, setText] = useState(() => begun?.text ?? textOf(NEW, terms.dataset));
  const read = useQuery({ queryKey: ["query", text], queryFn: () => readQuery(text), retry: false, networkMode: "always", staleTime: Number.POSITIVE_INFINITY });
  const { data } = read;
  const query = data && data.query.dataset === terms.dataset ? data.query : undefined;
  const isElsewhere = data !== undefined && query === undefined;
  // The JSON may have been written by hand, or be what was there before a reload.
  useEffect(() => {
    if (data) setForm((before) => formOf(data.query, before));
  }, [data]);
  const write = (next: string, license = id) => {
    draft.write({ license, text: next });
    setText(next);
  };
  const change = (part: Partial<Form>) => {
    const next = { ...form, ...part };
    setForm(next);
    write(textOf(next, terms.dataset));
  };
  const wrong = read.error instanceof RulesFailure ? read.error.message : isElsewhere ? t("researcher-ask:otherDataset", { dataset: terms.dataset }) : undefined;
  const set = datasets.find(({ dataset }) => dataset === terms.dataset);
  return (
    <>
      <Section title={t("researcher-ask:question")}>
        <Select
          label={t("researcher-ask:licence")}
          value={id}
          options={licenses.map(({ license }) => license)}
          choose={(license) => {
            setId(license);
            write(textOf(form, licenses.find((one) => one.license === license)?.dataset ?? terms.dataset), license);
          }}
          text={(license) => {
            const one = licenses.find((other) => other.license === license);
            return t("researcher-ask:licenceIs", { license, dataset: one?.dataset ?? 0, purpose: t(`common:purpose.${purposeOf(one?.purpose ?? 0)}.name`) });
          }}
        />
        <div className="beside">
          <Fields form={form} set={set} change={change} />
          <LongField label={t("researcher-ask:json")} hint={t("researcher-ask:jsonHint")} wrong={wrong && t("researcher-ask:wrong", { what: wrong })} value={text} change={(next) => write(next)} rows={22} isCode />
        </div>
      </Section>
      {query && !read.isFetching && <Weigh key={terms.license} desk={desk} contracts={contracts} terms={terms} query={query} digest={data?.digest ?? ""} json={text} datasets={datasets} now={now} />}
    </>
  );
}

function Fields({ form, set, change }: { form: Form; set: DatasetView | undefined; change: (part: Partial<Form>) => void }) {
  const { t } = useTranslation("researcher-ask");
  const codes = (set?.codes ?? []).map(({ of, system, code, name, unit }) => ({ of, is: `${system}|${code}`, name: unit ? `${name} (${unit})` : name }));
  const measured = codes.filter(({ of }) => of === "observation");
  const found = codes.filter(({ of }) => of === "condition");
  return (
    <div>
      <Options legend={t("kind")} name="kind" value={form.kind} options={["count", "mean", "histogram"] as const} choose={(kind) => change({ kind })} text={(kind) => [t(`kinds.${kind}.name`), t(`kinds.${kind}.what`)]} />
      {form.kind !== "count" && (
        <>
          <CodeChoice label={t("of")} value={form.of} known={[{ is: AGE, name: t("age") }, ...measured]} choose={(of) => change({ of })} />
          <Field label={t("rows")} hint={t("rowsHint")} value={form.rows} change={(rows) => change({ rows })} width={4} />
        </>
      )}
      {form.kind === "mean" && (
        <>
          <Field label={t("lower")} hint={t("boundsHint")} value={form.lower} change={(lower) => change({ lower })} width={10} />
          <Field label={t("upper")} value={form.upper} change={(upper) => change({ upper })} width={10} />
        </>
      )}
      {form.kind === "histogram" && <Field label={t("edges")} hint={t("edgesHint")} value={form.edges} change={(edges) => change({ edges })} />}
      <h3>{t("whom")}</h3>
      <p className="small">{t("whomHint")}</p>
      <Select label={t("sex")} value={form.sex} options={["any", "female", "male", "other", "unknown"] as const} choose={(sex) => change({ sex })} text={(sex) => t(`sexes.${sex}`)} />
      <Field label={t("from")} value={form.from} change={(from) => change({ from: from.trim() })} width={4} />
      <Field label={t("to")} value={form.to} change={(to) => change({ to: to.trim() })} width={4} />
      <CodeChoice label={t("condition")} value={form.condition} known={[{ is: "", name: t("noLimit") }, ...found]} choose={(condition) => change({ condition })} />
      <CodeChoice label={t("observation")} value={form.observation} known={[{ is: "", name: t("noLimit") }, ...measured]} choose={(observation) => change({ observation })} />
      <h3>{t("rhoTitle")}</h3>
      <Field label={t("rho")} hint={t("rhoHint")} value={form.rho} change={(rho) => change({ rho: rho.trim() })} width={12} />
    </div>
  );
}

const OTHER = "…";

/** A code of those that are listed, or another one. */
function CodeChoice({ label, value, known, choose }: { label: string; value: string; known: { is: string; name: string }[]; choose: (code: string) => void }) {
  const { t } = useTranslation("researcher-ask");
  const [isOther, setOther] = useState(false);
  const isListed = known.some(({ is }) => is === value);
  const shown = isOther || !isListed ? OTHER : value;
  return (
    <>
      <Select
        label={label}
        value={shown}
        options={[...known.map(({ is }) => is), OTHER]}
        choose={(code) => {
          setOther(code === OTHER);
          if (code !== OTHER) choose(code);
        }}
        text={(code) => (code === OTHER ? t("otherCode") : (known.find(({ is }) => is === code)?.name ?? code))}
      />
      {shown === OTHER && <Field label={t("code", { what: label })} hint={t("codeHint")} value={isListed ? "" : value} change={(code) => choose(code.trim())} />}
    </>
  );
}

interface Weighing {
  desk: Desk;
  contracts: Contracts;
  terms: Terms;
  query: Query;
  digest: string;
  json: string;
  datasets: DatasetView[];
  now: number;
}

/** Before anything is spent: whom it charges and how much, how exact the answer would be, and from how many people on it is one. */
function Weigh(props: Weighing) {
  const { desk, contracts, terms, query, digest, json, datasets, now } = props;
  const { t } = useTranslation(["researcher-ask", "researcher-chain"]);
  const { number } = useFormat();
  const sizes = useRead(readSizes());
  const budget = useRead(readBudget());
  const keys = useKeys(desk);
  const people = sizes.data ? Math.min(terms.records, poolOf(sizes.data, terms.dataset, terms.purpose).members) : 0;
  const inWords = usePool();
  const weighed = useQuery({ queryKey: ["expect", digest, people], queryFn: () => expected(query, people), enabled: people > 0, retry: false, networkMode: "always" });
  const question = useQuestion(datasets);
  return (
    <Section title={t("researcher-ask:before")}>
      <p className="asked">{question(query)}</p>
      <Await of={[sizes, budget, weighed, keys]} failed={ChainAway}>
        {(published, charged, worth, own) => {
          const pool = poolOf(published, terms.dataset, terms.purpose);
          const left = leastLeft(charged);
          const isMost = left !== undefined && query.rho > left;
          return (
            <>
              <Facts
                of={[
                  [t("researcher-ask:asks"), terms.records >= pool.members ? t("researcher-ask:everybody", { size: inWords(pool) }) : t("researcher-ask:drawn", { records: number(terms.records), size: inWords(pool) })],
                  [t("researcher-ask:charges"), t("researcher-ask:chargesText", { rho: rhoOf(query.rho) })],
                  ...worth.figures.map((figure): [string, string] => [t(`researcher-ask:errors.${figure.what}.name`), t(`researcher-ask:errors.${figure.what}.text`, { error: round(figure.sigma_milli * 1.96, figure.scale * 1_000), size: number(people) })]),
                  [t("researcher-ask:answered"), t("researcher-ask:answeredText", { count: worth.answered_from })],
                  [t("researcher-ask:useful"), t(worth.useful_from > people ? "researcher-ask:usefulNot" : "researcher-ask:usefulText", { count: worth.useful_from, size: number(people) })],
                ]}
              />
              <BudgetLeft />
              {left !== undefined && (isMost ? <Notice title={t("researcher-ask:tooMuch")}>{<p>{t("researcher-ask:tooMuchText", { rho: rhoOf(query.rho), left: rhoOf(left) })}</p>}</Notice> : <p>{t("researcher-ask:after", { left: rhoOf(left - query.rho) })}</p>)}
              {own.some((key) => key.public === terms.key) ? (
                <Sign desk={desk} contracts={contracts} terms={terms} query={query} digest={digest} datasets={datasets} now={now} />
              ) : (
                <Notice title={t("researcher-chain:key.missing")} tone="bad">
                  <p>{t("researcher-ask:noKey")}</p>
                  <OpenKey desk={desk} label={t("researcher-chain:key.open")} wanted={terms.key} />
                </Notice>
              )}
              <Snippets asked={{ json, license: terms.license, purpose: terms.purpose, site: window.location.origin }} />
            </>
          );
        }}
      </Await>
    </Section>
  );
}

/** Two digits are all that an error is worth; rounded up. */
function round(thousandths: number, scale: number): string {
  const error = thousandths / scale;
  const step = 10 ** (Math.floor(Math.log10(error || 1)) - 1);
  return decimal(BigInt(Math.ceil(Math.ceil(error / step) * step * 1_000)), 1_000);
}

type Signing = Omit<Weighing, "json">;

function Sign({ desk, contracts, terms, query, digest, datasets, now }: Signing) {
  const { t } = useTranslation(["researcher-ask", "researcher-chain"]);
  const asked = useQuery({ queryKey: ["orders", desk.account], queryFn: () => orders.of(desk.account), networkMode: "always", staleTime: 0 });
  const [isAnew, setAnew] = useState(false);
  const [drawn, setDrawn] = useState<Drawn & { of: string }>();
  const { time } = useFormat();
  // An order that holds is never doubled, whatever was said of it: it may be paid already.
  const earlier = asked.data?.find((one) => one.license === terms.license && one.digest === digest && isHere(one, desk.site) && (isPending(one, now) || (one.answer !== undefined && !isAnew)));
  const drawing = useAct(async () => setDrawn({ ...(await draw(desk.site, terms.license, terms.purpose, query)), of: digest }));
  if (earlier) {
    return (
      <Notice title={t("researcher-ask:asked")}>
        <p>{earlier.answer ? t("researcher-ask:askedText") : t("researcher-ask:pendingText", { until: time(earlier.deadline) })}</p>
        <p>
          <Link to="/answers/$order" params={{ order: earlier.order }}>
            {t("researcher-ask:toAnswer")}
          </Link>
        </p>
        {earlier.answer && (
          <button type="button" className="button quiet" onClick={() => setAnew(true)}>
            {t("researcher-ask:anew")}
          </button>
        )}
      </Notice>
    );
  }
  if (drawn?.of === digest) return <Agree desk={desk} contracts={contracts} terms={terms} query={query} drawn={drawn} datasets={datasets} />;
  return (
    <>
      <p>
        <button type="button" className="button" aria-disabled={drawing.state.at === "working"} onClick={() => drawing.act()}>
          {t("researcher-ask:review")}
        </button>
      </p>
      {drawing.state.at === "failed" && <ChainFailed error={drawing.state.error} kept={t("researcher-ask:nothingCharged")} />}
    </>
  );
}

function Agree({ desk, contracts, terms, query, drawn, datasets }: { desk: Desk; contracts: Contracts; terms: Terms; query: Query; drawn: Drawn; datasets: DatasetView[] }) {
  const { t } = useTranslation(["researcher-ask", "researcher-chain", "common"]);
  const by = useBy();
  const { time } = useFormat();
  const question = useQuestion(datasets);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  const signing = useAct(async (tell: (step: Step) => void) => {
    const order = await signAndKeep(desk, contracts, terms, drawn, tell);
    await queries.invalidateQueries({ queryKey: ["orders", desk.account] });
    // Sent from the page of the answer, where it is sent again, too.
    await navigate({ to: "/answers/$order", params: { order: order.order } });
  });
  return (
    <>
      <h3 ref={head} tabIndex={-1}>
        {t("researcher-chain:sign.title")}
      </h3>
      <div className="words">
        <p>{t("researcher-ask:words.order", { license: terms.license, purpose: t(`common:purpose.${purposeOf(terms.purpose)}.name`) })}</p>
        <p>
          <strong>{question(query)}</strong>
        </p>
        <ul>
          <li>{t("researcher-ask:words.charge", { rho: rhoOf(query.rho) })}</li>
          <li>{t("researcher-ask:words.until", { until: time(drawn.request.order.deadline) })}</li>
          <li>{t("researcher-ask:words.free")}</li>
        </ul>
        <More title={t("researcher-chain:sign.raw")}>
          <Facts of={[...Object.entries(drawn.typed_data.domain), ...Object.entries(drawn.typed_data.message)].map(([name, value]) => [name, <Code key={name}>{String(value)}</Code>])} />
        </More>
      </div>
      <ChainButton act={signing} given={[]} label={t("researcher-ask:sign", by)} kept={t("researcher-ask:nothingCharged")} />
    </>
  );
}

function History({ desk, datasets, now }: { desk: Desk; datasets: DatasetView[]; now: number }) {
  const { t } = useTranslation("researcher-ask");
  const { time } = useFormat();
  const question = useQuestion(datasets);
  const asked = useQuery({ queryKey: ["orders", desk.account], queryFn: () => orders.of(desk.account), networkMode: "always", staleTime: 0 });
  const questionOf = ({ query }: Order) => {
    const parsed = v.safeParse(QuerySchema, query);
    return question(parsed.success ? (parsed.output) : undefined);
  };
  return (
    <Section title={t("history")}>
      <Await of={[asked]}>
        {(every) => {
          const all = every.filter((one) => isHere(one, desk.site));
          return all.length === 0 ? (
            <p>{t("historyNone")}</p>
          ) : (
            <Table
              caption={t("historyCaption")}
              rows={all}
              keyOf={({ order }) => order}
              columns={[
                {
                  head: t("question"),
                  cell: (one) => (
                    <Link to="/answers/$order" params={{ order: one.order }}>
                      {questionOf(one)}
                    </Link>
                  ),
                },
                { head: t("licence"), isNumber: true, cell: ({ license }) => license },
                { head: t("when"), cell: ({ at }) => time(at) },
                { head: t("state"), cell: (one) => <span className="tag" data-tone={one.answer ? "good" : undefined}>{t(`states.${stateOf(one, now)}`)}</span> },
              ]}
            />
          );
        }}
      </Await>
    </Section>
  );
}

