use std::convert::Infallible;

use alloy::primitives::B256;
use rochdale_chain::client::BlockRef;
use rochdale_chain::events::{Event, FollowError, Follower, FollowerOptions, Located, MemoryStore, Progress, Store};
use rochdale_chain::local::{AnvilOptions, LocalChain};
use rochdale_chain::state::Cooperative;
use rochdale_testkit::anvil::TestCoop;

fn follow(coop: &TestCoop, store: MemoryStore) -> Follower<MemoryStore> {
    // The local chain calls a block final after two more; these tests go deeper.
    let options = FollowerOptions { accept_rollback: Some(0), ..FollowerOptions::default() };
    Follower::with_options(coop.chain.clone(), &coop.manifest, store, options)
}

fn joined(events: &[Located]) -> Vec<u32> {
    let ids = events.iter().filter_map(|e| match e.event {
        Event::Joined { member, .. } => Some(member.0),
        _ => None,
    });
    ids.collect()
}

#[tokio::test]
async fn a_reorganization_of_depth_three_is_undone_and_replayed() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    for n in 1..=5 {
        coop.join(&coop.member_key(n)).await.unwrap();
        follower.step().await.unwrap();
    }
    assert_eq!(joined(follower.store().events()), [1, 2, 3, 4, 5]);
    let before = coop.chain.head().await.unwrap().latest;

    coop.local.reorg(3).await.unwrap();
    // Another member now gets the id that was taken back.
    coop.join(&coop.member_key(9)).await.unwrap();
    let progress = follower.step().await.unwrap();
    assert_eq!(progress.rolled_back_to, Some(before.number - 3));
    assert_eq!(joined(follower.store().events()), [1, 2, 3]);
    let Event::Joined { account, .. } = follower.store().events().last().unwrap().event else { panic!() };
    assert_eq!(account, coop.member_key(9).address());
    assert_eq!(follower.store().events(), coop.history().await.unwrap());
    assert_eq!(progress.cursor, coop.chain.head().await.unwrap().latest);
}

#[tokio::test]
async fn a_reorganization_while_the_process_was_down_is_found_after_the_restart() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    for n in 1..=6 {
        coop.join(&coop.member_key(n)).await.unwrap();
        follower.step().await.unwrap();
    }
    let store = follower.store().clone();
    coop.local.reorg(5).await.unwrap();

    let mut restarted = follow(&coop, store);
    let progress = restarted.step().await.unwrap();
    assert!(progress.rolled_back_to.is_some());
    assert_eq!(joined(restarted.store().events()), [1]);
    assert_eq!(restarted.store().events(), coop.history().await.unwrap());
}

/// A store under whose hands the chain reorganizes, while it takes in one block.
struct Meddling {
    inner: MemoryStore,
    local: LocalChain,
    at: Option<u64>,
}

impl Store for Meddling {
    type Error = Infallible;

    async fn recent(&self, limit: usize) -> Result<Vec<BlockRef>, Infallible> {
        self.inner.recent(limit).await
    }

    async fn apply(&mut self, block: &BlockRef, events: &[Located]) -> Result<(), Infallible> {
        if self.at.take_if(|at| *at == block.number).is_some() {
            self.local.reorg(3).await.unwrap();
        }
        self.inner.apply(block, events).await
    }

    async fn rollback_to(&mut self, block: Option<&BlockRef>) -> Result<(), Infallible> {
        self.inner.rollback_to(block).await
    }
}

#[tokio::test]
async fn a_reorganization_in_the_middle_of_a_step_is_undone() {
    let coop = TestCoop::deploy().await.unwrap();
    for n in 1..=4 {
        coop.join(&coop.member_key(n)).await.unwrap();
    }
    let latest = coop.chain.head().await.unwrap().latest.number;
    // The block of member 2 is taken in just as it is replaced.
    let at = Some(latest - 2);
    let store = Meddling { inner: MemoryStore::default(), local: coop.local.clone(), at };
    let options = FollowerOptions { accept_rollback: Some(0), ..FollowerOptions::default() };
    let mut follower = Follower::with_options(coop.chain.clone(), &coop.manifest, store, options);
    // Seen by a parent's hash within the step where there is another block to read, else by the next one's cursor.
    let first = follower.step().await.unwrap();
    let next = follower.step().await.unwrap();
    assert_eq!(first.rolled_back_to.or(next.rolled_back_to), Some(latest - 3));
    assert_eq!(joined(follower.store().inner.events()), [1]);
    assert_eq!(follower.store().inner.events(), coop.history().await.unwrap());
}

#[tokio::test]
async fn a_chain_that_lost_final_blocks_is_refused_until_a_person_accepts_it() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut follower = Follower::new(coop.chain.clone(), &coop.manifest, MemoryStore::default());
    for n in 1..=5 {
        coop.join(&coop.member_key(n)).await.unwrap();
    }
    let before = follower.step().await.unwrap();
    let events = follower.store().events().to_vec();
    coop.local.reorg(4).await.unwrap();
    for restart in [false, true] {
        let error = follower.step().await.unwrap_err();
        let FollowError::FinalityLost { number, shared, .. } = &error else { panic!("{error}") };
        assert!(*number > *shared && *shared == before.cursor.number - 4, "{error}");
        assert!(error.to_string().contains(&format!("set accept_rollback = {shared}")), "{error}");
        assert_eq!(follower.store().events(), events, "the store stays as it was");
        if !restart {
            // The next process knows it from its store.
            follower = Follower::new(coop.chain.clone(), &coop.manifest, follower.store().clone());
        }
    }
    for (accepted, goes_on) in [(before.cursor.number - 3, false), (before.cursor.number - 4, true)] {
        let options = FollowerOptions { accept_rollback: Some(accepted), ..FollowerOptions::default() };
        let store = follower.store().clone();
        follower = Follower::with_options(coop.chain.clone(), &coop.manifest, store, options);
        assert_eq!(follower.step().await.is_ok(), goes_on, "accepted down to {accepted}");
    }
    assert_eq!(joined(follower.store().events()), [1]);
    // What was accepted once does not stand in the way of the next start.
    let mut again = Follower::new(coop.chain.clone(), &coop.manifest, follower.store().clone());
    again.step().await.unwrap();
    coop.local.reorg(1).await.unwrap();
    assert!(again.step().await.unwrap().rolled_back_to.is_some(), "a reorganization of what is not final is none");
}

