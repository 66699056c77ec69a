//! Who did what, counted; a year in which a kind of act never happened has failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use alloy::primitives::Address;
use serde::Serialize;

macro_rules! acts {
    ($($name:ident $label:literal),* $(,)?) => {
        /// What somebody can do in a year.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the label says it")]
        pub enum Act { $($name),* }

        impl Act {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// In words.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

acts! {
    Join "join by a key",
    JoinByPasskey "join by a passkey",
    JoinUnkeyed "join with a row key that no steward gets",
    Consent "consent",
    ApproveRecovery "approve another passkey as a guardian",
    Recover "recover an account",
    Revoke "revoke consent",
    Contribute "contribute a record",
    Leave "leave",
    Erase "erase everything",
    SetPayout "name another payout address",
    Award "award points of a program",
    Claim "claim for oneself",
    ClaimMany "claim for many",
    Sync "have GOV counted",
    Lock "lock GOV",
    Delegate "delegate GOV",
    OrderService "order a service for DATA",
    SellData "sell DATA to the buyback",
    Sign "sign a settlement",
    Propose "propose a settlement",
    ProposeLie "propose a falsified settlement",
    ProposeGarbage "propose a settlement with garbage in a field",
    CatchUp "catch up after having been down through joins and leaves",
    Demand "demand a row or its inputs",
    Answer "answer a demand",
    VoidUnanswered "void what was not answered",
    Contest "contest a row",
    Object "object to a settlement",
    Debit "book a debit",
    Anchor "anchor a receipt",
    PostBond "post a steward's bond",
    Unbond "unbond",
    WithdrawBond "withdraw a bond",
    Meter "meter operators",
    Collect "collect operators' pay",
    Approve "approve a researcher",
    Buy "buy at the list price",
    BuyWithData "buy for DATA",
    Renew "renew a license",
    Reserve "reserve a license",
    Activate "activate a reservation",
    Cancel "cancel a reservation",
    OpenAuction "open an auction",
    Bid "commit a sealed bid",
    Reveal "reveal a bid",
    CloseAuction "close an auction",
    Withdraw "withdraw what a sale owes",
    OpenJob "open a metered job",
    CompleteJob "complete a metered job",
    RefundJob "have a metered job refunded",
    ResearcherBond "post a researcher's bond",
    OfferLot "offer a lot of the buyback",
    Draft "propose to a house",
    Vote "vote",
    VoteBySignature "vote by signature",
    Queue "queue what passed",
    Execute "execute what passed",
    Pause "pause by the Safe",
    Unpause "end a pause by the Safe",
}

/// What happened without anybody's act, or because of one; each must have happened, too.
macro_rules! outcomes {
    ($($name:ident $label:literal),* $(,)?) => {
        /// How things ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the label says it")]
        pub enum Outcome { $($name),* }

        impl Outcome {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// In words.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

outcomes! {
    Settled "epochs settled",
    Paid "claims paid",
    KeyedLate "row keys that came late",
    EpochsCaughtUp "epochs that a steward settled again after it was down",
    KeysHandedOver "row keys that it was handed",
    GarbageRefused "headers with garbage refused",
    GarbageContestable "headers with garbage that a member could contest",
    GarbageVoided "headers with garbage voided",
    FinalInTime "epochs final within the attempts allowed, no honest bond slashed",
    ContestedUnkeyed "rows salted by zeros that withstood a contest",
    Passed "proposals passed",
    QuorumMissed "proposals without a quorum",
    Outvoted "proposals outvoted",
    Constituted "cooperatives constituted",
    CharterRefused "charter changes refused with one house alone",
    Upgraded "contracts upgraded",
    ParamsInForce "parameters in force by vote",
    Granted "grants paid",
    Expelled "members expelled",
    Voided "settlements voided",
    ObjectionRejected "objections rejected",
    Slashed "stewards slashed",
    Seated "committees seated",
    Forfeited "auction bonds forfeited",
    RefusedInPause "acts refused while paused",
    DoneInPause "acts that no pause stops",
    Refused "acts refused as they must be",
    Checked "invariants checked",
}

/// Acts and outcomes by kind, and the accounts that acted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    acts: BTreeMap<Act, u64>,
    outcomes: BTreeMap<Outcome, u64>,
    accounts: BTreeSet<Address>,
}

impl Tally {
    /// Counts one act that `account` decided on, whoever relayed it.
    pub fn count(&mut self, act: Act, account: Address) {
        *self.acts.entry(act).or_default() += 1;
        self.accounts.insert(account);
    }

    /// Counts how something ended.
    pub fn note(&mut self, outcome: Outcome) {
        self.note_many(outcome, 1);
    }

    /// Counts how several things ended.
    pub fn note_many(&mut self, outcome: Outcome, times: u64) {
        *self.outcomes.entry(outcome).or_default() += times;
    }

    /// How often something was done.
    #[must_use]
    pub fn of(&self, act: Act) -> u64 {
        self.acts.get(&act).copied().unwrap_or(0)
    }

    /// How often something ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Acts of all kinds.
    #[must_use]
    pub fn interactions(&self) -> u64 {
        self.acts.values().sum()
    }

    /// Accounts that acted.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Kinds that never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let acts = Act::ALL.iter().filter(|act| self.of(**act) == 0).map(|act| act.label());
        let outcomes = Outcome::ALL.iter().filter(|kind| self.ended(**kind) == 0).map(|kind| kind.label());
        acts.chain(outcomes).collect()
    }

    /// The counts, for a file.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let acts = Act::ALL.iter().map(|act| (act.label(), self.of(*act))).collect();
        let outcomes = Outcome::ALL.iter().map(|kind| (kind.label(), self.ended(*kind))).collect();
        Summary { interactions: self.interactions(), accounts: self.accounts(), acts, outcomes }
    }
}

/// A tally as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Acts of all kinds.
    pub interactions: u64,
    /// Accounts that acted.
    pub accounts: usize,
    /// Acts by kind.
    pub acts: BTreeMap<&'static str, u64>,
    /// Outcomes by kind.
    pub outcomes: BTreeMap<&'static str, u64>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for act in Act::ALL {
            writeln!(f, "{:>6}  {}", self.of(*act), act.label())?;
        }
        writeln!(
            f,
            "{:>6}  interactions of {} accounts, of {} kinds",
            self.interactions(),
            self.accounts(),
            Act::ALL.len()
        )?;
        for outcome in Outcome::ALL {
            writeln!(f, "{:>6}  {}", self.ended(*outcome), outcome.label())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_named() {
        let mut tally = Tally::default();
        assert_eq!(tally.missing().len(), Act::ALL.len() + Outcome::ALL.len());
        for act in Act::ALL {
            tally.count(*act, Address::ZERO);
        }
        Outcome::ALL.iter().filter(|kind| **kind != Outcome::Slashed).for_each(|kind| tally.note(*kind));
        assert_eq!(tally.missing(), ["stewards slashed"]);
        assert_eq!((tally.interactions(), tally.accounts()), (Act::ALL.len() as u64, 1));
    }
}
