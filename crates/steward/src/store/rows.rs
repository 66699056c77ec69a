//! Everybody's rows after each epoch, in pages of neighbouring members: an epoch writes and reads all of them, and a statement for each
//! member costs more than everything else that settling does. Within a page what is secret is wrapped member by member, each under the
//! member's own key; erasing takes one member's bytes out of its pages.

use alloy::primitives::B256;
use futures_util::TryStreamExt as _;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::Amounts;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::{Result, Store, bytes, damaged, get};

/// Members of a page: ids from `page · MEMBERS + 1`.
const MEMBERS: usize = 256;
/// Bytes of a leaf: four amounts and two hashes.
const LEAF: usize = 4 * 16 + 2 * 32;
/// Bytes that say how long what follows is.
const LENGTH: usize = 4;

/// A member's row after an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRow {
    /// The member whom it belongs to.
    pub member: MemberId,
    /// What the chain may see.
    pub amounts: Amounts,
    /// Hash of the private part.
    pub private_hash: B256,
    /// Leaf of the member's inputs.
    pub inputs_leaf: B256,
    /// The exact row, wrapped; gone where the member erased everything.
    pub wrapped: Option<Vec<u8>>,
    /// The exact inputs, wrapped; kept of the last two epochs.
    pub inputs: Option<Vec<u8>>,
}

impl Store {
    /// All rows after an epoch, by member.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn rows(&self, epoch: Epoch) -> Result<Vec<LeafRow>> {
        let sql = "SELECT rows.page, leaves, rows.wrapped, row_inputs.wrapped AS inputs FROM rows
                   LEFT JOIN row_inputs USING (epoch, page) WHERE epoch = $1 ORDER BY page";
        self.read_pages(sql, epoch).await
    }

    /// The same without the inputs behind them.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn rows_alone(&self, epoch: Epoch) -> Result<Vec<LeafRow>> {
        let sql = "SELECT page, leaves, wrapped, NULL AS inputs FROM rows WHERE epoch = $1 ORDER BY page";
        self.read_pages(sql, epoch).await
    }

    async fn read_pages(&self, sql: &'static str, epoch: Epoch) -> Result<Vec<LeafRow>> {
        let mut pages = sqlx::query(sql).bind(i64::from(epoch.0)).fetch(&self.pool);
        let mut leaves = Vec::new();
        while let Some(row) = pages.try_next().await? {
            read_page(&row, &mut leaves)?;
        }
        Ok(leaves)
    }

    /// One member's row after an epoch.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn leaf(&self, epoch: Epoch, member: MemberId) -> Result<Option<LeafRow>> {
        let Some((page, _)) = place(member) else { return Ok(None) };
        let sql = "SELECT rows.page, leaves, rows.wrapped, row_inputs.wrapped AS inputs FROM rows
                   LEFT JOIN row_inputs USING (epoch, page) WHERE epoch = $1 AND page = $2";
        let row = sqlx::query(sql).bind(i64::from(epoch.0)).bind(page).fetch_optional(&self.pool).await?;
        let mut leaves = Vec::new();
        row.map(|row| read_page(&row, &mut leaves)).transpose()?;
        Ok(leaves.into_iter().find(|leaf| leaf.member == member))
    }
}

/// Where a member's row lies: its page, and its place within the page. Nobody has id 0.
fn place(member: MemberId) -> Option<(i64, usize)> {
    let index = member.0.checked_sub(1)? as usize;
    Some(((index / MEMBERS) as i64, index % MEMBERS))
}

