//! Approval: for what purpose, how many people there are for it, an application to the ethics board, and what the chain says of it.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import * as v from "valibot";
import { PURPOSES, type Purpose, purposeOf, SIZE_GRID } from "../api/codes";
import { readSizes, type Sizes } from "../api/generated";
import { useRead } from "../api/read";
import { ChainAway, ChainButton, ChainFailed, useChain } from "../chain/act";
import type { Contracts, Desk, Step } from "../chain/desk";
import { Room, WithWallet } from "../chain/room";
import { useBy } from "../chain/wallet";
import { type Application, KIND, Protocol, protocolOf, read, type SignedApproval, SignedApproval as SignedApprovalFile } from "../ethics/application";
import { Facts as FactsForm, useFacts, useWrong } from "../ethics/facts";
import { kept } from "../member/core/kept";
import { saveFile } from "../member/parts/save";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Field, FileButton, LongField, Options } from "../ui/form";
import { useFormat } from "../ui/format";
import { Notice, Section } from "../ui/page";
import { Table } from "../ui/table";

export const needs = () => [readSizes()];

const Draft = v.object({ purpose: v.picklist(PURPOSES), months: v.string(), title: v.string(), summary: v.string(), contact: v.string(), protocol: Protocol });
type Draft = v.InferOutput<typeof Draft>;
const draft = kept(() => localStorage, "rochdale.application", Draft);
const NEW: Draft = { purpose: 6, months: "12", title: "", summary: "", contact: "", protocol: {} };

export default function Request() {
  const { t } = useTranslation(["researcher-buy", "researcher-chain"]);
  const [wish, setWish] = useState<Draft>(() => draft.read() ?? NEW);
  const change = (part: Partial<Draft>) => {
    const next = { ...wish, ...part };
    draft.write(next);
    setWish(next);
  };
  return (
    <Room title={t("request.title")} lead={t("request.lead")} back={<Link to="/datasets">{t("back")}</Link>}>
      <Section title={t("request.purpose")}>
        <p>{t("request.purposeText")}</p>
        <PurposeChoice purpose={wish.purpose} choose={(purpose) => change({ purpose })} />
      </Section>
      <WithWallet>
        {(desk, contracts) => (
          <>
            <State desk={desk} contracts={contracts} />
            <Apply desk={desk} contracts={contracts} wish={wish} change={change} />
            <HandIn desk={desk} contracts={contracts} />
          </>
        )}
      </WithWallet>
    </Room>
  );
}

/** Each purpose with what it means, and about how many people allow it. */
function PurposeChoice({ purpose, choose }: { purpose: Purpose; choose: (purpose: Purpose) => void }) {
  const { t } = useTranslation(["researcher-buy", "common"]);
  const sizes = useRead(readSizes());
  return (
    <>
      <Await of={[sizes]}>
        {(published) => (
          <Options
            legend={t("researcher-buy:request.what")}
            name="purpose"
            value={purpose}
            options={PURPOSES}
            choose={choose}
            text={(one) => [t(`common:purpose.${one}.name`), <Pool key={one} purpose={one} sizes={published} />]}
          />
        )}
      </Await>
      <p className="small">{t("researcher-buy:request.pool", { grid: SIZE_GRID })}</p>
    </>
  );
}

function Pool({ purpose, sizes }: { purpose: Purpose; sizes: Sizes }) {
  const { t } = useTranslation(["researcher-buy", "common"]);
  const { number, list } = useFormat();
  const own = sizes.sizes.filter((size) => size.purpose === purpose);
  const people = own.map(({ dataset, members, epoch }) =>
    t(epoch === 0 ? "researcher-buy:request.uncounted" : members > SIZE_GRID ? "researcher-buy:request.about" : "researcher-buy:request.few", { dataset, size: number(members) }),
  );
  return (
    <>
      {t(`common:purpose.${purpose}.what`)}
      <br />
      {people.length > 0 ? list(people) : t("researcher-buy:request.unknown")}
    </>
  );
}

