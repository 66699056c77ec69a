//! The audit: recomputes every settled epoch from the chain and this steward's store, which is only read.
//!
//! The chain is read anew from its first block, not from the store. Rows are replayed from the first epoch on, so that an
//! error in a stored row shows; of members who erased everything the stored leaf stands for the part that only their
//! destroyed row key gives, and their amounts are recomputed like all others.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent as _;
use rochdale_api::Problem;
use rochdale_api::settlement::{Sheet, SheetCopy};
use rochdale_chain::bindings::{DataToken, TestUSDC, Treasury};
use rochdale_chain::client::{ChainError, Clock, SystemClock};
use rochdale_chain::events::{FollowError, FollowerOptions, MemoryError, MemoryStore};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::Epoch;
use rochdale_core::ledger::{self, Books, Entered, Global, Header};
use rochdale_node::mirror::Watch;
use serde::Serialize;

use crate::config::Config;
use crate::inputs::{Gathered, differences};
use crate::settlement::{self, Before, Computed, leaf_rows};
use crate::steward::{Mirror, StartError, Steward};
use crate::store::StoreError;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The steward's files.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The chain did not do as asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The chain's events.
    #[error(transparent)]
    Follow(#[from] FollowError<MemoryError>),
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A log of a token.
    #[error("a transfer of {token} does not decode: {detail}")]
    Transfer {
        /// The address of the token.
        token: Address,
        /// What is wrong, in words for a person.
        detail: String,
    },
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What must hold, in words.
    pub name: String,
    /// The left side.
    pub left: String,
    /// `=` or `<=`.
    pub relation: &'static str,
    /// The right side.
    pub right: String,
    /// Whether it holds.
    pub holds: bool,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything holds.
    pub agrees: bool,
    /// The last epoch that was recomputed.
    pub epoch: u32,
    /// Rows that were recomputed, over all epochs.
    pub rows: u64,
    /// Rows of members who erased everything that stand as they are in the root, over all epochs: what they were computed from is gone.
    pub stood_in: u64,
    /// The last root.
    pub root: B256,
    /// The conservation laws.
    pub checks: Vec<Check>,
    /// The first difference.
    pub difference: Option<String>,
    /// What the proposal that halted settlement differs in, and what peers say that our own sheet does. About members,
    /// and for the operator alone.
    pub lines: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} epochs, {} rows recomputed, last root {}", self.epoch, self.rows, self.root)?;
        if self.stood_in > 0 {
            writeln!(f, "{} rows of members who erased everything stand as they are in the roots", self.stood_in)?;
        }
        for check in &self.checks {
            let verdict = if check.holds { "ok" } else { "DIFFERS" };
            writeln!(f, "{verdict:8}{}: {} {} {}", check.name, check.left, check.relation, check.right)?;
        }
        for line in &self.lines {
            writeln!(f, "{:8}{line}", "line")?;
        }
        match &self.difference {
            Some(difference) => writeln!(f, "DIFFERS {difference}"),
            None => writeln!(f, "everything agrees"),
        }
    }
}

/// The chain, read anew from its first block: an audit believes no store.
pub(crate) struct Seen {
    mirror: Arc<Mirror>,
    watch: Watch<MemoryStore>,
}

impl Deref for Seen {
    type Target = Mirror;

    fn deref(&self) -> &Mirror {
        &self.mirror
    }
}

impl Seen {
    /// # Errors
    /// Where the chain cannot be read.
    pub(crate) async fn new(steward: &Steward) -> Result<Self, AuditError> {
        let options = FollowerOptions::default();
        let watch = Watch::new(steward.chain.clone(), &steward.manifest, MemoryStore::default(), options);
        Ok(Self { mirror: watch.at_head().await?, watch })
    }

    /// The cooperative as of an epoch's cut.
    pub(crate) async fn at_cut(&self, steward: &Steward, epoch: Epoch) -> Result<Cooperative, Problem> {
        let cut = steward.cut(epoch).await?;
        Ok(self.watch.at_block(cut.number).await.unwrap_or_else(|never| match never {}))
    }
}

