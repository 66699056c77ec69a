//! Point 10: what a member had erased is in no file of a steward, and the steward signs for nothing less.

use std::collections::BTreeMap;
use std::path::Path;

use alloy::primitives::{B256, U256};
use anyhow::{Context as _, Result};
use rochdale_api::ProblemCode;
use rochdale_api::member::ErasureAttestation;
use rochdale_api::route::steward;
use rochdale_api::settlement::SheetCopy;
use rochdale_chain::eip712;
use rochdale_core::consent::Choice;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger;
use rochdale_crypto::{Header, RowKey};
use rochdale_steward::store::{LeafRow, OfferRow};
use rochdale_steward::{audit, transcript};
use sqlx::{Connection as _, Row as _};

use crate::world::World;

/// The names of what any file below `dir` holds.
fn found(dir: &Path, needles: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        // A key's file may go while we look.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for (name, needle) in needles {
            assert!(needle.len() >= 16, "{name} is too short to be looked for");
            // What is long lies on several pages, so its ends are looked for.
            let piece = needle.len().min(32);
            let ends = [&needle[..piece], &needle[needle.len() - piece..]];
            if bytes.windows(piece).any(|window| ends.contains(&window)) {
                found.push(format!("{name} in {}", path.display()));
            }
        }
    }
    Ok(found)
}

/// What each table of a steward's database holds of a member. A table that is not here fails the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Rows by member, all of which go.
    Member,
    /// That there was an erasure stays.
    Leaf,
    /// Pages of neighbouring members. What stays of a row is what the chain and every claim show: its leaf.
    Page,
    /// Rows by record, all of which go.
    Record,
    /// Ids of records, which go with their snapshot.
    Ids,
    /// Everybody's inputs, under the master key; in the sealed ones nothing opens for anybody here any more.
    Sheet,
    /// Row keys of accounts that have not joined, for a day.
    Offer,
    /// What the chain says.
    Chain,
    /// Nothing of any member.
    Nobody,
}

const TABLES: &[(&str, Holds)] = &[
    ("_sqlx_migrations", Holds::Nobody),
    ("awards", Holds::Member),
    ("blocks", Holds::Chain),
    ("consents", Holds::Member),
    ("contributions", Holds::Member),
    ("debits", Holds::Chain),
    ("deferred", Holds::Record),
    ("denials", Holds::Member),
    ("differences", Holds::Sheet),
    ("entered", Holds::Member),
    ("epochs", Holds::Nobody),
    ("erasures", Holds::Leaf),
    ("events", Holds::Chain),
    ("folded", Holds::Nobody),
    ("halts", Holds::Nobody),
    ("held_words", Holds::Member),
    ("known_final", Holds::Chain),
    ("member_keys", Holds::Member),
    ("offers", Holds::Offer),
    ("openings", Holds::Member),
    ("questions", Holds::Nobody),
    ("redealt", Holds::Member),
    ("reshares", Holds::Member),
    ("row_inputs", Holds::Page),
    ("row_keys", Holds::Member),
    ("rows", Holds::Page),
    ("score_reasons", Holds::Member),
    ("scores", Holds::Member),
    ("sealing_keys", Holds::Nobody),
    ("shares", Holds::Member),
    ("sheet_copies", Holds::Sheet),
    ("sheets", Holds::Sheet),
    ("signed_headers", Holds::Nobody),
    ("sizes", Holds::Nobody),
    ("snapshots", Holds::Ids),
    ("spent", Holds::Member),
    ("uses", Holds::Member),
];

async fn database(world: &World, seat: u8) -> Result<sqlx::SqliteConnection> {
    let file = world.configs[usize::from(seat) - 1].data_dir.join("steward.db");
    Ok(sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?)
}

