//! Voting: on proposals, in each house at once; on polls; and how much a vote weighs.
import { type HouseName, type MemberVotes, type ProposalView, readMemberVotes, type BallotSupport } from "../../api/generated";
import { type LockView, PollView, readPollBallots, SignedBallot } from "../../api/generated";
import { fetchRead } from "../../api/read";
import { type PollAnswered, type PollCounted, readPollsWhole, readPollWhole } from "../../api/within";
import { prepare } from "./acting";
import { agree } from "./agree";
import { cooperative, member } from "./facts";
import * as rules from "./rules";
import { send, settle } from "./send";
import type { Opened } from "./session";

/** What a member can do about a proposal in one house. */
export type Standing =
  /** Without the time where the vote is older than those that are listed. */
  | { readonly kind: "voted"; readonly support: BallotSupport; readonly votes: string; readonly at?: number }
  | { readonly kind: "can"; readonly votes: string }
  /** Had no vote when voting opened: not 30 days a member by then, or nothing earned. */
  | { readonly kind: "late"; readonly from: number }
  | { readonly kind: "none" }
  /** Voting is over, and a vote on this one would be older than those that are listed. */
  | { readonly kind: "unlisted" }
  | { readonly kind: "early" | "over" };

/** As many of a member's votes are listed, the newest first. */
const LISTED = 200;

export function standingIn({ id, house, status, opens_at, closes_at }: Pick<ProposalView, "id" | "house" | "status" | "opens_at" | "closes_at">, votes: MemberVotes): Standing {
  const cast = votes.ballots.find((ballot) => ballot.proposal === id && ballot.house === house);
  if (cast) return { kind: "voted", support: cast.support, votes: cast.votes, at: cast.at };
  if (status === "pending") return { kind: "early" };
  const open = votes.on.find((one) => one.proposal === id && one.house === house);
  const then = open?.votes;
  if (open?.support) return { kind: "voted", support: open.support, votes: open.votes };
  const [oldest] = votes.ballots.slice(-1);
  if (status !== "active") return { kind: votes.ballots.length >= LISTED && oldest && oldest.at > closes_at ? "unlisted" : "over" };
  if (then !== undefined && BigInt(then) > 0n) return { kind: "can", votes: then };
  if (votes.seasoned_at > opens_at) return { kind: "late", from: votes.seasoned_at };
  return { kind: "none" };
}

export const canVoteIn = (houses: readonly Pick<ProposalView, "id" | "house" | "status" | "opens_at" | "closes_at">[], votes: MemberVotes): HouseName[] =>
  houses.filter((house) => standingIn(house, votes).kind === "can").map(({ house }) => house);

/** Whether the member voted in each house where it had votes. */
export function hasVotedIn(houses: readonly Pick<ProposalView, "id" | "house" | "status" | "opens_at" | "closes_at">[], votes: MemberVotes): boolean {
  const kinds = houses.map((house) => standingIn(house, votes).kind);
  return kinds.includes("voted") && !kinds.includes("can");
}

const look = (id: number) => fetchRead(readMemberVotes(id));

/** One prompt, for all of these houses. What came on the chain is said, also where another device was faster. */
export async function vote(opened: Opened, proposal: string, houses: HouseName[], support: BallotSupport): Promise<MemberVotes> {
  const id = idOf(opened);
  const isIn = (seen: MemberVotes) => houses.every((house) => seen.ballots.some((ballot) => ballot.house === house && ballot.proposal === proposal));
  return act(opened, { kind: "vote", proposal, houses, support }, () => look(id), isIn);
}

/** One prompt: who casts the votes of the house of contributors. */
export const delegate = (opened: Opened, to: string): Promise<MemberVotes> =>
  act(opened, { kind: "delegate", to }, () => look(idOf(opened)), (seen) => seen.delegate.toLowerCase() === to.toLowerCase());

/** How often these points were set aside for this long. */
const timesIn = ({ locks }: MemberVotes, { amount, tier }: Pick<LockView, "amount" | "tier">) => locks.filter((lock) => BigInt(lock.amount) === BigInt(amount) && lock.tier === tier).length;

