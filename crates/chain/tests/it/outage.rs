//! An RPC that is gone is said once a minute, however often it is asked.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::U256;
use rochdale_chain::bindings::TestUSDC;
use rochdale_chain::client::{Chain, ChainOptions, ManualClock, Sender, SenderOptions};
use rochdale_chain::events::{Follower, MemoryStore};
use rochdale_chain::local::{Anvil, AnvilOptions};
use rochdale_testkit::anvil::{TestCoop, role_key};
use rochdale_testkit::wire::Wire;
use tokio::sync::watch;

/// What was logged in this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn assert_told(log: &Log, minutes: usize) {
    let lines = log.lines();
    let silent = lines.iter().filter(|line| line.contains("no RPC answers")).count();
    assert_eq!((silent, lines.len()), (minutes, minutes + 1), "{lines:#?}");
    let last = lines.last().unwrap();
    assert!(last.contains("an RPC answers again") && last.contains(&format!("seconds={}", 60 * minutes)), "{last}");
}

#[tokio::test]
async fn an_rpc_that_hangs_is_logged_once_a_minute_and_when_it_is_back() {
    let coop = TestCoop::deploy().await.unwrap();
    let wire = Wire::to(coop.anvil.url()).await.unwrap();
    let clock = Arc::new(ManualClock::default());
    let options = ChainOptions { request_timeout: Duration::from_millis(500), ..ChainOptions::new(31_337) };
    let chain = Chain::connect(&wire.url, options, clock.clone()).await.unwrap();
    let mut follower = Follower::new(chain.clone(), &coop.manifest, MemoryStore::default());
    let log = Log::default();
    let _listening = log.listen();
    wire.delay(Duration::from_secs(3_600));
    let (progress, _) = watch::channel(None);
    for _ in 0..3 {
        let second = tokio::time::sleep(Duration::from_millis(1_200));
        follower.run(Duration::from_millis(5), &progress, second).await;
        clock.advance(Duration::from_secs(60));
    }
    wire.delay(Duration::ZERO);
    let back = async { while chain.now().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
    // By then it may have been silent for a fourth minute.
    let lines = log.lines();
    let minutes = lines.iter().filter(|line| line.contains("no RPC answers")).count();
    assert!((3..=4).contains(&minutes), "{lines:#?}");
    assert_eq!(lines.len(), minutes + 1, "{lines:#?}");
    assert!(lines.last().unwrap().contains("an RPC answers again"), "{lines:#?}");
}

#[tokio::test]
async fn an_rpc_that_refuses_is_logged_once_a_minute_and_when_it_is_back() {
    let anvil = Anvil::spawn(&AnvilOptions::default()).unwrap();
    let port = anvil.port();
    let clock = Arc::new(ManualClock::default());
    let chain = Chain::connect(&anvil.url(), ChainOptions::new(31_337), clock.clone()).await.unwrap();
    let log = Log::default();
    let _listening = log.listen();
    drop(anvil);
    let options = SenderOptions { retries: 3, backoff: Duration::from_millis(1), ..SenderOptions::default() };
    let sender = Sender::with_options(chain.clone(), role_key("relayer"), options);
    let call = TestUSDC::mintCall { to: sender.address(), amount: U256::from(1) };
    for _ in 0..2 {
        for _ in 0..10 {
            assert!(chain.head().await.is_err() && sender.send(sender.address(), &call).await.is_err());
        }
        clock.advance(Duration::from_secs(60));
    }
    let _anvil = Anvil::spawn(&AnvilOptions { port, ..AnvilOptions::default() }).unwrap();
    chain.head().await.unwrap();
    assert_told(&log, 2);
    // One that comes and goes is no louder.
    chain.head().await.unwrap();
    assert_eq!(log.lines().len(), 3);
}
