//! A year of a cooperative on a chain, through the same client that the services use: members come and go, epochs settle,
//! licenses of each price form are sold, proposals pass and fail, a pause, stewards slashed, an upgrade.
//!
//! Everything that happens stands on an [`agenda`]: a script stretched over the year, to which deeds add what follows from
//! them. Whatever is drawn is drawn from one seed. After each epoch the invariants that a chain can show are checked, and
//! at the end every kind of act must have happened. What stewards would give an auditor is a [`Transcript`].

mod absence;
mod agenda;
mod chain;
mod check;
mod desks;
mod dispute;
mod garbage;
mod guardian;
mod houses;
mod market;
mod passkey;
mod pause;
mod people;
mod settle;
mod span;
mod tally;
mod topics;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alloy::primitives::{Address, B256, Bytes};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, Result, ensure};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rochdale_chain::deploy::Manifest;
use rochdale_chain::eip712;
use rochdale_chain::events::{Follower, Located, MemoryStore};
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_core::ledger::{Books, DemandKind, Entered, NO_ROW_KEY, Round, Score, SettledInputs, Transcript};

use absence::Absence;
use agenda::{Agenda, Deed, Mood};
use chain::{STEWARDS, Site};
use market::{Held, RESEARCHERS};
use passkey::Passkey;
use people::Person;
use settle::Pending;

pub use agenda::SHORTEST;
pub use chain::{Ground, Node};
pub use tally::{Act, Outcome, Summary, Tally};

/// What a steward bonds above what its seat and an objection ask for, micro-USDC.
const SPARE_BOND: u128 = 500_000_000;
/// Who signs the program's awards.
const AWARDER: &str = "awarder";
/// Points that the program may award in an epoch.
const AWARDING: u128 = 100_000;
/// Within how many attempts an epoch is final, whatever one member and all stewards but a quorum do; a lying quorum spends
/// one more at a time.
const ATTEMPTS: u32 = 4;
/// The fewest members with whom every vote can go as the script has it.
pub const FEWEST: u32 = 40;

/// How long and how large a year is.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Epochs of a week, at least [`SHORTEST`].
    pub epochs: u32,
    /// People who join, at least [`FEWEST`]: a half at once, the others over time.
    pub members: u32,
    /// Of everything that is drawn.
    pub seed: u64,
}

impl Default for Plan {
    /// A year of 104 members.
    fn default() -> Self {
        Self { epochs: 52, members: 104, seed: 1 }
    }
}

/// Where a running year stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Epochs that are final.
    pub epoch: u32,
    /// Of how many.
    pub epochs: u32,
    /// Members who are there.
    pub members: usize,
    /// Acts so far.
    pub interactions: u64,
    /// Transactions so far.
    pub transactions: u64,
}

/// A year that is over.
pub struct Over {
    /// Who did what.
    pub tally: Tally,
    /// Transactions that were sent.
    pub transactions: u64,
    /// What auditors are given.
    pub transcript: Transcript,
    /// The cooperative that it serves, as it was deployed.
    pub manifest: Manifest,
    /// What was done, in the order in which it was.
    pub deeds: Vec<String>,
    site: Site,
}

impl Over {
    /// An RPC of the chain, for as long as this value lives.
    ///
    /// # Errors
    /// Where a chain in this process gets no port.
    pub async fn url(&self) -> Result<String> {
        self.site.url().await
    }
}

