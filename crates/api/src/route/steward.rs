//! What a steward serves.

use serde_json::Value;

use crate::claim::ClaimLeaf;
use crate::contribution::{
    CatchUp, CatchUpRequest, ContributionPackage, ScoreMessage, ScoresRequest, ScoringShares, ScoringSharesRequest,
    ShareReceipt,
};
use crate::custody::{HeldRequest, OpeningsRequest};
use crate::denial::{ConsentStanding, DenialTaken};
use crate::member::{
    ConsentDelivery, DenyRequest, ErasureAttestation, KeyOfferDelivery, KeyReceipt, LeavesRequest, RowKeyDelivery,
    RowRequest, Sealed, SealedRow,
};
use crate::order::{DebitSignature, SealedRequest, Sizes};
use crate::reshare::{ReshareAnswer, ReshareRequest};
use crate::settlement::{
    AnswerRequest, AwardMessage, AwardsRequest, CopyRequest, SettlementStatus, SheetAnswer, SheetMessage,
};
use crate::status::Health;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, unsigned: it reads what all may know, or brings a statement that a member signed.
    Anyone,
    /// The gateway that the chain names.
    Gateway,
    /// A steward in office.
    Steward,
    /// A steward in office, or the awarder of an open program.
    StewardOrAwarder,
    /// A registered worker.
    Worker,
    /// The gateway, or a member for itself.
    GatewayOrMember,
    /// The member named in the path.
    ThatMember,
}

routes! {
    /// How the others are called.
    OPENAPI: get super::OPENAPI.path, Anyone, () => Value;
    /// Whether the steward can work.
    HEALTH: get super::HEALTH.path, Anyone, () => Health;
    /// Published sizes.
    SIZES: get "/v1/sizes", Anyone, () => Sizes;
    /// Where settlement stands.
    SETTLEMENT: get "/v1/settlement", Anyone, () => SettlementStatus;
    /// The answer to a member's demand, ready to be published.
    DEMANDED: get "/v1/settlement/answers/{member}", Anyone, () => AnswerRequest;
    /// The word that what was held of a member is destroyed.
    ERASURE: get "/v1/erasures/{member}", Anyone, () => ErasureAttestation;
    /// A withdrawal of consent, past the gateway.
    REVOKE: post "/v1/consents/revoke", Anyone, DenyRequest => DenialTaken;
    /// A member's erasure, past the gateway.
    ERASE: post "/v1/consents/erase", Anyone, DenyRequest => DenialTaken;
    /// What the steward sees of a member's consent, and what was handed to it.
    STANDING: get "/v1/members/{member}/consent", Anyone, () => ConsentStanding;
    /// A new member's row key.
    ROW_KEY: sealed "/v1/row-keys", Gateway, RowKeyDelivery => ();
    /// The row key of somebody who is about to be admitted.
    OFFER: sealed "/v1/row-keys/offers", Gateway, KeyOfferDelivery => KeyReceipt;
    /// A consent receipt.
    CONSENT: sealed "/v1/consents", Gateway, ConsentDelivery => ();
    /// A record's key share, within its package.
    CONTRIBUTION: sealed "/v1/contributions", Gateway, ContributionPackage => ShareReceipt;
    /// Shares, for whose turn it is to score.
    SHARES: sealed "/v1/shares", Steward, ScoringSharesRequest => ScoringShares;
    /// Signed scores.
    SCORES: sealed "/v1/scores", Steward, Vec<ScoreMessage> => ();
    /// The scores that a steward has learnt of since.
    SCORES_SINCE: sealed "/v1/scores/since", Steward, ScoresRequest => Vec<ScoreMessage>;
    /// What a steward that was away lacks.
    CATCH_UP: sealed "/v1/catch-up", Steward, CatchUpRequest => CatchUp;
    /// What old holders of shares dealt to the committee in office.
    RESHARE: sealed "/v1/reshare", Steward, ReshareRequest => ReshareAnswer;
    /// Program awards.
    AWARDS: sealed "/v1/awards", StewardOrAwarder, Vec<AwardMessage> => ();
    /// The awards of an epoch that a steward holds.
    AWARDS_HELD: sealed "/v1/awards/held", Steward, AwardsRequest => Vec<AwardMessage>;
    /// A proposed sheet, to be compared and signed.
    SHEET: post "/v1/settlement/sheets", Steward, SheetMessage => SheetAnswer;
    /// The sheets of an epoch that a steward holds.
    SHEETS: get "/v1/settlement/sheets/{epoch}", Steward, () => Vec<SheetMessage>;
    /// A settled epoch's sheet, for who cannot open its own copy.
    COPY: post "/v1/settlement/copies", Steward, CopyRequest => Sealed;
    /// The records that an order may count.
    SNAPSHOT: post "/v1/snapshots", Worker, SealedRequest => Sealed;
    /// An order's debit, to be signed once.
    DEBIT: post "/v1/debits", Worker, SealedRequest => DebitSignature;
    /// Key shares of a booked debit's snapshot.
    RELEASE: post "/v1/release", Worker, SealedRequest => Sealed;
    /// Leaves and paths under a final root.
    CLAIM_LEAVES: sealed "/v1/claim-leaves", GatewayOrMember, LeavesRequest => Vec<ClaimLeaf>;
    /// A member's own row.
    ROW: post "/v1/members/{member}/row", ThatMember, RowRequest => SealedRow;
    /// Who opened which record of a member.
    OPENINGS: post "/v1/members/{member}/openings", ThatMember, OpeningsRequest => Sealed;
    /// What is held of a member, with shares of its records.
    HELD: post "/v1/members/{member}/held", ThatMember, HeldRequest => Sealed;
    /// What is behind a member's leaf of inputs.
    OPENING: post "/v1/members/{member}/opening", ThatMember, RowRequest => SealedRow;
}
