//! Epochs: waiting for a settlement, and moving the local chain's time forward.

use crate::coop::Coop;
use anyhow::{Result, bail};
use rochdale_api::client::{Client, ClientError};
use rochdale_api::route::{HEALTH, gateway, steward};
use rochdale_api::settlement::SettlementStatus;
use rochdale_api::status::{EpochView, Health};
use rochdale_chain::client::Chain;
use rochdale_chain::local::LocalChain;
use rochdale_core::ids::Epoch;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(100);
/// Blocks that make what stands before them final on the local chain.
pub const FINAL: u64 = 3;

/// The gateway's view of an epoch.
pub async fn view(coop: &Coop, epoch: Epoch) -> Result<EpochView> {
    Ok(coop.gateway.get(gateway::EPOCH.at(epoch)).await?)
}

/// How long stewards that find nothing more to score are waited for: one that is silent is stood in for after an attempt's
/// time, which does not pass meanwhile.
const SCORING: Duration = Duration::from_secs(5);

/// Settles `epoch` on the local chain: lets what is recorded be scored, which takes blocks and not the weeks of an epoch, moves time
/// to the epoch's end and from attempt to attempt until the stewards have proposed, then past the objection window, and waits until a quorum of them has the rows to hand out.
/// `patience` is how long the stewards may work on one attempt.
pub async fn settle(coop: &Coop, chain: &Chain, epoch: Epoch, patience: Duration) -> Result<EpochView> {
    let local = LocalChain::new(chain)?;
    scored(coop, chain).await?;
    let mut attempt = 0;
    let proposed = loop {
        local.time_to(coop.manifest.schedule().start(epoch, attempt) + 1, FINAL).await?;
        match proposed(coop, epoch, patience).await? {
            Some(view) => break view,
            None if attempt + 1 < u32::try_from(coop.stewards.len()).unwrap_or(u32::MAX) => attempt += 1,
            None => bail!("epoch {epoch} is not proposed after {} attempts: {}", attempt + 1, waiting(coop).await),
        }
    };
    let Some(final_at) = proposed.final_at else { bail!("the gateway does not say when epoch {epoch} is final") };
    local.time_to(final_at + 1, FINAL).await?;
    reached(coop, epoch, "final", patience).await?;
    taken_over(coop, epoch, patience).await?;
    view(coop, epoch).await
}

/// Makes what is recorded final on the local chain, and waits until every steward that answers has looked at it, and for the scores that
/// are still coming.
pub async fn scored(coop: &Coop, chain: &Chain) -> Result<()> {
    let through = chain.head().await?.latest.number;
    LocalChain::new(chain)?.mine(FINAL).await?;
    let (mut since, mut fewest) = (Instant::now(), usize::MAX);
    loop {
        let mut open = 0;
        for entry in &coop.stewards {
            let Ok(status) = settlement_status(&entry.url).await else { continue };
            let has_looked = status.scored_through >= through;
            open = open.max(if has_looked { status.deferred.len() } else { usize::MAX });
        }
        if open < fewest {
            (since, fewest) = (Instant::now(), open);
        }
        if open == 0 || since.elapsed() > SCORING {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn proposed(coop: &Coop, epoch: Epoch, patience: Duration) -> Result<Option<EpochView>> {
    let start = Instant::now();
    loop {
        let view = view(coop, epoch).await?;
        if view.header.is_some() {
            return Ok(Some(view));
        }
        if start.elapsed() > patience {
            return Ok(None);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn reached(coop: &Coop, epoch: Epoch, state: &str, patience: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let view = view(coop, epoch).await?;
        if view.state == state {
            return Ok(());
        }
        if start.elapsed() > patience {
            bail!("epoch {epoch} is `{}`, not `{state}`, after {} s", view.state, patience.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until a quorum of stewards holds the settled rows of `epoch`: each takes them over at its own pace.
async fn taken_over(coop: &Coop, epoch: Epoch, patience: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let mut holders = 0;
        for entry in &coop.stewards {
            let status = settlement_status(&entry.url).await;
            holders += u8::from(status.is_ok_and(|status| status.settled >= epoch));
        }
        if holders >= coop.quorum {
            return Ok(());
        }
        if start.elapsed() > patience {
            bail!(
                "epoch {epoch} is final, but only {holders} of the {} stewards needed have taken it over after {} s: {}",
                coop.quorum,
                patience.as_secs(),
                waiting(coop).await
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn settlement_status(url: &str) -> Result<SettlementStatus, ClientError> {
    Client::new(url)?.get(steward::SETTLEMENT).await
}

/// Waits until every process has indexed the chain's present head.
pub async fn synced(coop: &Coop, chain: &Chain, patience: Duration) -> Result<()> {
    let head = chain.head().await?.latest.number;
    let urls = coop.stewards.iter().filter(|s| s.up).map(|s| s.url.clone());
    let urls: Vec<String> = urls.chain([coop.gateway.base().to_string()]).collect();
    let start = Instant::now();
    for url in urls {
        let client = Client::new(&url)?;
        loop {
            let health: Health = client.get(HEALTH).await?;
            if health.indexed >= head {
                break;
            }
            if start.elapsed() > patience {
                bail!("{} is at block {} of {head} after {} s", health.service, health.indexed, patience.as_secs());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// What the stewards say that they wait for.
pub async fn waiting(coop: &Coop) -> String {
    let mut said = Vec::new();
    for entry in &coop.stewards {
        let name = crate::state::steward_name(entry.steward);
        said.push(match settlement_status(&entry.url).await {
            Ok(status) => format!("{name}: {}", status.waiting_for.unwrap_or_else(|| "waits for nothing".to_owned())),
            Err(error) => format!("{name}: {error}"),
        });
    }
    said.join("; ")
}