/// What is left of a member in a steward's tables, by name; every table is looked at.
async fn left(world: &World, seat: u8, member: MemberId, records: &[ContributionId]) -> Result<Vec<String>> {
    let mut db = database(world, seat).await?;
    let names =
        sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
    let names: Vec<String> =
        names.fetch_all(&mut db).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    assert_eq!(
        names,
        TABLES.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "say what a new table holds of members"
    );
    let mut left = Vec::new();
    for (table, holds) in TABLES {
        let columns = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')")));
        let columns: Vec<String> =
            columns.fetch_all(&mut db).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let has = |column: &str| columns.iter().any(|name| name == column);
        let counted = match holds {
            Holds::Member => Some(format!("SELECT COUNT(*) FROM {table} WHERE member_id = {member}")),
            Holds::Record => {
                let ids: Vec<String> = records.iter().map(ToString::to_string).collect();
                Some(format!("SELECT COUNT(*) FROM {table} WHERE contribution_id IN ({})", ids.join(",")))
            }
            _ => None,
        };
        let is_of_members = ["member_id", "contribution_id", "commitment"].into_iter().any(has);
        assert!(
            counted.is_some() || !is_of_members || *table == "erasures",
            "{table} has a member's column: {columns:?}"
        );
        if let Some(sql) = counted {
            let count: i64 = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut db).await?.try_get(0)?;
            left.extend((count > 0).then(|| format!("{count} rows of {table}")));
        }
    }
    for leaf in leaves(world, seat, &mut db, member).await? {
        left.extend(leaf.wrapped.map(|_| "an exact row".to_owned()));
        left.extend(leaf.inputs.map(|_| "inputs behind a row".to_owned()));
    }
    db.close().await?;
    for row in world.steward(seat).store.snapshots().await? {
        left.extend(row.ids.iter().filter(|id| records.contains(id)).map(|id| format!("record {id} in a snapshot")));
    }
    Ok(left)
}

/// A member's rows of all epochs, out of their pages.
async fn leaves(world: &World, seat: u8, db: &mut sqlx::SqliteConnection, member: MemberId) -> Result<Vec<LeafRow>> {
    let mut found = Vec::new();
    for row in sqlx::query("SELECT DISTINCT epoch FROM rows").fetch_all(db).await? {
        let rows = world.steward(seat).store.rows(Epoch(row.try_get(0)?)).await?;
        found.extend(rows.into_iter().filter(|leaf| leaf.member == member));
    }
    Ok(found)
}

