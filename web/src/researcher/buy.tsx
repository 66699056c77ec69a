//! A license at the list price: what, what it costs with every part, the key for answers, and what is signed.
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { kindOf, PURPOSES, type Purpose, purposeOf } from "../api/codes";
import { readBudget, readDatasets, readSizes, type Sizes } from "../api/generated";
import { useRead } from "../api/read";
import { ChainAway, ChainButton, useChain } from "../chain/act";
import type { Contracts, Desk, Hash, Step } from "../chain/desk";
import { KeyCard, useOwnKey } from "../chain/keys";
import type { Quote, Wanted } from "../chain/market";
import { Room, Words, WithWallet } from "../chain/room";
import { type ReplyKey, sent } from "../chain/store";
import { useBy } from "../chain/wallet";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Field, Options, Select } from "../ui/form";
import { useFormat } from "../ui/format";
import { Code, Facts, Notice, Section } from "../ui/page";
import { BudgetLeft } from "./budget";
import { CATEGORIES } from "./categories";
import { counted } from "./counted";
import { poolOf, usePool } from "./size";
import { Settled } from "./unconfirmed";

export const needs = () => [readDatasets(), readSizes(), readBudget()];

const ZERO = `0x${"0".repeat(64)}` as const;

export default function Buy() {
  const { t } = useTranslation(["researcher-buy", "common"]);
  const { dataset } = useParams({ from: "/buy/$dataset" });
  const datasets = useRead(readDatasets());
  const set = datasets.data?.find((one) => String(one.dataset) === dataset);
  return (
    <Room
      title={t("researcher-buy:buy.title", { kind: t(`common:kind.${kindOf(set?.data_type ?? 0)}`), dataset })}
      lead={t("researcher-buy:buy.lead")}
      back={
        <Link to="/datasets/$dataset" params={{ dataset }}>
          {t("researcher-buy:buy.back")}
        </Link>
      }
    >
      <Await of={[datasets]}>{(_) => (set ? <WithWallet>{(desk, contracts) => <Sale desk={desk} contracts={contracts} dataset={set.dataset} />}</WithWallet> : <p>{t("researcher-buy:buy.absent")}</p>)}</Await>
    </Room>
  );
}

interface Wish {
  purpose: Purpose;
  records: string;
  months: string;
  category: (typeof CATEGORIES)[number];
}

function Sale({ desk, contracts, dataset }: { desk: Desk; contracts: Contracts; dataset: number }) {
  const sizes = useRead(readSizes());
  const key = useOwnKey(desk);
  const approved = useChain(desk, ["approvals"], () => contracts.approvals(desk, desk.account, PURPOSES));
  return (
    <Await of={[sizes, key, approved]} failed={ChainAway}>
      {(published, own, { now, approvals }) => {
        const first = approvals.find(({ until }) => until > now)?.purpose;
        return <Order desk={desk} contracts={contracts} dataset={dataset} sizes={published} answerKey={own} approvedFor={approvals.filter(({ until }) => until > now).map(({ purpose }) => purpose)} first={PURPOSES.find((purpose) => purpose === first) ?? 6} />;
      }}
    </Await>
  );
}

interface Ordering {
  desk: Desk;
  contracts: Contracts;
  dataset: number;
  sizes: Sizes;
  answerKey: ReplyKey;
  approvedFor: number[];
  first: Purpose;
}

