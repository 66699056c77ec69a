//! What the keepers made of each record, and who opened it to score it.
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Await } from "../../ui/await";
import { useFormat } from "../../ui/format";
import { More } from "../../ui/page";
import { download } from "../core/downloading";
import { useOpenings, useRow } from "../core/reading";
import type { Row } from "../core/rules";
import { current, type Opened, type Session } from "../core/session";
import { ActButton, useAct } from "../parts/act";
import { Reading } from "../parts/come-in";
import { Differing } from "../parts/differing";
import { saveFile } from "../parts/save";

export function Scores({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-mine");
  return (
    <>
      <h3>{t("scores.title")}</h3>
      <Reading opened={opened}>{(session) => <Own session={session} id={id} />}</Reading>
    </>
  );
}

function Own({ session, id }: { session: Session; id: number }) {
  const { t } = useTranslation("member-mine");
  const row = useRow(session, id);
  return (
    <>
      <Await of={[row]}>
        {(seen) =>
          seen.said && seen.said.contributions.length > 0 ? (
            <>
              <Each of={seen.said.contributions} session={session} id={id} />
              <Differing of={seen} />
            </>
          ) : (
            <p>{t("scores.notYet")}</p>
          )
        }
      </Await>
      <More title={t("openings.title")}>
        <Openings session={session} id={id} />
      </More>
    </>
  );
}

function Each({ of, session, id }: { of: Row["contributions"]; session: Session; id: number }) {
  const { t } = useTranslation("member-mine");
  const { points } = useFormat();
  return (
    <ul className="plain">
      {of.map(({ contribution_id, score, reasons }) => (
        <li key={contribution_id}>
          <h4>{t("scores.record", { number: contribution_id })}</h4>
          <p>{score ? t("scores.score", { quality: points(score.quality), unique: points(score.uniqueness), vouched: points(score.authenticity) }) : t("scores.waits")}</p>
          <Download session={session} id={id} number={contribution_id} />
          {reasons.length > 0 && (
            <More title={t("scores.reasons", { count: reasons.length })}>
              <ul lang="en">
                {reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            </More>
          )}
        </li>
      ))}
    </ul>
  );
}

/** It is put together on this device; the keepers write down that it was handed out. */
function Download({ session, id, number }: { session: Session; id: number; number: number }) {
  const { t } = useTranslation("member-mine");
  const queries = useQueryClient();
  const downloading = useAct(async () => {
    saveFile(`${t("download.file")}-${number}.json`, new Blob([await download(session, id, number, (current()?.things.added ?? []).map(({ commitment }) => commitment))], { type: "application/json" }));
    void queries.invalidateQueries({ queryKey: ["openings", id] });
  });
  return (
    <>
      <ActButton act={downloading} given={[]} label={t("download.do", { number })} working={() => t("download.working")} kept={t("kept.nothing")} quiet />
      {downloading.state.at === "done" && <p role="status">{t("download.done")}</p>}
    </>
  );
}

const WHY = ["drawn", "scores_differ", "stands_in", "owner"] as const;

function Openings({ session, id }: { session: Session; id: number }) {
  const { t } = useTranslation("member-mine");
  const { time } = useFormat();
  const openings = useOpenings(session, id);
  return (
    <Await of={[openings]}>
      {({ answers, away }) => (
        <>
          <p>{t("openings.text")}</p>
          {answers.every(({ said }) => said.length === 0) && <p>{t("openings.none")}</p>}
          <ul>
            {answers.flatMap(({ steward, said }) =>
              said.map(({ contribution_id, scorer, reason, last, times }) => (
                <li key={`${steward} ${contribution_id} ${scorer} ${reason}`}>
                  {t("openings.line", { steward, number: contribution_id, scorer, time: time(last), why: t(`openings.why.${WHY.find((known) => known === reason) ?? "drawn"}`), count: times })}
                </li>
              )),
            )}
          </ul>
          <Differing of={{ differ: 0, away: away.map(({ steward }) => steward) }} />
        </>
      )}
    </Await>
  );
}
