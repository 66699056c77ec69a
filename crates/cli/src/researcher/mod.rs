//! `rochdale researcher …`: approval, licenses by each price form, collateral, queries.

pub mod args;
mod auction;
mod bond;
mod desk;
mod job;
mod keys;
mod sale;

pub use keys::{Bought, Purchase, Researcher, fund, sample_queries};

use crate::args::Common;
use crate::commands::show;
use crate::coop::{self, Coop};
use crate::found;
use crate::ui::Ui;
use anyhow::{Context, Result};
use args::ResearcherCommand;
use desk::Desk;
use rochdale_core::query::Query;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Runs a command.
pub async fn run(common: &Common, command: ResearcherCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        ResearcherCommand::License { who, order, pay } => {
            sale::license(&Desk::open(common, &who).await?, order, pay, ui).await
        }
        ResearcherCommand::Renew { who, license, days } => {
            sale::renew(&Desk::open(common, &who).await?, license, days, ui).await
        }
        ResearcherCommand::Reserve { who, order } => sale::reserve(&Desk::open(common, &who).await?, order, ui).await,
        ResearcherCommand::Activate { who, reservation } => {
            sale::activate(&Desk::open(common, &who).await?, reservation, ui).await
        }
        ResearcherCommand::Cancel { who, reservation } => {
            sale::cancel(&Desk::open(common, &who).await?, reservation, ui).await
        }
        ResearcherCommand::Approve { who, purpose, days, key } => {
            let desk = Desk::open(common, &who).await?;
            let board = match key {
                Some(path) => coop::signer(&path)?,
                None => found::office(&desk.site.state, found::ETHICS)?,
            };
            let until = desk.approve(&board, purpose.code(), u64::from(days) * DAY).await?;
            let account = desk.account();
            let sentence = format!("{account} is approved for purpose {} until {until}", purpose.code());
            show(ui, &json!({ "researcher": account, "purpose": purpose.code(), "until": until }), sentence)
        }
        ResearcherCommand::Auction(command) => auction::run(common, command, ui).await,
        ResearcherCommand::Job(command) => job::run(common, command, ui).await,
        ResearcherCommand::Bond(command) => bond::run(common, command, ui).await,
        ResearcherCommand::Query { name, query, license, purpose } => {
            let researcher = Researcher::open_or_create(&common.state()?, &name)?;
            let coop = Coop::connect(&common.url).await?;
            let query = read_query(&query)?;
            let license = license.map_or_else(|| researcher.last_license(), Ok)?;
            let (answered, _) = researcher.ask(&coop, license, purpose.code(), query).await?;
            show(ui, &json!(answered), serde_json::to_string_pretty(&answered.answer)?)
        }
    }
}

/// A typed query in a file.
fn read_query(path: &Path) -> Result<Query> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let query = Query::parse(&bytes).with_context(|| format!("{} is no query", path.display()))?;
    query.validate().with_context(|| format!("{} is no query", path.display()))?;
    Ok(query)
}
