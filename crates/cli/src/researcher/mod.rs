//! `rochdale researcher …`: approval, licenses by each price form, collateral, queries.

pub mod args;
mod auction;
mod bond;
mod budgets;
mod desk;
mod job;
mod keys;
mod orders;
mod prices;
mod quote;
mod sale;
pub mod study;

pub use budgets::Budgets;
pub use keys::{Bought, Purchase, Researcher, fund, sample_queries};
pub use orders::Kept;
pub use quote::published;

use crate::args::Common;
use crate::coop::{self, Coop};
use crate::found;
use crate::state::input;
use crate::ui::{Ui, show};
use crate::when::count;
use anyhow::{Context, Result, ensure};
use args::ResearcherCommand;
use desk::Desk;
use quote::Wanted;
use rochdale_api::order::{Answered, PublishedSize, Sizes};
use rochdale_api::route::gateway;
use rochdale_api::status::LicenseView;
use rochdale_client::choice::zcdp;
use rochdale_core::ids::LicenseId;
use rochdale_core::query::{Outcome, Query, Withheld};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Runs a command.
pub async fn run(common: &Common, command: ResearcherCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        ResearcherCommand::New { name } => {
            let state = common.state()?;
            let place = state.person("researchers", &name)?;
            ensure!(!place.exists(), "there is a researcher `{name}` already: their keys lie in {}", place.display());
            let researcher = Researcher::create(&state, &name)?;
            let sentence = format!(
                "{name} has the account {}; the keys lie in {}: copy them, what they hold and open is lost with them\n\
                 Next: the ethics board approves (`rochdale researcher approve --name {name}`), then `rochdale researcher license --name {name}`",
                researcher.account(),
                place.display()
            );
            let value = json!({ "name": name, "researcher": researcher.account(), "recipient_key": researcher.recipient_key() });
            show(ui, &value, sentence)
        }
        ResearcherCommand::License { who, order, pay, agreed } => {
            let desk = Desk::open(common, &who).await?;
            sale::license(&desk, Wanted::of(&desk, &common.gateway()?, order).await?, pay, ui.agreeing(agreed)).await
        }
        ResearcherCommand::Renew { who, license, days, agreed } => {
            let (desk, left) = (Desk::open(common, &who).await?, Budgets::line(common).await?);
            sale::renew(&desk, (license, days), &left, ui.agreeing(agreed)).await
        }
        ResearcherCommand::Reserve { who, order, agreed } => {
            let desk = Desk::open(common, &who).await?;
            sale::reserve(&desk, Wanted::of(&desk, &common.gateway()?, order).await?, ui.agreeing(agreed)).await
        }
        ResearcherCommand::Activate { who, reservation } => {
            sale::activate(&Desk::open(common, &who).await?, reservation, ui).await
        }
        ResearcherCommand::Cancel { who, reservation } => {
            sale::cancel(&Desk::open(common, &who).await?, reservation, ui).await
        }
        ResearcherCommand::Approve { who, purpose, days, key, study } => {
            let desk = Desk::open(common, &who).await?;
            let board = match key {
                Some(path) => coop::signer(&path)?,
                None => found::office(&desk.site.state, found::ETHICS)?,
            };
            prices::approve(&desk, &board, (purpose.code(), study.protocol()), u64::from(days) * DAY, ui).await
        }
        ResearcherCommand::Auction(command) => auction::run(common, command, ui).await,
        ResearcherCommand::Job(command) => job::run(common, command, ui).await,
        ResearcherCommand::Bond(command) => bond::run(common, command, ui).await,
        ResearcherCommand::Query { name, query, license, purpose, again, resume, agreed } => {
            let researcher = Researcher::open(&common.state()?, &name)?;
            let coop = Coop::connect(&common.gateway()?).await?;
            let Some(query) = query.filter(|_| !resume) else { return resume_all(&researcher, &coop, ui).await };
            let query = read_query(&query)?;
            let license = license.map_or_else(|| researcher.last_license(), Ok)?;
            let asked = researcher.asked(license, &query, coop.now().await?, again)?;
            let reused = asked.as_ref().is_some_and(|kept| kept.answer.is_some());
            let kept = match asked {
                Some(kept) => kept,
                None => {
                    quote(&coop, license, &query, ui.agreeing(agreed)).await?;
                    researcher.sign(&coop, license, purpose.code(), query).await?
                }
            };
            let waiting = ui.spinner("waiting for the answer");
            let (answered, kept) = researcher.fetch(&coop, kept).await?;
            waiting.done();
            shown(ui, &answered, &kept, reused)
        }
        ResearcherCommand::Orders { name } => {
            let researcher = Researcher::open(&common.state()?, &name)?;
            let now = Coop::connect(&common.gateway()?).await?.now().await?;
            list(&researcher.orders()?, now, ui)
        }
        ResearcherCommand::Answer { name, order } => {
            let researcher = Researcher::open(&common.state()?, &name)?;
            let coop = Coop::connect(&common.gateway()?).await?;
            let (answered, kept) = researcher.fetch(&coop, researcher.order_named(&order)?).await?;
            shown(ui, &answered, &kept, true)
        }
        ResearcherCommand::Prices { chain } => prices::prices(common, &chain, ui).await,
        ResearcherCommand::Approvals { who } => {
            prices::approvals(&Desk::open(common, &who).await?, &who.name, ui).await
        }
        ResearcherCommand::Sizes => {
            let sizes: Sizes = Coop::connect(&common.gateway()?).await?.gateway.get(gateway::SIZES).await?;
            let line = |size: &PublishedSize| {
                format!(
                    "dataset {}, purpose {}: about {} (epoch {})",
                    size.dataset,
                    size.purpose,
                    count(size.members, "member"),
                    size.epoch
                )
            };
            show(ui, &json!(sizes), sizes.sizes.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// Says what a new question would charge, and asks.
async fn quote(coop: &Coop, license: LicenseId, query: &Query, ui: Ui) -> Result<()> {
    let view: LicenseView = coop.gateway.get(gateway::LICENSE.at(license)).await?;
    let sizes: Sizes = coop.gateway.get(gateway::SIZES).await?;
    let (_, people) = quote::newest(&sizes, view.dataset, view.purpose);
    ui.agree(&budgets::quote(query, &view, people, &Budgets::read(coop).await?))
}

/// One answer: each figure with what it is of, its unit, and how far the noise may have moved it.
fn shown(ui: Ui, answered: &Answered, kept: &Kept, reused: bool) -> Result<ExitCode> {
    show(ui, &answer_value(answered, kept, reused), answer_lines(answered, kept, reused).join("\n"))
}

fn answer_value(answered: &Answered, kept: &Kept, reused: bool) -> serde_json::Value {
    let (answer, query) = (&answered.answer, &kept.request.query);
    let mut value = json!(answered);
    value["order"] = json!(kept.order);
    value["figures"] = json!(answer.readings(query));
    value["reused"] = json!(reused || answered.cached);
    value["left_out"] = json!(answer.left_out_reading());
    value
}

fn answer_lines(answered: &Answered, kept: &Kept, reused: bool) -> Vec<String> {
    let answer = &answered.answer;
    let mut lines = match &answer.outcome {
        Outcome::Released { .. } => answer.readings(&kept.request.query).iter().map(ToString::to_string).collect(),
        Outcome::Withheld { reason: Withheld::CohortTooSmall } => {
            vec!["withheld: about too few people, noise included; what it cost is spent".to_owned()]
        }
    };
    lines.push(answer.left_out_reading().to_string());
    lines.push(if reused || answered.cached {
        format!("from an earlier answer, nothing charged (order {})", kept.order)
    } else {
        format!("charged to each person asked: {} (order {})", zcdp(answer.rho), kept.order)
    });
    lines
}

/// Every order with where it stands.
fn list(orders: &[Kept], now: u64, ui: Ui) -> Result<ExitCode> {
    let value = |kept: &Kept| {
        let order = &kept.request.order;
        let (kind, state) = (kept.request.query.ask.kind(), kept.state(now));
        json!({ "order": kept.order, "state": state, "license": order.license_id, "kind": kind, "rho": order.rho, "deadline": order.deadline })
    };
    let line = |kept: &Kept| {
        let order = &kept.request.order;
        let (kind, state) = (kept.request.query.ask.kind(), kept.state(now));
        format!("{} {state:<8} {kind:<9} license {}, rho {}", kept.order, order.license_id, order.rho)
    };
    let lines = if orders.is_empty() { vec!["no orders".to_owned()] } else { orders.iter().map(line).collect() };
    show(ui, &json!({ "orders": orders.iter().map(value).collect::<Vec<_>>() }), lines.join("\n"))
}

/// Sends every order again that has no answer yet; one that fails does not keep the next ones back.
async fn resume_all(researcher: &Researcher, coop: &Coop, ui: Ui) -> Result<ExitCode> {
    let now = coop.now().await?;
    let (mut told, mut lines, mut failed) = (Vec::new(), Vec::new(), 0);
    let open = |kept: &Kept| matches!(kept.state(now), "open" | "late");
    for kept in researcher.orders()?.into_iter().filter(open) {
        let order = kept.order;
        // After its deadline an order may still have been paid and answered before; nothing new can be charged.
        let late = kept.state(now) == "late";
        match researcher.fetch(coop, kept).await {
            Ok((answered, kept)) => {
                lines.push(format!("{order}:\n{}", answer_lines(&answered, &kept, false).join("\n")));
                told.push(json!({ "order": order, "answered": answer_value(&answered, &kept, false) }));
            }
            Err(error) => {
                failed += u32::from(!late);
                lines.push(format!("{order}: {error:#}"));
                told.push(json!({ "order": order, "late": late, "error": format!("{error:#}") }));
            }
        }
    }
    if lines.is_empty() {
        lines.push("no order is open".to_owned());
    }
    show(ui, &json!({ "resumed": told }), lines.join("\n"))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A typed query in a file.
fn read_query(path: &Path) -> Result<Query> {
    let bytes = input(path)?;
    let query = Query::parse(&bytes).with_context(|| format!("{} is no query", path.display()))?;
    query.validate().with_context(|| format!("{} is no query", path.display()))?;
    Ok(query)
}
