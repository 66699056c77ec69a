//! `rochdale member rows`: what a member earned and for what, in sentences.

use crate::coop::Coop;
use crate::member;
use crate::records::percent;
use crate::researcher::args::purpose_words;
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use crate::when::{count, utc};
use anyhow::Result;
use rochdale_api::custody::{Opening, OpeningReason};
use rochdale_api::member::{ContributionReport, RowReport, UseReport};
use rochdale_api::route::gateway;
use rochdale_api::status::{DatasetView, EpochView};
use rochdale_client::choice::zcdp;
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::{CashParts, Score};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use rochdale_core::query::Code;
use rochdale_core::reading;
use serde_json::json;
use std::process::ExitCode;

/// Reasons of one record that are shown; the others stand under `--verbose`.
const REASONS: usize = 5;

/// Asks the stewards and tells the member.
pub async fn shown(coop: &Coop, name: &str, wallet: &Wallet, ui: Ui) -> Result<ExitCode> {
    let (report, differ) = member::row(coop, wallet, None).await?;
    let parts = parts(coop, wallet.id()?, &report).await?;
    let mut value = json!(report);
    value["cash_parts"] = json!(parts);
    value["stewards_that_differ"] = json!(differ);
    let mut lines = earned(name, &report, parts.as_ref());
    lines.push(format!("  to be paid what is due: `rochdale member claim --name {name}`"));
    if differ > 0 {
        let who = if differ == 1 { "1 steward shows".to_owned() } else { format!("{differ} stewards show") };
        lines.push(format!(
            "{who} another row of that epoch: `rochdale member contest --name {name}` has the chain replay it"
        ));
    }
    for contribution in &report.contributions {
        lines.extend(scored(contribution, REASONS));
    }
    if report.contributions.is_empty() {
        lines.push("no contribution is recorded".to_owned());
    }
    lines.push(match report.uses.len() {
        0 => "nobody has used your records yet".to_owned(),
        uses => format!("used {}:", count(uses as u64, "time")),
    });
    let asked = report.uses.iter().any(|used| used.query.is_some());
    // What codes mean is the cooperative's word; without it they stand as they are.
    let datasets = if asked { coop.gateway.get(gateway::DATASETS).await.unwrap_or_default() } else { Vec::new() };
    lines.extend(report.uses.iter().map(|one| used(one, &datasets)));
    show(ui, &value, lines.join("\n"))
}

/// What a row's cash is made of, explained by what the gateway shows of the epoch; what the member is owed is its row.
pub async fn parts(coop: &Coop, member: MemberId, report: &RowReport) -> Result<Option<CashParts>> {
    let view: EpochView = coop.gateway.get(gateway::EPOCH.at(report.epoch)).await?;
    Ok(match &view.header {
        Some(header) => CashParts::explained(&view.params, &header.shared(), member, &report.row)?,
        None => None,
    })
}

/// What a row says of what was earned, a line each.
pub fn earned(name: &str, report: &RowReport, parts: Option<&CashParts>) -> Vec<String> {
    let row = &report.row;
    let mut lines = vec![format!(
        "{name}, since the beginning and up to epoch {}: you earned {}, {} and {}",
        report.epoch,
        MicroUsdc(row.cash_earned.saturating_add(row.cash_streaming)),
        DataWei(row.data_earned),
        GovWei(row.gov_earned)
    )];
    let of_it = match (row.cash_streaming, parts) {
        (0, _) => "nothing in USDC: it comes from licenses that were paid, to members with a scored record".to_owned(),
        (cash, None) => MicroUsdc(cash).to_string(),
        (cash, Some(CashParts { floor, usage, data, early })) => format!(
            "{}: floor {}, use {}, DATA earned {}, early membership {}; it becomes payable second by second over epoch {}",
            MicroUsdc(cash),
            bare(*floor),
            bare(*usage),
            bare(*data),
            bare(*early),
            report.epoch.0 + 1
        ),
    };
    lines.push(format!("  of it for epoch {}: {of_it}", report.epoch));
    if row.data_locked > 0 || row.gov_locked > 0 {
        lines.push(format!(
            "  waits until your records are used: {} and {}",
            DataWei(row.data_locked),
            GovWei(row.gov_locked)
        ));
    }
    if row.data_vesting > 0 || row.gov_vesting > 0 {
        let (data, gov) = (DataWei(row.data_vesting), GovWei(row.gov_vesting));
        lines.push(format!("  becomes yours a part each epoch: {data} and {gov}"));
    }
    if row.closed {
        lines.push("  everything is erased: nothing changes any more, and what was earned stays payable".to_owned());
    }
    lines
}