function Order({ desk, contracts, dataset, sizes, answerKey, approvedFor, first }: Ordering) {
  const { t } = useTranslation(["researcher-buy", "common", "researcher-chain"]);
  const [wish, setWish] = useState<Wish>(() => ({ purpose: first, records: String(poolOf(sizes, dataset, first).members), months: "1", category: 5 }));
  const [done, setDone] = useState<Done>();
  const change = (part: Partial<Wish>) => setWish({ ...wish, ...part });
  const pool = poolOf(sizes, dataset, wish.purpose);
  const said = usePool()(pool);
  const wrong = {
    records: !/^[0-9]{1,9}$/.test(wish.records) || Number(wish.records) < 1 ? t("researcher-buy:buy.recordsWrong") : Number(wish.records) > pool.members ? t("researcher-buy:buy.recordsMany", { size: said }) : undefined,
    months: !/^[0-9]{1,3}$/.test(wish.months) || Number(wish.months) < 1 || Number(wish.months) > 60 ? t("researcher-buy:buy.monthsWrong") : undefined,
  };
  const wanted: Wanted = { dataset, records: Number(wish.records), purpose: wish.purpose, category: wish.category, months: Number(wish.months), key: answerKey.public };
  if (done) return <Receipt done={done} />;
  return (
    <>
      <Section title={t("researcher-buy:buy.what")}>
        <Options
          legend={t("researcher-buy:request.purpose")}
          name="purpose"
          value={wish.purpose}
          options={PURPOSES}
          choose={(purpose) => change({ purpose, records: String(poolOf(sizes, dataset, purpose).members) })}
          text={(one) => [t(`common:purpose.${one}.name`), t(approvedFor.includes(one) ? "researcher-buy:buy.approvedFor" : "researcher-buy:buy.notApprovedFor")]}
        />
        <Field label={t("researcher-buy:buy.records")} hint={t("researcher-buy:buy.recordsHint", { size: said })} wrong={wrong.records} value={wish.records} change={(records) => change({ records: records.trim() })} width={8} />
        <Field label={t("researcher-buy:buy.months")} hint={t("researcher-buy:buy.monthsHint")} wrong={wrong.months} value={wish.months} change={(months) => change({ months: months.trim() })} width={5} />
        <Select label={t("researcher-buy:buy.category")} hint={t("researcher-buy:buy.categoryHint")} value={wish.category} options={CATEGORIES} choose={(category) => change({ category })} text={(one) => t(`researcher-buy:categories.${one}`)} />
      </Section>
      {!wrong.records && !wrong.months && (
        <>
          <Cost desk={desk} contracts={contracts} wanted={wanted} />
          <KeyCard desk={desk} answerKey={answerKey} />
          <Settled desk={desk} contracts={contracts}>
            <Agree desk={desk} contracts={contracts} wanted={wanted} answerKey={answerKey} done={setDone} />
          </Settled>
        </>
      )}
    </>
  );
}

/** What contracts say of the price, asked through the wallet; the same for the price and for what is signed below it. */
const useQuote = (desk: Desk, contracts: Contracts, wanted: Wanted) => {
  // The price does not turn on the key.
  const asked = { ...wanted, key: ZERO };
  return useChain(desk, ["quote", JSON.stringify(asked)], () => contracts.quote(desk, asked), 20_000);
};

function Cost({ desk, contracts, wanted }: { desk: Desk; contracts: Contracts; wanted: Wanted }) {
  const { t } = useTranslation(["researcher-buy", "common"]);
  const by = useBy();
  const { exactly: money, number, time } = useFormat();
  const quote = useQuote(desk, contracts, wanted);
  return (
    <Section title={t("researcher-buy:buy.cost")}>
      <p>{t("researcher-buy:buy.costText", by)}</p>
      <Await of={[quote]} failed={ChainAway}>
        {(price) => (
          <>
            {price.price > 0n && (
              <Facts
                of={[
                  [t("researcher-buy:buy.list"), t("researcher-buy:buy.listText", { price: money(price.perThousand) })],
                  [t("researcher-buy:buy.parts"), t("researcher-buy:buy.partsText", { records: number(wanted.records), price: money(price.perThousand), months: t("researcher-buy:buy.span", { count: wanted.months }) })],
                  [t("researcher-buy:buy.price"), <strong key="price">{money(price.price)}</strong>],
                  [t("researcher-buy:buy.fee"), t("researcher-buy:buy.feeText", by)],
                  [t("researcher-buy:buy.balance"), money(price.balance)],
                  [t("researcher-buy:buy.approval"), price.approvedUntil > price.now ? time(price.approvedUntil) : t("researcher-buy:request.states.none")],
                ]}
              />
            )}
            <BudgetLeft />
            <Hindrances quote={price} months={wanted.months} dataset={wanted.dataset} />
          </>
        )}
      </Await>
    </Section>
  );
}

const MONTH = 30 * 86_400;

/** What keeps this from being bought, or makes it worth less. */
function Hindrances({ quote, months, dataset }: { quote: Quote; months: number; dataset: number }) {
  const { t } = useTranslation(["researcher-buy", "researcher-chain"]);
  const { exactly: money, date } = useFormat();
  const { price, balance, now, approvedUntil, isOpen, isAuctioned, lacksBond } = quote;
  const ends = now + months * MONTH;
  return (
    <>
      {!isOpen && <Hindrance of="closed" />}
      {isOpen && isAuctioned && (
        <Hindrance of="soldOtherwise">
          <p>
            <Link to="/auction/$dataset" params={{ dataset: String(dataset) }}>
              {t("researcher-buy:buy.toAuction")}
            </Link>
          </p>
        </Hindrance>
      )}
      {approvedUntil <= now && (
        <Hindrance of="notApproved">
          <p>
            <Link to="/request">{t("researcher-chain:places./request")}</Link>
          </p>
        </Hindrance>
      )}
      {approvedUntil > now && approvedUntil < ends && (
        <Notice title={t("researcher-buy:buy.shortApproval")}>
          <p>{t("researcher-buy:buy.shortApprovalText", { until: date(approvedUntil), ends: date(ends) })}</p>
        </Notice>
      )}
      {lacksBond && <Hindrance of="notBonded" />}
      {price > balance && (
        <Hindrance of="usdc">
          <p>{t("researcher-buy:buy.lacks", { balance: money(balance), price: money(price), missing: money(price - balance) })}</p>
        </Hindrance>
      )}
    </>
  );
}

