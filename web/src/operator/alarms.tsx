//! What needs looking at, and until when: processes that do not answer, what they say is wrong, what is late, stopped, or waits for somebody.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type Cooperative, readConstitution, readHealth, readProposals } from "../api/generated";
import { useRead } from "../api/read";
import { readEpochWhole } from "../api/within";
import { Paused } from "../governance/paused";
import { grouped } from "../governance/standing";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Notice } from "../ui/page";
import { Table } from "../ui/table";
import { type Alarm, alarmOf, bySoonest } from "./alarm";
import { behind, type Process, stateOf } from "./processes";

/** Milliseconds between two looks. */
export const EVERY = 10_000;

export function Alarms({ directory: { epoch, final_epoch, quorum }, keepers }: { directory: Cooperative; keepers: Process[] }) {
  const { t } = useTranslation("operator");
  const health = useRead(readHealth(), EVERY);
  const constitution = useRead(readConstitution(), EVERY);
  const proposals = useRead(readProposals(), EVERY);
  const late = behind(keepers, final_epoch);
  const away = keepers.filter((keeper) => ["away", "bad"].includes(stateOf(keeper)));
  const isEnough = keepers.length - away.length >= quorum;
  const told = bySoonest([...(health.data?.problems ?? []).map((text) => alarmOf(text)), ...keepers.flatMap(({ steward, health }) => (health?.problems ?? []).map((text) => alarmOf(text, steward)))]);
  const pauses = constitution.data?.pauses ?? [];
  const ready = grouped(proposals.data ?? []).filter((houses) => houses.every(({ status }) => status === "queued" || status === "executed") && houses.some(({ status }) => status === "queued"));
  const isKnown = keepers.every(({ isAsked }) => isAsked) && health.data && constitution.data && proposals.data;
  const isQuiet = [away, late, told, pauses, ready].every(({ length }) => length === 0) && final_epoch >= epoch - 1;
  return (
    <>
      {isKnown && isQuiet && (
        <Notice title={t("operations.quiet")} tone="good">
          <p>{t("operations.quietText")}</p>
        </Notice>
      )}
      {away.length > 0 && (
        <Notice title={t("operations.away", { count: away.length })} tone="bad">
          <p>{t(isEnough ? "operations.awayEnough" : "operations.awayStops", { quorum })}</p>
        </Notice>
      )}
      {told.length > 0 && <Told alarms={told} />}
      {late.map(({ steward, settled, waiting }) => (
        <Notice key={steward} title={t("operations.behind", { steward })} tone="bad">
          <p>{t("operations.behindText", { settled, final: final_epoch })}</p>
          {waiting && <p lang="en">{waiting}</p>}
        </Notice>
      ))}
      {final_epoch < epoch - 1 && <Unsettled from={final_epoch + 1} last={epoch - 1} />}
      {pauses.length > 0 && (
        <Notice title={t("operations.paused")} tone="bad">
          <Paused pauses={pauses} />
        </Notice>
      )}
      {ready.map(([first]) => first && <Ready key={first.id} id={first.id} title={first.title} at={first.executable_at} />)}
    </>
  );
}

function Told({ alarms }: { alarms: Alarm[] }) {
  const { t } = useTranslation("operator");
  const { time } = useFormat();
  return (
    <Table
      caption={t("operations.told")}
      rows={alarms}
      keyOf={({ steward, text }) => `${steward} ${text}`}
      columns={[
        { head: t("operations.who"), cell: ({ steward }) => (steward === undefined ? t("health.server") : t("health.name", { steward })) },
        { head: t("operations.until"), cell: ({ until }) => (until === undefined ? t("operations.noDeadline") : <strong>{time(until)}</strong>) },
        { head: t("operations.wrong"), cell: ({ text }) => <span lang="en">{text}</span> },
        { head: t("operations.type"), cell: ({ command }) => (command ? <Code>{command}</Code> : t("kpis.none")) },
      ]}
    />
  );
}

/** Accepted, and waits for somebody to put it in force. */
function Ready({ id, title, at }: { id: string; title: string; at: number }) {
  const { t } = useTranslation("operator");
  const { time } = useFormat();
  return (
    <Notice title={t("operations.decided")}>
      <p>
        <Link to="/proposals/$proposal" params={{ proposal: id }} lang="">
          {title || id}
        </Link>
      </p>
      <p>{t("operations.executable", { time: time(at) })}</p>
    </Notice>
  );
}

/** Periods that ended and are not final. What each waits for is told of the first. */
function Unsettled({ from, last }: { from: number; last: number }) {
  const { t } = useTranslation("operator");
  const { time } = useFormat();
  const first = useRead(readEpochWhole(from), EVERY);
  return (
    <Notice title={t("operations.unsettled", { count: last - from + 1, from, last })}>
      <Await of={[first]}>
        {({ end, final_at, state }) => (
          <p>
            {t("operations.ended", { epoch: from, time: time(end) })} {final_at && state !== "final" ? t("operations.window", { time: time(final_at) }) : t("operations.working")}
          </p>
        )}
      </Await>
      <p>
        <Link to="/epochs/$epoch" params={{ epoch: String(from) }}>
          {t("operations.toEpoch", { epoch: from })}
        </Link>
      </p>
    </Notice>
  );
}
