//! The ethics board: an application is opened, the researcher's record on chain beside it, and an approval is signed by the board's wallet.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { purposeOf } from "../api/codes";
import { readLicenses } from "../api/generated";
import { useRead } from "../api/read";
import { ChainAway, ChainButton, useChain } from "../chain/act";
import type { Contracts, Desk, Step } from "../chain/desk";
import { Room, WithWallet } from "../chain/room";
import { saveFile } from "../member/parts/save";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Field, FileButton } from "../ui/form";
import { useFormat } from "../ui/format";
import { Code, Facts, More, Notice, Section } from "../ui/page";
import { MOST, read, SIGNED, SignedApplication as Application, type SignedApproval, textOf } from "./application";
import { Facts as FactsForm, useFacts, useWrong } from "./facts";

export const needs = () => [readLicenses()];

export default function Board() {
  const { t } = useTranslation("ethics");
  return (
    <Room title={t("title")} lead={t("lead")}>
      <WithWallet>{(desk, contracts) => <Desks desk={desk} contracts={contracts} />}</WithWallet>
    </Room>
  );
}

function Desks({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation("ethics");
  const board = useChain(desk, ["board"], () => contracts.boardOf(desk));
  const [application, setApplication] = useState<Application | "wrong" | "elsewhere">();
  const take = (content: string) => {
    const file = read(Application, content);
    const isHere = file?.chain_id === desk.site.chain_id && file.ethics_registry === desk.site.manifest.addresses.ethics_registry;
    setApplication(!file ? "wrong" : isHere ? file : "elsewhere");
  };
  return (
    <Await of={[board]} failed={ChainAway}>
      {(account) => (
        <>
          <Notice title={t(account === desk.account ? "isBoard" : "isOther")} tone={account === desk.account ? "good" : "note"}>
            <p>
              {t("boardIs")} <Code>{account}</Code>
            </p>
            {account !== desk.account && <p>{t("isOtherText")}</p>}
          </Notice>
          <Section title={t("application")}>
            <p>{t("applicationText")}</p>
            <FileButton label={t("open")} accept="application/json,.json" take={take} />
            {typeof application === "string" && (
              <p className="wrong" role="alert">
                {t(application)}
              </p>
            )}
          </Section>
          {typeof application === "object" && <Opened key={JSON.stringify(application)} desk={desk} contracts={contracts} application={application} isBoard={account === desk.account} />}
        </>
      )}
    </Await>
  );
}

function Opened({ desk, contracts, application, isBoard }: { desk: Desk; contracts: Contracts; application: Application; isBoard: boolean }) {
  const { t } = useTranslation(["ethics", "common", "researcher-buy"]);
  const { researcher, purpose, months, study } = application;
  const signed = useChain(desk, ["signed", JSON.stringify(application)], () => contracts.isSigned(desk, application));
  return (
    <>
      <Section title={study.title}>
        <Await of={[signed]} failed={ChainAway}>
          {(is) => (
            <Notice title={t(is ? "ethics:signedBy" : "ethics:unsigned")} tone={is ? "good" : "bad"}>
              <p>{t(is ? "ethics:signedByText" : "ethics:unsignedText")}</p>
            </Notice>
          )}
        </Await>
        <Facts
          of={[
            [t("ethics:researcher"), <Code key="account">{researcher}</Code>],
            [t("ethics:purpose"), `${t(`common:purpose.${purposeOf(purpose)}.name`)}: ${t(`common:purpose.${purposeOf(purpose)}.what`)}`],
            [t("ethics:wanted"), t("ethics:months", { count: months })],
            [t("ethics:contact"), study.contact],
            [t("ethics:summary"), <Paragraphs key="summary" text={study.summary} />],
          ]}
        />
      </Section>
      <Section title={t("ethics:record")}>
        <p>{t("ethics:recordText")}</p>
        <RecordOf desk={desk} contracts={contracts} researcher={researcher} />
      </Section>
      <Decide desk={desk} contracts={contracts} application={application} isBoard={isBoard} />
    </>
  );
}

const Paragraphs = ({ text }: { text: string }) => text.split(/\n+/).map((paragraph, place) => <p key={`${place} ${paragraph}`}>{paragraph}</p>);

function RecordOf({ desk, contracts, researcher }: { desk: Desk; contracts: Contracts; researcher: Application["researcher"] }) {
  const { t } = useTranslation(["ethics", "common"]);
  const { money, date } = useFormat();
  const record = useChain(desk, ["record", researcher], () => contracts.recordOf(desk, researcher));
  const licenses = useRead(readLicenses());
  const facts = useFacts();
  return (
    <Await of={[record, licenses]} failed={ChainAway}>
      {({ now, decisions, slashes, bond, isWhole }, all) => {
        const own = all.filter(({ holder }) => holder.toLowerCase() === researcher);
        return (
          <>
            <Facts
              of={[
                [t("ethics:decisions"), t(isWhole ? "ethics:decided" : "ethics:decidedSeen", { count: decisions.length })],
                [t("ethics:licences"), own.length > 0 ? t("ethics:bought", { count: own.length, live: own.filter(({ expiry }) => expiry > now).length }) : t("ethics:noneBought")],
                [t("ethics:bond"), bond.amount > 0n ? t(bond.isEnough ? "ethics:bonded" : "ethics:bondedLess") : t("ethics:noBond")],
                [t("ethics:slashed"), slashes.length > 0 ? t("ethics:slashedText", { count: slashes.length, amount: money(slashes.reduce((sum, { amount }) => sum + amount, 0n)) }) : t(isWhole ? "ethics:neverSlashed" : "ethics:unknown")],
              ]}
            />
            {decisions.length > 0 && (
              <ul className="plain">
                {decisions.map(({ purpose, until, protocol }, place) => (
                  <li key={`${place} ${until}`}>
                    <h3>{t("ethics:decision", { purpose: t(`common:purpose.${purposeOf(purpose)}.name`), until: date(until) })}</h3>
                    <p>{facts(protocol).join(" · ")}</p>
                  </li>
                ))}
              </ul>
            )}
            {!isWhole && <p>{t("ethics:notWhole")}</p>}
          </>
        );
      }}
    </Await>
  );
}

function Decide({ desk, contracts, application, isBoard }: { desk: Desk; contracts: Contracts; application: Application; isBoard: boolean }) {
  const { t } = useTranslation(["ethics", "common", "researcher-chain"]);
  const { date } = useFormat();
  const facts = useFacts();
  const { researcher, purpose } = application;
  const [protocol, setProtocol] = useState(application.protocol);
  const [days, setDays] = useState(String(application.months * 30));
  const [signed, setSigned] = useState<SignedApproval>();
  const length = new TextEncoder().encode(textOf(protocol)).length;
  const isLong = length > MOST;
  const wrongFact = useWrong()(protocol, purpose === 7);
  const isWrong = !/^[0-9]{1,4}$/.test(days) || Number(days) < 1;
  const drawn = useChain(desk, ["draw", researcher, purpose, days, textOf(protocol)], () => contracts.draw(desk, { researcher, purpose, days: Number(days) || 1, protocol }));
  const signing = useAct(async (tell: (step: Step) => void) => {
    if (!drawn.data) return;
    const signature = await contracts.signApproval(desk, drawn.data, tell);
    setSigned({ kind: SIGNED, version: 1, chain_id: desk.site.chain_id, approval: drawn.data, signature });
  });
  if (signed) return <Signed desk={desk} contracts={contracts} signed={signed} again={() => setSigned(undefined)} />;
  return (
    <Section title={t("ethics:decide")}>
      <p>{t("ethics:decideText")}</p>
      <FactsForm facts={protocol} needsDisease={purpose === 7} change={setProtocol} />
      <Field label={t("ethics:days")} wrong={isWrong ? t("ethics:daysWrong") : undefined} value={days} change={setDays} width={6} />
      {isLong && (
        <p className="wrong" role="alert">
          {t("ethics:tooLong", { length, most: MOST })}
        </p>
      )}
      {wrongFact && (
        <p className="wrong" role="alert">
          {wrongFact}
        </p>
      )}
      {!isWrong && !isLong && !wrongFact && (
        <Await of={[drawn]} failed={ChainAway}>
          {(approval) => (
            <>
              <h3>{t("ethics:words")}</h3>
              <div className="words">
                <p>{t("ethics:sentence", { account: researcher, purpose: t(`common:purpose.${purposeOf(purpose)}.name`), until: date(approval.until) })}</p>
                <ul>
                  {facts(protocol).map((fact) => (
                    <li key={fact}>{fact}</li>
                  ))}
                </ul>
                <p>{t("ethics:handed", { deadline: date(approval.deadline) })}</p>
                <More title={t("researcher-chain:sign.raw")}>
                  <Facts of={Object.entries(approval).map(([name, value]) => [name, <Code key={name}>{String(value) || "–"}</Code>])} />
                </More>
              </div>
              {isBoard ? <ChainButton act={signing} given={[]} label={t("ethics:sign")} kept={t("researcher-chain:nothingSent")} /> : <HandOver desk={desk} contracts={contracts} approval={approval} />}
            </>
          )}
        </Await>
      )}
    </Section>
  );
}

/** Where the board signs elsewhere, as several people by a common account do: what is to be signed, as a file. */
function HandOver({ desk, contracts, approval }: { desk: Desk; contracts: Contracts; approval: SignedApproval["approval"] }) {
  const { t } = useTranslation("ethics");
  const save = () => saveFile(`to-sign-${approval.researcher.slice(2, 8)}-${approval.purpose}.json`, new Blob([`${JSON.stringify(contracts.typedOf(desk, approval), null, 2)}\n`], { type: "application/json" }));
  return (
    <>
      <p>{t("signElsewhere")}</p>
      <button type="button" className="button quiet" onClick={save}>
        {t("saveToSign")}
      </button>
    </>
  );
}

function Signed({ desk, contracts, signed, again }: { desk: Desk; contracts: Contracts; signed: SignedApproval; again: () => void }) {
  const { t } = useTranslation(["ethics", "researcher-chain"]);
  const sending = useAct((tell: (step: Step) => void) => contracts.sendApproval(desk, signed.approval, signed.signature, tell));
  const save = () => saveFile(`approval-${signed.approval.researcher.slice(2, 8)}-${signed.approval.purpose}.json`, new Blob([`${JSON.stringify(signed, null, 2)}\n`], { type: "application/json" }));
  const isDone = sending.state.at === "done";
  return (
    <Section title={t("ethics:signed")}>
      <div role="status">
        <Notice title={t(isDone ? "ethics:sentTitle" : "ethics:signedTitle")} tone="good">
          <p>{t(isDone ? "ethics:sentText" : "ethics:signedText")}</p>
        </Notice>
      </div>
      {!isDone && <ChainButton act={sending} given={[]} label={t("ethics:send")} kept={t("ethics:keptSigned")} />}
      <p>
        <button type="button" className="button quiet" onClick={save}>
          {t("ethics:saveSigned")}
        </button>{" "}
        <button type="button" className="button quiet" onClick={again}>
          {t("ethics:again")}
        </button>
      </p>
    </Section>
  );
}