/// A year while it runs.
struct Year {
    plan: Plan,
    site: Site,
    agenda: Agenda,
    /// What was done so far.
    deeds: Vec<String>,
    rng: ChaCha8Rng,
    tally: Tally,
    follower: Follower<MemoryStore>,
    /// The factory of accounts for passkeys.
    accounts: Address,
    people: Vec<Person>,
    researchers: Vec<PrivateKeySigner>,
    licenses: Vec<Held>,
    reservations: u64,
    auctions: u64,
    jobs_opened: u64,
    desks_open: bool,
    /// Every account that may hold a token.
    holders: BTreeSet<Address>,
    /// In office, by seat.
    stewards: Vec<PrivateKeySigner>,
    /// Who was put forward to follow them.
    successors: Vec<PrivateKeySigner>,
    /// Who ever bonded.
    former: BTreeSet<Address>,
    mood: Mood,
    /// Whether there is no quorum.
    halted: bool,
    paused: bool,
    scores: BTreeMap<ContributionId, Score>,
    snapshots: BTreeMap<B256, Vec<ContributionId>>,
    awards: Vec<(eip712::Award, Bytes)>,
    /// Who voted since the last awards.
    voted: BTreeSet<MemberId>,
    motions: Vec<houses::Motion>,
    books: Books,
    /// Scores that entered, of who did not erase everything.
    entered: Vec<Entered>,
    transcript: Transcript,
    pending: Option<Pending>,
    /// The member whom a dispute is about, and what was demanded.
    disputed: Option<(MemberId, DemandKind)>,
    /// Fields of the header that had no garbage in them yet, once that began.
    garbage: VecDeque<&'static garbage::Field>,
    /// A steward that is down.
    absence: Option<Absence>,
    /// Whoever signed a falsified row: theirs alone may be slashed.
    liars: BTreeSet<Address>,
    /// Who gets another passkey, by place.
    recovering: Option<(usize, p256::ecdsa::SigningKey)>,
    /// The lowest attempt by epoch, where one was voided.
    attempts: BTreeMap<u32, u32>,
    last: Option<Round>,
}

/// Runs a year to its end.
///
/// # Errors
/// Where the plan is too small, something is refused that must not be, succeeds that must not, an invariant breaks, or a
/// kind of act never happened.
pub async fn run(plan: Plan, ground: &Ground, tell: &mut dyn FnMut(Progress)) -> Result<Over> {
    ensure!(
        plan.epochs >= SHORTEST,
        "a year of {} epochs is too short for the script, which needs {SHORTEST}",
        plan.epochs
    );
    ensure!(plan.members >= FEWEST, "{} members are too few for the script, which needs {FEWEST}", plan.members);
    let mut year = Year::begin(plan, ground).await?;
    let mut told = 0;
    while let Some((time, deed)) = year.agenda.next() {
        year.site.reach(time).await?;
        let day = (time - year.site.manifest.genesis) / span::DAY;
        year.perform(deed).await.with_context(|| format!("on day {day}: {deed:?}"))?;
        year.deeds.push(format!("{deed:?}"));
        if year.books.global.epoch.0 != told {
            told = year.books.global.epoch.0;
            tell(year.progress());
        }
    }
    year.end().await
}

impl Year {
    async fn begin(plan: Plan, ground: &Ground) -> Result<Self> {
        let mut site = Site::found(ground).await?;
        let accounts = Passkey::factory(&mut site).await?;
        let manifest = &site.manifest;
        let (schedule, depth) = (manifest.schedule(), manifest.tree_depth);
        let follower = Follower::new(site.chain.clone(), manifest, MemoryStore::default());
        let mut year = Self {
            agenda: Agenda::of_year(schedule.genesis, plan.epochs, schedule.epoch_length.into(), schedule.lag.into()),
            deeds: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(plan.seed),
            tally: Tally::default(),
            follower,
            accounts,
            people: Vec::new(),
            researchers: (0..RESEARCHERS).map(|n| site.key(&format!("researcher-{n}"))).collect(),
            licenses: Vec::new(),
            reservations: 0,
            auctions: 0,
            jobs_opened: 0,
            desks_open: false,
            holders: BTreeSet::new(),
            stewards: (1..=STEWARDS).map(|n| site.key(&format!("steward-{n}"))).collect(),
            successors: Vec::new(),
            former: BTreeSet::new(),
            mood: Mood::Honest,
            halted: false,
            paused: false,
            scores: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            awards: Vec::new(),
            voted: BTreeSet::new(),
            motions: Vec::new(),
            books: Books::new(depth),
            entered: Vec::new(),
            transcript: Transcript { depth, row_keys: BTreeMap::new(), epochs: Vec::new() },
            pending: None,
            disputed: None,
            garbage: VecDeque::new(),
            absence: None,
            liars: BTreeSet::new(),
            recovering: None,
            attempts: BTreeMap::new(),
            last: None,
            plan,
            site,
        };
        let stewards = year.stewards.clone();
        year.post_bonds(&stewards).await?;
        Ok(year)
    }

