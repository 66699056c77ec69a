//! `rochdale time …`: the local chain's time, shown and moved on. Elsewhere time passes by itself.

use crate::args::Common;
use crate::commands::local_chain;
use crate::coop::Coop;
use crate::epoch::{FINAL, scored};
use crate::ui::{Ui, show};
use crate::when::{count, span, utc};
use anyhow::Result;
use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;
use rochdale_chain::client::Chain;
use rochdale_chain::local::LocalChain;
use rochdale_core::ids::Epoch;
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long the processes may take to see the new time.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Runs the command: shows the time, or moves it on by so many seconds.
pub async fn run(common: &Common, by: Option<u64>, ui: Ui) -> Result<ExitCode> {
    let chain = local_chain(&common.state()?).await?;
    let from = chain.now().await?;
    let Some(by) = by else {
        return show(ui, &json!({ "now": from, "utc": utc(from) }), format!("it is {} on the local chain", utc(from)));
    };
    let coop = Coop::connect(&common.gateway()?).await?;
    let passed = ended(&coop, from + by).await?;
    if passed > 1 {
        ui.agree(&format!(
            "{passed} epochs would have ended unsettled. Stewards replace their keys meanwhile, and what was sealed to old ones \
             may not open any more: settle them one after the other instead, with `rochdale epoch settle`."
        ))?;
    }
    let waiting = ui.spinner("the processes follow");
    // What is recorded is scored by those who are drawn for it now: after a jump they would be late.
    scored(&coop, &chain).await?;
    let to = LocalChain::new(&chain)?.time_to(from + by, FINAL).await?.timestamp;
    let behind = behind(&coop, &chain).await?;
    waiting.done();
    if !behind.is_empty() {
        ui.warn(format!("not there yet after {} s: {}", PATIENCE.as_secs(), behind.join(", ")));
    }
    let ended = ended(&coop, to).await?;
    let mut sentence = format!("time went from {} to {}, {} on", utc(from), utc(to), span(to - from));
    if ended > 0 {
        let (epochs, rest) =
            (count(ended as u64, "epoch"), if ended == 1 { "has ended and waits" } else { "have ended and wait" });
        sentence += &format!("; {epochs} {rest} to be settled: `rochdale epoch settle`");
    }
    show(ui, &json!({ "from": from, "to": to, "to_settle": ended }), sentence)
}

/// How many epochs that are not final have ended by a time. By the clock, not by the gateway's word: an epoch ends whether or
/// not anybody settles it.
async fn ended(coop: &Coop, by: u64) -> Result<usize> {
    let (view, schedule) = (coop.view().await?, coop.manifest.schedule());
    Ok((view.final_epoch.0 + 1..).map(Epoch).take_while(|epoch| schedule.end(*epoch) <= by).count())
}

/// Who has not seen the chain's head in time: gateway or stewards. One that says that it cannot work right after a jump (keys
/// of an epoch that is long over, say) is given the time to mend that.
async fn behind(coop: &Coop, chain: &Chain) -> Result<Vec<String>> {
    let head = chain.head().await?.latest.number;
    let stewards = coop.stewards.iter().filter(|steward| steward.up).map(|steward| steward.url.clone());
    let mut waiting: Vec<String> = stewards.chain([coop.gateway.base().to_string()]).collect();
    let start = Instant::now();
    loop {
        let mut still = Vec::new();
        for url in waiting {
            let health = Client::new(&url)?.get(HEALTH).await;
            if !health.is_ok_and(|health| health.indexed >= head) {
                still.push(url);
            }
        }
        if still.is_empty() || start.elapsed() > PATIENCE {
            return Ok(still);
        }
        waiting = still;
        tokio::time::sleep(POLL).await;
    }
}
