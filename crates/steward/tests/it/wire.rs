//! Point 7: what passes between stewards, and between them and gateway, awarder and members, names no record, no key and nobody's secret.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use alloy::hex;
use alloy::primitives::{B256, keccak256};
use anyhow::{Context as _, Result};
use rochdale_api::ProblemCode;
use rochdale_api::member::{ClaimLeaf, LeavesRequest};
use rochdale_api::reshare::{RecordAsked, ReshareRequest};
use rochdale_api::route::steward;
use rochdale_core::ids::{ContributionId, Epoch};
use rochdale_node::sealed;
use rochdale_testkit::anvil::role_key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::awards::{award, give, set};
use crate::world::{TestMember, World};

/// What passed, in the order in which it did.
type Heard = Arc<Mutex<Vec<u8>>>;

/// Listens between whoever calls the address that it gives and the process at `to`, and ends a connection whose bytes are not to pass.
pub async fn between(to: SocketAddr, passes: impl Fn(&[u8]) -> bool + Clone + Send + Sync + 'static) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            // A steward that is down takes no calls.
            let Ok(far) = TcpStream::connect(to).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near_in, far_out, passes.clone()));
            tokio::spawn(pass(far_in, near_out, passes.clone()));
        }
    });
    Ok(url)
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if !passes(&buffer[..read]) || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Hears what passes.
async fn tap(to: SocketAddr, heard: Heard) -> Result<String> {
    let hear = move |bytes: &[u8]| {
        heard.lock().unwrap().extend_from_slice(bytes);
        true
    };
    between(to, hear).await
}

fn holds(heard: &Heard, needle: &[u8]) -> bool {
    heard.lock().unwrap().windows(needle.len()).any(|window| window == needle)
}

/// What a steward holds of a member that nobody on the way may read.
async fn names(world: &World, seat: u8, member: &TestMember) -> Result<BTreeMap<&'static str, B256>> {
    let steward = world.steward(seat);
    let row = steward.store.contributions().await?.into_iter().find(|row| row.member == member.id);
    let row = row.context("no contribution")?;
    let header = rochdale_crypto::Header::from_bytes(&row.header)?.hash();
    let part = steward.keys.private_part(&steward.store, &row, header).await?.context("no private part")?;
    let row_key = steward.keys.row_key(&steward.store, member.id).await?.context("no row key")?;
    let consent = steward.keys.consent(&steward.store, member.id, 1).await?.context("no consent")?;
    Ok(BTreeMap::from([
        ("the commitment", row.commitment),
        ("the blob's digest", row.blob_digest),
        ("the shares' hash", row.shares_hash),
        ("the header's hash", header),
        ("the record's blinder", part.blinder),
        ("the row key", B256::new(*row_key.expose())),
        ("the row key's digest", keccak256(row_key.expose())),
        ("the consent's blinder", consent.blinder),
        ("the consent's commitment", world.steward(seat).mirror()?.latest.consents[&member.id].receipt_commitment),
    ]))
}