    async fn perform(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::Members(epoch) => self.members(epoch).await,
            Deed::Researchers => self.research().await,
            Deed::Settle(epoch) => self.settle(epoch).await,
            Deed::Finish => self.finish().await,
            Deed::Turn(mood) => {
                self.mood = mood;
                Ok(())
            }
            Deed::Garbage => {
                self.begin_garbage();
                Ok(())
            }
            Deed::GoDown => self.go_down().await,
            Deed::ComeBack => self.come_back(),
            Deed::Demand => self.demand(DemandKind::Row).await,
            Deed::Contest => self.contest().await,
            Deed::VoidUnanswered => self.void_unanswered().await,
            Deed::Put(topic) => self.put(topic).await,
            Deed::Vote(number) => self.vote(number).await,
            Deed::Decide(number) => self.decide(number).await,
            Deed::Carry(number) => self.carry(number).await,
            Deed::Constitute => self.constitute().await,
            Deed::TendVotes => self.tend_votes().await,
            Deed::Unbond => self.unbond().await,
            Deed::WithdrawBond => self.withdraw_bond().await,
            Deed::LosePasskey => self.lose_passkey().await,
            Deed::Recover => self.recover().await,
            Deed::Approve => self.approve().await,
            Deed::Reserve => self.reserve().await,
            Deed::SettleReservations => self.settle_reservations().await,
            Deed::Renew => self.renew().await,
            Deed::BuyWithData => self.buy_with_data().await,
            Deed::Auction => self.auction().await,
            Deed::Reveal => self.reveal().await,
            Deed::CloseAuction => self.close_auction().await,
            Deed::Jobs => self.jobs().await,
            Deed::RefundJob => self.refund_job().await,
            Deed::SpendData => self.spend_data().await,
            Deed::OfferLot => self.offer_lot().await,
            Deed::PayOperators => self.pay_operators().await,
            Deed::Pause => self.pause().await,
            Deed::Unpause => self.unpause().await,
        }
    }

    async fn end(mut self) -> Result<Over> {
        let settled = self.books.global.epoch.0;
        ensure!(settled == self.plan.epochs, "{settled} epochs were settled, not {}", self.plan.epochs);
        self.check_everything().await?;
        let missing = self.tally.missing();
        ensure!(missing.is_empty(), "never happened in this year: {}", missing.join(", "));
        Ok(Over {
            tally: self.tally,
            transactions: self.site.transactions,
            transcript: self.transcript,
            manifest: self.site.manifest.clone(),
            deeds: self.deeds,
            site: self.site,
        })
    }

    fn progress(&self) -> Progress {
        Progress {
            epoch: self.books.global.epoch.0,
            epochs: self.plan.epochs,
            members: self.present(|_| true).len(),
            interactions: self.tally.interactions(),
            transactions: self.site.transactions,
        }
    }

    /// Everything that happened so far.
    async fn history(&mut self) -> Result<Vec<Located>> {
        self.follower.step().await?;
        Ok(self.follower.store().events().to_vec())
    }
}

/// How stewards come by a member's row key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyFate {
    /// When it joins.
    AtOnce,
    /// Two epochs after its first.
    Late,
    /// Never, although the admission names its digest.
    Lost,
    /// There is none.
    Keyless,
}

impl KeyFate {
    /// That of a member, by its id.
    fn of(member: MemberId) -> Self {
        match member.0 % 16 {
            5 => Self::Keyless,
            9 => Self::Lost,
            13 => Self::Late,
            _ => Self::AtOnce,
        }
    }
}

/// The row key of a member: the scenario's members draw theirs from their id, and some have none.
fn row_key(member: MemberId) -> B256 {
    match KeyFate::of(member) {
        KeyFate::Keyless => B256::ZERO,
        _ => alloy::primitives::keccak256(format!("row key of member {member}")),
    }
}

/// The row key, for whoever salts with it.
fn own_key(member: MemberId) -> Option<[u8; 32]> {
    Some(row_key(member).0)
}

/// The key that salts a member's row in an epoch: its own, or zeros where the sheet lists it.
fn secret(inputs: &SettledInputs, member: MemberId) -> [u8; 32] {
    if inputs.unkeyed.contains(&member) { NO_ROW_KEY } else { row_key(member).0 }
}