function State({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation(["researcher-buy", "common"]);
  const by = useBy();
  const { time } = useFormat();
  const state = useChain(desk, ["approvals"], () => contracts.approvals(desk, desk.account, PURPOSES), 15_000);
  return (
    <Section title={t("researcher-buy:request.state")}>
      <Await of={[state]} failed={ChainAway}>
        {({ now, approvals }) => (
          <Table
            caption={t("researcher-buy:request.stateCaption", by)}
            rows={approvals}
            keyOf={({ purpose }) => purpose}
            columns={[
              { head: t("researcher-buy:request.purpose"), cell: ({ purpose }) => t(`common:purpose.${purposeOf(purpose)}.name`) },
              { head: t("researcher-buy:request.says"), cell: ({ until }) => <Says until={until} now={now} /> },
              { head: t("researcher-buy:request.until"), cell: ({ until }) => (until > 0 ? time(until) : "–") },
            ]}
          />
        )}
      </Await>
    </Section>
  );
}

function Says({ until, now }: { until: number; now: number }) {
  const { t } = useTranslation("researcher-buy");
  const says = until === 0 ? "none" : until > now ? "approved" : "ended";
  return (
    <span className="tag" data-tone={says === "approved" ? "good" : undefined}>
      {t(`request.states.${says}`)}
    </span>
  );
}

/** The application is a file: the board is people, and the cooperative's server has no part in it. */
function Apply({ desk, contracts, wish, change }: { desk: Desk; contracts: Contracts; wish: Draft; change: (part: Partial<Draft>) => void }) {
  const { t } = useTranslation("researcher-buy");
  const by = useBy();
  const [isAsked, setAsked] = useState(false);
  const months = /^[0-9]{1,3}$/.test(wish.months) ? Number(wish.months) : 0;
  const wrong = { title: !wish.title.trim(), summary: !wish.summary.trim(), contact: !wish.contact.trim(), months: months < 1 || months > 120 };
  const wrongFact = useWrong()(wish.protocol, wish.purpose === 7);
  const said = (field: keyof typeof wrong) => (isAsked && wrong[field] ? t(`request.wrong.${field}`) : undefined);
  const saving = useAct(async (tell: (step: Step) => void) => {
    const { account, site } = desk;
    const application: Application = {
      kind: KIND,
      version: 1,
      chain_id: site.chain_id,
      ethics_registry: site.manifest.addresses.ethics_registry,
      researcher: account,
      purpose: wish.purpose,
      months,
      study: { title: wish.title.trim(), summary: wish.summary.trim(), contact: wish.contact.trim() },
      protocol: wish.protocol,
    };
    const signature = await contracts.signApplication(desk, application, tell);
    saveFile(`application-${account.slice(2, 8)}-${wish.purpose}.json`, new Blob([`${JSON.stringify({ ...application, signature }, null, 2)}\n`], { type: "application/json" }));
  });
  const save = () => {
    setAsked(true);
    if (!Object.values(wrong).some(Boolean) && !wrongFact) saving.act();
  };
  return (
    <Section title={t("request.apply")}>
      <p>{t("request.applyText")}</p>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Field label={t("request.studyTitle")} wrong={said("title")} value={wish.title} change={(title) => change({ title })} />
        <LongField label={t("request.summary")} hint={t("request.summaryHint")} wrong={said("summary")} value={wish.summary} change={(summary) => change({ summary })} />
        <Field label={t("request.contact")} hint={t("request.contactHint")} wrong={said("contact")} value={wish.contact} change={(contact) => change({ contact })} />
        <Field label={t("request.months")} wrong={said("months")} value={wish.months} change={(value) => change({ months: value })} width={5} />
        <h3>{t("request.facts")}</h3>
        <p>{t("request.factsText")}</p>
        <FactsForm facts={wish.protocol} needsDisease={wish.purpose === 7} change={(protocol) => change({ protocol })} />
        {isAsked && wrongFact && (
          <p className="wrong" role="alert">
            {wrongFact}
          </p>
        )}
        <p>{t("request.signText", by)}</p>
        <p>
          <button type="submit" className="button" aria-disabled={saving.state.at === "working"}>
            {t("request.save")}
          </button>
        </p>
      </form>
      {saving.state.at === "failed" && <ChainFailed error={saving.state.error} kept={t("request.notSaved")} />}
      <div role="status">
        {saving.state.at === "working" && <p className="working">{t("request.signing", by)}</p>}
        {saving.state.at === "done" && (
          <Notice title={t("request.saved")} tone="good">
            <p>{t("request.savedText")}</p>
          </Notice>
        )}
      </div>
    </Section>
  );
}

/** What the board handed over is sent by whoever has it. */
function HandIn({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation(["researcher-buy", "researcher-chain", "common"]);
  const by = useBy();
  const { date } = useFormat();
  const facts = useFacts();
  const [given, setGiven] = useState<SignedApproval | "wrong">();
  const sending = useAct(async (tell: (step: Step) => void) => {
    if (!given || given === "wrong") return;
    await contracts.sendApproval(desk, { ...given.approval, researcher: given.approval.researcher }, given.signature, tell);
  });
  if (by.context === "passkey") {
    return (
      <Section title={t("researcher-buy:handIn.title")}>
        <p>{t("researcher-buy:handIn.byPasskey")}</p>
      </Section>
    );
  }
  return (
    <Section title={t("researcher-buy:handIn.title")}>
      <p>{t("researcher-buy:handIn.text")}</p>
      <FileButton
        label={t("researcher-buy:handIn.choose")}
        accept="application/json,.json"
        quiet
        take={(content) => {
          sending.reset();
          const file = read(SignedApprovalFile, content);
          setGiven(file && file.chain_id === desk.site.chain_id ? file : "wrong");
        }}
      />
      {given === "wrong" && (
        <p className="wrong" role="alert">
          {t("researcher-buy:handIn.wrong")}
        </p>
      )}
      {given && given !== "wrong" && (
        <>
          <p>
            {t("researcher-buy:handIn.what", { account: given.approval.researcher, purpose: t(`common:purpose.${purposeOf(given.approval.purpose)}.name`), until: date(given.approval.until) })}
          </p>
          <ul>
            {facts(protocolOf(given.approval.protocol)).map((fact) => (
              <li key={fact}>{fact}</li>
            ))}
          </ul>
          {given.approval.researcher !== desk.account && <p className="wrong">{t("researcher-buy:handIn.other")}</p>}
          {sending.state.at === "done" ? (
            <div role="status">
              <Notice title={t("researcher-buy:handIn.done")} tone="good">
                <p>{t("researcher-buy:handIn.doneText")}</p>
              </Notice>
            </div>
          ) : (
            <ChainButton act={sending} given={[]} label={t("researcher-buy:handIn.send")} kept={t("researcher-chain:nothingPaid")} />
          )}
        </>
      )}
    </Section>
  );
}
