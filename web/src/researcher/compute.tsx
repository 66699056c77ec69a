//! A computing job: its most is put down, what it does not use comes back, and all of it where no result comes in time.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { PURPOSES, type Purpose } from "../api/codes";
import { ChainAway, ChainButton, useChain } from "../chain/act";
import type { Contracts, Desk, Step } from "../chain/desk";
import { KeyCard, useOwnKey } from "../chain/keys";
import { Room, WithWallet, Words } from "../chain/room";
import { type Job, jobs, type ReplyKey, sent } from "../chain/store";
import { useBy } from "../chain/wallet";
import { RulesFailure } from "../member/core/refusal";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Field, LongField, Options, Select } from "../ui/form";
import { useFormat } from "../ui/format";
import { Facts, Notice, Section } from "../ui/page";
import { readQuery } from "./asking";
import { CATEGORIES, type Category } from "./categories";
import { Owed } from "./owed";
import { Settled } from "./unconfirmed";

export default function ComputePage() {
  const { t } = useTranslation("researcher-sale");
  const { dataset } = useParams({ from: "/compute/$dataset" });
  return (
    <Room
      title={t("compute.title", { dataset })}
      lead={t("compute.lead")}
      back={
        <Link to="/datasets/$dataset" params={{ dataset }}>
          {t("back")}
        </Link>
      }
    >
      <Notice title={t("compute.notYet")}>
        <p>{t("compute.notYetText")}</p>
      </Notice>
      <WithWallet>
        {(desk, contracts) => (
          <>
            <Jobs desk={desk} contracts={contracts} />
            <Prepare desk={desk} contracts={contracts} dataset={Number(dataset)} />
          </>
        )}
      </WithWallet>
    </Room>
  );
}

