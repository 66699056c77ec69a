//! So many votes, in words.
import { useTranslation } from "react-i18next";
import type { House } from "../../api/deciding";
import { useAmount } from "../../governance/votes";

export function useVotes(house: House): (votes: string) => string {
  const { t } = useTranslation("member-vote");
  const amount = useAmount(house);
  // A part of a vote, and one and a part, are “votes” in both languages.
  return (votes) => t("vote.votes", { votes: amount(votes), count: house === "member" ? Number(votes) : 2 });
}
