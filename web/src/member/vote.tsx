//! Vote: what is open, what comes, what I voted, and whether I have a vote.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type MemberVotes, type ProposalView, readMemberVotes, readProposals } from "../api/generated";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { type PollAnswered, readPollsWhole } from "../api/within";
import { phaseOf } from "../governance/phase";
import { useHouses, useWhen } from "../governance/proposals";
import { grouped, phaseOfGroup } from "../governance/standing";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Empty, Section } from "../ui/page";
import { canVoteIn, hasVotedIn } from "./core/voting";
import { Mine } from "./parts/mine";
import { useVotes } from "./vote/votes";
import { Weight } from "./vote/weighs";

export default function Vote() {
  const { t } = useTranslation("member-vote");
  return (
    <Mine title={t("vote.title")} lead={t("vote.lead")}>
      {(_, id) => <Own id={id} />}
    </Mine>
  );
}

function Own({ id }: { id: number }) {
  const { t } = useTranslation("member-vote");
  const votes = useRead(readMemberVotes(id));
  const proposals = useRead(readProposals());
  const polls = useRead(readPollsWhole());
  const cooperative = useRead(readCooperative());
  return (
    <>
      <Await of={[votes, proposals]}>
        {(own, all) => (
          <>
            <Section title={t("vote.mine")}>
              <Weight votes={own} />
              <p>
                <Link to="/vote/weight">{t("weight.more")}</Link>
              </p>
            </Section>
            <Section title={t("vote.decisions")}>
              <Decisions groups={grouped(all)} votes={own} />
            </Section>
            <Section title={t("vote.past")}>
              <Past votes={own} proposals={all} />
            </Section>
          </>
        )}
      </Await>
      {/* By itself: a poll can be answered also while proposals cannot be read. */}
      <Section title={t("vote.polls")}>
        <Await of={[polls, cooperative]}>{(all, { now }) => <Polls polls={all} now={now} />}</Await>
      </Section>
    </>
  );
}

function Decisions({ groups, votes }: { groups: ProposalView[][]; votes: MemberVotes }) {
  const { t } = useTranslation("member-vote");
  const now = groups.filter((group) => ["open", "coming"].includes(phaseOfGroup(group)));
  if (now.length === 0) {
    return (
      <Empty title={t("vote.nothing")}>
        <p>{t("vote.nothingText")}</p>
        <p>
          <Link to="/proposals">{t("vote.toProposals")}</Link>
        </p>
      </Empty>
    );
  }
  return (
    <>
      <ul className="plain">
        {now.map((group) => (
          <Decision key={group[0]?.id} group={group} votes={votes} />
        ))}
      </ul>
      <p>
        <Link to="/proposals">{t("vote.toProposals")}</Link>
      </p>
    </>
  );
}

function Decision({ group, votes }: { group: ProposalView[]; votes: MemberVotes }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const whose = useHouses();
  const when = useWhen();
  const [first] = group;
  if (!first) return null;
  const hasVoted = hasVotedIn(group, votes);
  const can = canVoteIn(group, votes).length > 0;
  return (
    <li>
      <h3>
        <Link to="/vote/$proposal" params={{ proposal: first.id }} lang="">
          {first.title || t("governance:proposal.title")}
        </Link>
      </h3>
      <p>
        {whose(group)} · {when(group)}
        {(hasVoted || can) && (
          <>
            {" "}
            <span className="tag" data-tone={hasVoted ? "good" : undefined}>
              {t(hasVoted ? "member-vote:vote.voted" : "member-vote:vote.can")}
            </span>
          </>
        )}
      </p>
    </li>
  );
}

function Polls({ polls, now }: { polls: PollAnswered[]; now: number }) {
  const { t } = useTranslation("member-vote");
  const { time } = useFormat();
  const open = polls.filter(({ poll }) => phaseOf(poll, now) === "open").toSorted((one, other) => one.poll.closes_at - other.poll.closes_at);
  return (
    <>
      {open.length === 0 ? (
        <p>{t("vote.noPolls")}</p>
      ) : (
        <ul className="plain">
          {open.map(({ id, poll }) => (
            <li key={id}>
              <h3>
                <Link to="/vote/polls/$poll" params={{ poll: id }} lang="">
                  {poll.question}
                </Link>
              </h3>
              <p>{t("vote.until", { time: time(poll.closes_at) })}</p>
            </li>
          ))}
        </ul>
      )}
      <p>
        <Link to="/vote/ask">{t("vote.ask")}</Link> · <Link to="/polls">{t("vote.toPolls")}</Link>
      </p>
    </>
  );
}

/** As the chain has them. */
function Past({ votes, proposals }: { votes: MemberVotes; proposals: ProposalView[] }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const { date } = useFormat();
  if (votes.ballots.length === 0) return <p>{t("member-vote:vote.noPast")}</p>;
  return (
    <ul className="plain">
      {votes.ballots.map((ballot) => (
        <li key={`${ballot.house} ${ballot.proposal}`}>
          <h3>
            <Link to="/proposals/$proposal" params={{ proposal: ballot.proposal }} lang="">
              {proposals.find(({ id }) => id === ballot.proposal)?.title || t("governance:proposal.title")}
            </Link>
          </h3>
          <p>
            {t(`governance:support.${ballot.support}`)} · {t(`governance:house.${ballot.house}`)} · <Amount house={ballot.house} votes={ballot.votes} /> · {date(ballot.at)}
          </p>
        </li>
      ))}
    </ul>
  );
}

const Amount = ({ house, votes }: { house: ProposalView["house"]; votes: string }) => useVotes(house)(votes);