/// Writes the rows of an epoch, which are those of members 1, 2, 3 …: a row's place says whose it is.
pub(super) async fn insert(connection: &mut SqliteConnection, epoch: Epoch, rows: &[LeafRow]) -> Result<()> {
    if let Some((place, row)) = (1..).zip(rows).find(|(place, row)| row.member.0 != *place) {
        return Err(damaged("rows", format!("member {} stands in the place of member {place}", row.member)));
    }
    for (page, rows) in (0i64..).zip(rows.chunks(MEMBERS)) {
        let mut leaves = Vec::with_capacity(rows.len() * LEAF);
        for row in rows {
            let Amounts { cash, stream, data, gov } = row.amounts;
            [cash, stream, data, gov].iter().for_each(|amount| leaves.extend_from_slice(&amount.to_be_bytes()));
            leaves.extend_from_slice(row.private_hash.as_slice());
            leaves.extend_from_slice(row.inputs_leaf.as_slice());
        }
        sqlx::query("INSERT INTO rows (epoch, page, leaves, wrapped) VALUES ($1, $2, $3, $4)")
            .bind(i64::from(epoch.0))
            .bind(page)
            .bind(leaves)
            .bind(join(rows.iter().map(|row| row.wrapped.as_deref())))
            .execute(&mut *connection)
            .await?;
        sqlx::query("INSERT INTO row_inputs (epoch, page, wrapped) VALUES ($1, $2, $3)")
            .bind(i64::from(epoch.0))
            .bind(page)
            .bind(join(rows.iter().map(|row| row.inputs.as_deref())))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A member's row of an epoch under another key, with the inputs behind it.
pub type RewrappedRow = (u32, Vec<u8>, Option<Vec<u8>>);

/// Puts others, or nothing, in the place of a member's exact rows and inputs of every epoch; `next` has those of some epochs. Gives what
/// stood there.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    member: MemberId,
    next: &[RewrappedRow],
) -> Result<Vec<Vec<u8>>> {
    let Some((page, at)) = place(member) else { return Ok(Vec::new()) };
    let (mut traces, next) = (Vec::new(), |epoch| next.iter().find(|(of, ..)| *of == epoch));
    for (select, update, is_row) in [
        (
            "SELECT epoch, wrapped FROM rows WHERE page = $1",
            "UPDATE rows SET wrapped = $3 WHERE epoch = $1 AND page = $2",
            true,
        ),
        (
            "SELECT epoch, wrapped FROM row_inputs WHERE page = $1",
            "UPDATE row_inputs SET wrapped = $3 WHERE epoch = $1 AND page = $2",
            false,
        ),
    ] {
        for row in sqlx::query(select).bind(page).fetch_all(&mut *connection).await? {
            let (epoch, kept) = (get::<u32>(&row, "epoch")?, bytes(&row, "wrapped")?);
            let mut items = split(&kept)?;
            let new = next(epoch).and_then(|(_, row, inputs)| if is_row { Some(&**row) } else { inputs.as_deref() });
            let Some(place) = items.get_mut(at) else { continue };
            let old = std::mem::replace(place, new);
            if old != new {
                traces.extend(old.map(<[u8]>::to_vec));
                let page = sqlx::query(update).bind(i64::from(epoch)).bind(page).bind(join(items.into_iter()));
                page.execute(&mut *connection).await?;
            }
        }
    }
    Ok(traces)
}

/// What is wrapped of the members of a page, one after the other, each with its length in front; 0 where nothing is.
fn join<'a>(items: impl Iterator<Item = Option<&'a [u8]>> + Clone) -> Vec<u8> {
    let bytes = items.clone().map(|item| LENGTH + item.map_or(0, <[u8]>::len)).sum();
    let mut joined = Vec::with_capacity(bytes);
    for item in items.map(Option::unwrap_or_default) {
        // What is wrapped of one member and epoch is far below 4 GiB.
        joined.extend_from_slice(&u32::try_from(item.len()).unwrap_or(u32::MAX).to_be_bytes());
        joined.extend_from_slice(item);
    }
    joined
}

fn split(mut joined: &[u8]) -> Result<Vec<Option<&[u8]>>> {
    let mut items = Vec::with_capacity(MEMBERS);
    while let Some((length, rest)) = joined.split_first_chunk::<LENGTH>() {
        let item = rest.split_at_checked(u32::from_be_bytes(*length) as usize);
        let (item, rest) = item.ok_or_else(|| damaged("a page of rows", "it ends early"))?;
        items.push((!item.is_empty()).then_some(item));
        joined = rest;
    }
    if !joined.is_empty() {
        return Err(damaged("a page of rows", "something is left at its end"));
    }
    Ok(items)
}

