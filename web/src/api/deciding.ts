//! Proposals and votes as the gateway shows them.
import * as v from "valibot";
import { Decimal, Hex32, HexAddress } from "./generated";
import { readOf } from "./read";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.nullish(count);
export const House = v.picklist(["member", "token"]);
export type House = v.InferOutput<typeof House>;
export const Support = v.picklist(["for", "against", "abstain"]);
export type Support = v.InferOutput<typeof Support>;

const VIEW = {
  id: Hex32,
  house: House,
  proposer: HexAddress,
  proposer_member: v.nullish(count),
  title: v.string(),
  description: v.string(),
  status: v.string(),
  ...{ proposed_at: count, opens_at: count, closes_at: count, executable_at: count, extended: v.boolean() },
  ...{ votes_for: Decimal, votes_against: Decimal, votes_abstain: Decimal },
  ...{ quorum: v.nullish(Decimal), castable: v.nullish(Decimal), ballots: count },
  ...{ queued_at: time, executed_at: time, canceled_at: time },
};
export const ProposalView = v.object(VIEW);
export type ProposalView = v.InferOutput<typeof ProposalView>;

const CallView = v.object({
  contract: v.string(),
  target: HexAddress,
  function: v.string(),
  words: v.string(),
  changes: v.array(v.object({ what: v.string(), old: v.nullish(v.string()), new: v.string() })),
  warnings: v.array(v.string()),
});
export type CallView = v.InferOutput<typeof CallView>;

export const ProposalDetail = v.object({ ...VIEW, description_hash: Hex32, governor: HexAddress, calls: v.array(CallView), charter: v.array(CallView) });
export type ProposalDetail = v.InferOutput<typeof ProposalDetail>;

export const MemberVotes = v.object({
  member_id: count,
  account: HexAddress,
  active: v.boolean(),
  ...{ seasoned_at: count, now: count },
  ...{ member_votes: Decimal, held: Decimal, token_votes: Decimal, gov_balance: Decimal, lockable: Decimal },
  ...{ delegate: HexAddress, delegate_member: v.nullish(count), delegators: count },
  locks: v.array(v.object({ amount: Decimal, tier: count, unlock_at: count })),
  ballots: v.array(v.object({ house: House, proposal: Hex32, support: Support, votes: Decimal, at: count })),
  /** What it can cast on each proposal that is open. */
  on: v.array(v.object({ house: House, proposal: Hex32, votes: Decimal, support: v.nullish(Support) })),
});
export type MemberVotes = v.InferOutput<typeof MemberVotes>;

const DelegateView = v.object({ account: HexAddress, member_id: v.nullish(count), votes: Decimal, share_bps: count, delegators: count });
export type DelegateView = v.InferOutput<typeof DelegateView>;

const ServiceView = v.object({ service: count, price: Decimal, open: v.boolean() });
export type ServiceView = v.InferOutput<typeof ServiceView>;
const MemberRewards = v.object({ member_id: count, account: HexAddress, payout: HexAddress, data: Decimal, data_of_account: Decimal, gov: Decimal, transfers_restricted: v.boolean() });

export const readServices = () => readOf("/v1/services", v.array(ServiceView), [200]);
export const readMemberRewards = (id: number) => readOf(`/v1/members/${id}/rewards`, MemberRewards, [200]);
export const readProposals = () => readOf("/v1/proposals", v.array(ProposalView), [200]);
export const readProposal = (id: string) => readOf(`/v1/proposals/${id}`, v.array(ProposalDetail), [200]);
export const readMemberVotes = (id: number) => readOf(`/v1/members/${id}/votes`, MemberVotes, [200]);
export const readDelegates = () => readOf("/v1/delegates", v.array(DelegateView), [200]);