/// Recomputes everything; stops at the first difference.
///
/// # Errors
/// Where chain or store cannot be read.
pub async fn audit(config: Config) -> Result<Report, AuditError> {
    let steward = Steward::open_read_only(config, Arc::new(SystemClock::default()) as Arc<dyn Clock>).await?;
    let mirror = Seen::new(&steward).await?;
    let mut report = Report { root: ledger::empty_root(steward.manifest.tree_depth), ..Report::default() };
    let mut replayed = Before { books: Arc::new(Books::new(steward.manifest.tree_depth)), has_gaps: false };
    let compared = match replay(&steward, &mirror, &mut replayed, &mut report).await {
        Ok(()) => dispute(&steward, &mirror, &replayed, &mut report).await,
        Err(problem) => Err(problem),
    };
    if let Err(problem) = compared {
        report.difference = Some(problem.detail);
        return Ok(report);
    }
    report.checks = conservation(&steward, &mirror, &replayed.books.global).await?;
    report.difference = report
        .checks
        .iter()
        .find(|check| !check.holds)
        .map(|c| format!("{}: {} is not {} {}", c.name, c.left, c.relation, c.right));
    report.agrees = report.difference.is_none();
    Ok(report)
}

fn differs(detail: String) -> Problem {
    Problem::new(rochdale_api::ProblemCode::Conflict, detail)
}

async fn replay(
    steward: &Arc<Steward>,
    mirror: &Seen,
    before: &mut Before,
    report: &mut Report,
) -> Result<(), Problem> {
    let settled = steward.store.settled().await?;
    let mut entered: Vec<Entered> = Vec::new();
    for epoch in (1..=settled.0).map(Epoch) {
        let proposal = mirror.latest.proposals.get(&epoch);
        if proposal.is_none() && epoch == settled && mirror.latest.voided.contains_key(&epoch) {
            // Voided, and the steward has not looked since: it takes it back when it does.
            return Ok(());
        }
        let header =
            &proposal.ok_or_else(|| differs(format!("epoch {epoch} is settled here but not on chain")))?.header;
        let computed = match steward.kept_sheet(steward.office(mirror)?, header).await? {
            Some(sheet) => replay_sheet(steward, mirror, before, header, &sheet, &entered).await?.0,
            None => replay_copy(steward, mirror, before, header).await?,
        };
        if computed.round.header != *header {
            return Err(differs(first_difference(&computed.round.header, header)));
        }
        compare_store(steward, epoch, &computed).await?;
        let (params, totals) = (&computed.settled.params, before.books.global.totals);
        let awarded = header.data_awarded - totals.data_awarded;
        let gov = header.gov_awarded - totals.gov_awarded;
        if awarded > params.data_cap || gov > params.gov_cap {
            return Err(differs(format!("epoch {epoch} awards {awarded} DATA and {gov} GOV wei, above a cap")));
        }
        report.epoch = epoch.0;
        let stood_in = computed.settled.stand_ins.values().filter(|one| one.amounts.is_some()).count() as u64;
        report.stood_in += stood_in;
        report.rows += computed.round.settled.rows.len() as u64 - stood_in;
        report.root = header.root;
        entered.extend(computed.entered);
        let ledger::Settled { global, rows, .. } = computed.round.settled;
        before.books = Arc::new(Books::at(steward.manifest.tree_depth, global, rows, header.root));
    }
    Ok(())
}

/// What is open: the proposal that halted settlement, while it stands, and what peers said of our sheets.
async fn dispute(steward: &Arc<Steward>, mirror: &Seen, before: &Before, report: &mut Report) -> Result<(), Problem> {
    report.lines = steward.peers_differences().await?;
    let cause = steward.store.halted(settlement::DUTY).await?.and_then(|halt| halt.cause);
    let Some((epoch, attempt)) = cause else { return Ok(()) };
    let proposal = mirror.latest.proposals.get(&epoch).filter(|proposal| proposal.header.attempt == attempt);
    let Some(header) = proposal.map(|proposal| &proposal.header) else { return Ok(()) };
    let entered = steward.entered_before(epoch).await?;
    let sheet = steward.kept_sheet(steward.office(mirror)?, header).await?;
    let sheet =
        sheet.ok_or_else(|| differs(format!("epoch {epoch}: the sheet of what halted settlement is not here")))?;
    let (computed, gathered) = replay_sheet(steward, mirror, before, header, &sheet, &entered).await?;
    if computed.round.header == *header {
        return Ok(());
    }
    report.lines.extend(differences(&gathered.lines, &sheet.lines));
    Err(differs(first_difference(&computed.round.header, header)))
}

