//! Home: what I share, what came of it, what to do next.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readMemberVotes, readProposals } from "../api/deciding";
import { useRead } from "../api/read";
import { grouped } from "../governance/standing";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Facts, Figures, Section } from "../ui/page";
import type { Member } from "./core/facts";
import { waiting } from "./core/outbox";
import { useHeld, useMember, useRow } from "./core/reading";
import { canVoteIn } from "./core/voting";
import type { Opened, Session } from "./core/session";
import { Mine } from "./parts/mine";
import { Reading } from "./parts/come-in";
import { useConsentWords } from "./parts/consent";
import { Differing } from "./parts/differing";

export default function Home() {
  const { t } = useTranslation("member-mine");
  return <Mine title={t("home.title")}>{(opened, id) => <Own opened={opened} id={id} />}</Mine>;
}

function Own({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-mine");
  const member = useMember(id);
  const parcels = useQuery({ queryKey: ["parcels"], queryFn: () => waiting(opened.things.account), networkMode: "always" });
  const consentWords = useConsentWords();
  return (
    <Await of={[member, parcels]}>
      {(seen, unsent) => (
        <>
          <Section title={t("home.next")}>
            <Next member={seen} unsent={unsent.length} />
          </Section>
          <ToVote id={id} />
          <Section title={t("home.share")}>
            <Facts
              of={[
                [t("home.records"), t("home.recordsCount", { count: seen.contributions })],
                [t("home.consent"), consentWords(seen)],
              ]}
            />
            <p>
              <Link to="/data">{t("home.toData")}</Link> · <Link to="/sharing">{t("home.toSharing")}</Link>
            </p>
          </Section>
          <Section title={t("home.came")}>
            <Reading opened={opened}>{(session) => <Came session={session} id={id} />}</Reading>
          </Section>
        </>
      )}
    </Await>
  );
}

/** The one thing that is most worth doing. */
function Next({ member: { active, consent, contributions }, unsent }: { member: Member; unsent: number }) {
  const { t } = useTranslation("member-mine");
  const [what, place] =
    consent === "erased" || !active ? (["gone", "/money"] as const)
    : unsent > 0 ? (["unsent", "/data"] as const)
    : consent !== "granted" ? (["choose", "/sharing/choose"] as const)
    : contributions === 0 ? (["add", "/data"] as const)
    : (["wait", "/uses"] as const);
  return (
    <>
      <p>{t(`home.nexts.${what}.text`)}</p>
      <p>
        <Link to={place} className="button">
          {t(`home.nexts.${what}.link`)}
        </Link>
      </p>
    </>
  );
}

/** What waits for this member's vote. Where that cannot be read, the page says nothing of it: nothing here waits for it. */
function ToVote({ id }: { id: number }) {
  const { t } = useTranslation("member-mine");
  const proposals = useRead(readProposals()).data ?? [];
  const votes = useRead(readMemberVotes(id)).data;
  const waiting = votes ? grouped(proposals).filter((group) => canVoteIn(group, votes).length > 0).length : 0;
  if (waiting === 0) return null;
  return (
    <Section title={t("home.vote")}>
      <p>{t("home.voteText", { count: waiting })}</p>
      <p>
        <Link to="/vote">{t("home.toVote")}</Link>
      </p>
    </Section>
  );
}

function Came({ session, id }: { session: Session; id: number }) {
  const { t } = useTranslation("member-mine");
  const { money, number } = useFormat();
  const row = useRow(session, id);
  const held = useHeld(session, id);
  return (
    <Await of={[row, held]}>
      {(seen, { cash }) => {
        if (!seen.said) return <p>{t("home.notYet")}</p>;
        const { row, uses } = seen.said;
        return (
          <>
            <Figures
              of={[
                [money(BigInt(row.cash_earned) + BigInt(row.cash_streaming)), t("home.earned")],
                [money(cash.said ?? "0"), t("home.paid")],
                [number(uses.length), t("home.uses", { count: uses.length })],
              ]}
            />
            <Differing of={seen} />
            <p>
              <Link to="/money">{t("home.toMoney")}</Link> · <Link to="/uses">{t("home.toUses")}</Link>
            </p>
          </>
        );
      }}
    </Await>
  );
}
