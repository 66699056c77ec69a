//! Help and recovery: another device, a lost passkey, a lost code, and whom to ask.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { More, Notice, PageHead, Section } from "../ui/page";
import { isOwn } from "./core/alarm";
import { useAccount } from "./core/reading";
import { finishRecovery, startRecovery } from "./core/recovering";
import { type Opened, useOpened } from "./core/session";
import { ActButton, ActFailed, useAct } from "./parts/act";
import { ComeIn } from "./parts/come-in";
import { Field } from "../ui/form";
import { Mine } from "./parts/mine";
import { Replace } from "./parts/replace";

/** Milliseconds until the cooperative's time is looked at again. */
const OFTEN = 10_000;

const QUESTIONS = ["device", "code", "stop", "money", "privacy"] as const;

export default function Help() {
  const { t } = useTranslation("member-mine");
  const opened = useOpened();
  if (opened) return <Mine title={t("help.title")}>{(inside) => <Topics opened={inside} />}</Mine>;
  return (
    <>
      <PageHead title={t("help.title")} lead={t("help.lead")} />
      <ComeIn />
      <Questions />
    </>
  );
}

function Topics({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-mine");
  const account = useAccount(opened.things.account);
  return (
    <>
      <Section title={t("help.lost")}>
        <Await of={[account]}>{({ recovery }) => <Lost opened={opened} readyAt={recovery?.ready_at} isOwn={isOwn({ account: opened.things.account, recovery })} />}</Await>
      </Section>
      {account.data && !account.data.recovery && (
        <Section title={t("replace.title")}>
          <Replace opened={opened} />
        </Section>
      )}
      <Questions />
    </>
  );
}

function Questions() {
  const { t } = useTranslation("member-mine");
  return (
    <Section title={t("help.questions")}>
      {QUESTIONS.map((question) => (
        <More key={question} title={t(`help.${question}.title`)}>
          <p>{t(`help.${question}.text`)}</p>
        </More>
      ))}
      <p>
        <Link to="/health">{t("help.health")}</Link>
      </p>
    </Section>
  );
}

function Lost({ opened, readyAt, isOwn }: { opened: Opened; readyAt: number | undefined; isOwn: boolean }) {
  const { t } = useTranslation("member-mine");
  if (readyAt === undefined) return <Start opened={opened} />;
  // Somebody else's stands above on every page, with the way to stop it.
  if (!isOwn) return <p>{t("help.other")}</p>;
  return <Finish opened={opened} readyAt={readyAt} />;
}

function Start({ opened }: { opened: Opened }) {
  const { t } = useTranslation(["member-mine", "common"]);
  const [code, setCode] = useState("");
  const queries = useQueryClient();
  const { account } = opened.things;
  const starting = useAct(async () => queries.setQueryData(["account", account], await startRecovery(opened, code, t("common:name"))));
  const { state } = starting;
  const go = (event: FormEvent) => {
    event.preventDefault();
    starting.act();
  };
  return (
    <>
      <p>{t("member-mine:help.lostText")}</p>
      <More title={t("member-mine:help.lostTitle")}>
        <form onSubmit={go}>
          <p>{t("member-mine:help.startText")}</p>
          <Field label={t("member-mine:comeIn.codeLabel")} hint={t("member-mine:comeIn.codeHint")} value={code} change={setCode} isCode />
          <div className="words">
            <p>{t("member-mine:help.words")}</p>
          </div>
          <p>
            <button type="submit" className="button" aria-disabled={state.at === "working"}>
              {t("member-mine:help.start")}
            </button>
          </p>
          <div role="status">{state.at === "working" && <p className="working">{t("member-mine:working.passkey")}</p>}</div>
          {state.at === "failed" && <ActFailed error={state.error} kept={t("member-mine:kept.asBefore")} />}
        </form>
      </More>
    </>
  );
}

function Finish({ opened, readyAt }: { opened: Opened; readyAt: number }) {
  const { t } = useTranslation("member-mine");
  const { time } = useFormat();
  const queries = useQueryClient();
  const finishing = useAct(async () => {
    await finishRecovery(opened);
    await queries.invalidateQueries({ queryKey: ["account", opened.things.account] });
  });
  // The time of the cooperative, by which the account decides: a device's may be another.
  const now = useRead(readCooperative(), OFTEN).data?.now ?? 0;
  const isReady = readyAt <= now;
  return (
    <Notice title={t(isReady ? "help.ready" : "help.running", { time: time(readyAt) })}>
      <p>{t(isReady ? "help.readyText" : "help.runningText", { time: time(readyAt) })}</p>
      {isReady && <ActButton act={finishing} given={[]} label={t("help.finish")} working={() => t("working.chain")} kept={t("kept.asBefore")} />}
    </Notice>
  );
}
