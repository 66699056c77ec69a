//! The rows of settled epochs: read with everybody's keys, settled, and kept, all members at once and by threads of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, Books, Entered, Global, Header, LedgerError, Round, Row, SettledInputs};
use rochdale_crypto::keystore::MemberKey;

use super::{Before, Computed, leaf_row};
use crate::keys::{self, Keys};
use crate::steward::internal;
use crate::store::{EpochRow, LeafRow, Store};

/// What settling reads and writes. It needs no chain.
#[derive(Clone)]
pub struct Shelf {
    /// The steward's database.
    pub store: Store,
    /// The steward's keys.
    pub keys: Arc<Keys>,
    /// Depth of the trees.
    pub depth: u8,
}

impl Shelf {
    /// What stands before an epoch.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn before(&self, epoch: Epoch) -> Result<Before, Problem> {
        let last = Epoch(epoch.0 - 1);
        let Some(settled) = self.store.epoch::<Header, Global>(last).await? else {
            return Ok(Before { books: Arc::new(Books::new(self.depth)), has_gaps: false });
        };
        let leaves = self.store.rows_alone(last).await?;
        let mut owed = BTreeMap::new();
        for leaf in leaves.iter().filter(|leaf| leaf.wrapped.is_none() && leaf.private_hash != ledger::CLOSED_PRIVATE) {
            let kept = self.store.erasure(leaf.member).await?.and_then(|erasure| erasure.row);
            owed.extend(kept.map(|kept| (leaf.member, kept)));
        }
        let (wrapped, keys) = (self.store.member_keys().await?, Arc::clone(&self.keys));
        let rows = blocking(move || {
            ledger::share(leaves.len(), |index| {
                let leaf = &leaves[index];
                let key = match (&leaf.wrapped, wrapped.get(leaf.member)) {
                    (Some(_), Some(key)) => Some(keys.unwrap_member(leaf.member, key)?),
                    _ => None,
                };
                let kept = open_row(last, leaf, key.as_ref(), owed.get(&leaf.member).map(String::as_str))?;
                Ok::<_, Problem>((kept.is_none(), kept.unwrap_or_else(|| Row::shown(&leaf.amounts, false))))
            })
        })
        .await?;
        let has_gaps = rows.iter().any(|(is_gap, _)| *is_gap);
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        let books = Arc::new(Books::at(self.depth, settled.globals, rows, settled.header.root));
        Ok(Before { books, has_gaps })
    }

    /// Settles an epoch from what entered.
    ///
    /// # Errors
    /// Where the inputs contradict each other, or a row key is missing.
    pub async fn settle(
        &self,
        books: &Arc<Books>,
        settled: SettledInputs,
        entered: Vec<Entered>,
    ) -> Result<Computed, Problem> {
        let (wrapped, keys, books) = (self.store.row_keys().await?, Arc::clone(&self.keys), Arc::clone(books));
        blocking(move || {
            let row_keys = keys.unwrap_row_keys(&wrapped)?;
            drop(wrapped);
            let row_key = |member: MemberId| row_keys.get(member.0 as usize)?.as_ref().map(|key| *key.expose());
            let round = books.settle(&settled, row_key).map_err(|error| match error {
                LedgerError::NoRowKey(_) => {
                    Problem::new(ProblemCode::NotEnough, error.to_string()).hint("it is taken from a peer that is up")
                }
                error => internal(error),
            })?;
            Ok(Computed { round, settled, entered })
        })
        .await
    }

    /// Keeps a computed epoch as settled. Of a row that nothing was computed from there is the leaf alone.
    ///
    /// # Errors
    /// Where the store fails; then nothing is kept.
    pub async fn record(&self, computed: Computed) -> Result<Header, Problem> {
        let Computed { round, settled: from, entered } = computed;
        let (epoch, mut wrapped) = (round.header.epoch, self.store.member_keys().await?);
        let mut has_new = false;
        let is_gone = |member| from.stand_ins.get(&member).is_some_and(|one: &ledger::StandIn| one.amounts.is_some());
        for (row, id) in round.settled.rows.iter().zip(1..) {
            let member = MemberId(id);
            if !row.closed && !is_gone(member) && wrapped.get(member).is_none() {
                self.keys.member_or_new(&self.store, member).await?;
                has_new = true;
            }
        }
        if has_new {
            wrapped = self.store.member_keys().await?;
        }
        let gone: BTreeSet<MemberId> = from.stand_ins.keys().copied().filter(|member| is_gone(*member)).collect();
        drop(from);
        let keys = Arc::clone(&self.keys);
        let (leaves, row) = blocking(move || {
            let Round { settled, header, tree, inputs, leaves } = round;
            drop((tree, inputs));
            let leaves = ledger::share(leaves.len(), |index| {
                let (mut leaf, row) = (leaf_row(index, &leaves[index]), &settled.rows[index]);
                if !row.closed && !gone.contains(&leaf.member) {
                    let key = wrapped.get(leaf.member);
                    let key = key.ok_or_else(|| internal(format!("the key of member {} is missing", leaf.member)))?;
                    let key = keys.unwrap_member(leaf.member, key)?;
                    leaf.wrapped = Some(keys::wrap_row(&key, epoch, row));
                    leaf.inputs = Some(keys::wrap_inputs(&key, epoch, &settled.inputs[index]));
                }
                Ok::<_, Problem>(leaf)
            })?;
            Ok((leaves, EpochRow { epoch, header, globals: settled.global }))
        })
        .await?;
        self.store.settle(&row, &leaves, &entered).await?;
        Ok(row.header)
    }
}

/// The exact row behind a leaf, or none where only the leaf was ever here. `owed` is what the ledger owes to who erased everything.
///
/// # Errors
/// Where what is kept is damaged, or the member's key is missing.
pub(super) fn open_row(
    epoch: Epoch,
    leaf: &LeafRow,
    key: Option<&MemberKey>,
    owed: Option<&str>,
) -> Result<Option<Row>, Problem> {
    if let Some(wrapped) = &leaf.wrapped {
        let key = key.ok_or_else(|| internal(format!("the key of member {} is missing", leaf.member)))?;
        return Ok(Some(keys::unwrap_row(key, epoch, wrapped)?));
    }
    if leaf.private_hash == ledger::CLOSED_PRIVATE {
        return Ok(Some(Row::shown(&leaf.amounts, true)));
    }
    owed.map(|owed| serde_json::from_str(owed).map_err(internal)).transpose()
}

/// Runs what takes a while beside what waits.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(internal)?
}
