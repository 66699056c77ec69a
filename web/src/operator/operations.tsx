//! Operations: what each process says of itself, what waits and until when, and who is admitted.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type Admissions, type Cooperative, readAdmissions, readCooperative, readHealth } from "../api/generated";
import { useRead } from "../api/read";
import { readEpochWhole } from "../api/within";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Facts, Notice, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { behind, type Process, stateOf, useKeepers } from "./processes";
import { Room } from "./room";

export const needs = () => [readCooperative(), readHealth(), readAdmissions()];

/** Milliseconds between two looks. */
const EVERY = 10_000;

export default function Operations() {
  const { t } = useTranslation("operator");
  const cooperative = useRead(readCooperative(), EVERY);
  const admissions = useRead(readAdmissions(), EVERY);
  return (
    <>
      <Room />
      <PageHead title={t("operations.title")} lead={t("operations.lead")} />
      {/* Each by itself: what one process cannot say keeps nothing else from being shown. */}
      <Await of={[cooperative]}>{(directory) => <Running directory={directory} />}</Await>
      <Section title={t("operations.admissions")}>
        <Await of={[admissions]}>{(seen) => <Admitting of={seen} />}</Await>
      </Section>
    </>
  );
}

function Running({ directory }: { directory: Cooperative }) {
  const { t } = useTranslation("operator");
  const keepers = useKeepers(directory.stewards);
  return (
    <>
      <Section title={t("operations.alarms")}>
        <Alarms directory={directory} keepers={keepers} />
      </Section>
      <Section title={t("operations.keepers")}>
        <Keepers keepers={keepers} />
      </Section>
    </>
  );
}

function Alarms({ directory: { epoch, final_epoch, quorum }, keepers }: { directory: Cooperative; keepers: Process[] }) {
  const { t } = useTranslation("operator");
  const health = useRead(readHealth(), EVERY);
  const late = behind(keepers, final_epoch);
  const away = keepers.filter((keeper) => ["away", "bad"].includes(stateOf(keeper)));
  const isEnough = keepers.length - away.length >= quorum;
  const problems = health.data?.problems ?? [];
  const isQuiet = away.length === 0 && late.length === 0 && problems.length === 0 && final_epoch >= epoch - 1;
  return (
    <>
      {isQuiet && keepers.every(({ isAsked }) => isAsked) && (
        <Notice title={t("operations.quiet")} tone="good">
          <p>{t("operations.quietText")}</p>
        </Notice>
      )}
      {away.length > 0 && (
        <Notice title={t("operations.away", { count: away.length })} tone="bad">
          <p>{t(isEnough ? "operations.awayEnough" : "operations.awayStops", { quorum })}</p>
        </Notice>
      )}
      {late.map(({ steward, settled, waiting }) => (
        <Notice key={steward} title={t("operations.behind", { steward })} tone="bad">
          <p>{t("operations.behindText", { settled, final: final_epoch })}</p>
          {waiting && <p lang="en">{waiting}</p>}
        </Notice>
      ))}
      {problems.length > 0 && (
        <Notice title={t("operations.server")} tone="bad">
          {problems.map((problem) => (
            <p key={problem} lang="en">
              {problem}
            </p>
          ))}
        </Notice>
      )}
      {final_epoch < epoch - 1 && <Unsettled from={final_epoch + 1} last={epoch - 1} />}
    </>
  );
}

/** Periods that ended and are not final. What each waits for is told of the first. */
function Unsettled({ from, last }: { from: number; last: number }) {
  const { t } = useTranslation(["operator", "public"]);
  const { time } = useFormat();
  const first = useRead(readEpochWhole(from), EVERY);
  return (
    <Notice title={t("operator:operations.unsettled", { count: last - from + 1, from, last })}>
      <Await of={[first]}>
        {({ end, final_at, state }) => (
          <p>
            {t("operator:operations.ended", { epoch: from, time: time(end) })}{" "}
            {final_at && state !== "final" ? t("operator:operations.window", { time: time(final_at) }) : t("operator:operations.working")}
          </p>
        )}
      </Await>
      <p>
        <Link to="/epochs/$epoch" params={{ epoch: String(from) }}>
          {t("operator:operations.toEpoch", { epoch: from })}
        </Link>
      </p>
    </Notice>
  );
}

function Keepers({ keepers }: { keepers: Process[] }) {
  const { t } = useTranslation("operator");
  const { number } = useFormat();
  const tones = { up: "good", bad: "bad", away: "bad" } as Record<string, string>;
  return (
    <Table
      caption={t("operations.caption")}
      rows={keepers}
      keyOf={({ steward }) => steward}
      columns={[
        { head: t("health.steward"), cell: ({ steward }) => t("health.name", { steward }) },
        {
          head: t("health.state"),
          cell: (keeper) => (
            <span className="tag" data-tone={tones[stateOf(keeper)]}>
              {t(`operations.state.${stateOf(keeper)}`)}
            </span>
          ),
        },
        { head: t("operations.read"), isNumber: true, cell: ({ health }) => (health ? t("operations.of", { indexed: number(health.indexed), head: number(health.head) }) : t("kpis.none")) },
        { head: t("operations.settled"), isNumber: true, cell: ({ settled }) => (settled === undefined ? t("kpis.none") : number(settled)) },
        { head: t("operations.wrong"), cell: ({ health, waiting }) => <span lang="en">{[...(health?.problems ?? []), ...(waiting ? [waiting] : [])].join("; ") || t("kpis.none")}</span> },
        { head: t("health.version"), cell: ({ health }) => health?.version ?? t("kpis.none") },
      ]}
    />
  );
}

function Admitting({ of: { open, left, epoch_ends } }: { of: Admissions }) {
  const { t } = useTranslation("operator");
  const { number, time } = useFormat();
  return (
    <>
      <Facts
        of={[
          [t("operations.open"), t(open ? "operations.yes" : "operations.no")],
          [t("operations.left"), left == null ? t("operations.leftUnknown") : number(left)],
          [t("operations.anew"), time(epoch_ends)],
        ]}
      />
      {!open && <p>{t(left === 0 ? "operations.full" : "operations.registrar")}</p>}
      <p>{t("operations.invite")}</p>
    </>
  );
}