fn read_page(row: &SqliteRow, to: &mut Vec<LeafRow>) -> Result<()> {
    let page: u32 = get(row, "page")?;
    let leaves: &[u8] = row.try_get("leaves")?;
    let wrapped = split(row.try_get("wrapped")?)?;
    let inputs: Option<&[u8]> = row.try_get("inputs")?;
    let inputs = inputs.map_or_else(|| Ok(vec![None; wrapped.len()]), split)?;
    if leaves.len() != LEAF * wrapped.len() || inputs.len() != wrapped.len() || wrapped.len() > MEMBERS {
        return Err(damaged("a page of rows", "its parts are of different lengths"));
    }
    let first = page.checked_mul(MEMBERS as u32).and_then(|first| first.checked_add(1));
    let first = first.ok_or_else(|| damaged("a page of rows", "its number is no page's"))?;
    for ((leaf, member), (wrapped, inputs)) in
        leaves.chunks_exact(LEAF).zip(first..).zip(wrapped.into_iter().zip(inputs))
    {
        let amount = |at: usize| u128::from_be_bytes(leaf[at..at + 16].try_into().expect("sixteen bytes"));
        to.push(LeafRow {
            member: MemberId(member),
            amounts: Amounts { cash: amount(0), stream: amount(16), data: amount(32), gov: amount(48) },
            private_hash: B256::from_slice(&leaf[64..96]),
            inputs_leaf: B256::from_slice(&leaf[96..128]),
            wrapped: wrapped.map(<[u8]>::to_vec),
            inputs: inputs.map(<[u8]>::to_vec),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rochdale_core::ids::ContributionId;
    use rochdale_core::ledger::{Entered, Score};

    use super::*;
    use crate::store::{EpochRow, ErasureRow, Rewrapped};

    #[test]
    fn what_a_page_holds_comes_back_in_its_place_and_a_damaged_page_is_told() {
        let items = [Some(&b"ada"[..]), None, Some(b"eve"), None];
        let joined = join(items.into_iter());
        assert_eq!(split(&joined).unwrap(), items);
        assert_eq!(split(&[]).unwrap(), [None; 0]);
        assert!(split(&joined[..joined.len() - 1]).is_err(), "a length without its end");
        assert!(split(&joined[..6]).is_err(), "an item without its end");
    }

    fn row(member: u32) -> LeafRow {
        // No two members' bytes have a piece in common.
        let wrapped = |of: u8| Some([&[of][..], &member.to_be_bytes()].concat().repeat(20));
        LeafRow {
            member: MemberId(member),
            amounts: Amounts { cash: member.into(), stream: 2, data: u128::MAX, gov: 4 },
            private_hash: B256::with_last_byte(5),
            inputs_leaf: B256::with_last_byte(6),
            wrapped: wrapped(7),
            inputs: wrapped(8),
        }
    }

    fn entered(epoch: u32) -> Entered {
        let score = Score { quality: 1, uniqueness: 2, authenticity: 3, rarity: 4 };
        let (contribution, member) = (ContributionId(u64::from(epoch)), MemberId(1));
        Entered { contribution, member, epoch: Epoch(epoch), score, sketch: B256::with_last_byte(9) }
    }

    async fn settle(store: &Store, epoch: u32, rows: &[LeafRow]) {
        let header = EpochRow { epoch: Epoch(epoch), header: 0u8, globals: 0u8 };
        store.settle(&header, rows, &[entered(epoch)]).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_taken_out_of_a_page_leaves_its_neighbours() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let rows: Vec<LeafRow> = (1..=300).map(row).collect();
        settle(&store, 1, &rows).await;
        settle(&store, 2, &rows).await;
        assert_eq!(store.rows(Epoch(2)).await.unwrap(), rows);
        assert_eq!(store.leaf(Epoch(1), MemberId(257)).await.unwrap(), Some(row(257)));
        assert_eq!(store.leaf(Epoch(1), MemberId(301)).await.unwrap(), None);

        let member = MemberId(256);
        let next = Rewrapped { key: vec![1; 60], row_key: None, rows: vec![(2, vec![3; 70], None)] };
        let traces = store.destroy_records(&ErasureRow { member, ..ErasureRow::default() }, &next).await.unwrap();
        let kept = row(256);
        for gone in [kept.wrapped.clone().unwrap(), kept.inputs.clone().unwrap()] {
            assert_eq!(traces.iter().filter(|trace| **trace == gone).count(), 2, "of both epochs");
        }
        store.prove_gone(traces).await.unwrap();
        let left = |wrapped| LeafRow { wrapped, inputs: None, ..row(256) };
        assert_eq!(store.leaf(Epoch(1), member).await.unwrap(), Some(left(None)));
        assert_eq!(store.leaf(Epoch(2), member).await.unwrap(), Some(left(Some(vec![3; 70]))));
        let others = |rows: Vec<LeafRow>| rows.into_iter().filter(|one| one.member != member).collect::<Vec<_>>();
        assert_eq!(others(store.rows(Epoch(1)).await.unwrap()), others(rows.clone()));

        settle(&store, 3, &rows).await;
        let inputs = store.rows(Epoch(1)).await.unwrap();
        assert!(inputs.iter().all(|one| one.inputs.is_none()), "two epochs are settled after it");
        assert!(store.rows(Epoch(2)).await.unwrap()[0].inputs.is_some());
    }

    #[tokio::test]
    async fn a_row_in_another_members_place_is_refused_and_nothing_of_the_epoch_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let header = EpochRow { epoch: Epoch(1), header: 0u8, globals: 0u8 };
        for wrong in [vec![row(1), row(3)], vec![row(2), row(1)], vec![row(0)]] {
            let error = store.settle(&header, &wrong, &[entered(1)]).await.unwrap_err();
            assert!(error.to_string().contains("in the place of member"), "{error}");
        }
        assert_eq!(store.rows(Epoch(1)).await.unwrap(), []);
        settle(&store, 1, &[row(1), row(2)]).await;
    }

    #[tokio::test]
    async fn whose_score_entered_is_read_again_once_an_epoch_is_settled_or_undone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let ids = async || store.entered_ids().await.unwrap().iter().copied().collect::<BTreeSet<_>>();
        assert!(ids().await.is_empty());
        settle(&store, 1, &[row(1)]).await;
        assert_eq!(ids().await, BTreeSet::from([ContributionId(1)]));
        store.unsettle(Epoch(1)).await.unwrap();
        assert!(ids().await.is_empty());
    }

    #[test]
    fn neighbours_share_a_page() {
        assert_eq!(
            [0, 1, 256, 257, u32::MAX].map(|id| place(MemberId(id))),
            [None, Some((0, 0)), Some((0, 255)), Some((1, 0)), Some((16_777_215, 254)),]
        );
    }
}
