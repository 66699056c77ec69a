//! A poll, to answer: what is asked, my answer as the server keeps it, and another one until it closes.
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readCooperative } from "../../api/generated";
import { options, ReadFailure, useRead } from "../../api/read";
import { type PollCounted, readPollWhole } from "../../api/within";
import { phaseOf } from "../../governance/phase";
import { Await } from "../../ui/await";
import { useFormat } from "../../ui/format";
import { Facts, Notice, Section } from "../../ui/page";
import type { Opened } from "../core/session";
import { answer, answerOf } from "../core/voting";
import { ActFailed, useAct } from "../parts/act";
import { Mine } from "../parts/mine";
import { Options } from "../parts/options";

const EVERY = 15_000;

export default function AnswerPoll() {
  const { t } = useTranslation("member-vote");
  const { poll: id } = useParams({ from: "/vote/polls/$poll" });
  return (
    <Mine title={t("answer.page")} back={<Link to="/vote">{t("vote.back")}</Link>}>
      {(opened, member_id) => <Own opened={opened} member_id={member_id} id={id} />}
    </Mine>
  );
}

function Own({ opened, member_id, id }: { opened: Opened; member_id: number; id: string }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const { time } = useFormat();
  const poll = useRead(readPollWhole(id), EVERY);
  const cooperative = useRead(readCooperative(), EVERY);
  return (
    <Await of={[poll, cooperative]}>
      {(record, { now }) => {
        const phase = phaseOf(record.poll, now);
        const mine = answerOf(record, member_id);
        const said = mine && record.poll.options[mine.choice];
        return (
          <>
            <h2 lang="" data-said>
              {record.poll.question}
            </h2>
            <Facts
              of={[
                [t("governance:poll.asked"), t("governance:poll.member", { author: record.poll.author })],
                [t("governance:poll.opens"), time(record.poll.opens_at)],
                [t("governance:poll.closes"), time(record.poll.closes_at)],
              ]}
            />
            <p>{t("member-vote:answer.binds")}</p>
            <div role="status">
              {said !== undefined && (
                <Notice title={t("member-vote:answer.kept")} tone="good">
                  <p>
                    {t("member-vote:answer.is")} <strong lang="">{said}</strong>
                  </p>
                  <p>{t("member-vote:answer.keptText")}</p>
                </Notice>
              )}
            </div>
            {phase === "open" ? (
              <Section title={t(mine ? "member-vote:answer.another" : "member-vote:answer.title")}>
                <Ballot opened={opened} id={id} record={record} before={mine?.choice} />
              </Section>
            ) : (
              <Notice title={t(`member-vote:answer.${phase}`, { time: time(phase === "later" ? record.poll.opens_at : record.poll.closes_at) })}>
                <p>{t(`member-vote:answer.${phase}Text`)}</p>
              </Notice>
            )}
            <p>
              <Link to="/polls/$poll" params={{ poll: id }}>
                {t("member-vote:answer.all")}
              </Link>
            </p>
          </>
        );
      }}
    </Await>
  );
}

function Ballot({ opened, id, record, before }: { opened: Opened; id: string; record: PollCounted; before: number | undefined }) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const queries = useQueryClient();
  const [choice, setChoice] = useState<number>();
  const { options: offered, question } = record.poll;
  const answering = useAct(async () => {
    if (choice === undefined) return;
    queries.setQueryData(options(readPollWhole(id)).queryKey, await answer(opened, id, choice));
    setChoice(undefined);
  });
  const { state } = answering;
  const places = offered.map((_, place) => place);
  return (
    <>
      <Options
        legend={t("member-vote:answer.legend")}
        name="choice"
        value={choice}
        options={places}
        choose={setChoice}
        text={(place) => [<span key="said" lang="">{offered[place]}</span>, place === before ? t("member-vote:answer.now") : ""]}
      />
      {choice !== undefined && (
        <>
          <div className="words">
            <p>{t("member-vote:answer.words", { question, option: offered[choice] })}</p>
            <p>{t("member-vote:answer.public")}</p>
          </div>
          <p>
            <button type="button" className="button" aria-disabled={state.at === "working"} onClick={() => answering.act()}>
              {t("member-vote:answer.do")}
            </button>
          </p>
        </>
      )}
      <div role="status">{state.at === "working" && <p className="working">{t("member-mine:working.passkey")}</p>}</div>
      {state.at === "failed" && (isNoVote(state.error) ? <NoVote /> : <ActFailed error={state.error} kept={t("member-vote:answer.unchanged")} />)}
    </>
  );
}

/** The server takes answers only of members who had a vote when the poll was made. */
const isNoVote = (error: Error) => error instanceof ReadFailure && error.code === "forbidden";

function NoVote() {
  const { t } = useTranslation("member-vote");
  return (
    <div role="alert">
      <Notice title={t("answer.noVote")} tone="bad">
        <p>{t("answer.noVoteText")}</p>
        <p>
          <Link to="/vote">{t("answer.noVoteLink")}</Link>
        </p>
      </Notice>
    </div>
  );
}