/// An epoch computed from its sheet, whose scores are those that stewards signed.
async fn replay_sheet(
    steward: &Arc<Steward>,
    mirror: &Seen,
    before: &Before,
    header: &Header,
    sheet: &Sheet,
    entered: &[Entered],
) -> Result<(Computed, Gathered), Problem> {
    let at_cut = mirror.at_cut(steward, header.epoch).await?;
    let scores = steward.verified_scores(&at_cut, &sheet.scores)?;
    let turn = (header.epoch, header.attempt);
    let gathered = steward.gather(turn, &at_cut, entered, &scores, &sheet.awards, &sheet.lines).await?;
    let copy = SheetCopy {
        entered: gathered.entered.clone(),
        grants: gathered.inputs.grants.clone(),
        usage: gathered.inputs.usage.clone(),
        unkeyed: sheet.unkeyed.clone(),
        stand_ins: steward.kept_copy(header).await.map_or_else(|_| Vec::new(), |copy| copy.stand_ins),
    };
    Ok((steward.settle_copy(&at_cut, &before.books, header, &copy).await?, gathered))
}

/// An epoch whose sheet was kept for its time, or was given up for an erasure, computed from what is left of it.
async fn replay_copy(
    steward: &Arc<Steward>,
    mirror: &Seen,
    before: &Before,
    header: &Header,
) -> Result<Computed, Problem> {
    let at_cut = mirror.at_cut(steward, header.epoch).await?;
    let copy = steward.kept_copy(header).await?;
    steward.settle_copy(&at_cut, &before.books, header, &copy).await
}

/// The stored rows against the recomputed ones.
async fn compare_store(steward: &Arc<Steward>, epoch: Epoch, computed: &Computed) -> Result<(), Problem> {
    let stored = steward.store.epoch::<Header, Global>(epoch).await?;
    if stored
        .as_ref()
        .is_none_or(|stored| stored.header != computed.round.header || stored.globals != computed.round.settled.global)
    {
        return Err(differs(format!(
            "epoch {epoch}: the stored header or global state differs from the recomputed one"
        )));
    }
    let rows = steward.store.rows(epoch).await?;
    let leaves = leaf_rows(&computed.round);
    if rows.len() != leaves.len() {
        let (have, want) = (rows.len(), leaves.len());
        return Err(differs(format!("epoch {epoch}: {have} rows in the store, {want} recomputed")));
    }
    for ((stored, leaf), row) in rows.iter().zip(&leaves).zip(&computed.round.settled.rows) {
        let member = leaf.member;
        let same = (stored.member, stored.amounts, stored.private_hash, stored.inputs_leaf)
            == (member, leaf.amounts, leaf.private_hash, leaf.inputs_leaf);
        if !same {
            let (have, want) = (stored.amounts, leaf.amounts);
            return Err(differs(format!(
                "epoch {epoch}, member {member}: leaf {have:?} in the store, {want:?} recomputed"
            )));
        }
        if stored.wrapped.is_some() && steward.row(epoch, stored).await? != *row {
            return Err(differs(format!("epoch {epoch}, member {member}: the stored row is not the recomputed one")));
        }
    }
    Ok(())
}

fn first_difference(ours: &Header, theirs: &Header) -> String {
    let json = |header| serde_json::to_value(header).unwrap_or_default();
    let (ours_json, theirs_json) = (json(ours), json(theirs));
    let fields = ours_json.as_object().into_iter().flatten();
    let field = fields.into_iter().find(|(name, value)| theirs_json.get(name.as_str()) != Some(value));
    match field {
        Some((name, value)) => {
            let there = theirs_json.get(name.as_str()).cloned().unwrap_or_default();
            format!("epoch {}: {name} is {value} recomputed, {there} on chain", ours.epoch)
        }
        None => format!("epoch {}: the headers differ", ours.epoch),
    }
}

fn equal(name: &str, left: u128, right: u128) -> Check {
    let (relation, holds) = ("=", left == right);
    Check { name: name.to_owned(), left: left.to_string(), relation, right: right.to_string(), holds }
}