/// An amount in USDC without the name, for lists.
fn bare(amount: u128) -> String {
    let shown = MicroUsdc(amount).to_string();
    shown.split_once(' ').map_or(shown.clone(), |(number, _)| number.to_owned())
}

/// How a contribution counts, with so many of the reasons.
pub fn scored(report: &ContributionReport, reasons: usize) -> Vec<String> {
    let id = report.contribution_id;
    let mut lines = match (&report.score, report.epoch) {
        (Some(score), Some(epoch)) => {
            let Score { quality, uniqueness, authenticity, rarity } = *score;
            let mut line = format!("contribution {id}, counted in epoch {epoch}: quality {}", percent(quality));
            if uniqueness < 10_000 {
                line += &format!(", of which {} because it is not the first of its kind", percent(uniqueness));
            }
            if rarity > 10_000 {
                line += &format!(", {} because such data is rare", percent(rarity));
            }
            let why = tier(authenticity).map_or("for a reason that is not known here", |(_, why)| why);
            vec![format!("{line}; {} of that {why}", percent(authenticity))]
        }
        _ => vec![format!("contribution {id} waits to be scored")],
    };
    let more = report.reasons.len().saturating_sub(reasons);
    lines.extend(report.reasons.iter().take(reasons).map(|reason| format!("  {reason}")));
    if more > 0 {
        lines.push(format!("  and {}: --verbose", count(more as u64, "further reason")));
    }
    lines
}

/// How well a record is vouched for, by a word, and why it counts for this part; nothing of what is no tier.
pub fn tier(authenticity: u16) -> Option<(&'static str, &'static str)> {
    match Score::AUTHENTICITY.iter().position(|step| *step == authenticity)? {
        0 => Some(("upload", "because nobody vouched for the upload")),
        1 => Some(("device", "because a device vouched for it")),
        2 => Some(("fetched", "because a steward fetched it at its source")),
        _ => Some(("issuer", "because its issuer signed it")),
    }
}

/// One use of the member's records, as people read it.
pub fn used(used: &UseReport, datasets: &[DatasetView]) -> String {
    let UseReport { debit, at, license_id, researcher, purpose, rho, records, query, .. } = used;
    let name = |code: &Code| {
        let mut known = datasets.iter().flat_map(|dataset| &dataset.codes);
        let known = known.find(|known| known.system == code.system && known.code == code.code);
        known.map_or_else(|| code.to_string(), |known| known.name.clone())
    };
    let what = query.as_ref().map_or_else(|| "a question".to_owned(), |query| reading::question(query, name));
    format!(
        "  {}: researcher {researcher} asked for {what} (question {debit}, under license {license_id}), for {}; {} of yours, {} of your privacy budget",
        utc(*at),
        purpose_words(*purpose),
        count(*records, "record"),
        zcdp(*rho)
    )
}

/// A line of a steward's log, as people read it.
pub fn opening_line(line: &Opening) -> String {
    let Opening { contribution_id, scorer, account, reason, first, last, times } = line;
    let of_steward = |why: &str| format!("steward {scorer} ({account}), because {why}");
    let whom = match reason {
        OpeningReason::Drawn => of_steward("it was drawn"),
        OpeningReason::ScoresDiffer => of_steward("the first two scores differ"),
        OpeningReason::StandsIn => of_steward("one that was drawn before it was silent"),
        OpeningReason::Owner => format!("its own member ({account}), as in an export"),
    };
    let (times, first, last) = (count(*times, "time"), utc(*first), utc(*last));
    format!("contribution {contribution_id} was opened by {whom}; {times} from {first} to {last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_core::ids::{ContributionId, Epoch};

    #[test]
    fn a_score_says_why_it_is_not_more() {
        assert_eq!([0, 7_550, 10_000, 7_505].map(percent), ["0 %", "75.5 %", "100 %", "75.05 %"]);
        let report = |score: Score| ContributionReport {
            contribution_id: ContributionId(3),
            score: Some(score),
            epoch: Some(Epoch(2)),
            reasons: (0..7).map(|n| format!("reason {n}")).collect(),
        };
        let upload = Score { quality: 7_100, uniqueness: 10_000, authenticity: 3_000, rarity: 10_000 };
        let said = scored(&report(upload), REASONS);
        assert_eq!(
            said[0],
            "contribution 3, counted in epoch 2: quality 71 %; 30 % of that because nobody vouched for the upload"
        );
        assert_eq!((said.len(), said[6].as_str()), (7, "  and 2 further reasons: --verbose"));
        let rare = scored(&report(Score { uniqueness: 0, authenticity: 10_000, rarity: 12_500, ..upload }), REASONS);
        for part in ["of which 0 % because", "125 % because such data is rare", "its issuer signed it"] {
            assert!(rare[0].contains(part), "{rare:?}");
        }
    }
}