function Jobs({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation("researcher-sale");
  const own = useQuery({ queryKey: ["jobs", desk.account], queryFn: async () => (await jobs.of(desk.account)).filter(({ chain }) => chain === desk.site.chain_id), networkMode: "always", staleTime: 0 });
  const owed = useChain(desk, ["owed", "compute"], () => contracts.owed(desk, "compute"), 15_000);
  const refresh = () => void owed.refetch();
  return (
    <>
      {owed.data !== undefined && <Owed desk={desk} contracts={contracts} from="compute" amount={owed.data} refresh={refresh} />}
      {own.data && own.data.length > 0 && (
        <Section title={t("compute.jobs")}>
          {own.data.map((job) => (
            <Standing key={job.id} desk={desk} contracts={contracts} job={job} refresh={refresh} />
          ))}
        </Section>
      )}
    </>
  );
}

function Standing({ desk, contracts, job, refresh }: { desk: Desk; contracts: Contracts; job: Job; refresh: () => void }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain"]);
  const by = useBy();
  const { exactly: money, time } = useFormat();
  const seen = useChain(desk, ["job", job.job], () => contracts.jobOf(desk, job.job), 10_000);
  const ending = useAct(async (tell: (step: Step) => void) => {
    await contracts.endJob(desk, job.job, tell);
    await seen.refetch();
    refresh();
  });
  return (
    <Await of={[seen]} failed={ChainAway}>
      {({ stage, refundAt }) => (
        <>
          <h3>{t("researcher-sale:compute.job", { job: job.job })}</h3>
          <p>{t(`researcher-sale:compute.stages.${stage}`, { escrow: money(job.escrow), license: job.license, at: time(refundAt) })}</p>
          {stage === "refundable" && <ChainButton act={ending} given={[]} label={t("researcher-sale:compute.end", by)} kept={t("researcher-chain:nothingPaid")} />}
        </>
      )}
    </Await>
  );
}

interface Place {
  desk: Desk;
  contracts: Contracts;
  dataset: number;
}

function Prepare(place: Place) {
  const key = useOwnKey(place.desk);
  return <Await of={[key]}>{(own) => <Form {...place} answerKey={own} />}</Await>;
}

function Form({ desk, contracts, dataset, answerKey }: Place & { answerKey: ReplyKey }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain", "researcher-buy", "common"]);
  const by = useBy();
  const { exactly: money, number, time } = useFormat();
  const queries = useQueryClient();
  const [text, setText] = useState(() => JSON.stringify({ version: 1, dataset, ask: { kind: "count" }, rho: 20_000_000 }, null, 2));
  const [typed, setTyped] = useState("100");
  const [purpose, setPurpose] = useState<Purpose>(6);
  const [category, setCategory] = useState<Category>(5);
  const plan = useQuery({ queryKey: ["query", text], queryFn: () => readQuery(text), retry: false, networkMode: "always", staleTime: Number.POSITIVE_INFINITY });
  const rates = useChain(desk, ["rates", purpose], () => contracts.rates(desk, purpose));
  const units = /^[0-9]{1,9}$/.test(typed) ? Number(typed) : 0;
  const wrong = plan.error instanceof RulesFailure ? plan.error.message : plan.data && plan.data.query.dataset !== dataset ? t("researcher-sale:compute.otherDataset", { dataset }) : undefined;
  const escrow = rates.data ? contracts.escrowOf(rates.data, units) : 0n;
  const contract = desk.site.manifest.addresses.compute_desk;
  const permitted = t("researcher-chain:sign.permit", { spender: contract, amount: money(escrow), account: desk.account, ...by });
  const words = [t("researcher-sale:compute.words", { dataset, units: number(units), escrow: money(escrow), contract, purpose: t(`common:purpose.${purpose}.name`) }), t("researcher-sale:compute.words2", { plan: plan.data?.digest ?? "" }), t("researcher-sale:compute.words3")];
  const opening = useAct(async (tell: (step: Step) => void) => {
    if (!plan.data) return;
    const at = Math.floor(Date.now() / 1000);
    const note = { account: desk.account, chain: desk.site.chain_id, kind: "job" as const, at, amount: escrow.toString(), words: [permitted, ...words], plan: text, dataset };
    const made = await contracts.openJob(desk, { dataset, purpose, category, units, plan: plan.data.digest as `0x${string}`, key: answerKey.public }, escrow, tell, (hash) => sent.put({ ...note, hash })).catch((error: unknown) => {
      void rates.refetch();
      throw error;
    });
    await jobs.put({ id: `${desk.site.chain_id}-${made.job}`, job: made.job, chain: desk.site.chain_id, account: desk.account, license: made.license, escrow: escrow.toString(), plan: text, dataset, at });
    await sent.put({ ...note, hash: made.hash, license: made.license, done: true });
    await queries.invalidateQueries({ queryKey: ["jobs", desk.account] });
    await rates.refetch();
  });
  return (
    <Section title={t("researcher-sale:compute.new")}>
      <Await of={[rates]} failed={ChainAway}>
        {(now) =>
          now.base === 0n && now.perUnit === 0n ? (
            <Notice title={t("researcher-chain:failed.noPrice.title")}>
              <p>{t("researcher-chain:failed.noPrice.what")}</p>
            </Notice>
          ) : (
            <>
              <LongField label={t("researcher-sale:compute.plan")} hint={t("researcher-sale:compute.planHint")} wrong={wrong} value={text} change={setText} rows={9} isCode />
              <Field label={t("researcher-sale:compute.units")} hint={t("researcher-sale:compute.unitsHint")} wrong={units < 1 ? t("researcher-buy:buy.recordsWrong") : undefined} value={typed} change={(value) => setTyped(value.trim())} width={8} />
              <Options legend={t("researcher-sale:purpose")} name="purpose" value={purpose} options={PURPOSES} choose={setPurpose} text={(one) => [t(`common:purpose.${one}.name`)]} isShort />
              <Select label={t("researcher-buy:buy.category")} hint={t("researcher-buy:buy.categoryHint")} value={category} options={CATEGORIES} choose={setCategory} text={(one) => t(`researcher-buy:categories.${one}`)} />
              <Facts
                of={[
                  [t("researcher-sale:compute.rate"), t("researcher-sale:compute.rateText", { base: money(now.base), unit: money(now.perUnit) })],
                  [t("researcher-sale:compute.escrow"), <strong key="escrow">{money(escrow)}</strong>],
                  [t("researcher-sale:compute.back"), t("researcher-sale:compute.backText", { at: time(now.now + now.timeout) })],
                  [t("researcher-buy:buy.balance"), money(now.balance)],
                ]}
              />
              {now.approvedUntil <= now.now && <p className="wrong">{t("researcher-chain:failed.notApproved.title")}</p>}
              {now.lacksBond && <p className="wrong">{t("researcher-chain:failed.notBonded.title")}</p>}
              {escrow > now.balance && <p className="wrong">{t("researcher-chain:failed.usdc.title")}</p>}
              <KeyCard desk={desk} answerKey={answerKey} />
              {plan.data && !wrong && units > 0 && (
                <>
                  <Settled desk={desk} contracts={contracts}>
                  <h3>{t("researcher-chain:sign.title")}</h3>
                  <Words words={words} permitted={permitted} />
                  {opening.state.at === "done" ? (
                    <div role="status">
                      <Notice title={t("researcher-sale:compute.opened")} tone="good">
                        <button type="button" className="button quiet" onClick={opening.reset}>
                          {t("researcher-sale:compute.another")}
                        </button>
                      </Notice>
                    </div>
                  ) : answerKey.saved ? (
                    <ChainButton act={opening} given={[]} label={t("researcher-sale:compute.open", by)} kept={t("researcher-chain:nothingPaid")} />
                  ) : (
                    <p className="wrong">{t("researcher-chain:key.must")}</p>
                  )}
                  </Settled>
                </>
              )}
            </>
          )
        }
      </Await>
    </Section>
  );
}
