//! The privacy budget's log: one signature for each index, persisted before it leaves, and only while 1…i − 1 are held.
//!
//! The rules are [`rochdale_core::budget`]'s; here are the checks of the researcher's order against the license, the
//! persistence, and the watch for equivocation: one steward's signatures over two entries of one index halt the pool.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy::primitives::{B256, U256};
use rochdale_api::query::{BudgetEntry, BudgetLog, CommitRequest, Countersignature, EntryRequest, QueryRequest};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_chain::state::LicenseState;
use rochdale_core::budget::{self, BudgetError, StewardLog};
use rochdale_core::ids::{LicenseId, StewardId};

use crate::steward::{Mirror, Steward, internal};
use crate::store::{LogRow, SnapshotRow};

/// The duty's name where it is halted.
pub const DUTY: &str = "budget";

type Row = LogRow<BudgetEntry, Countersignature>;

/// The entry as the rules know it.
fn rule(entry: &BudgetEntry) -> budget::BudgetEntry {
    budget::BudgetEntry {
        index: entry.index,
        previous: entry.previous,
        query_digest: entry.query_digest,
        snapshot: entry.snapshot,
        license_id: entry.license_id,
        purpose: entry.purpose,
        rho: entry.rho,
        deadline: U256::from(entry.deadline),
    }
}

fn problem(error: BudgetError) -> Problem {
    let code = match &error {
        BudgetError::Exhausted { .. } => ProblemCode::BudgetExceeded,
        BudgetError::Halted { .. } => ProblemCode::Halted,
        BudgetError::NoMajority { .. } => ProblemCode::NotEnough,
        BudgetError::Free { .. } | BudgetError::NoNoise | BudgetError::Unpayable => ProblemCode::BadRequest,
        _ => ProblemCode::Conflict,
    };
    Problem::new(code, error.to_string())
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemCode::LicenseInvalid, detail)
}

/// A license that may be used at the mirror's head.
///
/// # Errors
/// Where there is none, it has expired, or it is not for queries.
pub fn license(mirror: &Mirror, id: LicenseId) -> Result<&LicenseState, Problem> {
    let license = mirror.latest.licenses.get(&id).ok_or_else(|| refused(format!("there is no license {id}")))?;
    let (expiry, now) = (license.terms.expiry, mirror.now());
    if expiry < now {
        let detail = format!("license {id} expired at {expiry}, block time is {now}");
        return Err(refused(detail).hint("buy another license"));
    }
    if license.terms.right != 1 {
        return Err(refused(format!("license {id} gives right {}, a query needs right 1", license.terms.right)));
    }
    Ok(license)
}

impl Steward {
    /// The log as the rules see it, and its last row where that is not committed.
    async fn log(&self, mirror: &Mirror) -> Result<(StewardLog, Vec<Row>, Option<Row>), Problem> {
        let mut rows: Vec<Row> = self.store.budget_log().await?;
        let pending = rows.pop_if(|row| row.countersignatures.is_none());
        let seats = u8::try_from(mirror.latest.seats.len()).map_err(internal)?;
        let everyone: BTreeSet<StewardId> = (1..=seats).map(StewardId).collect();
        let mut log = StewardLog::new(self.config.budget.total);
        for row in &rows {
            // What a majority signed was checked when it was appended.
            log.commit(&rule(&row.entry), &everyone, seats).map_err(internal)?;
        }
        Ok((log, rows, pending))
    }