/** One prompt: points are set aside for as long as the tier says. */
export async function lock(opened: Opened, amount: bigint, tier: number): Promise<MemberVotes> {
  const one = { amount: amount.toString(), tier };
  const before = timesIn(await look(idOf(opened)), one);
  return act(opened, { kind: "lock", ...one }, () => look(idOf(opened)), (seen) => timesIn(seen, one) > before, true);
}

/** One prompt: points whose time is over are free again. Which place they have by now, the chain says. */
export async function unlock(opened: Opened, one: LockView): Promise<MemberVotes> {
  const before = await look(idOf(opened));
  const index = before.locks.findIndex((there) => there.amount === one.amount && there.tier === one.tier && there.unlock_at === one.unlock_at);
  if (index < 0) return before;
  const times = timesIn(before, one);
  return act(opened, { kind: "unlock", index }, () => look(idOf(opened)), (seen) => timesIn(seen, one) < times);
}

/** One prompt: points that were earned before the first 30 days were over count from then on. */
export const count = (opened: Opened): Promise<MemberVotes> => act(opened, { kind: "sync" }, () => look(idOf(opened)), ({ held }) => BigInt(held) > 0n);

async function act<T>(opened: Opened, what: rules.Act, seen: () => Promise<T>, isSo: (seen: T) => boolean, isLike = false): Promise<T> {
  const { execute } = await prepare(opened, what);
  return settle(execute, seen, isSo, isLike);
}

function idOf({ things: { member_id } }: Opened): number {
  if (member_id === null) throw new Error("no member yet");
  return member_id;
}

/** The member's own answer, where there is one. */
export const answerOf = ({ ballots }: PollCounted, member_id: number) => ballots.map(({ ballot }) => ballot).find((ballot) => ballot.member === member_id);

/** One prompt. The last answer counts: it has the next number, whichever device gave the one before. */
export async function answer(opened: Opened, poll: string, choice: number): Promise<PollCounted> {
  const id = idOf(opened);
  const [directory, who, record] = await Promise.all([cooperative(), member(id), fetchRead(readPollBallots(poll))]);
  const before = answerOf(await fetchRead(readPollWhole(poll)), id);
  const sequence = before ? before.sequence + 1 : 0;
  const asked = await rules.ballot({ cooperative: directory, member: who, id: poll, poll: record.poll, choice, sequence });
  const { signed } = await agree(asked, opened.things.passkey.credential);
  return settle(
    () => send("POST", `/v1/polls/${poll}/ballots`, signed, SignedBallot),
    () => fetchRead(readPollWhole(poll)),
    (seen) => {
      const own = answerOf(seen, id);
      return own?.choice === choice && own.sequence >= sequence;
    },
  );
}

/** One prompt: asks all members who have a vote by now. Gives the poll's number, under which it was found. */
export async function hold(opened: Opened, question: string, options: string[], days: number): Promise<string> {
  const id = idOf(opened);
  const [directory, who] = await Promise.all([cooperative(), member(id)]);
  const { number, timestamp } = directory.finalized;
  const asked = await rules.holdPoll({ cooperative: directory, member: who, question, options, snapshot_block: number, snapshot_time: timestamp, days });
  const { signed } = await agree(asked, opened.things.passkey.credential);
  const isOwn = ({ poll }: Pick<PollAnswered, "poll">) =>
    poll.author === id && poll.question === question && poll.opens_at === directory.now && JSON.stringify(poll.options) === JSON.stringify(options);
  // Its number comes with the answer: no list has room for all polls. Where that was lost, a list is what there is.
  let answered: string | undefined;
  const ask = async () => void (answered = (await send("POST", "/v1/polls", signed, PollView)).id);
  const look = async () => (answered === undefined ? (await fetchRead(readPollsWhole())).find(isOwn) : ownOf(await fetchRead(readPollWhole(answered)), answered));
  const ownOf = (record: PollCounted, poll: string) => (isOwn(record) ? { id: poll } : undefined);
  const seen = await settle(ask, look, (found) => found !== undefined);
  return seen?.id ?? "";
}
