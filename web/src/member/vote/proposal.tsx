//! One proposal, to vote on: what would change, where I may vote, and what I voted.
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type MemberVotes, type ProposalDetail, readMemberVotes, readProposal, type BallotSupport } from "../../api/generated";
import { options, useRead } from "../../api/read";
import { Status, What, Why } from "../../governance/proposal";
import { useWhen } from "../../governance/proposals";
import { Await } from "../../ui/await";
import { useFormat } from "../../ui/format";
import { Facts, Notice, Section } from "../../ui/page";
import type { Opened } from "../core/session";
import { canVoteIn, type Standing, standingIn, vote } from "../core/voting";
import { ActButton, useAct } from "../parts/act";
import { Mine } from "../parts/mine";
import { Options } from "../parts/options";
import { useVotes } from "./votes";

/** Milliseconds between two looks. */
const EVERY = 15_000;
const SUPPORTS = ["for", "against", "abstain"] as const satisfies BallotSupport[];

export default function VoteOnProposal() {
  const { t } = useTranslation("member-vote");
  const { proposal: id } = useParams({ from: "/vote/$proposal" });
  return (
    <Mine title={t("cast.page")} back={<Link to="/vote">{t("vote.back")}</Link>}>
      {(opened, member_id) => <Own opened={opened} member_id={member_id} id={id} />}
    </Mine>
  );
}

function Own({ opened, member_id, id }: { opened: Opened; member_id: number; id: string }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const proposal = useRead(readProposal(id), EVERY);
  const votes = useRead(readMemberVotes(member_id), EVERY);
  const when = useWhen();
  return (
    <Await of={[proposal, votes]}>
      {(houses, own) => {
        const [first] = houses;
        if (!first) return null;
        return (
          <>
            <h2 lang="" data-said>
              {first.title || t("governance:proposal.title")}
            </h2>
            <Status houses={houses} />
            <p>{when(houses)}</p>
            <Why proposal={first} />
            <Section title={t("governance:proposal.effect")}>
              <What proposal={first} />
            </Section>
            <Section title={t("member-vote:cast.title")}>
              <Cast opened={opened} houses={houses} votes={own} />
            </Section>
            <p>
              <Link to="/proposals/$proposal" params={{ proposal: id }}>
                {t("member-vote:cast.whole")}
              </Link>
            </p>
          </>
        );
      }}
    </Await>
  );
}

function Cast({ opened, houses, votes }: { opened: Opened; houses: ProposalDetail[]; votes: MemberVotes }) {
  const can = houses.filter(({ house }) => canVoteIn(houses, votes).includes(house));
  return (
    <>
      <Standings houses={houses} votes={votes} />
      {can.length > 0 && <Ballot opened={opened} houses={can} votes={votes} />}
    </>
  );
}

/** What was voted, as the chain has it; or whether and why not. */
function Standings({ houses, votes }: { houses: ProposalDetail[]; votes: MemberVotes }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const all = houses.map((house) => ({ house, standing: standingIn(house, votes) }));
  const hasVoted = all.some(({ standing }) => standing.kind === "voted");
  return (
    <div role="status">
      {hasVoted && (
        <Notice title={t("member-vote:vote.counted")} tone="good">
          <p>{t("member-vote:vote.countedText")}</p>
        </Notice>
      )}
      <Facts of={all.map(({ house, standing }) => [t(`governance:house.${house.house}`), <Told key={house.house} house={house} standing={standing} />])} />
    </div>
  );
}

function Told({ house: { house, closes_at, opens_at }, standing }: { house: ProposalDetail; standing: Standing }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const { time } = useFormat();
  const votes = useVotes(house);
  if (standing.kind === "voted") return t("member-vote:standing.voted", { support: t(`governance:support.${standing.support}`), votes: votes(standing.votes), when: standing.at === undefined ? "" : t("member-vote:standing.on", { time: time(standing.at) }) });
  if (standing.kind === "can") return t("member-vote:standing.can", { votes: votes(standing.votes), time: time(closes_at) });
  if (standing.kind === "late") return t("member-vote:standing.late", { opened: time(opens_at), from: time(standing.from) });
  if (standing.kind === "none") return t(house === "token" ? "member-vote:standing.noPoints" : "member-vote:standing.none");
  return t(`member-vote:standing.${standing.kind}`, { time: time(opens_at) });
}

function Ballot({ opened, houses, votes }: { opened: Opened; houses: ProposalDetail[]; votes: MemberVotes }) {
  const { t } = useTranslation(["member-vote", "member-mine", "governance"]);
  const queries = useQueryClient();
  const [support, setSupport] = useState<BallotSupport>();
  const [first] = houses;
  const id = first?.id ?? "";
  const voting = useAct(async () => {
    if (!support) return;
    queries.setQueryData(options(readMemberVotes(votes.member_id)).queryKey, await vote(opened, id, houses.map(({ house }) => house), support));
    await queries.invalidateQueries({ queryKey: [readProposal(id).path] });
  });
  return (
    <>
      <Options legend={t("member-vote:cast.legend")} name="support" value={support} options={SUPPORTS} choose={setSupport} text={(one) => [t(`member-vote:cast.${one}`), t(`member-vote:cast.${one}What`)]} />
      {support && (
        <>
          <div className="words">
            <p>{t("member-vote:cast.words", { title: first?.title })}</p>
            <ul>
              {houses.map((house) => (
                <li key={house.house}>
                  <InWords house={house} support={support} votes={votes} />
                </li>
              ))}
            </ul>
            <p>{t("member-vote:cast.final")}</p>
          </div>
          <ActButton act={voting} given={[]} label={t("member-vote:cast.do")} working={() => t("member-mine:working.passkey")} kept={t("member-vote:cast.kept")} />
        </>
      )}
    </>
  );
}

function InWords({ house, support, votes }: { house: ProposalDetail; support: BallotSupport; votes: MemberVotes }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const standing = standingIn(house, votes);
  const inWords = useVotes(house.house);
  const mine = standing.kind === "can" ? inWords(standing.votes) : "";
  return t("member-vote:cast.inHouse", { house: t(`governance:house.${house.house}`), support: t(`governance:support.${support}`), votes: mine });
}
