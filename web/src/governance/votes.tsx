//! The votes of one house, and whether they are enough.
import { useTranslation } from "react-i18next";
import type { ProposalView, Support } from "../api/deciding";
import { permille, useFormat } from "../ui/format";
import { Table } from "../ui/table";
import { countOfVotes } from "./standing";

const SUPPORTS = ["for", "against", "abstain"] as const satisfies Support[];

export function Votes({ proposal }: { proposal: ProposalView }) {
  const { t } = useTranslation("governance");
  const { percent } = useFormat();
  const amount = useAmount(proposal.house);
  const { toQuorum, quorum, isReached, isAhead, ...counts } = countOfVotes(proposal);
  const castable = proposal.castable == null ? undefined : BigInt(proposal.castable);
  const cast = counts.for.votes + counts.against.votes + counts.abstain.votes;
  return (
    <>
      <h3>{t(`house.${proposal.house}`)}</h3>
      <p className="small">{t(`house.${proposal.house}What`)}</p>
      <Table
        caption={t("votes.caption", { house: t(`house.${proposal.house}`), count: proposal.ballots })}
        rows={SUPPORTS.map((support) => ({ support, ...counts[support] }))}
        keyOf={({ support }) => support}
        columns={[
          { head: t("votes.support"), cell: ({ support }) => t(`support.${support}`) },
          {
            head: t("votes.share"),
            cell: ({ share }) => (
              <>
                <span className="bar" aria-hidden="true">
                  <i style={{ width: `${share / 10}%` }} />
                </span>
                {percent(share)}
              </>
            ),
          },
          { head: t("votes.votes"), isNumber: true, cell: ({ votes }) => amount(votes) },
        ]}
      />
      {quorum === undefined ? (
        <p>{t("votes.noQuorumYet")}</p>
      ) : (
        <p>
          {t(isReached ? "votes.reached" : "votes.missing", { needed: amount(quorum), there: amount(toQuorum) })} {t(isAhead ? "votes.ahead" : "votes.behind")}
        </p>
      )}
      {castable !== undefined && castable > 0n && <p>{t("votes.turnout", { part: percent(permille(cast, castable)), of: amount(castable) })}</p>}
    </>
  );
}

/** Heads are whole; votes by points are parts of 10^18. */
export function useAmount(house: ProposalView["house"]): (votes: bigint | string) => string {
  const { number, units } = useFormat();
  return (votes) => (house === "member" ? number(Number(votes)) : units(votes));
}