/// What a steward's database holds of a member: each blob of each row that is the member's.
async fn at_rest(world: &World, seat: u8, member: MemberId) -> Result<BTreeMap<String, Vec<u8>>> {
    let file = world.configs[usize::from(seat) - 1].data_dir.join("steward.db");
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
    let mut needles = BTreeMap::new();
    for (table, column) in [
        ("shares", "wrapped"),
        ("contributions", "wrapped"),
        ("consents", "wrapped"),
        ("score_reasons", "wrapped"),
        ("member_keys", "wrapped"),
        ("row_keys", "wrapped"),
        ("scores", "signature"),
        ("scores", "sketch"),
        ("entered", "sketch"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT {column} FROM {table} WHERE member_id = $1"));
        for (index, row) in sqlx::query(sql).bind(i64::from(member.0)).fetch_all(&mut db).await?.iter().enumerate() {
            needles.insert(format!("{table}.{column} {index}"), row.try_get(0)?);
        }
    }
    for (index, leaf) in leaves(world, seat, &mut db, member).await?.into_iter().enumerate() {
        needles.extend(leaf.wrapped.map(|wrapped| (format!("rows.wrapped {index}"), wrapped)));
        needles.extend(leaf.inputs.map(|wrapped| (format!("row_inputs.wrapped {index}"), wrapped)));
    }
    let kept = "SELECT inputs FROM sheet_copies UNION ALL SELECT sheet FROM sheet_copies WHERE sheet IS NOT NULL";
    for (index, row) in sqlx::query(kept).fetch_all(&mut db).await?.iter().enumerate() {
        needles.insert(format!("opened sheet {index}"), row.try_get(0)?);
    }
    db.close().await?;
    let (steward, mirror) = (world.steward(seat), world.steward(seat).mirror()?);
    for row in steward.store.snapshots().await? {
        if row.ids.iter().any(|id| mirror.latest.contributions[id].member == member) {
            needles.insert(format!("blinder of snapshot {}", row.digest), row.blinder.to_vec());
        }
    }
    Ok(needles)
}

/// What it holds in the clear in memory alone.
async fn secrets(world: &World, seat: u8, member: MemberId) -> Result<BTreeMap<String, Vec<u8>>> {
    let steward = world.steward(seat);
    let row = steward.store.contributions().await?.into_iter().find(|row| row.member == member);
    let row = row.context("no contribution")?;
    let header = Header::from_bytes(&row.header)?.hash();
    let share = steward.keys.share(&steward.store, member, row.commitment, header).await?.context("no share")?;
    let part = steward.keys.private_part(&steward.store, &row, header).await?.context("no private part")?;
    let row_key = steward.keys.row_key(&steward.store, member).await?.context("no row key")?;
    let consent = steward.keys.consent(&steward.store, member, 1).await?.context("no consent")?;
    Ok(BTreeMap::from([
        ("share".to_owned(), share.to_bytes().to_vec()),
        ("contribution blinder".to_owned(), part.blinder.to_vec()),
        ("row key".to_owned(), row_key.expose().to_vec()),
        ("consent blinder".to_owned(), consent.blinder.to_vec()),
    ]))
}

async fn attestation(world: &World, seat: u8, member: MemberId) -> Result<Option<ErasureAttestation>> {
    let client = world.client(seat, &world.coop.worker);
    match client.get(steward::ERASURE.at(member)).await {
        Ok(attestation) => Ok(Some(attestation)),
        Err(error) if error.code() == ProblemCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn point_10_nothing_of_an_erased_member_is_left_in_any_file() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let (ada, eve) = (world.member(1).await?, world.member(2).await?);
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&eve, world.record(2).await?)]).await?;
    world.scored(2).await?;
    // Three questions: of both, of who stays, and, later than the erasure is known, none.
    world.used(&ids).await?;
    world.used(&ids[..1]).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;

    let mut before = Vec::new();
    for seat in 1..=3u8 {
        let dir = &world.configs[usize::from(seat) - 1].data_dir;
        let stored = at_rest(&world, seat, eve.id).await?;
        assert!(left(&world, seat, eve.id, &ids[1..]).await?.iter().any(|what| what.contains("in a snapshot")));
        for table in [
            "blinder",
            "shares",
            "contributions",
            "consents",
            "member_keys",
            "row_keys",
            "rows",
            "row_inputs",
            "scores",
            "entered",
        ] {
            assert!(stored.keys().any(|name| name.starts_with(table)), "{table}: {:?}", stored.keys());
        }
        assert!(found(dir, &stored)?.len() >= stored.len(), "the test finds what is there");
        let secrets = secrets(&world, seat, eve.id).await?;
        assert_eq!(found(dir, &secrets)?, Vec::<String>::new(), "what opens records is kept wrapped");
        before.push((stored, secrets));
    }

    world.coop.erase(&eve.key, eve.id).await?;
    world.coop.local.mine(3).await?;
    for seat in 1..=3u8 {
        let word = async || {
            world.coop.local.mine(1).await?;
            Ok(attestation(&world, seat, eve.id).await?.is_some())
        };
        world.until("the first word", word).await?;
        let (stored, secrets) = &before[usize::from(seat) - 1];
        let opens = |(name, _): &(&String, &Vec<u8>)| {
            let of = |table: &str| name.starts_with(table);
            of("shares")
                || of("contributions")
                || of("consents")
                || of("score_reasons")
                || of("member_keys")
                || of("row_keys")
        };
        let mut gone: BTreeMap<String, Vec<u8>> =
            stored.iter().filter(opens).map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
        gone.extend(secrets.clone());
        assert_eq!(found(&world.configs[usize::from(seat) - 1].data_dir, &gone)?, Vec::<String>::new());
    }

    // The epoch of the erasure is settled beyond dispute, the sealing keys of that time are replaced and destroyed.
    world.attempt(2, 0).await?;
    world.settled(2).await?;
    world.after_window(2).await?;
    for epoch in 3..=4u32 {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        world.after_window(epoch).await?;
    }
    for seat in 1..=3u8 {
        let word = async || {
            // The last key's overlap passes meanwhile.
            world.coop.local.time_to(world.now().await? + 3_600, 3).await?;
            Ok(attestation(&world, seat, eve.id).await?.is_some_and(|said| said.complete.is_some()))
        };
        world.until("the second word", word).await?;
        let said = attestation(&world, seat, eve.id).await?.and_then(|said| said.complete).context("no word")?;
        let statement = eip712::ErasureComplete { memberId: eve.id.0, at: U256::from(said.at) };
        let signer = world.coop.stewards[usize::from(seat) - 1].address();
        eip712::verify(&statement, &world.coop.manifest.committee_domain(), &said.signature, signer)?;
        let (stored, secrets) = &before[usize::from(seat) - 1];
        let dir = &world.configs[usize::from(seat) - 1].data_dir;
        assert_eq!(found(dir, stored)?, Vec::<String>::new(), "steward {seat}");
        assert_eq!(found(dir, secrets)?, Vec::<String>::new(), "steward {seat}");
        let store = &world.steward(seat).store;
        assert!(store.scores_after(ContributionId(0)).await?.iter().all(|row| row.member != eve.id));
        assert_eq!(left(&world, seat, eve.id, &ids[1..]).await?, Vec::<String>::new(), "steward {seat}");
        // What others spent is what it was, and nobody says in which questions she was.
        let state = &world.steward(seat).mirror()?.latest.clone();
        let spent = world.steward(seat).spent(state).await?;
        assert_eq!(spent.by_member, BTreeMap::from([(ada.id, 2)]), "steward {seat}");
    }
    let audited = audit::audit(world.configs[0].clone()).await?;
    assert!(audited.agrees && audited.epoch >= 4, "{audited}");
    Ok(())
}