    /// Our copy of the log.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn budget_log(&self) -> Result<BudgetLog, Problem> {
        let mirror = self.mirror()?;
        let (log, rows, pending) = self.log(&mirror).await?;
        let committed =
            |row: Row| CommitRequest { entry: row.entry, countersignatures: row.countersignatures.unwrap_or_default() };
        Ok(BudgetLog {
            total: self.config.budget.total,
            left: log.left(),
            entries: rows.into_iter().map(committed).collect(),
            signed: pending.map(|row| row.entry),
        })
    }

    /// Checks an entry and signs it. The same entry again gets the same signature.
    ///
    /// # Errors
    /// With what stands against it.
    pub async fn sign_entry(self: &Arc<Self>, asked: &EntryRequest) -> Result<Countersignature, Problem> {
        let _one = self.debiting.lock().await;
        self.refuse_if_halted(DUTY).await?;
        let mirror = self.at_head().await?;
        let seat = self.seat(&mirror)?;
        let entry = &asked.entry;
        let hash = rule(entry).hash();
        let (mut log, rows, pending) = self.log(&mirror).await?;
        let held = rows.iter().chain(&pending).find(|row| row.index == entry.index && row.entry_hash == hash);
        if let Some(signature) = held.and_then(|row| row.signature.clone()) {
            return Ok(Countersignature { steward: seat, signature: signature.into() });
        }
        if let Some(other) = pending.filter(|row| row.index == entry.index) {
            let other = BudgetError::SignedOther { index: other.index, signed: other.entry_hash };
            return Err(problem(other));
        }
        let order_digest = self.check_order(&mirror, &asked.request, entry)?;
        let snapshot = self.snapshot_of(&mirror, entry, asked.cut).await?;
        if snapshot.digest != entry.snapshot {
            let detail =
                format!("the pool as of {} has snapshot {}, not {}", asked.cut, snapshot.digest, entry.snapshot);
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("ask for the snapshot again"));
        }
        log.sign(&rule(entry), mirror.now()).map_err(problem)?;
        let signature = eip712::sign(
            &self.keys.signer,
            &eip712::BudgetEntry::from(&rule(entry)),
            &self.manifest.committee_domain(),
        )
        .map_err(internal)?;
        if !self.store.sign_entry(entry.index, hash, entry, order_digest, &signature).await? {
            let detail = format!("the order with digest {order_digest} paid for another entry already");
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("sign a new order with a fresh nonce"));
        }
        Ok(Countersignature { steward: seat, signature })
    }

    /// The researcher's order: signed by the license's holder, for this query, this purpose, this charge, in time.
    fn check_order(&self, mirror: &Mirror, request: &QueryRequest, entry: &BudgetEntry) -> Result<B256, Problem> {
        let order = &request.order;
        let license = license(mirror, order.license_id)?;
        let terms = &license.terms;
        let message = eip712::QueryOrder {
            licenseId: order.license_id.0,
            queryDigest: order.query_digest,
            rho: order.rho,
            purpose: order.purpose.0,
            nonce: order.nonce,
            deadline: U256::from(order.deadline),
        };
        let domain = self.manifest.committee_domain();
        eip712::verify(&message, &domain, &request.signature, license.holder)
            .map_err(|error| refused(format!("license {} is another's: {error}", order.license_id)))?;
        request.query.validate().map_err(|error| Problem::new(ProblemCode::BadRequest, error.to_string()))?;
        let digest = request.query.digest().map_err(|e| Problem::new(ProblemCode::BadRequest, e.to_string()))?;
        let bad = |detail: String| Err(Problem::new(ProblemCode::BadRequest, detail));
        if digest != order.query_digest {
            return bad(format!("the query has digest {digest}, the order names {}", order.query_digest));
        }
        if request.query.dataset != terms.dataset {
            let detail = format!(
                "the license is for dataset {}, the query asks dataset {}",
                terms.dataset, request.query.dataset
            );
            return Err(refused(detail));
        }
        if order.purpose != terms.purpose {
            return Err(refused(format!(
                "the license is for purpose {}, the order for {}",
                terms.purpose, order.purpose
            )));
        }
        if order.deadline < mirror.now() {
            return bad(format!("the order's deadline {} has passed, block time is {}", order.deadline, mirror.now()));
        }
        if request.query.rho != order.rho {
            return bad(format!("the query spends {}, the order {} nano-zCDP", request.query.rho, order.rho));
        }
        let same = (entry.license_id, entry.purpose, entry.rho, entry.query_digest)
            == (order.license_id, order.purpose, order.rho, order.query_digest);
        if !same {
            return bad("the entry's license, purpose, charge and query must be the order's".to_owned());
        }
        Ok(eip712::digest(&message, &domain))
    }

    /// The snapshot behind an entry: as asked for before, or computed now.
    async fn snapshot_of(
        self: &Arc<Self>,
        mirror: &Mirror,
        entry: &BudgetEntry,
        cut: B256,
    ) -> Result<SnapshotRow, Problem> {
        let terms = license(mirror, entry.license_id)?.terms;
        if let Some(kept) = self.store.snapshot(entry.snapshot).await?
            && (kept.cut, kept.dataset, kept.purpose) == (cut, terms.dataset, terms.purpose)
            && kept.ids.len() as u64 <= u64::from(terms.records)
        {
            return Ok(kept);
        }
        self.snapshot_at(mirror, entry.license_id, cut).await
    }

    /// Appends an entry that a majority signed.
    ///
    /// # Errors
    /// Where signatures do not hold or do not suffice, the entry does not follow, or a steward equivocated.
    pub async fn commit_entry(self: &Arc<Self>, request: &CommitRequest) -> Result<BudgetLog, Problem> {
        {
            let _one = self.debiting.lock().await;
            self.refuse_if_halted(DUTY).await?;
            let mirror = self.at_head().await?;
            let entry = rule(&request.entry);
            let hash = entry.hash();
            let signers = self.verify_signers(&mirror, &entry, &request.countersignatures).await?;
            let (mut log, rows, _) = self.log(&mirror).await?;
            let seats = u8::try_from(mirror.latest.seats.len()).map_err(internal)?;
            if let Some(held) = rows.iter().find(|row| row.index == entry.index && row.entry_hash != hash) {
                let reason = format!(
                    "entry {} was committed as {}, and a majority also signed {hash}",
                    entry.index, held.entry_hash
                );
                if signers.len() >= budget::majority(seats) {
                    self.store.halt(DUTY, &reason).await?;
                    return Err(Problem::new(ProblemCode::Halted, reason));
                }
                return Err(Problem::new(
                    ProblemCode::Conflict,
                    format!("entry {} is committed as {}", entry.index, held.entry_hash),
                ));
            }
            log.commit(&entry, &signers, seats).map_err(problem)?;
            self.store.commit_entry(entry.index, hash, &request.entry, &request.countersignatures).await?;
        }
        self.budget_log().await
    }

    /// The stewards whose signatures over `entry` hold. Each is noted; a second one for an index halts the pool.
    async fn verify_signers(
        &self,
        mirror: &Mirror,
        entry: &budget::BudgetEntry,
        signatures: &[Countersignature],
    ) -> Result<BTreeSet<StewardId>, Problem> {
        let message = eip712::BudgetEntry::from(entry);
        let domain = self.manifest.committee_domain();
        let hash = entry.hash();
        let mut signers = BTreeSet::new();
        for Countersignature { steward, signature } in signatures {
            let seat = usize::from(steward.0).checked_sub(1).and_then(|at| mirror.latest.seats.get(at));
            let seat = seat.ok_or_else(|| problem(BudgetError::NoSeat(*steward)))?;
            eip712::verify(&message, &domain, signature, seat.signer).map_err(|error| {
                Problem::new(ProblemCode::SealBroken, format!("countersignature of steward {steward}: {error}"))
            })?;
            let first = self.store.note_signer(entry.index, *steward, hash, signature).await?;
            if first != hash {
                let found = BudgetError::Halted { steward: *steward, index: entry.index, first, second: hash };
                self.store.halt(DUTY, &found.to_string()).await?;
                return Err(problem(found));
            }
            signers.insert(*steward);
        }
        Ok(signers)
    }

    /// Compares the receipts on chain with our log: one for another entry than the committed one halts the pool.
    /// Missing entries are taken from peers.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn watch_receipts(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let rows: Vec<Row> = self.store.budget_log().await?;
        let committed = |index: u64| rows.iter().find(|row| row.index == index && row.countersignatures.is_some());
        for receipt in mirror.latest.receipts.values() {
            if let Some(row) = committed(receipt.index)
                && row.entry_hash != receipt.entry_hash
            {
                let reason = format!(
                    "index {} is anchored on chain as {}, this log holds {}",
                    receipt.index, receipt.entry_hash, row.entry_hash
                );
                self.store.halt(DUTY, &reason).await?;
            }
        }
        let newest = mirror.latest.receipts.keys().next_back().copied().unwrap_or(0);
        let held = rows.iter().filter(|row| row.countersignatures.is_some()).count() as u64;
        if held >= newest {
            return Ok(());
        }
        for (peer, client) in self.peers(mirror) {
            let Ok(log) = client.get_signed::<BudgetLog>("/v1/budget", mirror.now()).await else { continue };
            for request in log.entries.iter().filter(|request| request.entry.index > held) {
                if let Err(problem) = self.commit_entry(request).await {
                    tracing::warn!(%peer, %problem, "an entry of a peer's budget log was refused");
                    break;
                }
            }
        }
        Ok(())
    }

    /// The committed row at an index.
    ///
    /// # Errors
    /// Where this log does not hold it.
    pub async fn committed(&self, index: u64) -> Result<(B256, BudgetEntry), Problem> {
        let rows: Vec<Row> = self.store.budget_log().await?;
        let row = rows.into_iter().find(|row| row.index == index && row.countersignatures.is_some());
        let row = row.ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("entry {index} is not committed in this steward's log"))
                .hint("commit it with a majority's signatures first")
        })?;
        Ok((row.entry_hash, row.entry))
    }
}
