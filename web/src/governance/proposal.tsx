//! One proposal: why, what it would change, where it stands, and its votes in each house.
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type ProposalDetail, readProposal } from "../api/generated";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Facts, More, PageHead, Section } from "../ui/page";
import { Effects } from "./effect";
import { useHouses } from "./proposals";
import { Room } from "./room";
import { apart, phaseOfGroup, wordsOf } from "./standing";
import { Timeline } from "./timeline";
import { Votes } from "./votes";

export const needs = ({ proposal = "" }: Record<string, string>) => [readProposal(proposal), readCooperative()];

/** Milliseconds between two looks while it is open. */
const EVERY = 15_000;

export default function ProposalPage() {
  const { t } = useTranslation("governance");
  const { proposal: id } = useParams({ from: "/proposals/$proposal" });
  const proposal = useRead(readProposal(id), EVERY);
  const cooperative = useRead(readCooperative());
  const title = proposal.data?.[0]?.title;
  return (
    <>
      <Room />
      <PageHead title={title || t("proposal.title")} lang={title ? "" : undefined} back={<Link to="/proposals">{t("proposal.back")}</Link>} />
      <Await of={[proposal, cooperative]}>{(houses, { now }) => <Whole houses={houses} now={now} />}</Await>
    </>
  );
}

function Whole({ houses, now }: { houses: ProposalDetail[]; now: number }) {
  const { t } = useTranslation("governance");
  const whose = useHouses();
  const [first] = houses;
  if (!first) return null;
  return (
    <>
      <Status houses={houses} />
      <Why proposal={first} />
      <p className="small">{t("proposal.by", { who: first.proposer_member == null ? t("proposal.outsider") : t("poll.member", { author: first.proposer_member }) })}</p>
      {phaseOfGroup(houses) === "open" && (
        <p>
          <Link to="/vote/$proposal" params={{ proposal: first.id }} className="button">
            {t("proposal.vote")}
          </Link>
        </p>
      )}
      <Section title={t(houses.every(({ executed_at }) => executed_at) ? "proposal.effected" : "proposal.effect")}>
        <What proposal={first} />
      </Section>
      <Section title={t("proposal.timeline")}>
        {apart(houses).map((house, _, shown) => (
          <div key={house.house}>
            {shown.length > 1 && <h3>{t(`house.${house.house}`)}</h3>}
            <Timeline proposal={house} now={now} />
          </div>
        ))}
        {first.charter.length > 0 && <p>{t("proposal.charterThen")}</p>}
      </Section>
      <Section title={t("proposal.votes")}>
        {houses.map((house) => (
          <Votes key={house.house} proposal={house} />
        ))}
      </Section>
      <Check houses={houses} whose={whose(houses)} />
    </>
  );
}

const TONES: Record<string, "good" | "bad"> = { active: "good", succeeded: "good", executed: "good", defeated: "bad", expired: "bad" };

export function Status({ houses }: { houses: readonly Pick<ProposalDetail, "house" | "status">[] }) {
  const { t } = useTranslation("governance");
  return (
    <ul className="tags">
      {houses.map(({ house, status }) => (
        <li key={house} className="tag" data-tone={TONES[status]}>
          {t(`house.${house}`)}: {t(`status.${status}`)}
        </li>
      ))}
    </ul>
  );
}

/** In the proposer's words, whatever language they are in. */
export function Why({ proposal: { title, description } }: { proposal: Pick<ProposalDetail, "title" | "description"> }) {
  const words = wordsOf(description).filter((line, at) => at > 0 || line !== title.trim());
  if (words.length === 0) return null;
  return (
    <div className="why" lang="" data-said>
      {words.map((line, at) => (
        <p key={at}>{line}</p>
      ))}
    </div>
  );
}

/** What it would do: all of it. */
export const What = ({ proposal: { calls, charter } }: { proposal: Pick<ProposalDetail, "calls" | "charter"> }) => <Effects calls={calls} charter={charter} />;

function Check({ houses, whose }: { houses: ProposalDetail[]; whose: string }) {
  const { t } = useTranslation("governance");
  const { time } = useFormat();
  const [first] = houses;
  if (!first) return null;
  return (
    <More title={t("proposal.check")}>
      <p>{t("proposal.checkText")}</p>
      <Facts
        of={[
          [t("proposal.number"), <Code key="id">{first.id}</Code>],
          [t("proposal.who"), whose],
          [t("proposal.account"), <Code key="proposer">{first.proposer}</Code>],
          [t("proposal.made"), time(first.proposed_at)],
          [t("proposal.hash"), <Code key="hash">{first.description_hash}</Code>],
        ]}
      />
      <p>
        <a href={`/v1/proposals/${first.id}`}>{t("proposal.raw")}</a>
      </p>
    </More>
  );
}