/// What a steward keeps of an epoch for whoever is seated later, and whether the sheet itself is among it.
async fn kept(world: &World, seat: u8, epoch: u32) -> Result<(SheetCopy, bool)> {
    let steward = world.steward(seat);
    let settled = steward.store.epoch::<ledger::Header, ledger::Global>(Epoch(epoch)).await?.context("not settled")?;
    let row = steward.store.copy(Epoch(epoch), settled.header.sheet_digest).await?.context("no copy")?;
    Ok((steward.kept_copy(&settled.header).await?, row.sheet.is_some()))
}

#[tokio::test(flavor = "multi_thread")]
async fn point_10_a_wholly_new_committee_goes_on_without_the_scores_of_who_erased_everything() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let (ada, eve, ben) = (world.member(1).await?, world.member(2).await?, world.member(3).await?);
    // What ben gives is what eve gave before.
    let records = [(&ada, world.record(1).await?), (&eve, world.record(2).await?), (&ben, world.record(2).await?)];
    let ids = world.contribute(&records).await?;
    world.scored(3).await?;
    world.used(&ids).await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    world.after_window(1).await?;
    let (before, sheet) = kept(&world, 1, 1).await?;
    assert!(before.entered.iter().any(|one| one.member == eve.id) && sheet, "the test finds what is there");

    world.coop.erase(&eve.key, eve.id).await?;
    world.coop.local.mine(3).await?;
    for epoch in 2..=3u32 {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        world.after_window(epoch).await?;
    }
    for seat in 1..=3u8 {
        let scrubbed = async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(seat).store.erasure(eve.id).await?.is_some_and(|row| row.scrubbed_at.is_some()))
        };
        world.until("the copies without her", scrubbed).await?;
        for epoch in 1..=2 {
            let (copy, sheet) = kept(&world, seat, epoch).await?;
            let named = copy.entered.iter().any(|one| one.member == eve.id)
                || copy.usage.iter().any(|(member, _)| *member == eve.id)
                || copy.grants.iter().any(|grant| grant.member == eve.id);
            assert!(!named && !sheet, "steward {seat}, epoch {epoch}");
            let leaf = copy.stand_ins.iter().find(|(member, _)| *member == eve.id);
            assert!(leaf.is_some_and(|(_, one)| one.amounts.is_some()), "her leaf stands for it");
        }
        let (copy, _) = kept(&world, seat, 1).await?;
        let of_ben = copy.entered.iter().find(|one| one.member == ben.id).context("ben")?;
        assert_eq!((of_ben.contribution, of_ben.score.uniqueness), (ids[2], 0), "it was not new when it came");
    }
    let audited = audit::audit(world.configs[0].clone()).await?;
    assert!(audited.agrees && audited.epoch >= 3 && audited.stood_in == 2, "{audited}");
    let told = transcript::transcript(world.configs[0].clone()).await?;
    assert!(!told.row_keys.contains_key(&eve.id) && told.row_keys.len() == 2);
    let mut replayed = 0;
    told.replay(|round| {
        assert_eq!(round.header.root, told.epochs[replayed].root, "epoch {}", replayed + 1);
        replayed += 1;
        Ok::<(), ledger::LedgerError>(())
    })?;
    assert_eq!((replayed, told.epochs[1].root), (3, world.header(2).await?.root));

    world.reseat([4, 5, 6]).await?;
    world.settled(3).await?;
    world.attempt(4, 0).await?;
    world.settled(4).await?;
    world.after_window(4).await?;
    let audited = audit::audit(world.configs[3].clone()).await?;
    assert!(audited.agrees && audited.epoch >= 4 && audited.stood_in == 2, "{audited}");
    let store = &world.steward(1).store;
    assert!(store.entered().await?.iter().all(|row| row.member != eve.id));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_10_nothing_is_signed_while_another_reader_keeps_the_log() -> Result<()> {
    let world = World::start(&[1]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let file = world.configs[0].data_dir.join("steward.db");
    let mut reader = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
    let mut snapshot = reader.begin().await?;
    sqlx::query("SELECT COUNT(*) FROM shares").fetch_one(&mut *snapshot).await?;
    world.coop.erase(&ada.key, ada.id).await?;
    world.coop.local.mine(3).await?;
    world
        .until("the deletion", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).store.erasure(ada.id).await?.is_some())
        })
        .await?;
    for _ in 0..5 {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(attestation(&world, 1, ada.id).await?.is_none(), "what was deleted is still in the log");
    }
    let problems = world.steward(1).report().problems;
    assert!(problems.iter().any(|problem| problem.contains("another process reads the database")), "{problems:?}");
    snapshot.rollback().await?;
    reader.close().await?;
    world.until("the word", async || Ok(attestation(&world, 1, ada.id).await?.is_some())).await?;
    Ok(())
}

