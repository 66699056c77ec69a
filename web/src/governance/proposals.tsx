//! Proposals: what the cooperative decides, has decided, and is about to.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type ProposalView, readProposals } from "../api/generated";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Empty, PageHead, Section } from "../ui/page";
import { Room } from "./room";
import { grouped, inForceSince, type Phase, phaseOfGroup, standingOf } from "./standing";

export const needs = () => [readProposals(), readCooperative()];

const PHASES = ["open", "coming", "waiting", "over"] as const satisfies Phase[];

export default function Proposals() {
  const { t } = useTranslation("governance");
  const proposals = useRead(readProposals());
  return (
    <>
      <Room />
      <PageHead title={t("proposals.title")} lead={t("proposals.lead")} />
      <Await of={[proposals]}>
        {(views) => {
          const groups = grouped(views);
          if (groups.length === 0) return <None />;
          return PHASES.map((phase) => <Listed key={phase} phase={phase} groups={groups.filter((group) => phaseOfGroup(group) === phase)} />);
        }}
      </Await>
    </>
  );
}

function None() {
  const { t } = useTranslation("governance");
  return (
    <Empty title={t("proposals.empty")}>
      <p>{t("proposals.emptyText")}</p>
      <p>
        <Link to="/houses">{t("proposals.emptyLink")}</Link>
      </p>
    </Empty>
  );
}

function Listed({ phase, groups }: { phase: Phase; groups: ProposalView[][] }) {
  const { t } = useTranslation("governance");
  if (groups.length === 0) return null;
  return (
    <Section title={t(`proposals.phase.${phase}`)}>
      <ul className="plain">
        {groups.map((group) => (
          <Line key={group[0]?.id} group={group} />
        ))}
      </ul>
    </Section>
  );
}

function Line({ group }: { group: ProposalView[] }) {
  const { t } = useTranslation("governance");
  const whose = useHouses();
  const when = useWhen();
  const [first] = group;
  if (!first) return null;
  return (
    <li>
      <h3>
        <Link to="/proposals/$proposal" params={{ proposal: first.id }} lang="">
          {first.title || t("proposal.title")}
        </Link>
      </h3>
      <p>
        {whose(group)} · {when(group)}
      </p>
    </li>
  );
}

/** Who votes: one house, or both. */
export function useHouses(): (group: readonly Pick<ProposalView, "house">[]) => string {
  const { t } = useTranslation("governance");
  return (group) => (group.length > 1 ? t("house.both") : t(`house.${group[0]?.house ?? "member"}`));
}

/** What comes next, or what came of it, in a few words. Where houses stand differently, each is told. */
export function useWhen(): (group: readonly ProposalView[]) => string {
  const { t } = useTranslation("governance");
  const { time } = useFormat();
  const at = (view: ProposalView) => {
    const { opens_at, closes_at, executable_at, canceled_at, charter } = view;
    const standing = standingOf(view);
    const lapses = charter?.lapses_at ?? closes_at;
    const when = { pending: opens_at, active: closes_at, queued: executable_at, executed: inForceSince(view) ?? closes_at, canceled: canceled_at ?? closes_at, agreed: lapses, both: lapses } as Record<string, number>;
    return t(`when.${standing}`, { time: time(when[standing] ?? closes_at) });
  };
  return (group) => {
    const told = [...new Set(group.map(at))];
    return told.length <= 1 ? (told[0] ?? "") : group.map((view) => `${t(`house.${view.house}`)}: ${at(view)}`).join(" · ");
  };
}
