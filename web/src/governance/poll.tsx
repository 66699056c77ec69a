//! One poll, with the answers that came in.
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { type PollCounted, readPollWhole } from "../api/within";
import { Await } from "../ui/await";
import { permille, useFormat } from "../ui/format";
import { Code, Facts, More, Notice, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { Room } from "./room";
import { countOf, phaseOf } from "./phase";

export const needs = ({ poll = "" }: Record<string, string>) => [readPollWhole(poll), readCooperative()];

export default function PollPage() {
  const { t } = useTranslation("governance");
  const { poll: id } = useParams({ from: "/polls/$poll" });
  const poll = useRead(readPollWhole(id));
  const cooperative = useRead(readCooperative());
  return (
    <>
      <Room />
      <PageHead title={poll.data?.poll.question ?? t("poll.title")} lang={poll.data && ""} back={<Link to="/polls">{t("poll.back")}</Link>} />
      <Await of={[poll, cooperative]}>{(record, { now }) => <Record record={record} now={now} id={id} />}</Await>
    </>
  );
}

function Record({ record: { poll, ballots }, now, id }: { record: PollCounted; now: number; id: string }) {
  const { t } = useTranslation("governance");
  const { time } = useFormat();
  const phase = phaseOf(poll, now);
  return (
    <>
      <p>
        <span className="tag" data-tone={phase === "open" ? "good" : undefined}>
          {t(`polls.${phase}`)}
        </span>
      </p>
      <Facts
        of={[
          [t("poll.asked"), t("poll.member", { author: poll.author })],
          [t("poll.opens"), time(poll.opens_at)],
          [t("poll.closes"), time(poll.closes_at)],
        ]}
      />
      {phase === "open" && (
        <p>
          <Link to="/vote/polls/$poll" params={{ poll: id }} className="button">
            {t("poll.answer")}
          </Link>
        </p>
      )}
      <Section title={t("poll.answers")}>
        <Notice title={t("poll.unchecked")}>
          <p>{t("poll.uncheckedText")}</p>
        </Notice>
        <Answers options={poll.options} choices={ballots.map(({ ballot }) => ballot.choice)} />
        <p>{t("poll.note")}</p>
        <More title={t("poll.proof")}>
          <p>{t("poll.proofText")}</p>
          <p>
            <Code>{id}</Code>
          </p>
          <p>
            <a href={`/v1/polls/${id}/ballots`}>{t("poll.ballots")}</a>
          </p>
        </More>
      </Section>
    </>
  );
}

function Answers({ options, choices }: { options: string[]; choices: number[] }) {
  const { t } = useTranslation("governance");
  const { number, percent } = useFormat();
  const counts = countOf(options, choices);
  const rows = options.map((option, place) => {
    const count = counts[place] ?? 0;
    return { option, count, share: permille(BigInt(count), BigInt(choices.length)) };
  });
  return (
    <Table
      caption={t("poll.caption")}
      rows={rows}
      keyOf={({ option }) => option}
      columns={[
        { head: t("poll.option"), cell: ({ option }) => <span lang="">{option}</span> },
        {
          head: t("poll.share"),
          cell: ({ share }) => (
            <>
              <span className="bar" aria-hidden="true">
                <i style={{ width: `${share / 10}%` }} />
              </span>
              {percent(share)}
            </>
          ),
        },
        { head: t("poll.count"), isNumber: true, cell: ({ count }) => number(count) },
      ]}
    />
  );
}
