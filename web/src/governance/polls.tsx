//! The polls: what members ask each other.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { type PollAnswered, readPollsWhole } from "../api/within";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Empty, PageHead, Section } from "../ui/page";
import { Room } from "./room";
import { phaseOf } from "./phase";

export const needs = () => [readPollsWhole(), readCooperative()];

export default function Polls() {
  const { t } = useTranslation("governance");
  const polls = useRead(readPollsWhole());
  const cooperative = useRead(readCooperative());
  return (
    <>
      <Room />
      <PageHead title={t("polls.title")} lead={t("polls.lead")} />
      <Await of={[polls, cooperative]}>
        {(unordered, { now }) => {
          if (unordered.length === 0) return <None />;
          const all = unordered.toSorted((one, other) => other.poll.opens_at - one.poll.opens_at);
          const isOpen = (view: PollAnswered) => phaseOf(view.poll, now) === "open";
          return (
            <>
              <Listed title={t("polls.openNow")} polls={all.filter(isOpen)} now={now} />
              <Listed title={t("polls.past")} polls={all.filter((view) => !isOpen(view))} now={now} />
            </>
          );
        }}
      </Await>
    </>
  );
}

function None() {
  const { t } = useTranslation("governance");
  return (
    <Empty title={t("polls.empty")}>
      <p>{t("polls.emptyText")}</p>
      <p>
        <Link to="/vote/ask">{t("polls.emptyLink")}</Link>
      </p>
    </Empty>
  );
}

function Listed({ title, polls, now }: { title: string; polls: PollAnswered[]; now: number }) {
  const { t } = useTranslation("governance");
  const { time } = useFormat();
  if (polls.length === 0) return null;
  const when = { open: "polls.until", later: "polls.from", closed: "polls.ended" } as const;
  return (
    <Section title={title}>
      <ul className="plain">
        {polls.map(({ id, poll, ballots }) => {
          const phase = phaseOf(poll, now);
          return (
            <li key={id}>
              <h3>
                {/* Members write in whatever language they speak. */}
                <Link to="/polls/$poll" params={{ poll: id }} lang="">
                  {poll.question}
                </Link>
              </h3>
              <p>
                {t(when[phase], { time: time(phase === "later" ? poll.opens_at : poll.closes_at) })} · {t("polls.answers", { count: ballots })}
              </p>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