#[tokio::test(flavor = "multi_thread")]
async fn point_7_nothing_that_reaches_or_leaves_a_steward_names_a_member_in_the_clear() -> Result<()> {
    let mut world = World::start(&[]).await?;
    let heard = Heard::default();
    let mut taps = Vec::new();
    for config in &world.configs[..3] {
        taps.push(tap(config.listen, heard.clone()).await?);
    }
    for peer in world.configs.iter_mut().flat_map(|config| &mut config.peers) {
        peer.url.clone_from(&taps[usize::from(peer.steward.0) - 1]);
    }
    // The gateway, the awarder and members call through them as well.
    world.taps = taps;
    world.up(1).await?;
    world.up(2).await?;
    let ada = world.member(1).await?;
    let ids = world.contribute(&[(&ada, world.record(1).await?)]).await?;
    let (a, domain) = (&world.coop.manifest.addresses, world.coop.manifest.programs_domain());
    set(&world, (a.token_timelock, a.programs), 7, true).await?;
    let known = async || Ok(world.steward(1).mirror()?.latest.programs.contains_key(&7));
    world.until("the program", known).await?;
    let award = award(&role_key("awarder"), &domain, 7, ada.id, 15_000);
    give(&world, 1, &award).await?;
    let snapshot = world.used(&ids).await?;

    // The third missed all of it, and asks.
    world.up(3).await?;
    world
        .until("a whole catch-up", async || {
            let steward = world.steward(3);
            let complete = steward.is_complete(&*steward.at_head().await?).await?;
            Ok(complete && steward.store.snapshot(snapshot.digest).await?.is_some())
        })
        .await?;
    assert_eq!(world.steward(3).store.snapshot(snapshot.digest).await?.context("no snapshot")?, snapshot);
    // Whoever was drawn scores once all of them are up; who was away asks for scores when it settles.
    world
        .until("two scores", async || {
            world.coop.local.mine(1).await?;
            Ok(world.steward(1).store.scores_after(ContributionId(0)).await?.len() >= 2)
        })
        .await?;
    world.attempt(1, 0).await?;
    world.settled(1).await?;
    // Steward 2 proposes, and asked for it.
    for seat in [1, 2] {
        assert_eq!(world.steward(seat).store.awards(award.epoch).await?, vec![award.clone()], "steward {seat}");
    }

    let (gateway, ask) =
        (world.client(1, &world.gateway_key()), LeavesRequest { epoch: Epoch(1), members: vec![ada.id] });
    let (key, now) = (world.sealing_of(1), world.now().await?);
    let leaves: Vec<ClaimLeaf> = sealed::post(&gateway, key, steward::CLAIM_LEAVES, &ask, now).await?;
    assert_eq!(leaves.len(), 1);

    // No committee was seated since the first: it is asked by hand, and says so.
    let records = vec![RecordAsked { contribution_id: ids[0], have: Vec::new(), words: Vec::new() }];
    let (colleague, asked) = (world.client(1, &role_key("steward-3")), ReshareRequest { generation: 1, records });
    let refused = sealed::post(&colleague, key, steward::RESHARE, &asked, now).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::Conflict, "{refused}");

    // Whoever offers a key offers it to a steward that serves, before there is a member to look for here.
    let called = steward::TABLE.iter().filter(|route| route.sealed && route.path != steward::OFFER.path);
    for path in called.map(|route| route.path) {
        assert!(holds(&heard, format!("POST {path} ").as_bytes()), "nobody called {path}");
    }
    let root = world.header(1).await?.root;
    assert!(holds(&heard, hex::encode(root).as_bytes()), "what everybody may know is found: {root}");
    let mut names: Vec<(&str, Vec<u8>)> =
        names(&world, 3, &ada).await?.into_iter().map(|(n, v)| (n, v.to_vec())).collect();
    names.push(("the snapshot's digest", snapshot.digest.to_vec()));
    names.push(("the snapshot's blinder", snapshot.blinder.to_vec()));
    names.push(("the award's signature", award.signature.to_vec()));
    names.push(("the account", ada.key.address().to_vec()));
    names.push(("the nullifier", ada.nullifier.to_vec()));
    names.push(("the leaf's private hash", leaves[0].private_hash.to_vec()));
    for score in world.steward(3).store.scores_after(ContributionId(0)).await? {
        names.push(("a score's signature", score.signature));
        names.push(("a sketch", score.sketch.to_vec()));
        assert!(world.coop.stewards.iter().any(|key| key.address() == score.signer));
    }
    assert!(names.len() >= 16, "two scores at least");
    for (name, bytes) in names {
        assert!(!holds(&heard, &bytes), "{name} passed as it is");
        assert!(!holds(&heard, hex::encode(&bytes).as_bytes()), "{name} passed in the clear");
    }
    let words = ["member_id", "contribution_id", "row_keys", "commitment", "program", "nullifier", "private_hash"];
    for word in words {
        assert!(!holds(&heard, word.as_bytes()), "{word} passed in the clear");
    }
    Ok(())
}
