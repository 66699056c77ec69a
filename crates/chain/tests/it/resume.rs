//! A deployment that is cut off at every transaction, and goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::U256;
use alloy::providers::Provider as _;
use rochdale_chain::client::{Chain, Sender, SenderOptions};
use rochdale_chain::deploy::{CoopConfig, DeployError, JournalError, Manifest, Progress, deploy, verify};
use rochdale_chain::local::{Anvil, AnvilOptions, LocalChain, Mining};
use rochdale_testkit::anvil::{actors, connect, role_key};
use tokio::sync::Notify;

struct Site {
    _anvil: Anvil,
    chain: Chain,
    local: LocalChain,
    config: CoopConfig,
}

impl Site {
    async fn new(mining: Mining) -> Self {
        let anvil = Anvil::spawn(&AnvilOptions { mining, ..AnvilOptions::default() }).unwrap();
        let (chain, _) = connect(&anvil.url()).await.unwrap();
        let local = LocalChain::new(&chain).unwrap();
        let rich = U256::from(10).pow(U256::from(22));
        local.set_balance(role_key("founder").address(), rich).await.unwrap();
        Self { _anvil: anvil, chain, local, config: CoopConfig::demo(actors()) }
    }

    /// A process of its own: it knows nothing but what lies on disk and on chain.
    fn founder(&self) -> Sender {
        let options = SenderOptions { poll: Duration::from_millis(5), ..SenderOptions::default() };
        Sender::with_options(self.chain.clone(), role_key("founder"), options)
    }

    /// Runs until the first transaction of this run is noted and `after` has passed; `None` if it was cut off.
    async fn cut_off(&self, journal: &Path, after: Duration) -> Option<Result<Manifest, DeployError>> {
        let cut = Arc::new(Notify::new());
        let (founder, trigger) = (self.founder(), Arc::clone(&cut));
        let mut armed = true;
        let running = deploy(&founder, &self.config, Some(journal), move |progress| {
            if let Progress::Sending { .. } = progress
                && std::mem::take(&mut armed)
            {
                let trigger = Arc::clone(&trigger);
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    trigger.notify_one();
                });
            }
        });
        tokio::select! {
            biased;
            () = cut.notified() => None,
            ended = running => Some(ended),
        }
    }

    async fn transactions(&self) -> u64 {
        self.chain.provider().get_transaction_count(role_key("founder").address()).await.unwrap()
    }
}

#[tokio::test]
async fn cut_off_at_every_transaction_it_founds_one_cooperative_and_sends_nothing_twice() {
    let site = Site::new(Mining::Auto).await;
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("deployment.json");
    let mut runs = 0u64;
    let manifest = loop {
        runs += 1;
        assert!(runs < 400, "it never ends");
        // From before the transaction leaves to after it was mined.
        let after = Duration::from_millis(runs % 7 * 4);
        if let Some(ended) = site.cut_off(&journal, after).await {
            break ended.unwrap();
        }
    };
    assert!(runs > 15, "it was cut off {runs} times only");
    verify(&site.chain, &manifest, &site.config).await.unwrap();
    let sent = site.transactions().await;
    // Done is done: nothing is sent for what the chain shows.
    let again = deploy(&site.founder(), &site.config, Some(&journal), |_| {}).await.unwrap();
    assert_eq!((again, site.transactions().await), (manifest, sent));
    let text = std::fs::read_to_string(&journal).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    let steps = written["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["done"] == true), "{text}");
    assert_eq!(steps.len() as u64, sent, "one transaction for each step");
}

#[tokio::test]
async fn a_transaction_that_still_waits_is_waited_for_and_not_sent_again() {
    let site = Site::new(Mining::Manual).await;
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("deployment.json");
    assert!(site.cut_off(&journal, Duration::from_millis(300)).await.is_none());
    let pending = site.chain.provider().get_transaction_count(role_key("founder").address()).pending().await.unwrap();
    assert_eq!((pending, site.transactions().await), (1, 0), "sent, not mined");
    let mining = async {
        loop {
            site.local.mine(1).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let founder = site.founder();
    let manifest = tokio::select! {
        ended = deploy(&founder, &site.config, Some(&journal), |_| {}) => ended.unwrap(),
        () = mining => unreachable!(),
    };
    verify(&site.chain, &manifest, &site.config).await.unwrap();
    let text = std::fs::read_to_string(&journal).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["steps"].as_array().unwrap().len() as u64, site.transactions().await);
}

#[tokio::test]
async fn a_journal_of_another_configuration_is_refused_before_anything_is_sent() {
    let site = Site::new(Mining::Auto).await;
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("deployment.json");
    assert!(site.cut_off(&journal, Duration::from_millis(50)).await.is_none());
    let sent = site.transactions().await;
    let mut other = site.config.clone();
    other.membership.cooldown += 1;
    let error = deploy(&site.founder(), &other, Some(&journal), |_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::Journal(JournalError::Other { what: "configuration", .. })), "{error}");
    let stranger = Sender::new(site.chain.clone(), role_key("somebody"));
    let error = deploy(&stranger, &site.config, Some(&journal), |_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::Journal(JournalError::Other { what: "founder", .. })), "{error}");
    assert_eq!(site.transactions().await, sent);
}

#[tokio::test]
async fn a_second_cooperative_uses_what_the_first_one_left() {
    let site = Site::new(Mining::Auto).await;
    deploy(&site.founder(), &site.config, None, |_| {}).await.unwrap();
    let first = site.transactions().await;
    deploy(&site.founder(), &site.config, None, |_| {}).await.unwrap();
    let second = site.transactions().await - first;
    assert!(second <= 12 && second < first / 2, "the stages alone, not {second} of {first} transactions");
}
