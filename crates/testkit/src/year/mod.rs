//! A year of a cooperative on a chain, through the same client that the services use: members come and go, epochs settle,
//! licenses of each price form are sold, proposals pass and fail, a pause, a steward slashed, an upgrade. Deterministic by
//! seed. At its end the books are recomputed from a transcript, and every conservation law is asked of the chain.

mod chain;
mod houses;
mod people;
mod settle;
mod tally;

use std::collections::BTreeMap;

use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Result;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rochdale_chain::events::{Follower, Located, MemoryStore};
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_core::ledger::{Books, DEPTH, Round, Score, Transcript};

use crate::anvil::TestCoop;
pub use tally::Tally;

/// How long and how large.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Epochs of a week.
    pub epochs: u32,
    /// People who join, the first third at once.
    pub people: u32,
    /// Of everything that is drawn.
    pub seed: u64,
}

/// A person who may be a member.
pub struct Person {
    /// Their key.
    pub key: PrivateKeySigner,
    /// Once admitted.
    pub id: Option<MemberId>,
    /// Number of the consent in force, 0 without one.
    pub consent: u32,
    /// Has left, been expelled or erased everything.
    pub gone: bool,
}

/// The year while it runs.
pub struct Year {
    /// The cooperative.
    pub coop: TestCoop,
    /// How long and how large.
    pub settings: Settings,
    /// Who did what.
    pub tally: Tally,
    rng: ChaCha8Rng,
    people: Vec<Person>,
    follower: Follower<MemoryStore>,
    scores: BTreeMap<ContributionId, Score>,
    snapshots: BTreeMap<u64, Vec<ContributionId>>,
    books: Books,
    transcript: Transcript,
    last: Option<Round>,
}

impl Year {
    /// Before the first day.
    #[must_use]
    pub fn new(coop: TestCoop, settings: Settings) -> Self {
        let follower = Follower::new(coop.chain.clone(), &coop.manifest, MemoryStore::default());
        let person = |n| Person { key: coop.member_key(n), id: None, consent: 0, gone: false };
        Self {
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
            people: (1..=settings.people).map(person).collect(),
            tally: Tally::default(),
            scores: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            books: Books::new(DEPTH),
            transcript: Transcript { depth: DEPTH, row_keys: BTreeMap::new(), epochs: Vec::new() },
            last: None,
            follower,
            settings,
            coop,
        }
    }

    /// Everything that happened so far.
    async fn history(&mut self) -> Result<Vec<Located>> {
        self.follower.step().await?;
        Ok(self.follower.store().events().to_vec())
    }

    /// What auditors are given.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

/// The row key of a member: the scenario's members draw theirs from their id.
fn row_key(member: MemberId) -> B256 {
    alloy::primitives::keccak256(format!("row key of member {member}"))
}