fn at_most(name: &str, left: u128, right: u128) -> Check {
    let (relation, holds) = ("<=", left <= right);
    Check { name: name.to_owned(), left: left.to_string(), relation, right: right.to_string(), holds }
}

/// Minted = claimed ≤ earned ≤ awarded; license money = buckets; contributors' part = incoming + pool + allocated.
async fn conservation(steward: &Steward, mirror: &Seen, global: &Global) -> Result<Vec<Check>, AuditError> {
    let (state, addresses, totals) = (&mirror.latest, &steward.manifest.addresses, &global.totals);
    let (mut cash, mut data, mut gov) = (0u128, 0u128, 0u128);
    for claimed in state.claimed.values() {
        cash = cash.saturating_add(claimed.cash.0);
        data = data.saturating_add(claimed.data.0);
        gov = gov.saturating_add(claimed.gov.0);
    }
    let mut checks = vec![
        equal("DATA minted = claimed", minted(steward, addresses.data_token).await?, data),
        at_most("DATA claimed <= earned", data, totals.data_earned),
        at_most("DATA earned <= awarded", totals.data_earned, totals.data_awarded),
        equal("GOV minted = claimed", minted(steward, addresses.gov_token).await?, gov),
        at_most("GOV claimed <= earned", gov, totals.gov_earned),
        at_most("GOV earned <= awarded", totals.gov_earned, totals.gov_awarded),
        at_most("USDC claimed <= allocated", cash, totals.cash_allocated),
    ];
    let sum = |of: fn(&rochdale_chain::state::Booking) -> u128| {
        state.bookings.iter().map(of).fold(0u128, u128::saturating_add)
    };
    let booked = [
        ("contributors", sum(|b| b.contributors.0)),
        ("buyback", sum(|b| b.buyback.0)),
        ("operations", sum(|b| b.operations.0)),
        ("compliance", sum(|b| b.compliance.0)),
        ("reserve", sum(|b| b.reserve.0)),
    ];
    let buckets = steward.chain.view(addresses.treasury, &Treasury::bucketsCall {}).await?;
    let buckets = [buckets.contributors, buckets.buyback, buckets.operations, buckets.compliance, buckets.reserve];
    for ((name, booked), bucket) in booked.iter().zip(buckets) {
        checks.push(equal(&format!("USDC booked to {name} = bucket"), *booked, narrow(U256::from(bucket))));
    }
    let all = booked.iter().map(|(_, amount)| amount).sum::<u128>();
    let held = steward.chain.view(addresses.usdc, &TestUSDC::balanceOfCall { account: addresses.treasury }).await?;
    checks.push(equal("USDC of licenses = held + claimed", all, narrow(held).saturating_add(cash)));
    let cut = steward.manifest.schedule().end(global.epoch);
    let settled: u128 = state.bookings.iter().filter(|b| b.booked.time <= cut).map(|b| b.contributors.0).sum();
    let settled = if global.epoch.0 == 0 { 0 } else { settled };
    let split = global.incoming + global.pool + totals.cash_allocated;
    checks.push(equal("USDC of contributors up to the cut = incoming + pool + allocated", settled, split));
    Ok(checks)
}

/// Everything that a token ever minted: transfers from nobody.
async fn minted(steward: &Steward, token: Address) -> Result<u128, AuditError> {
    let filter = Filter::new()
        .address(token)
        .event_signature(DataToken::Transfer::SIGNATURE_HASH)
        .topic1(B256::ZERO)
        .from_block(steward.manifest.base.number);
    let logs = steward
        .chain
        .provider()
        .get_logs(&filter)
        .await
        .map_err(|error| AuditError::Transfer { token, detail: error.to_string() })?;
    let mut sum = 0u128;
    for log in logs {
        let transfer = DataToken::Transfer::decode_log_data(&log.inner.data)
            .map_err(|error| AuditError::Transfer { token, detail: error.to_string() })?;
        sum = sum.saturating_add(narrow(transfer.value));
    }
    Ok(sum)
}

fn narrow(value: U256) -> u128 {
    u128::try_from(value).unwrap_or(u128::MAX)
}
