//! Whether a member has a vote in each house, from when, and how much it weighs.
import { useTranslation } from "react-i18next";
import type { MemberVotes } from "../../api/deciding";
import { useFormat } from "../../ui/format";
import { Facts, Notice } from "../../ui/page";

export function Weight({ votes }: { votes: MemberVotes }) {
  const { t } = useTranslation(["member-vote", "governance"]);
  const { time, units } = useFormat();
  const { active, seasoned_at, now, token_votes, held } = votes;
  if (!active) {
    return (
      <Notice title={t("member-vote:weight.gone")}>
        <p>{t("member-vote:weight.goneText")}</p>
      </Notice>
    );
  }
  const isSeasoned = seasoned_at <= now;
  return (
    <>
      {!isSeasoned && (
        <Notice title={t("member-vote:weight.notYet", { time: time(seasoned_at) })}>
          <p>{t("member-vote:weight.notYetText")}</p>
        </Notice>
      )}
      <Facts
        of={[
          [t("governance:house.member"), isSeasoned ? t("member-vote:weight.one") : t("member-vote:weight.oneFrom", { time: time(seasoned_at) })],
          [
            t("governance:house.token"),
            <span key="token">
              {isSeasoned ? t("member-vote:weight.points", { votes: units(token_votes) }) : t("member-vote:weight.pointsLater")}
              {isSeasoned && <Whose votes={votes} held={held} />}
            </span>,
          ],
        ]}
      />
    </>
  );
}

function Whose({ votes: { account, delegate, delegate_member, delegators }, held }: { votes: MemberVotes; held: string }) {
  const { t } = useTranslation("member-vote");
  const { units } = useFormat();
  const isOwn = delegate.toLowerCase() === account.toLowerCase();
  const who = delegate_member == null ? delegate : t("weight.member", { member: delegate_member });
  return (
    <span className="part-what">
      {!isOwn && t("weight.given", { votes: units(held), who })} {delegators > 0 && t("weight.taken", { count: delegators })}
    </span>
  );
}
