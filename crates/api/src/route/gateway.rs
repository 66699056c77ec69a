//! What the gateway serves.

use serde_json::Value;

use super::Octets;
use crate::account::{AccountCreated, AccountRequest, AccountView, ExecuteRequest, RecoveryApproval, RecoveryRequest};
use crate::claim::{ClaimRequest, Claimed};
use crate::contribution::{ContributionPackage, ContributionStatus, PartsAnswer, PartsRequest, VaultPage};
use crate::custody::{BlobRequest, RotateKeyRequest};
use crate::governance::{
    ConstitutionView, DelegateView, MemberRewards, MemberVotes, Operations, ProposalDetail, ProposalView, ServiceView,
};
use crate::kpi::Kpis;
use crate::locker::{Locker, LockerRequest};
use crate::log::Log;
use crate::member::{
    Admissions, DenyRequest, GrantRequest, Granted, InvitedApplication, JoinRequest, Joined, KeyOfferRequest,
    KeyReceipts, LeaveRequest, Mined, PayoutRequest,
};
use crate::order::{AnchorRequest, DebitRequest, QueryRequest, SealedAnswer, Sizes};
use crate::poll::{BallotRequest, PollRecord, PollRequest, PollView, SignedBallot};
use crate::settlement::{AnswerRequest, ContestRequest, DemandRequest, ProposeRequest};
use crate::status::{
    BudgetView, Cooperative, DatasetView, EpochView, Health, LicenseView, MemberView, TreasuryView, Welcome,
};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone: it reads what the chain shows to all, or has the chain pay what it owes anyway.
    Public,
    /// Anyone who brings a statement that a member, the registrar or a researcher signed; the contract, the stewards
    /// or the worker check it.
    Statement,
    /// Anyone, within limits: what no package names is deleted.
    Upload,
    /// A worker, or the member whose blob it is.
    Blob,
    /// The key whose address the path names.
    Locker,
    /// A steward that a quorum with it permits to score the record.
    Scorer,
    /// A steward.
    Steward,
    /// A worker.
    Worker,
    /// A worker or a steward.
    WorkerOrSteward,
}

impl Access {
    /// Whether the caller signs the request.
    #[must_use]
    pub fn is_signed(self) -> bool {
        !matches!(self, Self::Public | Self::Statement | Self::Upload)
    }
}