/// The sealing key of the first seat.
async fn in_force(world: &World) -> Result<B256> {
    Ok(world.steward(1).at_head().await?.latest.seats[0].sealing_key)
}

#[tokio::test(flavor = "multi_thread")]
async fn point_10_sealing_keys_are_replaced_each_epoch_and_destroyed() -> Result<()> {
    let mut world = World::start(&[]).await?;
    for config in &mut world.configs {
        config.sealing.overlap_s = 600;
    }
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    let ada = world.member(1).await?;
    let config = world.configs[0].clone();
    let first = rochdale_crypto::keyfile::load(&config.sealing_key_file, rochdale_crypto::keyfile::KeyKind::Sealing)?;
    let (founding, file) = (in_force(&world).await?, std::fs::read(&config.sealing_key_file)?);
    // A record that was sealed to the first key and arrives late, within the overlap and after it.
    let (early, late) = (world.seal(&ada, b"early").await?, world.seal(&ada, b"late").await?);
    world.until("the first key", async || Ok(!world.steward(1).store.sealing_keys().await?.is_empty())).await?;
    let wrapped = world.steward(1).store.sealing_keys().await?;
    assert_eq!(wrapped.len(), 1);

    world.coop.local.time_to(world.coop.manifest.schedule().end(Epoch(1)) + 1, 3).await?;
    world
        .until("another key on chain", async || {
            world.coop.local.mine(1).await?;
            Ok(in_force(&world).await? != founding)
        })
        .await?;
    world
        .until("the old key's time", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).store.sealing_keys().await?.iter().any(|row| row.retired.is_some()))
        })
        .await?;
    let resealed = |package: &rochdale_api::contribution::ContributionPackage, deadline| {
        rochdale_api::contribution::ContributionPackage { deadline, ..package.clone() }
    };
    let mut package = resealed(&early, world.now().await? + 3_600);
    world.sign(&ada, &mut package)?;
    world.give(1, &package).await?;
    world.member(2).await?;

    world.coop.local.time_to(world.now().await? + 700, 3).await?;
    world
        .until("the end of the first key", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).store.sealing_keys().await?.iter().all(|row| row.public != founding))
        })
        .await?;
    let gone = BTreeMap::from([
        ("the first key".to_owned(), first.to_vec()),
        ("its wrapped form".to_owned(), wrapped[0].wrapped.clone()),
        ("its file".to_owned(), file),
    ]);
    // Its row goes first; the files are searched, and the key's own file goes, right after.
    world
        .until("no trace", async || Ok(found(&config.data_dir, &gone)?.is_empty() && !config.sealing_key_file.exists()))
        .await?;
    // What is held is held: the same package comes again where another steward lacks it.
    package.deadline = world.now().await? + 3_600;
    world.sign(&ada, &mut package)?;
    world.give(1, &package).await?;
    let mut package = resealed(&late, world.now().await? + 3_600);
    world.sign(&ada, &mut package)?;
    assert_eq!(world.give(1, &package).await.unwrap_err().code(), ProblemCode::SealBroken);

    // It starts again without the file, and what is sealed to the key on chain opens.
    world.down(1).await?;
    world.up(1).await?;
    world.member(3).await?;
    assert_ne!(in_force(&world).await?, founding);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn point_2_what_was_kept_for_its_time_is_destroyed_and_a_newcomer_takes_the_sums() -> Result<()> {
    let mut world = World::start(&[]).await?;
    for config in &mut world.configs {
        let kept = &mut config.retention;
        (kept.scores, kept.openings, kept.snapshots, kept.uses, kept.sheets) = (1, 2, 1, 3, 1);
    }
    for seat in 1..=3 {
        world.up(seat).await?;
    }
    let (ada, ben) = (world.member(1).await?, world.member(2).await?);
    let ids = world.contribute(&[(&ada, world.record(1).await?), (&ben, world.record(2).await?)]).await?;
    world.scored(2).await?;
    let rows = [world.used(&ids).await?, world.used(&ids[..1]).await?];
    for epoch in 1..=2 {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        world.after_window(epoch).await?;
    }
    let blinders: BTreeMap<String, Vec<u8>> =
        rows.iter().enumerate().map(|(at, row)| (format!("blinder {at}"), row.blinder.to_vec())).collect();
    let spent = BTreeMap::from([(ada.id, 2), (ben.id, 1)]);
    for seat in 1..=3u8 {
        let store = &world.steward(seat).store;
        let folded = async || {
            world.coop.local.mine(1).await?;
            Ok(store.folded().await?.up_to == 2)
        };
        world.until("sums", folded).await?;
        assert_eq!(store.folded().await?.spent, spent);
        assert!(store.snapshots().await?.is_empty() && store.debits().await?.is_empty());
        assert_eq!(store.uses(ben.id).await?, [(1, 1)], "and the member still reads of it");
        let dir = &world.configs[usize::from(seat) - 1].data_dir;
        world.until("no blinder in any file", async || Ok(found(dir, &blinders)?.is_empty())).await?;
    }
    // An order as of a block before the sums is refused; one of now is answered as ever.
    let license = world.license(1_000, 365 * 86_400).await?;
    let early = world.order_as(license, 5_000, "researcher", world.now().await? + 600, rows[0].cut)?;
    let refused = world.snapshot(1, &early).await.unwrap_err();
    assert!(refused.to_string().contains("behind the newest final block"), "{refused}");
    let asked = world.order(license, 5_000).await?;
    assert_eq!(world.snapshot(1, &asked).await?.contributions, ids);

    // A whole new committee settles on, from sheets that tell use, and says the same of everybody.
    world.reseat([4, 5, 6]).await?;
    world
        .until("the sums at who is new", async || {
            world.coop.local.mine(1).await?;
            for seat in 1..=3 {
                if world.steward(seat).store.folded().await?.spent != spent {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    world.attempt(3, 0).await?;
    world.settled(3).await?;
    world.after_window(3).await?;
    for seat in 1..=3u8 {
        let mirror = world.steward(seat).at_head().await?;
        assert!(world.steward(seat).is_complete(&mirror).await?);
        assert_eq!(world.steward(seat).spent(&mirror.latest).await?.by_member, spent);
    }
    let audited = audit::audit(world.configs[3].clone()).await?;
    assert!(audited.agrees && audited.epoch >= 3, "{audited}");

    // Sealed sheets, awards, scores and openings had their time too, and the uses after theirs.
    world.attempt(4, 0).await?;
    world.settled(4).await?;
    world.after_window(4).await?;
    let left = std::cell::RefCell::new(Vec::new());
    let expired = async || {
        world.coop.local.mine(1).await?;
        let mut db = database(&world, 4).await?;
        let mut rows = Vec::new();
        for sql in [
            "SELECT COUNT(*) FROM sheets WHERE epoch <= 2",
            "SELECT COUNT(*) FROM scores",
            "SELECT COUNT(*) FROM openings",
            "SELECT COUNT(*) FROM uses",
        ] {
            rows.push(sqlx::query(sql).fetch_one(&mut db).await?.try_get::<i64, _>(0)?);
        }
        db.close().await?;
        left.replace(rows.clone());
        Ok(rows == [0; 4])
    };
    let waited = world.until("the end of what was kept for its time", expired).await;
    waited.with_context(|| format!("sheets, scores, openings, uses: {:?}", left.borrow()))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_office_destroys_what_is_erased_later() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let former: Vec<_> = (1..=3).map(|seat| world.steward(seat).clone()).collect();
    // Nobody of the new committee runs: shares are not handed over yet.
    world.seat(&[4, 5, 6], 2).await?;
    for steward in &former {
        assert_eq!(steward.store.share_count(ada.id).await?, 1);
    }
    world.coop.erase(&ada.key, ada.id).await?;
    world
        .until("former stewards destroy their shares", async || {
            world.coop.local.mine(1).await?;
            let mut left = 0;
            for steward in &former {
                left += steward.store.share_count(ada.id).await?;
            }
            Ok(left == 0)
        })
        .await
}

/// A registrar's offer outlives the joining by hours: it must neither hold up settlement nor bring back a key that was destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn who_erases_soon_after_joining_holds_up_nobody_and_leaves_no_offered_key() -> Result<()> {
    let world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    let (key, registrar) = (RowKey::random(&mut rand::rng()), world.coop.registrar.clone());
    for seat in 1..=3 {
        world.offer(seat, 2, &key, &key, &registrar).await?;
    }
    let eve = world.admit_with(2, key.clone()).await?;
    // Epochs here pass within seconds; an offer holds for a day of them.
    for seat in 1..=3 {
        let store = &world.steward(seat).store;
        let digest = world.key_held(2, &key).rowKeyDigest;
        let offered = store.offer(digest).await?.context("no offer")?;
        store.put_offer(&OfferRow { deadline: u64::MAX >> 1, ..offered }).await?;
    }
    world.consent(&eve, 1, &Choice::health_research()).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    world.coop.erase(&eve.key, eve.id).await?;
    world.coop.local.mine(3).await?;
    for epoch in 1..=4u32 {
        world.attempt(epoch, 0).await?;
        world.settled(epoch).await?;
        world.after_window(epoch).await?;
    }
    for seat in 1..=3u8 {
        let steward = world.steward(seat);
        world.until("it is closed", async || Ok(steward.is_closed(eve.id).await?)).await?;
        steward.catch_up(&*steward.mirror()?).await?;
        assert!(steward.store.row_key(eve.id).await?.is_none(), "steward {seat}");
        let mut db = database(&world, seat).await?;
        let offers: i64 = sqlx::query("SELECT COUNT(*) FROM offers").fetch_one(&mut db).await?.try_get(0)?;
        assert_eq!(offers, 0, "steward {seat}");
    }
    Ok(())
}