function Hindrance({ of, children }: { of: "closed" | "soldOtherwise" | "notApproved" | "notBonded" | "usdc"; children?: ReactNode }) {
  const { t } = useTranslation("researcher-chain");
  return (
    <Notice title={t(`failed.${of}.title`)} tone="bad">
      <p>{t(`failed.${of}.what`)}</p>
      <p>{t(`failed.${of}.do`)}</p>
      {children}
    </Notice>
  );
}

interface Done {
  readonly license: number;
  readonly hash: Hash;
  readonly price: bigint;
  readonly isCounted: boolean;
}

function Agree({ desk, contracts, wanted, answerKey, done }: { desk: Desk; contracts: Contracts; wanted: Wanted; answerKey: ReplyKey; done: (done: Done) => void }) {
  const { t } = useTranslation(["researcher-buy", "researcher-chain"]);
  const by = useBy();
  const quote = useQuote(desk, contracts, wanted);
  const { data } = quote;
  const { permitted, words } = useWords(desk, wanted, data?.price ?? 0n);
  const buying = useAct(async (tell: (step: Step) => void) => {
    if (!data) return;
    const { price } = data;
    const note = { account: desk.account, chain: desk.site.chain_id, kind: "buy" as const, at: Math.floor(Date.now() / 1000), amount: price.toString(), words: [permitted, ...words] };
    // Whatever was not to be had at this price is looked at again.
    const made = await contracts.buy(desk, wanted, price, tell, (hash) => sent.put({ ...note, hash })).catch((error: unknown) => {
      void quote.refetch();
      throw error;
    });
    // Bought it is, kept or not.
    await sent.put({ ...note, hash: made.hash, license: made.license }).catch(() => undefined);
    tell("counting");
    done({ ...made, price, isCounted: await counted(made.license) });
  });
  if (!data || data.price === 0n) return null;
  const isReady = data.approvedUntil > data.now && data.balance >= data.price && !data.lacksBond;
  if (!isReady) return null;
  return (
    <Section title={t("researcher-chain:sign.title")}>
      <Words words={words} permitted={permitted} />
      {answerKey.saved ? <ChainButton act={buying} given={[]} label={t("researcher-buy:buy.go", by)} kept={t("researcher-chain:nothingPaid")} /> : <p className="wrong">{t("researcher-chain:key.must")}</p>}
    </Section>
  );
}

function useWords(desk: Desk, wanted: Wanted, price: bigint): { permitted: string; words: string[] } {
  const { t } = useTranslation(["researcher-buy", "researcher-chain", "common"]);
  const by = useBy();
  const { exactly: money, number } = useFormat();
  const { market } = desk.site.manifest.addresses;
  const { dataset, records, purpose, category, months, key } = wanted;
  return {
    permitted: t("researcher-chain:sign.permit", { spender: market, amount: money(price), account: desk.account, ...by }),
    words: [
      t("researcher-buy:buy.words.buy", { dataset, records: number(records), months: t("researcher-buy:buy.span", { count: months }), amount: money(price), market }),
      t("researcher-buy:buy.words.purpose", { purpose: t(`common:purpose.${purposeOf(purpose)}.name`), category: t(`researcher-buy:categories.${category as 5}`) }),
      t("researcher-buy:buy.words.key", { key }),
      t("researcher-buy:buy.words.fixed"),
    ],
  };
}

function Receipt({ done: { license, hash, price, isCounted } }: { done: Done }) {
  const { t } = useTranslation("researcher-buy");
  const { exactly: money } = useFormat();
  return (
    <div role="status">
      <Notice title={t("buy.done", { license })} tone="good">
        <p>{t(isCounted ? "buy.doneText" : "buy.doneLater")}</p>
      </Notice>
      <Facts
        of={[
          [t("desk.licence"), license],
          [t("buy.price"), money(price)],
          [t("desk.transaction"), <Code key="hash">{hash}</Code>],
        ]}
      />
      <p>
        <Link to="/ask" className="button">
          {t("buy.ask")}
        </Link>
      </p>
      <p>
        <Link to="/invoice/$license" params={{ license: String(license) }}>
          {t("desk.invoice", { license })}
        </Link>{" "}
        · <Link to="/desk">{t("buy.toDesk")}</Link>
      </p>
    </div>
  );
}