routes! {
    /// The page that a person sees.
    PAGE: get "/", Public, () => Octets;
    /// How the others are called.
    OPENAPI: get super::OPENAPI.path, Public, () => Value;
    /// Whether the gateway can work.
    HEALTH: get super::HEALTH.path, Public, () => Health;
    /// What a client needs to take part.
    COOPERATIVE: get "/v1/cooperative", Public, () => Cooperative;
    /// What whoever tries a local cooperative out starts with.
    WELCOME: get "/v1/welcome", Public, () => Welcome;
    /// What was booked to each bucket.
    TREASURY: get "/v1/treasury", Public, () => TreasuryView;
    /// All licenses, or those of a `holder`.
    LICENSES: get "/v1/licenses", Public, () => Vec<LicenseView>;
    /// One license.
    LICENSE: get "/v1/licenses/{id}", Public, () => LicenseView;
    /// What is on offer.
    DATASETS: get "/v1/datasets", Public, () => Vec<DatasetView>;
    /// Where an epoch stands.
    EPOCH: get "/v1/epochs/{epoch}", Public, () => EpochView;
    /// What was charged to privacy budgets.
    BUDGET: get "/v1/budget", Public, () => BudgetView;
    /// Published sizes, as a quorum of stewards says alike.
    SIZES: get "/v1/sizes", Public, () => Sizes;
    /// Whether anybody is admitted now.
    ADMISSIONS: get "/v1/admissions", Public, () => Admissions;
    /// Be admitted by an invitation, which the registrar checks.
    ADMISSION: post "/v1/admissions", Statement, InvitedApplication => JoinRequest;
    /// The registrar has the stewards keep a row key.
    OFFER: post "/v1/row-keys/offers", Statement, KeyOfferRequest => KeyReceipts;
    /// Join.
    JOIN: post "/v1/members", Statement, JoinRequest => Joined;
    /// End the membership.
    LEAVE: post "/v1/members/leave", Statement, LeaveRequest => Mined;
    /// Be paid elsewhere.
    PAYOUT: post "/v1/members/payout", Statement, PayoutRequest => Mined;
    /// A member, with the nonces that its next signatures need.
    MEMBER: get "/v1/members/{id}", Public, () => MemberView;
    /// The member that an account joined as.
    MEMBER_OF: get "/v1/members/by-account/{address}", Public, () => MemberView;
    /// Create a passkey's account.
    CREATE_ACCOUNT: post "/v1/accounts", Statement, AccountRequest => AccountCreated;
    /// Make calls that an account's passkey signed.
    EXECUTE: post "/v1/accounts/execute", Statement, ExecuteRequest => Mined;
    /// A guardian agrees to another passkey.
    APPROVE_RECOVERY: post "/v1/accounts/recoveries", Statement, RecoveryApproval => Mined;
    /// Put another passkey in place.
    EXECUTE_RECOVERY: post "/v1/accounts/recoveries/execute", Statement, RecoveryRequest => Mined;
    /// A member's locker, for who holds its key.
    LOCKER: get "/v1/lockers/{id}", Locker, () => Locker;
    /// Change a locker.
    PUT_LOCKER: put "/v1/lockers/{id}", Locker, LockerRequest => Locker;
    /// An account, with the nonce that it signs next.
    ACCOUNT: get "/v1/accounts/{address}", Public, () => AccountView;
    /// Consent.
    GRANT: post "/v1/consents", Statement, GrantRequest => Granted;
    /// Withdraw the consent.
    REVOKE: post "/v1/consents/revoke", Statement, DenyRequest => Mined;
    /// Have everything erased.
    ERASE: post "/v1/consents/erase", Statement, DenyRequest => Mined;
    /// The blobs that the vault holds, `after` a contribution.
    BLOBS: get "/v1/blobs", Worker, () => VaultPage;
    /// Upload a blob.
    PUT_BLOB: put "/v1/blobs/{cid}", Upload, Octets => ();
    /// Put a blob together of parts, each uploaded by itself.
    JOIN_BLOB: post "/v1/blobs/{cid}/parts", Upload, PartsRequest => PartsAnswer;
    /// A blob.
    BLOB: get "/v1/blobs/{cid}", Blob, () => Octets;
    /// A blob, for the steward that scores its record.
    SCORE_BLOB: post "/v1/blobs/{cid}", Scorer, BlobRequest => Octets;
    /// Contribute.
    CONTRIBUTE: post "/v1/contributions", Statement, ContributionPackage => ContributionStatus;
    /// Where a contribution stands, of a `member` where several recorded it.
    CONTRIBUTION: get "/v1/contributions/{commitment}", Public, () => ContributionStatus;
    /// Have members paid.
    CLAIM: post "/v1/claims", Public, ClaimRequest => Claimed;
    /// Ask.
    QUERY: post "/v1/queries", Statement, QueryRequest => SealedAnswer;
    /// Book a debit.
    DEBIT: post "/v1/debits", WorkerOrSteward, DebitRequest => Mined;
    /// Anchor a receipt.
    RECEIPT: post "/v1/receipts", Worker, AnchorRequest => Mined;
    /// Propose a root.
    PROPOSE: post "/v1/settlement/proposals", Steward, ProposeRequest => Mined;
    /// Demand what a pending root hides.
    DEMAND: post "/v1/settlement/demands", Statement, DemandRequest => Mined;
    /// Contest a row.
    CONTEST: post "/v1/settlement/contests", Statement, ContestRequest => Mined;
    /// Publish what was demanded.
    ANSWER: post "/v1/settlement/answers", Steward, AnswerRequest => Mined;
    /// Put a steward's next sealing key on chain.
    ROTATE_KEY: post "/v1/sealing-keys", Steward, RotateKeyRequest => Mined;
    /// Ask the members.
    HOLD_POLL: post "/v1/polls", Statement, PollRequest => PollView;
    /// The polls.
    POLLS: get "/v1/polls", Public, () => Vec<PollView>;
    /// Answer a poll.
    VOTE: post "/v1/polls/{id}/ballots", Statement, BallotRequest => SignedBallot;
    /// All that a tally needs beside the chain.
    BALLOTS: get "/v1/polls/{id}/ballots", Public, () => PollRecord;
    /// What is and was put to the vote in both houses.
    PROPOSALS: get "/v1/proposals", Public, () => Vec<ProposalView>;
    /// A proposal with what it would do, in each house that has it.
    PROPOSAL: get "/v1/proposals/{id}", Public, () => Vec<ProposalDetail>;
    /// What a member votes with, and how it voted.
    MEMBER_VOTES: get "/v1/members/{id}/votes", Public, () => MemberVotes;
    /// Tokens that lie at a member's addresses.
    MEMBER_REWARDS: get "/v1/members/{id}/rewards", Public, () => MemberRewards;
    /// What members can buy for DATA.
    SERVICES: get "/v1/services", Public, () => Vec<ServiceView>;
    /// By which rules the houses decide, and what is paused.
    CONSTITUTION: get "/v1/constitution", Public, () => ConstitutionView;
    /// What the gateway pays gas from, and what waits for it.
    OPERATIONS: get "/v1/operations", Public, () => Operations;
    /// What was done in the cooperative's name, page by page.
    LOG: get "/v1/log", Public, () => Log;
    /// Who casts votes in the token house.
    DELEGATES: get "/v1/delegates", Public, () => Vec<DelegateView>;
    /// Key figures of the last `days`, day by day.
    KPIS: get "/v1/kpis", Public, () => Kpis;
    /// The same as a table (RFC 4180).
    KPIS_TABLE: get "/v1/kpis.csv", Public, () => Octets;
}
