//! The key figures by name: what docs/kpis.md explains, in its order.

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// By which it is known; never changed.
    pub id: &'static str,
    /// What it is about.
    pub group: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Of what.
    pub source: &'static str,
}

macro_rules! figures {
    ($($group:literal $id:literal $name:literal [$unit:literal] $formula:literal, $source:literal;)*) => {
        /// Every figure.
        pub const FIGURES: &[Figure] = &[$(Figure {
            id: $id, group: $group, name: $name, unit: $unit, formula: $formula, source: $source,
        }),*];
    };
}

figures! {
    "members" "members_joined" "Members admitted" ["members"]
        "admissions of the day", "Membership: Joined";
    "members" "members_ended" "Memberships ended" ["members"]
        "memberships that ended on the day, by leaving or expulsion", "Membership: Ended";
    "members" "members_active" "Active members" ["members"]
        "admitted − ended, at the end of the day", "Membership: Joined, Ended";
    "contributions" "records_contributed" "Records contributed" ["records"]
        "records that were recorded on the day, later erased ones included", "ContributionRegistry: ContributionRecorded";
    "contributions" "contribution_rate" "Records for each member in 30 days" ["records per member"]
        "records of the last 30 days ÷ active members at the end of the day",
        "ContributionRegistry: ContributionRecorded; Membership: Joined, Ended";
    "contributions" "contribution_quality" "Points for each record of the epoch" ["whole records"]
        "S ÷ dataPerPoint ÷ records since the epoch before was proposed, on the day of the proposal; 1 is a record of full quality",
        "SettlementLedger: Proposed (sumDataAward), ParamsSet; ContributionRegistry: ContributionRecorded";
    "diversity" "diversity_shannon" "Diversity (Shannon)" ["nats"]
        "−Σ pᵢ ln pᵢ over types and over sources, pᵢ the part of members in datasets of that kind",
        "published sizes of stewards (noisy, in steps); DatasetCatalog: DatasetPublished";
    "diversity" "diversity_simpson" "Diversity (Simpson)" ["share"]
        "1 − Σ pᵢ², pᵢ as above", "published sizes of stewards (noisy, in steps); DatasetCatalog: DatasetPublished";
    "governance" "proposals_opened" "Proposals made" ["proposals"]
        "proposals of the day in each house", "CoopGovernor: ProposalCreated";
    "governance" "participation" "Participation" ["share"]
        "accounts that voted ÷ accounts that could, over the votings that closed on the day",
        "CoopGovernor: VoteCast; Membership: Joined, Ended; GovToken: DelegateVotesChanged";
    "governance" "turnout" "Turnout" ["share"]
        "votes cast ÷ votes that could be cast, over the votings that closed on the day",
        "CoopGovernor: VoteCast; Membership: Joined, Ended; GovToken: DelegateVotesChanged";
    "governance" "votes_gini" "Gini coefficient of token-house votes" ["share"]
        "(2 Σ i·xᵢ − (n + 1) Σ xᵢ) ÷ (n Σ xᵢ) over n active members, x ascending, at the end of the day; held and cast",
        "GovToken: UnitsChanged, DelegateVotesChanged; Membership: Joined, Ended";
    "governance" "votes_nakamoto" "Nakamoto coefficient of token-house votes" ["accounts"]
        "the least number of accounts with more than half of all votes, at the end of the day; held and cast",
        "GovToken: UnitsChanged, DelegateVotesChanged";
    "revenue" "licensed_value" "Licensed value" ["USDC"]
        "Σ of what was booked to all buckets on the day", "Treasury: Booked";
    "revenue" "revenue_by_dataset" "Revenue by dataset" ["USDC"]
        "the same for each dataset", "Treasury: Booked";
    "revenue" "revenue_by_asset" "Revenue by asset" ["USDC, DATA"]
        "USDC booked, and DATA that licenses were sold for (burned and kept), on the day",
        "Treasury: Booked; Market: SoldForData";
    "revenue" "time_to_payout" "From license to payout" ["days"]
        "Σ contributors' part · (first claim on the epoch's root − booking) ÷ Σ contributors' part, on the day of that claim",
        "Treasury: Booked; SettlementLedger: Proposed, Claimed";
    "budget" "budget_left" "Privacy budget left" ["zCDP"]
        "lifetime budget − Σ ρ of all debits, at the end of the day: what a person has left who is in every answer",
        "StewardCommittee: Debited; a quorum of stewards for the budget";
    "treasury" "treasury_balance" "Treasury" ["USDC"]
        "booked + donated − spent − claimed, of each bucket, at the end of the day",
        "Treasury: Booked, Donated, Spent; SettlementLedger: Claimed";
    "treasury" "treasury_spent" "Spent" ["USDC"]
        "what left each bucket on the day", "Treasury: Spent; SettlementLedger: Claimed";
    "treasury" "treasury_runway" "Runway of operations" ["days"]
        "balance of operations ÷ (spent from operations in the last 90 days ÷ 90)", "Treasury: Booked, Spent";
}