#[tokio::test]
async fn a_restart_goes_on_from_the_cursor_and_applies_nothing_twice() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    coop.join(&coop.member_key(1)).await.unwrap();
    assert!(follower.step().await.unwrap().events > 1, "the deployment's own events and one admission");
    let mut restarted = follow(&coop, follower.store().clone());
    assert_eq!(restarted.step().await.unwrap().events, 0);
    coop.join(&coop.member_key(2)).await.unwrap();
    assert_eq!(restarted.step().await.unwrap().events, 1);
    assert_eq!(joined(restarted.store().events()), [1, 2]);
}

#[tokio::test]
async fn small_ranges_and_large_ones_read_the_same() {
    let coop = TestCoop::deploy().await.unwrap();
    for n in 1..=4 {
        coop.join(&coop.member_key(n)).await.unwrap();
        coop.local.mine(5).await.unwrap();
    }
    let whole = coop.history().await.unwrap();
    for range in [1, 2, 7] {
        let options = FollowerOptions { range, ..FollowerOptions::default() };
        let mut follower = Follower::with_options(coop.chain.clone(), &coop.manifest, MemoryStore::default(), options);
        follower.step().await.unwrap();
        assert_eq!(follower.store().events(), whole, "range {range}");
    }
    assert_eq!(joined(&whole), [1, 2, 3, 4]);
    assert!(whole.is_sorted_by_key(|e| (e.block_number, e.log_index)));
}

#[tokio::test]
async fn everything_after_the_founding_can_be_replaced() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    follower.step().await.unwrap();
    let length = coop.chain.head().await.unwrap().latest.number - coop.manifest.base.number;
    coop.local.reorg(length).await.unwrap();
    let progress = follower.step().await.unwrap();
    assert_eq!(progress.rolled_back_to, Some(coop.manifest.base.number));
    assert!(follower.store().events().is_empty(), "the contracts themselves are gone");
}

#[tokio::test]
async fn another_chain_is_refused_and_the_store_kept() {
    let coop = TestCoop::deploy().await.unwrap();
    coop.join(&coop.member_key(1)).await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    follower.step().await.unwrap();
    let (store, manifest) = (follower.store().clone(), coop.manifest.clone());
    let events = store.events().to_vec();

    let options = AnvilOptions { genesis_timestamp: Some(1_700_000_000), ..AnvilOptions::default() };
    let other = TestCoop::deploy_with(options, |_| {}).await.unwrap();
    let mut lost = Follower::new(other.chain.clone(), &manifest, store);
    let error = lost.step().await.unwrap_err();
    assert!(matches!(error, FollowError::OtherChain { .. }), "{error}");
    assert_eq!(lost.store().events(), events);
}

#[tokio::test]
async fn an_rpc_that_goes_down_leaves_the_store_as_it_was() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    let progress = follower.step().await.unwrap();
    let events = follower.store().events().to_vec();
    drop(coop);
    let error = follower.step().await.unwrap_err();
    assert!(matches!(&error, FollowError::Chain(e) if e.is_transient()), "{error}");
    assert_eq!(follower.store().events(), events);
    assert!(progress.cursor.number > 0);
}

#[tokio::test]
async fn a_running_follower_tells_its_progress_and_stops_when_told() {
    let coop = TestCoop::deploy().await.unwrap();
    coop.join(&coop.member_key(1)).await.unwrap();
    let mut follower = follow(&coop, MemoryStore::default());
    let (sender, mut receiver) = tokio::sync::watch::channel::<Option<Progress>>(None);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    // A service spawns it.
    let running = tokio::spawn(async move {
        let shutdown = async { stopped.await.unwrap_or_default() };
        follower.run(std::time::Duration::from_millis(10), &sender, shutdown).await;
        follower.store().clone()
    });
    let head = coop.chain.head().await.unwrap().latest;
    let caught_up = receiver.wait_for(|p| p.is_some_and(|p| p.cursor.number >= head.number)).await.unwrap();
    drop(caught_up);
    stop.send(()).unwrap();
    assert_eq!(joined(running.await.unwrap().events()), [1]);
}

#[tokio::test]
async fn the_fold_does_not_depend_on_how_the_events_arrived() {
    let coop = TestCoop::deploy().await.unwrap();
    let key = coop.member_key(1);
    let id = coop.join(&key).await.unwrap();
    coop.grant(&key, id, 1).await.unwrap();
    coop.record(&[(&key, id, B256::repeat_byte(7))]).await.unwrap();
    let events = coop.history().await.unwrap();
    let whole = Cooperative::fold(&events);
    let mut grown = Cooperative::default();
    for event in &events {
        let text = serde_json::to_string(event).unwrap();
        grown.apply(&serde_json::from_str(&text).unwrap());
    }
    assert_eq!(whole, grown);
    let cursor: BlockRef = coop.chain.head().await.unwrap().latest;
    assert_eq!(Cooperative::at_block(&events, cursor.number), whole);
    assert_eq!(Cooperative::at_block(&events, 0), Cooperative::default());
}
