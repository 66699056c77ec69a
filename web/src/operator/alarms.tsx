//! What needs looking at, and until when: processes that do not answer, what they say is wrong, what is late, stopped, or waits for somebody.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type Cooperative, type HouseName, readConstitution, readHealth, readProposals } from "../api/generated";
import { useRead } from "../api/read";
import { readEpochWhole } from "../api/within";
import { Paused } from "../governance/paused";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Notice } from "../ui/page";
import { Table } from "../ui/table";
import { type Alarm, alarmsOf, waitingOf } from "./alarm";
import { behind, type Process, stateOf } from "./processes";

/** Milliseconds between two looks. */
export const EVERY = 10_000;

export function Alarms({ directory: { epoch, final_epoch, quorum, now }, keepers }: { directory: Cooperative; keepers: Process[] }) {
  const { t } = useTranslation("operator");
  const health = useRead(readHealth(), EVERY);
  const constitution = useRead(readConstitution(), EVERY);
  const proposals = useRead(readProposals(), EVERY);
  const late = behind(keepers, final_epoch);
  const away = keepers.filter((keeper) => ["away", "bad"].includes(stateOf(keeper)));
  const isEnough = keepers.length - away.length >= quorum;
  const { alarms: told, more } = alarmsOf(health.data?.problems ?? [], keepers, now);
  const pauses = constitution.data?.pauses ?? [];
  const ready = waitingOf(proposals.data ?? []);
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
      {told.length > 0 && <Told alarms={told} more={more} />}
      {late.map(({ steward, settled, waiting }) => (
        <Notice key={steward} title={t("operations.behind", { steward })} tone="bad">
          <p>{t("operations.behindText", { settled, final: final_epoch })}</p>
          {waiting && (
            <p>
              {t("operations.says", { steward })} <q lang="en">{waiting.slice(0, 400)}</q>
            </p>
          )}
        </Notice>
      ))}
      {final_epoch < epoch - 1 && <Unsettled from={final_epoch + 1} last={epoch - 1} />}
      {pauses.length > 0 && (
        <Notice title={t("operations.paused")} tone="bad">
          <Paused pauses={pauses} />
        </Notice>
      )}
      {ready.map(({ id, house, title, status, executable_at }) => (
        <Ready key={`${house} ${id}`} id={id} house={house} title={title} at={status === "queued" ? executable_at : undefined} />
      ))}
    </>
  );
}

function Told({ alarms, more }: ReturnType<typeof alarmsOf>) {
  const { t } = useTranslation("operator");
  const { time } = useFormat();
  return (
    <>
      <Table
        caption={t("operations.told")}
        rows={alarms}
        keyOf={({ steward, text }) => `${steward} ${text}`}
        columns={[
          { head: t("operations.who"), cell: ({ steward }) => (steward === undefined ? t("health.server") : t("health.name", { steward })) },
          { head: t("operations.until"), cell: ({ until }) => (until === undefined ? t("operations.noDeadline") : <strong>{time(until)}</strong>) },
          { head: t("operations.wrong"), cell: (alarm) => <Words alarm={alarm} /> },
          { head: t("operations.type"), cell: (alarm) => <Command alarm={alarm} /> },
        ]}
      />
      {more.map(({ steward, count }) => (
        <p key={steward}>{t("operations.more", { steward, count })}</p>
      ))}
    </>
  );
}

/** A keeper's words are its own, and told as that. */
function Words({ alarm: { steward, text } }: { alarm: Alarm }) {
  const { t } = useTranslation("operator");
  if (steward === undefined) return <span lang="en">{text}</span>;
  return (
    <>
      {t("operations.says", { steward })} <q lang="en">{text}</q>
    </>
  );
}

function Command({ alarm: { steward, command } }: { alarm: Alarm }) {
  const { t } = useTranslation("operator");
  if (!command) return <>{t("kpis.none")}</>;
  return (
    <>
      {steward !== undefined && `${t("operations.typeOf", { steward })} `}
      <Code>{command}</Code>
    </>
  );
}

/** Accepted by a house, and waits for somebody to put it in line, or in force. */
function Ready({ id, house, title, at }: { id: string; house: HouseName; title: string; at: number | undefined }) {
  const { t } = useTranslation(["operator", "governance"]);
  const { time } = useFormat();
  return (
    <Notice title={t("operator:operations.decided", { house: t(`governance:house.${house}`) })}>
      <p>
        <Link to="/proposals/$proposal" params={{ proposal: id }} lang="">
          {title || id}
        </Link>
      </p>
      <p>{at === undefined ? t("operator:operations.toQueue") : t("operator:operations.executable", { time: time(at) })}</p>
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
