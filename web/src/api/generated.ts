// Made by `npm run api` from openapi.json. Do not edit.
import * as v from "valibot";
import { type Read, readOf } from "./read";

/** Bytes in hexadecimal. */
export const HexBytes = v.pipe(v.string(), v.regex(/^0x([0-9a-fA-F]{2})*$/));
export type HexBytes = v.InferOutput<typeof HexBytes>;

/** An account or contract: 20 bytes in hexadecimal. */
export const HexAddress = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{40}$/));
export type HexAddress = v.InferOutput<typeof HexAddress>;

/** One call of an account. No value: the relayer sends none, and an account needs none. */
export const AccountCall = v.object({
  /** Selector and arguments. */
  data: HexBytes,
  /** The contract; zero for the account itself. */
  target: HexAddress,
});
export type AccountCall = v.InferOutput<typeof AccountCall>;

/** A hash, key or nullifier: 32 bytes in hexadecimal. */
export const Hex32 = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{64}$/));
export type Hex32 = v.InferOutput<typeof Hex32>;

/** A mined transaction. */
export const Mined = v.object({
  /** Block number. */
  block: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Gas used by the whole transaction. */
  gas_used: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Transaction hash. */
  tx: Hex32,
});
export type Mined = v.InferOutput<typeof Mined>;

/** Answer to [`AccountRequest`]. */
export const AccountCreated = v.object({
  /** The account's address. */
  account: HexAddress,
  mined: v.optional(v.nullable(Mined)),
});
export type AccountCreated = v.InferOutput<typeof AccountCreated>;

