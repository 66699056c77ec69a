//! What was done in the cooperative's name, newest first, as the chain has it: by the houses, the guardians, the ethics board, keepers and operators.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Cooperative, type LogEntry, readCooperative, readLog } from "../api/generated";
import { useRead } from "../api/read";
import { partOf } from "../governance/effects";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Empty, More, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { keyOf, nameOfAddress, POTS } from "./acts";
import { Room } from "./room";

export const needs = () => [readLog(), readCooperative()];

const ABSENT = ["people", "sales", "commands"] as const;

export default function Log() {
  const { t } = useTranslation("operator");
  return (
    <>
      <Room />
      <PageHead title={t("log.title")} lead={t("log.lead")} />
      <Part />
      <Section title={t("log.absent")}>
        <ul>
          {ABSENT.map((what) => (
            <li key={what}>{t(`log.without.${what}`)}</li>
          ))}
        </ul>
        <p>
          <Link to="/licenses">{t("log.toLicenses")}</Link>
        </p>
        <p>
          <Link to="/treasury">{t("log.toTreasury")}</Link>
        </p>
      </Section>
    </>
  );
}

/** A part of the log, and below it what was before, once that is asked for. */
function Part({ before }: { before?: string }) {
  const { t } = useTranslation("operator");
  const [isOpen, setOpen] = useState(false);
  const log = useRead(readLog(before));
  const cooperative = useRead(readCooperative());
  return (
    <Await of={[log, cooperative]}>
      {({ entries, earlier }, directory) => (
        <>
          {entries.length > 0 ? <Entries entries={entries} directory={directory} isFirst={before === undefined} /> : before === undefined && <None />}
          {earlier != null &&
            (isOpen ? (
              <Part before={earlier} />
            ) : (
              <p>
                <button type="button" className="button quiet" onClick={() => setOpen(true)}>
                  {t("log.earlier")}
                </button>
              </p>
            ))}
        </>
      )}
    </Await>
  );
}

function None() {
  const { t } = useTranslation("operator");
  return (
    <Empty title={t("log.empty")}>
      <p>{t("log.emptyText")}</p>
      <p>
        <Link to="/houses">{t("log.emptyLink")}</Link>
      </p>
    </Empty>
  );
}

function Entries({ entries, directory, isFirst }: { entries: LogEntry[]; directory: Cooperative; isFirst: boolean }) {
  const { t } = useTranslation("operator");
  const { number, time } = useFormat();
  return (
    <>
      <Table
        caption={t(isFirst ? "log.caption" : "log.captionEarlier", { time: time(entries[0]?.at ?? 0) })}
        rows={entries}
        keyOf={keyOf}
        columns={[
          { head: t("log.when"), cell: ({ at }) => time(at) },
          { head: t("log.what"), cell: (entry) => <What entry={entry} /> },
          { head: t("log.about"), cell: (entry) => <About entry={entry} directory={directory} /> },
        ]}
      />
      <More title={t("log.where")}>
        <p>{t("log.whereText")}</p>
        <Table
          caption={t("log.whereCaption")}
          rows={entries}
          keyOf={keyOf}
          columns={[
            { head: t("log.when"), cell: ({ at }) => time(at) },
            { head: t("log.block"), isNumber: true, cell: ({ block }) => number(block) },
            { head: t("log.transaction"), cell: ({ tx }) => <Code>{tx}</Code> },
          ]}
        />
      </More>
    </>
  );
}

function What({ entry: { act, number, amount, until } }: { entry: LogEntry }) {
  const { t } = useTranslation(["operator", "public"]);
  const { money, time } = useFormat();
  // Money is told in the sentence; what was lost of a bond is in its own smallest unit, and beside it.
  const pot = act === "spent" ? POTS[number ?? -1] : undefined;
  const said = t(`operator:log.act.${act}`, { number: number ?? "", money: money(act === "spent" ? (amount ?? "0") : "0"), pot: pot ? t(`public:treasury.pots.${pot}`) : "" });
  return (
    <>
      {said}
      {until != null && ` ${t(until === 0 ? "operator:log.ended" : "operator:log.until", { time: time(until) })}`}
    </>
  );
}

/** Whom or what it is about: a part by its name, else the account; a decision by its page. */
function About({ entry: { act, who, number, proposal, amount }, directory }: { entry: LogEntry; directory: Cooperative }) {
  const { t } = useTranslation(["operator", "effects"]);
  if (proposal && act.startsWith("proposal")) {
    return (
      <Link to="/proposals/$proposal" params={{ proposal }}>
        {t("operator:log.toProposal")}
      </Link>
    );
  }
  if (act === "constituted") return <Link to="/charter">{t("operator:log.toCharter")}</Link>;
  if (number != null && /settlement|objection/.test(act)) {
    return (
      <Link to="/epochs/$epoch" params={{ epoch: String(number) }}>
        {t("operator:operations.toEpoch", { epoch: number })}
      </Link>
    );
  }
  const name = who && nameOfAddress(directory.manifest, who);
  const part = name && partOf(name);
  return (
    <>
      {part ? t(`effects:parts.${part}`) : who ? <Code>{who}</Code> : proposal ? <Code>{proposal}</Code> : t("operator:kpis.none")}
      {amount != null && /slashed/.test(act) && ` ${t("operator:log.lost", { amount })}`}
    </>
  );
}
