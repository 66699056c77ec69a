//! Where proposals stand. One that both houses vote on has one number and stands in each.
import type { ProposalStatus, ProposalView } from "../api/generated";

/** The houses' views of each proposal, in the order in which they came. */
export function grouped<P extends Pick<ProposalView, "id">>(views: readonly P[]): P[][] {
  const groups = new Map<string, P[]>();
  for (const view of views) groups.set(view.id, [...(groups.get(view.id) ?? []), view]);
  return [...groups.values()];
}

/** Seconds between two blocks in which the houses' halves of one proposal may come. */
const NEAR = 120;
const TIMES = ["proposed_at", "opens_at", "closes_at", "executable_at", "executed_at"] as const;

/**
 * `charter`: what takes both houses beside the governor's word, where all calls approve one and the same: with one house's yes alone nothing is done. A
 * proposal that does anything else has none, and what its house executed is in force.
 */
type Stands = Pick<ProposalView, "status"> & Partial<Pick<ProposalView, "house" | "charter">>;

/**
 * Where a house's half stands. What takes both houses is in force when the charter did it; what the house's own execution did is its yes.
 * `agreed`: the other house is waited for. `both`: anybody may have it done. `ended`: the yes was taken back, or its time is over.
 */
export type Standing = ProposalStatus | "agreed" | "both" | "ended";

export function standingOf({ house, status, charter }: Stands): Standing {
  if (!charter || status !== "executed" || charter.executed_at != null) return status;
  if (!house || !charter.approved_by.includes(house)) return "ended";
  return charter.approved_by.length > 1 ? "both" : "agreed";
}

/** Since when it is in force. */
export const inForceSince = ({ charter, executed_at }: Pick<ProposalView, "charter" | "executed_at">): number | undefined => (charter ? charter.executed_at : executed_at) ?? undefined;

/** Houses that stand differently or at other times: where they go side by side, one stands for both. */
export function apart<P extends Stands & Pick<ProposalView, (typeof TIMES)[number]>>(houses: readonly P[]): P[] {
  const isAlike = (one: P, other: P) => standingOf(one) === standingOf(other) && TIMES.every((time) => Math.abs((one[time] ?? 0) - (other[time] ?? 0)) <= NEAR);
  return houses.filter((house, at) => houses.findIndex((other) => isAlike(other, house)) === at);
}
export type Phase = "open" | "coming" | "waiting" | "over";

/** What a reader looks for: whether it can be voted on, will be, is won and waits, or is over. Of two houses the one that is least far. */
export function phaseOfGroup(views: readonly Stands[]): Phase {
  const all = views.map(standingOf);
  const has = (...wanted: Standing[]) => all.some((standing) => wanted.some((one) => one === standing));
  if (has("active")) return "open";
  if (has("pending")) return "coming";
  if (has("succeeded", "queued", "both")) return "waiting";
  return has("agreed") && !has("defeated", "canceled", "expired") ? "waiting" : "over";
}

/** The words of a description without lines that programs read. */
export const wordsOf = (description: string): string[] =>
  description
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#proposer=") && !line.startsWith("charter-calls:"));

export interface Counted {
  readonly votes: bigint;
  /** Of all that were cast, in tenths of a per cent. */
  readonly share: number;
}

/** The three counts with their shares, and how much of the quorum is there: for and abstaining count for it. */
export function countOfVotes(of: Pick<ProposalView, "votes_for" | "votes_against" | "votes_abstain" | "quorum">) {
  const [yes, no, abstain] = [BigInt(of.votes_for), BigInt(of.votes_against), BigInt(of.votes_abstain)];
  const all = yes + no + abstain;
  const counted = (votes: bigint): Counted => ({ votes, share: all === 0n ? 0 : Number((votes * 1_000n) / all) });
  const quorum = of.quorum == null ? undefined : BigInt(of.quorum);
  return { for: counted(yes), against: counted(no), abstain: counted(abstain), toQuorum: yes + abstain, quorum, isReached: quorum !== undefined && yes + abstain >= quorum, isAhead: yes > no };
}