/** `POST /v1/accounts` at the gateway: create the account of a passkey that joined. Who it is follows from these alone. */
export const AccountRequest = v.object({
  /** Seconds that the present passkey has for a veto. */
  delay: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Who may replace a lost passkey, sorted by address. */
  guardians: v.array(HexAddress),
  /** The passkey's public key, x. */
  qx: Hex32,
  /** The passkey's public key, y. */
  qy: Hex32,
  /** How many of them decide; more than half. */
  threshold: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type AccountRequest = v.InferOutput<typeof AccountRequest>;

/** A passkey's public key, a point of P-256. */
export const PasskeyPoint = v.object({
  /** Its x. */
  qx: Hex32,
  /** Its y. */
  qy: Hex32,
});
export type PasskeyPoint = v.InferOutput<typeof PasskeyPoint>;

/** A passkey that is to take the place of an account's. */
export const Recovering = v.object({
  /** The new passkey's public key, x. */
  qx: Hex32,
  /** The new passkey's public key, y. */
  qy: Hex32,
  /** From when on it can be put in place, seconds of block time; for 30 days, unless the present passkey vetoes. */
  ready_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type Recovering = v.InferOutput<typeof Recovering>;

/** `GET /v1/accounts/{address}` at the gateway. */
export const AccountView = v.object({
  /** The account's address. */
  account: HexAddress,
  /** The member who joined with it; absent where nobody did. */
  member_id: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** The nonce that the next [`ExecuteRequest`] must carry. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The passkey that speaks for it. */
  passkey: PasskeyPoint,
  recovery: v.optional(v.nullable(Recovering)),
  /** keccak256 of the guardians, threshold and delay in force, ABI-encoded. */
  recovery_hash: Hex32,
  /** The round that a guardian's approval must name. */
  recovery_round: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type AccountView = v.InferOutput<typeof AccountView>;

/** Kinds of acts. */
export const Act = v.picklist(["member_expelled", "committee_seated", "sealing_key_rotated", "worker_registered", "worker_removed", "gateway_set", "settlement_objected", "objection_rejected", "settlement_voided", "rules_set", "program_set", "dataset_published", "dataset_closed", "license_revoked", "researcher_approved", "spent", "proposal_executed", "proposal_canceled", "timelock_delay_set", "constituted", "charter_approved", "charter_withdrawn", "charter_executed", "service_set", "paused", "unpaused", "guardian_set", "steward_slashed", "researcher_slashed"]);
export type Act = v.InferOutput<typeof Act>;

/** Whether the registrar admits anybody now. */
export const Admissions = v.object({
  /** How many may be admitted in an epoch; none where it is not known. */
  cap: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** When the epoch ends and the count begins anew, Unix seconds of block time. */
  epoch_ends: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** How many may still be admitted in this epoch; none where it is not known. */
  left: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Whether who applies now can be admitted. */
  open: v.boolean(),
});
export type Admissions = v.InferOutput<typeof Admissions>;

/** `POST /v1/receipts` at the gateway, by the worker: anchor this receipt of a booked debit. */
export const AnchorRequest = v.object({
  /** EIP-712 digest of the order. */
  order: Hex32,
  /** `core::commit::answer` of the answer. */
  result_digest: Hex32,
  /** The worker's address. */
  worker: HexAddress,
  /** EIP-712 over `QueryReceipt`. */
  worker_signature: HexBytes,
});
export type AnchorRequest = v.InferOutput<typeof AnchorRequest>;

/** `POST /v1/settlement/answers` at the gateway, by a steward: publish what was demanded. */
export const AnswerRequest = v.object({
  /** What is published. */
  answer: v.record(v.string(), v.unknown()),
  /** The attempt at settling the epoch, from 0. */
  attempt: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The pending epoch. */
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Whose row or inputs. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type AnswerRequest = v.InferOutput<typeof AnswerRequest>;

/** `POST /v1/polls/{id}/ballots` at the gateway: a member answers. The member's signature is the right. */
export const BallotRequest = v.object({
  /** The ballot as its member signed it. */
  ballot: v.record(v.string(), v.unknown()),
  /** EIP-712 over `Ballot` by the member's account. */
  signature: HexBytes,
});
export type BallotRequest = v.InferOutput<typeof BallotRequest>;

/** How somebody votes. */
export const BallotSupport = v.picklist(["against", "for", "abstain"]);
export type BallotSupport = v.InferOutput<typeof BallotSupport>;

/** One of the two houses. */
export const HouseName = v.picklist(["token", "member"]);
export type HouseName = v.InferOutput<typeof HouseName>;

/** An amount in the smallest unit, in decimal digits. */
export const Decimal = v.pipe(v.string(), v.regex(/^[0-9]{1,39}$/));
export type Decimal = v.InferOutput<typeof Decimal>;

/** A vote that was cast. */
export const BallotView = v.object({
  /** When, Unix seconds. */
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** In which house. */
  house: HouseName,
  /** On which proposal. */
  proposal: Hex32,
  /** How. */
  support: BallotSupport,
  /** With how many votes. */
  votes: Decimal,
});
export type BallotView = v.InferOutput<typeof BallotView>;

/** A steward's word that another one may fetch one sealed record for a while. */
export const BlobPermit = v.object({
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** EIP-712 over `BlobPermit`. */
  signature: HexBytes,
  /** Who gives it. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type BlobPermit = v.InferOutput<typeof BlobPermit>;

/**
 * `POST /v1/blobs/{cid}` at the gateway, by a steward that scores the record: the permits of as many other stewards as
 * make a quorum with it.
 */
export const BlobRequest = v.object({
  /** Of different stewards, none of them the caller. */
  permits: v.array(BlobPermit),
});
export type BlobRequest = v.InferOutput<typeof BlobRequest>;

/** What each person's privacy budget is, in nano-zCDP: stewards' configuration, the same at each. */
export const BudgetLimits = v.object({
  /** For life, never reset. */
  lifetime: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What becomes available with each year of membership that begins. */
  per_year: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type BudgetLimits = v.InferOutput<typeof BudgetLimits>;

/** `GET /v1/budget` at the gateway: what was charged to privacy budgets. A debit charges each person in its snapshot, and nobody else. */
export const BudgetView = v.object({
  /** Those with an anchored receipt. */
  answered: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** How many debits are booked on chain. */
  debits: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  limits: v.optional(v.nullable(BudgetLimits)),
  /** What they charge in all, in nano-zCDP: no person was charged more. */
  rho: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type BudgetView = v.InferOutput<typeof BudgetView>;

/** A value that a call sets. */
export const ChangeView = v.object({
  /** As it would be. */
  new: v.string(),
  /** As it was, where the contract tells. */
  old: v.optional(v.nullable(v.string())),
  /** The argument. */
  what: v.string(),
});
export type ChangeView = v.InferOutput<typeof ChangeView>;

/** A call in plain words, as of when the gateway first saw the proposal. */
export const CallView = v.object({
  /** Each value that it sets. */
  changes: v.array(ChangeView),
  /** The contract's name, or its address where it is none of the cooperative's. */
  contract: v.string(),
  /** Selector and arguments. */
  data: HexBytes,
  /** The function's signature, or its selector where it is not known. */
  function: v.string(),
  /** The address that is called. */
  target: HexAddress,
  /** Wei sent along, in decimal digits. */
  value: v.string(),
  /** What should make a voter hesitate. */
  warnings: v.array(v.string()),
  /** What it does. */
  words: v.string(),
});
export type CallView = v.InferOutput<typeof CallView>;

/** How far what both houses have to agree on is. */
export const CharterView = v.object({
  /** The houses that agree to it now. */
  approved_by: v.array(HouseName),
  /** When it was done. */
  executed_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** The last second in which it can be done, once a house agrees and as long as it was not done. */
  lapses_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Hash of its calls. */
  operation: Hex32,
});
export type CharterView = v.InferOutput<typeof CharterView>;

/** A CIDv1, raw, SHA-256, in base 32. */
export const CidText = v.pipe(v.string(), v.regex(/^b[a-z2-7]{58}$/));
export type CidText = v.InferOutput<typeof CidText>;

/** `POST /v1/claims` at the gateway: pay these members what the last final root owes them. Anyone may ask. */
export const ClaimRequest = v.object({
  /** Whom; empty for everyone in the tree. */
  members: v.optional(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
});
export type ClaimRequest = v.InferOutput<typeof ClaimRequest>;

/** One member's payment. Amounts are decimal strings in the smallest unit. */
export const Paid = v.object({
  /** Micro-USDC. */
  cash: Decimal,
  /** DATA wei. */
  data: Decimal,
  /** GOV wei. */
  gov: Decimal,
  /** The member whom it is about. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The payout address. */
  payout: HexAddress,
});
export type Paid = v.InferOutput<typeof Paid>;

/** Answer to [`ClaimRequest`]. */
export const Claimed = v.object({
  /** The epoch whose root was claimed against. */
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Who is owed something that the cooperative pays no gas for now: too little, or paid for this epoch already. */
  later: v.optional(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** The transactions that did it. */
  mined: v.array(Mined),
  /** Who was paid what. */
  paid: v.array(Paid),
  /** Whose payee refused the transfer; they stay owed. */
  skipped: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});
export type Claimed = v.InferOutput<typeof Claimed>;

/** Where a code stands in a query. */
export const CodeOf = v.picklist(["observation", "condition"]);
export type CodeOf = v.InferOutput<typeof CodeOf>;

/** Who joined in one month. */
export const Cohort = v.object({
  /** How many joined. */
  joined: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The month (UTC), as `2026-09`. */
  month: v.string(),
  /** How many were still members n × 30 days after each joined, for n from 0 on, as far as that is past for all of them. */
  stayed: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});
export type Cohort = v.InferOutput<typeof Cohort>;

/** How a house decides; times in seconds. */
export const HouseRules = v.object({
  /** The house. */
  house: HouseName,
  /** How long others may still answer a quorum that is reached late. */
  late_quorum_extension: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The votes that it takes to propose. */
  proposal_threshold: Decimal,
  /** The part of all votes that a quorum is, in basis points. */
  quorum_bps: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The votes that it is at least. */
  quorum_floor: Decimal,
  /** How long a decision waits. */
  timelock_delay: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** How long a proposal waits before it is voted on. */
  voting_delay: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** How long it is voted on. */
  voting_period: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type HouseRules = v.InferOutput<typeof HouseRules>;

/** A contract that is paused. */
export const PauseView = v.object({
  /** By its name. */
  contract: v.string(),
  /** Until when, Unix seconds. */
  until: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type PauseView = v.InferOutput<typeof PauseView>;

/** `GET /v1/constitution` at the gateway: by which rules the houses decide, whether they do yet, and what is paused. */
export const ConstitutionView = v.object({
  /** When the cooperative was constituted, Unix seconds; absent before. */
  constituted_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** When it joined, Unix seconds. */
  first_joined_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Who may pause for a week. */
  guardian: HexAddress,
  /** The rules of each house. */
  houses: v.array(HouseRules),
  /** How long ago the first member must have joined, in seconds. */
  min_age: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** How many members must have a vote for that. */
  min_members: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What is paused. */
  pauses: v.array(PauseView),
  /** How many have, as the contract counts them: who left counts as one who had. */
  seasoned_members: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type ConstitutionView = v.InferOutput<typeof ConstitutionView>;

/**
 * `POST /v1/settlement/contests` at the gateway: a member, or who was one, opens its row in the pending root; if the
 * formula gives another one, the root is void. What is opened is public for ever.
 */
export const ContestRequest = v.object({
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The header of the pending root, which names epoch and attempt. */
  header: v.record(v.string(), v.unknown()),
  /** The inputs that the header commits to. */
  inputs: v.record(v.string(), v.unknown()),
  /** The proposed leaf. */
  leaf: v.record(v.string(), v.unknown()),
  /** The member whose row it is. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The row in the root before. */
  old: v.record(v.string(), v.unknown()),
  /** The parameters that governed the epoch. */
  params: v.record(v.string(), v.unknown()),
  /** The key that fits the digest of the admission; zeros for a member without one. */
  row_key: Hex32,
  /** EIP-712 over `Contest`. */
  signature: HexBytes,
});
export type ContestRequest = v.InferOutput<typeof ContestRequest>;

/** Bytes that one steward alone can open (HPKE to its sealing key on chain). */
export const SealedTo = v.object({
  /** The HPKE encapsulated key and ciphertext. */
  sealed: HexBytes,
  /** The steward's seat. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type SealedTo = v.InferOutput<typeof SealedTo>;

/**
 * `POST /v1/contributions` at the gateway, and from there to every steward: one sealed record's keys.
 * The member's signature over the commitment covers header, blob, deal, sealed shares, dataset and blinder.
 * Idempotent: sent again it reaches the stewards that missed it.
 */
export const ContributionPackage = v.object({
  /** SHA-256 of the sealed blob; the vault's address is its CIDv1. */
  blob_digest: Hex32,
  /** `core::commit::contribution_commitment`. */
  commitment: Hex32,
  /** The consent it stands under. */
  consent_version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Feldman commitments: compressed ristretto255 points. */
  deal: v.array(Hex32),
  /** The envelope's header, layout v1. */
  header: HexBytes,
  /** The member who contributes. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member's contribution nonce. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Dataset and blinder (`crypto::sealing::PrivatePart`) for each steward, in seat order. */
  secrets: v.array(SealedTo),
  /** One share for each steward, in seat order. */
  shares: v.array(SealedTo),
  /** EIP-712 over `Contribution`. */
  signature: HexBytes,
});
export type ContributionPackage = v.InferOutput<typeof ContributionPackage>;

/** Where a contribution stands. */
export const ContributionState = v.picklist(["queued", "recorded", "refused"]);
export type ContributionState = v.InferOutput<typeof ContributionState>;

/** A steward that does not hold its share. */
export const MissingShare = v.object({
  /** What was wrong, in words for a person. */
  reason: v.string(),
  /** The steward, by its seat. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type MissingShare = v.InferOutput<typeof MissingShare>;

/** Answer to [`ContributionPackage`], and `GET /v1/contributions/{commitment}`. */
export const ContributionStatus = v.object({
  /** How many contributions the batch held. */
  batch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The contribution, by its commitment on chain. */
  commitment: Hex32,
  /** The id on chain. */
  contribution_id: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Stewards that hold their share. */
  held_by: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  mined: v.optional(v.nullable(Mined)),
  /** Stewards that do not, with the reason. */
  missing: v.array(MissingShare),
  /** Why the contract refused it. */
  reason: v.optional(v.nullable(v.string())),
  /** Where it stands. */
  state: ContributionState,
});
export type ContributionStatus = v.InferOutput<typeof ContributionStatus>;

/** A block that no reorganization takes back. */
export const FinalizedBlock = v.object({
  /** The block's hash. */
  hash: Hex32,
  /** The block's number. */
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Its timestamp, seconds. */
  timestamp: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type FinalizedBlock = v.InferOutput<typeof FinalizedBlock>;

/** A steward in the directory. */
export const StewardEntry = v.object({
  /** Signing address. */
  address: HexAddress,
  /** HPKE sealing key. */
  sealing_key: Hex32,
  /** The steward's seat, from 1. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Whether it answered the gateway's last look. */
  up: v.boolean(),
  /** Where members reach it. */
  url: v.string(),
});
export type StewardEntry = v.InferOutput<typeof StewardEntry>;

/** `GET /v1/cooperative` at the gateway: what a client needs to take part. */
export const Cooperative = v.object({
  /** The chain's id (EIP-155). */
  chain_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The running epoch. */
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The last final epoch. */
  final_epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The newest finalized block: what an order is cut at. */
  finalized: FinalizedBlock,
  /** The gateway's own address: the audience of requests to it. */
  gateway: HexAddress,
  /** The deployment manifest, as written at deployment. */
  manifest: v.record(v.string(), v.unknown()),
  /** Active members. */
  members: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Block time at the gateway. */
  now: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** How many of them must sign. */
  quorum: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Stewards by seat. */
  stewards: v.array(StewardEntry),
});
export type Cooperative = v.InferOutput<typeof Cooperative>;

/** A steward's signature over a header. */
export const Countersignature = v.object({
  /** EIP-712 over `Header`. */
  signature: HexBytes,
  /** The steward, by its seat. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type Countersignature = v.InferOutput<typeof Countersignature>;

/** A code that records of a dataset hold, as published. */
export const DatasetCode = v.object({
  /** The code in it. */
  code: v.string(),
  /** What it means. */
  name: v.string(),
  /** `observation`, which has values, or `condition`, which people have or not. */
  of: CodeOf,
  /** The code system's URI. */
  system: v.string(),
  /** The UCUM unit that values are kept in, and that a query's bounds are thousandths of; absent where they are kept as written. */
  unit: v.optional(v.nullable(v.string())),
});
export type DatasetCode = v.InferOutput<typeof DatasetCode>;

/** A dataset on offer (`GET /v1/datasets` at the gateway). */
export const DatasetView = v.object({
  /**
   * Codes that the cooperative says its records hold, to ask about. The gateway's configuration lists them: nothing is read from
   * anybody's record, and a code that is not listed may occur all the same.
   */
  codes: v.optional(v.array(DatasetCode)),
  /** 1 EHR, 2 labs, 3 wearable, 4 genomic summary. */
  data_type: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The dataset, by its number in the catalog. */
  dataset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Micro-USDC for 1,000 records, as a decimal string. */
  price_per_thousand: Decimal,
  /** The code of where the data comes from. */
  source: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Digest of the license terms. */
  terms_hash: Hex32,
});
export type DatasetView = v.InferOutput<typeof DatasetView>;

/** A steward's signature over the debit of an order. */
export const DebitSignature = v.object({
  /** EIP-712 over `Debit`. */
  signature: HexBytes,
  /** The steward, by its seat. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type DebitSignature = v.InferOutput<typeof DebitSignature>;

/**
 * `POST /v1/debits` at the gateway, by a worker or a steward: book this debit; the answer is a [`Mined`]. A debit that is on chain
 * already is answered with its transaction.
 */
export const DebitRequest = v.object({
  /** What is charged, as the stewards sign it. */
  debit: v.record(v.string(), v.unknown()),
  /** A quorum's signatures, by seat ascending. */
  signatures: v.array(DebitSignature),
});
export type DebitRequest = v.InferOutput<typeof DebitRequest>;

/** `GET /v1/delegates` at the gateway: who casts votes in the token house. */
export const DelegateView = v.object({
  /** The account. */
  account: HexAddress,
  /** How many others vote through it. */
  delegators: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The account as a member. */
  member_id: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Of all that can be cast, in basis points, rounded down. */
  share_bps: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What it casts, wei. */
  votes: Decimal,
});
export type DelegateView = v.InferOutput<typeof DelegateView>;

/**
 * `POST /v1/settlement/demands` at the gateway: a member, or who was one, demands the path of its own row in the pending
 * tree, or the opening of its inputs. A root of which what was demanded is not published in time is void.
 */
export const DemandRequest = v.object({
  /** The attempt at settling the epoch, from 0. */
  attempt: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The pending epoch. */
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What is demanded. */
  kind: v.optional(v.string()),
  /** The member whose row it is. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** EIP-712 over `Demand`. */
  signature: HexBytes,
});
export type DemandRequest = v.InferOutput<typeof DemandRequest>;

/** `POST /v1/consents/revoke` and `/v1/consents/erase` at the gateway. */
export const DenyRequest = v.object({
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member who revokes or erases. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member's consent nonce. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** EIP-712 over `ConsentRevoke` or `ConsentErase`. */
  signature: HexBytes,
});
export type DenyRequest = v.InferOutput<typeof DenyRequest>;

/** `GET /v1/epochs/{epoch}` at the gateway. */
export const EpochView = v.object({
  /** When it ends, in block time. */
  end: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The epoch, from 1. */
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** When its root is final. */
  final_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Gas of the proposal. */
  gas_used: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** The proposed header. */
  header: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
  /** The parameters that govern the epoch. */
  params: v.record(v.string(), v.unknown()),
  root: v.optional(v.nullable(Hex32)),
  /** `running`, `awaiting_proposal`, `pending`, `final`. */
  state: v.string(),
});
export type EpochView = v.InferOutput<typeof EpochView>;

/** `POST /v1/accounts/execute` at the gateway: calls that the passkey signed, made whole or not at all. */
export const ExecuteRequest = v.object({
  /** The account's address. */
  account: HexAddress,
  /** The calls, in order. */
  calls: v.array(AccountCall),
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The account's nonce. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The passkey's WebAuthn assertion over `Execute`, as `MemberAccount.executeSigned` takes it. */
  signature: HexBytes,
});
export type ExecuteRequest = v.InferOutput<typeof ExecuteRequest>;

/** `POST /v1/consents` at the gateway: the member's signed consent. The signature is the right. */
export const GrantRequest = v.object({
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Seconds of block time; 0 for none. */
  expiry: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member who consents. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member's consent nonce. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** `core::commit::consent_commitment`. */
  receipt_commitment: Hex32,
  /** Receipt and blinder (`crypto::sealing::ConsentPart`), sealed to every steward. */
  receipts: v.array(SealedTo),
  /** EIP-712 over `ConsentGrant`. */
  signature: HexBytes,
  /** Last version + 1. */
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type GrantRequest = v.InferOutput<typeof GrantRequest>;

/** Answer to [`GrantRequest`]. */
export const Granted = v.intersect([Mined, v.object({
  /** Stewards that did not take the receipt yet; they fetch it from their peers. */
  pending_stewards: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
})]);
export type Granted = v.InferOutput<typeof Granted>;

/** `GET /v1/health` of every process. 200 when it can work, 503 when not. */
export const Health = v.object({
  /** The process's address. */
  address: HexAddress,
  /** The RPC's latest block. */
  head: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The last block that was indexed. */
  indexed: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Block time, Unix seconds. */
  now: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Whether it can work. */
  ok: v.boolean(),
  /** What is wrong. */
  problems: v.array(v.string()),
  /** `gateway`, `steward-2`, `worker`. */
  service: v.string(),
  /** Crate version. */
  version: v.string(),
  /** Stewards that have not answered this process lately. It goes on without them. */
  waiting_for: v.optional(v.array(v.string())),
});
export type Health = v.InferOutput<typeof Health>;

/** A number below 2^256: 0x and hexadecimal digits. */
export const HexNumber = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{1,64}$/));
export type HexNumber = v.InferOutput<typeof HexNumber>;

/**
 * `POST /v1/admissions` at the gateway, which forwards it to the registrar: somebody applies with an invitation. The row key is in it for
 * the stewards alone, sealed to each.
 */
export const InvitedApplication = v.object({
  /** The account that is to be admitted. It need not exist yet. */
  account: HexAddress,
  /** Seconds of block time until which it may be admitted. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Names the invitation and does not tell its code. */
  invitation: Hex32,
  /** HMAC-SHA256 by the invitation's code over the EIP-712 digest of `Application`. */
  mac: Hex32,
  /** `core::commit::row_key` of the row key. */
  row_key_digest: Hex32,
  /** The row key, sealed to every steward. */
  row_keys: v.array(SealedTo),
});
export type InvitedApplication = v.InferOutput<typeof InvitedApplication>;

/** `POST /v1/members` at the gateway: join by a registrar-signed admission. Public: the registrar's signature is the right. */
export const JoinRequest = v.object({
  /** The member's account. */
  account: HexAddress,
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** One per credential; a second use is refused. */
  nullifier: Hex32,
  /** Where claims are paid. */
  payout: HexAddress,
  /** The registrar's EIP-712 signature over `Admission`. */
  registrar_signature: HexBytes,
  /** `core::commit::row_key_digest` of the row key. */
  row_key_digest: Hex32,
  /** The row key, sealed to every steward. */
  row_keys: v.array(SealedTo),
});
export type JoinRequest = v.InferOutput<typeof JoinRequest>;

/** Answer to [`JoinRequest`]. */
export const Joined = v.object({
  /** The new member's id. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The transaction that did it. */
  mined: Mined,
  /** Stewards that did not take the row key yet; they fetch it from their peers. */
  pending_stewards: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});
export type Joined = v.InferOutput<typeof Joined>;

/**
 * `POST /v1/row-keys/offers` at the gateway: the registrar has the stewards keep a row key, before it signs the admission
 * that names its digest. The registrar's signature is the right.
 */
export const KeyOfferRequest = v.object({
  /** The account that is to be admitted. */
  account: HexAddress,
  /** Seconds of block time, at most a day ahead: until then the account joins, or the key is forgotten. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The admission's nullifier. */
  nullifier: Hex32,
  /** The registrar's EIP-712 signature over `KeyOffer`. */
  registrar_signature: HexBytes,
  /** `core::commit::row_key` of the key. */
  row_key_digest: Hex32,
  /** The row key, sealed to every steward. */
  row_keys: v.array(SealedTo),
});
export type KeyOfferRequest = v.InferOutput<typeof KeyOfferRequest>;

/** A steward's word that it opened a row key, compared it with its digest and keeps it. */
export const KeyReceipt = v.object({
  /** EIP-712 over `KeyHeld`. */
  signature: HexBytes,
  /** The seat of the steward that signs. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type KeyReceipt = v.InferOutput<typeof KeyReceipt>;

/** Answer to [`KeyOfferRequest`]. */
export const KeyReceipts = v.object({
  /** Why the others do not, in words. */
  missing: v.array(v.string()),
  /** One for each steward that holds the key. */
  receipts: v.array(KeyReceipt),
});
export type KeyReceipts = v.InferOutput<typeof KeyReceipts>;

/** Values of a figure, a day each. */
export const KpiSeries = v.object({
  /** What tells it from the figure's other series; empty where there is but one. */
  label: v.string(),
  /** Decimal numbers; absent where there is no value. */
  values: v.array(v.nullable(v.string())),
});
export type KpiSeries = v.InferOutput<typeof KpiSeries>;

/** One figure. */
export const Kpi = v.object({
  /** How it is computed. */
  formula: v.string(),
  /** `members`, `contributions`, `diversity`, `governance`, `revenue`, `budget`, `treasury`. */
  group: v.string(),
  /** By which it is known; never changed. */
  id: v.string(),
  /** What it is called. */
  name: v.string(),
  /** Its values. */
  series: v.array(KpiSeries),
  /** Of what it is computed. */
  source: v.string(),
  /** The unit of its values. */
  unit: v.string(),
});
export type Kpi = v.InferOutput<typeof Kpi>;

/** `GET /v1/kpis` at the gateway. */
export const Kpis = v.object({
  /** The newest block that they are of. */
  block: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Of who joined in a month, how many stayed. */
  cohorts: v.array(Cohort),
  /** How many days there are; the last is the running one. */
  days: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Midnight (UTC) at which the day of each first value begins, Unix seconds. */
  first_day: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The figures. */
  kpis: v.array(Kpi),
  /** Its time, Unix seconds. */
  now: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type Kpis = v.InferOutput<typeof Kpis>;

/** `POST /v1/members/leave` at the gateway: end the membership. What was earned stays claimable. */
export const LeaveRequest = v.object({
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member who leaves. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member's membership nonce. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** EIP-712 over `Leave`. */
  signature: HexBytes,
});
export type LeaveRequest = v.InferOutput<typeof LeaveRequest>;

/** `GET /v1/licenses/{id}` at the gateway. */
export const LicenseView = v.object({
  /** For what data. */
  dataset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Seconds of block time. */
  expiry: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Who holds it. */
  holder: HexAddress,
  /** The license, by its number. */
  license_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** For what purpose. */
  purpose: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** HPKE key that answers are sealed to. */
  recipient_key: Hex32,
  /** Records paid for. */
  records: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type LicenseView = v.InferOutput<typeof LicenseView>;

/** Locked GOV. */
export const LockView = v.object({
  /** Wei. */
  amount: Decimal,
  /** 0 to 4, for 3, 6, 12, 24 and 48 months. */
  tier: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Unix seconds. */
  unlock_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type LockView = v.InferOutput<typeof LockView>;

/** A locker, as `GET /v1/lockers/{id}` and the answer to a change show it. */
export const Locker = v.object({
  /** What is kept, sealed. */
  sealed: HexBytes,
  /** One more with each change. */
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type Locker = v.InferOutput<typeof Locker>;

/** `PUT /v1/lockers/{id}` at the gateway, signed by the key whose address `id` is. */
export const LockerRequest = v.object({
  /** What is kept, sealed; empty to leave nothing but the version. */
  sealed: HexBytes,
  /** The version that it replaces; 0 where there is none yet. The new one is the next. */
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type LockerRequest = v.InferOutput<typeof LockerRequest>;

/** Something that was done; where it stands can be looked up on the chain. */
export const LogEntry = v.object({
  /** What it was. */
  act: Act,
  amount: v.optional(v.nullable(Decimal)),
  /** Block time, Unix seconds. */
  at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Height of the block. */
  block: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Which member, seat, generation, epoch, program, dataset, license, service or bucket it is about. */
  number: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  proposal: v.optional(v.nullable(Hex32)),
  /** Transaction hash. */
  tx: Hex32,
  /** Until when it holds, Unix seconds. */
  until: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  who: v.optional(v.nullable(HexAddress)),
});
export type LogEntry = v.InferOutput<typeof LogEntry>;

/** `GET /v1/log` at the gateway: a page of the log, the newest first. */
export const Log = v.object({
  /** What to ask for as `before` to read on; absent at the beginning of the log. */
  earlier: v.optional(v.nullable(v.string())),
  /** What was done. */
  entries: v.array(LogEntry),
});
export type Log = v.InferOutput<typeof Log>;

/**
 * `GET /v1/members/{id}/rewards` at the gateway: tokens that lie at a member's addresses. What is earned and not claimed yet stands in
 * its row at the stewards.
 */
export const MemberRewards = v.object({
  /** Its account. */
  account: HexAddress,
  /** DATA of the payout address, wei. */
  data: Decimal,
  /** DATA of the account, wei. */
  data_of_account: Decimal,
  /** GOV of the account, wei. */
  gov: Decimal,
  /** The member whom it is about. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Where claims are paid. */
  payout: HexAddress,
  /** Whether DATA moves only between members and listed addresses. */
  transfers_restricted: v.boolean(),
});
export type MemberRewards = v.InferOutput<typeof MemberRewards>;

/** `GET /v1/members/{id}` at the gateway: what the chain says of a member, and the nonces that the next signatures need. */
export const MemberView = v.object({
  /** The account's address. */
  account: HexAddress,
  /** A membership exists. */
  active: v.boolean(),
  /** `none`, `granted`, `expired`, `revoked`, `erased`. */
  consent: v.string(),
  /** What the chain holds of the last consent's receipt: its blinded digest; zero where there is none, or no more. */
  consent_commitment: Hex32,
  /** When it ends by itself, Unix seconds; 0 for never. */
  consent_expiry: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Nonce of the next consent signature. */
  consent_nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Version of the last consent. */
  consent_version: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Nonce of the next contribution signature. */
  contribution_nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Contributions recorded. */
  contributions: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member whom it is about. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Nonce of the next signature to leave or to be paid elsewhere. */
  membership_nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Where claims are paid. */
  payout: HexAddress,
});
export type MemberView = v.InferOutput<typeof MemberView>;

/** What an account can cast on a proposal that is voted on: the votes that it had at the snapshot. */
export const OpenVote = v.object({
  /** In which house. */
  house: HouseName,
  /** On which proposal. */
  proposal: Hex32,
  support: v.optional(v.nullable(BallotSupport)),
  /** With how many votes; 0 where it cannot vote on this one. */
  votes: Decimal,
});
export type OpenVote = v.InferOutput<typeof OpenVote>;

/** `GET /v1/members/{id}/votes` at the gateway: what a member votes with, and how it voted. All of it is public on chain. */
export const MemberVotes = v.object({
  /** Its account. */
  account: HexAddress,
  /** A membership exists. */
  active: v.boolean(),
  /** Its votes, newest first, at most 200. */
  ballots: v.array(BallotView),
  /** Through whom it votes in the token house; itself where it named nobody. */
  delegate: HexAddress,
  /** The delegate as a member. */
  delegate_member: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** How many others vote through it. */
  delegators: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** GOV that its account holds, wei. */
  gov_balance: Decimal,
  /** Its own votes in the token house, wherever they are delegated, wei. */
  held: Decimal,
  /** Of that, what it may lock: earned by itself, and not locked yet; wei. */
  lockable: Decimal,
  /** GOV that it locked, in the token's order: by its place there a lock is ended. */
  locks: v.array(LockView),
  /** The member whom it is about. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Its vote in the member house now: 1 or 0. */
  member_votes: Decimal,
  /** Block time of this answer, Unix seconds. */
  now: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Proposals that are voted on now, and what it can cast on each, or has cast. */
  on: v.array(OpenVote),
  /** From when it may vote, Unix seconds. */
  seasoned_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What it casts in the token house now, wei. */
  token_votes: Decimal,
});
export type MemberVotes = v.InferOutput<typeof MemberVotes>;

/**
 * `GET /v1/operations` at the gateway: what it pays gas from, and what waits for it. Both are public: the account's balance on chain,
 * contributions by their senders.
 */
export const Operations = v.object({
  /** The account that pays. */
  gas_account: HexAddress,
  /** What it has, wei. */
  gas_balance: Decimal,
  /** Gas that members' requests and claims cost in the last day. */
  gas_of_the_day: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What they may cost in a day; what the house does itself is not counted. */
  gas_per_day: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** What a unit of gas costs now, wei. */
  gas_price: Decimal,
  /** Signed contributions that wait to be recorded. */
  queued_contributions: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type Operations = v.InferOutput<typeof Operations>;

/** Where a blob stands that comes in parts. */
export const PartsAnswer = v.object({
  /** The parts that are still to be uploaded; where there are none, the blob is kept under its name. */
  missing: v.array(CidText),
});
export type PartsAnswer = v.InferOutput<typeof PartsAnswer>;

/** `POST /v1/blobs/{cid}/parts` at the gateway: a blob that came in parts, each uploaded as a blob by itself. */
export const PartsRequest = v.object({
  /** The names of the parts in their order, at most [`MOST_PARTS`]. */
  parts: v.array(CidText),
});
export type PartsRequest = v.InferOutput<typeof PartsRequest>;

/** `POST /v1/members/payout` at the gateway: be paid elsewhere from now on, also after the membership ended. */
export const PayoutRequest = v.object({
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member whose earnings go there. */
  member_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member's membership nonce. */
  nonce: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Where they are paid. */
  payout: HexAddress,
  /** EIP-712 over `Payout`. */
  signature: HexBytes,
});
export type PayoutRequest = v.InferOutput<typeof PayoutRequest>;

/** A ballot that the gateway keeps. */
export const SignedBallot = v.object({
  /** The ballot as its member signed it. */
  ballot: v.record(v.string(), v.unknown()),
  /** Block time at which the gateway took it, in Unix seconds. */
  received_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The member's signature over the ballot. */
  signature: HexBytes,
});
export type SignedBallot = v.InferOutput<typeof SignedBallot>;

/** `GET /v1/polls/{id}/ballots` at the gateway: all that a tally needs beside the chain, also as a file. */
export const PollRecord = v.object({
  /** One for each member, the last that the gateway took. */
  ballots: v.array(SignedBallot),
  /** The chain whose members are asked. */
  chain_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The `Membership` contract that says who they are: the verifying contract of both signatures. */
  membership: HexAddress,
  /** The poll as its author signed it. */
  poll: v.record(v.string(), v.unknown()),
  /** The author's signature over the poll. */
  signature: HexBytes,
});
export type PollRecord = v.InferOutput<typeof PollRecord>;

/** `POST /v1/polls` at the gateway: a member asks. The author's signature is the right. */
export const PollRequest = v.object({
  /** The poll as its author signed it. */
  poll: v.record(v.string(), v.unknown()),
  /** EIP-712 over `Poll` by the author's account: 65 bytes of ECDSA, or what the account's ERC-1271 takes. */
  signature: HexBytes,
});
export type PollRequest = v.InferOutput<typeof PollRequest>;

/** A poll that the gateway keeps. */
export const PollView = v.object({
  /** Ballots kept. */
  ballots: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The EIP-712 struct hash of the poll. */
  id: Hex32,
  /** The poll as its author signed it. */
  poll: v.record(v.string(), v.unknown()),
  /** The author's signature over the poll. */
  signature: HexBytes,
});
export type PollView = v.InferOutput<typeof PollView>;

/** What went wrong, as a stable word that programs can match. */
export const ProblemCode = v.picklist(["bad_request", "unauthenticated", "expired", "replayed", "forbidden", "not_found", "method_not_allowed", "too_slow", "conflict", "too_large", "chain_refused", "consent_denied", "erased", "license_invalid", "budget_exceeded", "too_many_requests", "storage_full", "not_enough", "seal_broken", "chain_unavailable", "peer_unavailable", "peer_fault", "halted", "internal"]);
export type ProblemCode = v.InferOutput<typeof ProblemCode>;

/** An RFC 9457 problem document (`application/problem+json`). */
export const Problem = v.object({
  /** The stable code. */
  code: ProblemCode,
  /** What exactly, and where. */
  detail: v.string(),
  /** How to mend it. */
  hint: v.optional(v.nullable(v.string())),
  /** HTTP status. */
  status: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Short and the same for every occurrence. */
  title: v.string(),
  /** `urn:rochdale:problem:<code>`. */
  type: v.string(),
});
export type Problem = v.InferOutput<typeof Problem>;

/** Where a proposal stands, in its governor's words. */
export const ProposalStatus = v.picklist(["pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed"]);
export type ProposalStatus = v.InferOutput<typeof ProposalStatus>;

/** `GET /v1/proposals` at the gateway: a proposal in one house. The same number in both houses is two proposals. */
export const ProposalView = v.object({
  /** How many accounts voted. */
  ballots: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** When it was taken back. */
  canceled_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  castable: v.optional(v.nullable(Decimal)),
  charter: v.optional(v.nullable(CharterView)),
  /** The last second of voting. */
  closes_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** From when it may be executed: as queued, or before that, at the earliest by the timelock's delay. */
  executable_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** When the house did it; of what both houses have to agree on, when this house agreed. */
  executed_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** Whether a quorum that was reached late moved that second. */
  extended: v.boolean(),
  /** The house that votes on it. */
  house: HouseName,
  /** Its number at the governor. */
  id: Hex32,
  /** The snapshot: who has votes then may vote afterwards. */
  opens_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** When it was made, Unix seconds, as all times here. */
  proposed_at: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Who made it. */
  proposer: HexAddress,
  /** The proposer as a member, if it is or was one. */
  proposer_member: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  /** When it was queued. */
  queued_at: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  quorum: v.optional(v.nullable(Decimal)),
  /** Where it stands. */
  status: ProposalStatus,
  /** The beginning of the first line of the description. */
  title: v.string(),
  /** Abstentions, which count for the quorum. */
  votes_abstain: Decimal,
  /** Votes against it. */
  votes_against: Decimal,
  /** Votes for it. */
  votes_for: Decimal,
});
export type ProposalView = v.InferOutput<typeof ProposalView>;

/** `GET /v1/proposals/{id}` at the gateway: a proposal with what it would do. */
export const ProposalDetail = v.intersect([ProposalView, v.object({
  /** What it would do, in order. */
  calls: v.array(CallView),
  /** What the charter would do once both houses approve, where it approves that and its description carries it. */
  charter_calls: v.array(CallView),
  /** Why, in the proposer's words, without the line that carries the charter's calls. */
  description: v.string(),
  /** keccak256 of the whole description, by which the governor knows it. */
  description_hash: Hex32,
  /** Where it is voted on. */
  governor: HexAddress,
})]);
export type ProposalDetail = v.InferOutput<typeof ProposalDetail>;

/** `POST /v1/settlement/proposals` at the gateway, by a steward: relay this proposal. */
export const ProposeRequest = v.object({
  /** The header that the root stands in. */
  header: v.record(v.string(), v.unknown()),
  /** A quorum's signatures, by seat ascending. */
  signatures: v.array(Countersignature),
});
export type ProposeRequest = v.InferOutput<typeof ProposeRequest>;

/** A differentially private count, coarse; see `core::size`. */
export const PublishedSize = v.object({
  /** The dataset, by its number in the catalog. */
  dataset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The epoch at whose cut members were counted; 0 before the first. */
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Members, noisy, to the next multiple of `core::size::GRID`. */
  members: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The purpose that consents were matched against. */
  purpose: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type PublishedSize = v.InferOutput<typeof PublishedSize>;

/** `POST /v1/queries` at the gateway, forwarded to the worker: the signature is the right. */
export const QueryRequest = v.object({
  /** What the researcher signed. */
  order: v.record(v.string(), v.unknown()),
  /** The typed query; its digest is keccak-256 of its RFC 8785 JSON. */
  query: v.record(v.string(), v.unknown()),
  /** EIP-712 over `QueryOrder` by the license's holder. */
  signature: HexBytes,
});
export type QueryRequest = v.InferOutput<typeof QueryRequest>;

/** `POST /v1/accounts/recoveries` at the gateway: a guardian's yes to another passkey. */
export const RecoveryApproval = v.object({
  /** The account whose passkey is lost. */
  account: HexAddress,
  /** Seconds of block time. */
  deadline: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Seconds that the present passkey has for a veto. */
  delay: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Who agrees. */
  guardian: HexAddress,
  /** The guardians in force, sorted by address. */
  guardians: v.array(HexAddress),
  /** The new passkey's public key, x. */
  qx: Hex32,
  /** The new passkey's public key, y. */
  qy: Hex32,
  /** The account's recovery round. */
  round: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The guardian's over `Approval`. */
  signature: HexBytes,
  /** How many of them decide. */
  threshold: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type RecoveryApproval = v.InferOutput<typeof RecoveryApproval>;

/** `POST /v1/accounts/recoveries/execute` at the gateway: puts a passkey in place whose delay is over. */
export const RecoveryRequest = v.object({
  /** The account's address. */
  account: HexAddress,
});
export type RecoveryRequest = v.InferOutput<typeof RecoveryRequest>;

/** `POST /v1/sealing-keys` at the gateway, by a steward: its next sealing key, for the chain. */
export const RotateKeyRequest = v.object({
  /** The key, X25519. */
  sealing_key: Hex32,
  /** EIP-712 over `SealingKey`, which names the key in force. */
  signature: HexBytes,
  /** The steward's seat, from 1. */
  steward: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type RotateKeyRequest = v.InferOutput<typeof RotateKeyRequest>;

/** A contract's refusal of an `eth_call`. */
export const RpcRefusal = v.object({
  /** 3, as nodes have it. */
  code: v.pipe(v.number(), v.safeInteger()),
  /** What the contract said. */
  data: HexBytes,
  /** In English. */
  message: v.string(),
});
export type RpcRefusal = v.InferOutput<typeof RpcRefusal>;

/** Answer to [`RpcRequest`]: a result, or the contract's refusal. */
export const RpcAnswer = v.object({
  error: v.optional(v.nullable(RpcRefusal)),
  /** That of the question. */
  id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** `2.0` */
  jsonrpc: v.string(),
  /** What the node says, as the execution API has it; absent where a contract refused. */
  result: v.optional(v.unknown()),
});
export type RpcAnswer = v.InferOutput<typeof RpcAnswer>;

/**
 * `POST /v1/chain` at the gateway: one question to its node. `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber`,
 * `eth_getTransactionReceipt`, and of the cooperative's contracts `eth_call` and `eth_getLogs`.
 */
export const RpcRequest = v.object({
  /** Comes back with the answer. */
  id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** `2.0` */
  jsonrpc: v.pipe(v.string(), v.regex(/^2\.0$/)),
  /** Which of them. */
  method: v.string(),
  /** What it takes, as the execution API has it. */
  params: v.optional(v.array(v.unknown())),
});
export type RpcRequest = v.InferOutput<typeof RpcRequest>;

/** Answer to [`QueryRequest`]: an [`Answered`] as JSON, sealed to the license's recipient key. */
export const SealedAnswer = v.object({
  /** The license, by its number. */
  license_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The receipt's transaction. */
  mined: Mined,
  /** EIP-712 digest of the order, which the seal binds. */
  order: Hex32,
  /** The digest of the query. */
  query_digest: Hex32,
  /** HPKE encapsulated key and ciphertext. */
  sealed: HexBytes,
});
export type SealedAnswer = v.InferOutput<typeof SealedAnswer>;

/** `GET /v1/services` at the gateway: what members can buy for DATA. */
export const ServiceView = v.object({
  /** Whether it is sold. */
  open: v.boolean(),
  /** Wei of DATA. */
  price: Decimal,
  /** The service, by its number. */
  service: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type ServiceView = v.InferOutput<typeof ServiceView>;

/**
 * `GET /v1/sizes` at a steward, and at the gateway as a quorum of them says alike: how many members each dataset has for a purpose, and what
 * each of them may be charged.
 */
export const Sizes = v.object({
  limits: v.optional(v.nullable(BudgetLimits)),
  /** By dataset and purpose. */
  sizes: v.array(PublishedSize),
});
export type Sizes = v.InferOutput<typeof Sizes>;

/** Whoever has the key is this researcher, so that it exists on a local chain alone. */
export const TestResearcher = v.object({
  /** The account. */
  account: HexAddress,
  /** The account's private key, which a wallet takes. */
  key: Hex32,
  /** Where a wallet reaches the chain. */
  rpc_url: v.string(),
});
export type TestResearcher = v.InferOutput<typeof TestResearcher>;

/** `GET /v1/treasury` at the gateway: cumulative micro-USDC booked to each bucket, as decimal strings. */
export const TreasuryView = v.object({
  /** To buy back DATA. */
  buyback: Decimal,
  /** Paid out to members. */
  claimed: Decimal,
  /** Micro-USDC for compliance. */
  compliance: Decimal,
  /** Micro-USDC for contributors. */
  contributors: Decimal,
  /** Micro-USDC for the cooperative's operations. */
  operations: Decimal,
  /** Micro-USDC in the reserve. */
  reserve: Decimal,
});
export type TreasuryView = v.InferOutput<typeof TreasuryView>;

/** A recorded contribution's blob. */
export const VaultEntry = v.object({
  /** SHA-256 of the blob. */
  blob_digest: Hex32,
  /** Its length in bytes. */
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The contribution, by its number in the registry. */
  contribution_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type VaultEntry = v.InferOutput<typeof VaultEntry>;

/**
 * `GET /v1/blobs?after=<contribution id>` at the gateway, by a worker: which blobs the vault holds, in the registry's order, so that
 * a replica can be kept of all of them. Who fetches everything tells nothing by what it fetches.
 */
export const VaultPage = v.object({
  /** By contribution id ascending, at most [`VAULT_PAGE`]; fewer where these are the last. */
  blobs: v.array(VaultEntry),
});
export type VaultPage = v.InferOutput<typeof VaultPage>;

/** `GET /v1/welcome` at the gateway: what whoever tries a local cooperative out starts with; nothing elsewhere. */
export const Welcome = v.object({
  /** The code of an invitation that nobody has used; absent where nobody is admitted. */
  invitation: v.optional(v.nullable(v.string())),
  researcher: v.optional(v.nullable(TestResearcher)),
});
export type Welcome = v.InferOutput<typeof Welcome>;

/** A passkey account, with the nonce that it signs next. */
export const readAccount = (address: HexAddress): Read<AccountView> =>
  readOf(`/v1/accounts/${encodeURIComponent(address)}`, AccountView, [200]);

/** Whether anybody is admitted now: there is a registrar that answers, and the contract's cap of the epoch is not reached. */
export const readAdmissions = (): Read<Admissions> =>
  readOf("/v1/admissions", Admissions, [200]);

/** What was charged to privacy budgets, as the chain shows it, and what a person may be charged, as stewards say. Whom a debit charges is for stewards alone. */
export const readBudget = (): Read<BudgetView> =>
  readOf("/v1/budget", BudgetView, [200]);

/** By which rules the houses decide, whether they do yet, and what is paused. */
export const readConstitution = (): Read<ConstitutionView> =>
  readOf("/v1/constitution", ConstitutionView, [200]);

/** Where a contribution stands. */
export const readContribution = (commitment: Hex32, member?: number): Read<ContributionStatus> =>
  readOf(`/v1/contributions/${encodeURIComponent(commitment)}`, ContributionStatus, [200], { member });

/** What a client needs to take part: addresses, stewards with their keys, time. */
export const readCooperative = (): Read<Cooperative> =>
  readOf("/v1/cooperative", Cooperative, [200]);

/** Datasets on offer. */
export const readDatasets = (): Read<DatasetView[]> =>
  readOf("/v1/datasets", v.array(DatasetView), [200]);

/** Who casts votes in the token house, the largest first. */
export const readDelegates = (): Read<DelegateView[]> =>
  readOf("/v1/delegates", v.array(DelegateView), [200]);

/** Where an epoch's settlement stands. */
export const readEpoch = (epoch: number): Read<EpochView> =>
  readOf(`/v1/epochs/${encodeURIComponent(epoch)}`, EpochView, [200]);

/** Whether the gateway can work, and what is wrong where it cannot. */
export const readHealth = (): Read<Health> =>
  readOf("/v1/health", Health, [200, 503]);

/** Key figures of the last days, day by day; what each is, how it is computed and of what. */
export const readKpis = (days?: number): Read<Kpis> =>
  readOf("/v1/kpis", Kpis, [200], { days });

/** Licenses by id, or those of one holder. */
export const readLicenses = (holder?: HexAddress): Read<LicenseView[]> =>
  readOf("/v1/licenses", v.array(LicenseView), [200], { holder });

/** One license. */
export const readLicense = (id: number): Read<LicenseView> =>
  readOf(`/v1/licenses/${encodeURIComponent(id)}`, LicenseView, [200]);

/** What was done in the cooperative's name, the newest first, a hundred at a time. */
export const readLog = (before?: string): Read<Log> =>
  readOf("/v1/log", Log, [200], { before });

/** The member that an account joined as. */
export const readMembersByAccount = (address: HexAddress): Read<MemberView> =>
  readOf(`/v1/members/by-account/${encodeURIComponent(address)}`, MemberView, [200]);

/** What the chain says of a member, with the nonces that the next signatures need. */
export const readMember = (id: number): Read<MemberView> =>
  readOf(`/v1/members/${encodeURIComponent(id)}`, MemberView, [200]);

/** Tokens that lie at a member's addresses. */
export const readMemberRewards = (id: number): Read<MemberRewards> =>
  readOf(`/v1/members/${encodeURIComponent(id)}/rewards`, MemberRewards, [200]);

/** What a member votes with, and how it voted. */
export const readMemberVotes = (id: number): Read<MemberVotes> =>
  readOf(`/v1/members/${encodeURIComponent(id)}/votes`, MemberVotes, [200]);

/** What the gateway pays gas from, and what waits for it. */
export const readOperations = (): Read<Operations> =>
  readOf("/v1/operations", Operations, [200]);

/** Open polls, those that close first before others, then those that closed last. */
export const readPolls = (): Read<PollView[]> =>
  readOf("/v1/polls", v.array(PollView), [200]);

/** A poll with all that a tally needs beside the chain. */
export const readPollBallots = (id: Hex32): Read<PollRecord> =>
  readOf(`/v1/polls/${encodeURIComponent(id)}/ballots`, PollRecord, [200]);

/** What is put to the vote in both houses and waits to take effect, and what was last decided; the newest first. */
export const readProposals = (): Read<ProposalView[]> =>
  readOf("/v1/proposals", v.array(ProposalView), [200]);

/** A proposal with what it would do, in each house that has one of this number. */
export const readProposal = (id: Hex32): Read<ProposalDetail[]> =>
  readOf(`/v1/proposals/${encodeURIComponent(id)}`, v.array(ProposalDetail), [200]);

/** What members can buy for DATA, by number. */
export const readServices = (): Read<ServiceView[]> =>
  readOf("/v1/services", v.array(ServiceView), [200]);

/** How many members each dataset has for a purpose: published sizes, noisy and coarse, as a quorum of stewards gives them alike. */
export const readSizes = (): Read<Sizes> =>
  readOf("/v1/sizes", Sizes, [200]);

/** What was booked into each bucket, and what members were paid. */
export const readTreasury = (): Read<TreasuryView> =>
  readOf("/v1/treasury", TreasuryView, [200]);

/** What whoever tries a local cooperative out starts with: an open invitation, and a researcher with test money. Nothing elsewhere. */
export const readWelcome = (): Read<Welcome> =>
  readOf("/v1/welcome", Welcome, [200]);
