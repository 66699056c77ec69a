//! What the demo prints: who earned what, where each cent went, what is left, and whether the sums hold.

use crate::records::{Skip, percent};
use crate::ui::Ui;
use alloy::primitives::B256;
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::order::Answered;
use rochdale_api::status::{BudgetView, EpochView, TreasuryView};
use rochdale_core::ids::{LicenseId, MemberId, StewardId};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc, decimal_string};
use rochdale_core::query::Outcome;
use rochdale_core::reading::Reading;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The demo's result; `docs/how-to/demo.md` explains each field.
#[derive(Default, Serialize)]
pub struct Report {
    pub patients: Patients,
    pub members: Vec<MemberReport>,
    pub license: Option<LicenseReport>,
    pub treasury: TreasuryView,
    pub queries: Vec<Asked>,
    pub epochs: Vec<EpochView>,
    pub refusals: Vec<Refusal>,
    pub erasure: Option<Erasure>,
    /// What was charged to privacy budgets.
    pub budget: BudgetView,
    pub gas: Gas,
    pub conservation: Vec<Check>,
    pub audit_agrees: bool,
    pub audit: Value,
    /// A link that invites one person for a day, where the cooperative goes on and the web app was built.
    pub invitation: Option<String>,
    pub seconds: Vec<(String, f64)>,
}

#[derive(Default, Serialize)]
pub struct Patients {
    /// How many were made, where they are synthetic.
    pub synthetic: Option<u32>,
    /// Files that were looked at; those of archives are one.
    pub files: usize,
    /// What was found: `contributed` and `skipped` add up to it.
    pub found: usize,
    pub contributed: usize,
    pub skipped: Vec<Skip>,
}

#[derive(Serialize)]
pub struct MemberReport {
    pub name: String,
    pub member_id: MemberId,
    /// Where the record came from.
    pub input: String,
    /// Its quality, and the first reasons why it is not more.
    pub score: Value,
    #[serde(with = "decimal_string")]
    pub cash: u128,
    #[serde(with = "decimal_string")]
    pub data: u128,
    #[serde(with = "decimal_string")]
    pub gov: u128,
}

#[derive(Serialize)]
pub struct LicenseReport {
    pub license: LicenseId,
    #[serde(with = "decimal_string")]
    pub price: u128,
}

#[derive(Serialize)]
pub struct Asked {
    pub kind: &'static str,
    pub seconds: f64,
    /// The answer's figures, as a person reads them.
    pub figures: Vec<Reading>,
    pub answered: Answered,
    pub receipt_tx: B256,
}

#[derive(Serialize)]
pub struct Refusal {
    pub steward: StewardId,
    pub member_id: MemberId,
    pub code: ProblemCode,
    pub reason: String,
}

#[derive(Serialize)]
pub struct Erasure {
    pub member_id: MemberId,
    pub attested_by: Vec<StewardId>,
    /// Deletions after which nobody can open the record.
    pub needed: usize,
    pub can_be_opened: bool,
}

/// One equation or bound that must hold to the last unit.
#[derive(Serialize)]
pub struct Check {
    pub says: String,
    pub left: String,
    pub right: String,
    pub holds: bool,
}

/// Gas by action: what was measured, over how many.
#[derive(Default, Serialize)]
pub struct Gas(BTreeMap<String, GasRow>);

#[derive(Clone, Copy, Default, Serialize)]
pub struct GasRow {
    pub total: u64,
    pub count: u64,
}

impl Gas {
    /// One more of these.
    pub fn one(&mut self, action: &str, gas: u64) {
        self.per(action, gas, 1);
    }

    /// `gas` over `count` of these.
    pub fn per(&mut self, action: &str, gas: u64, count: u64) {
        let row = self.0.entry(action.to_owned()).or_default();
        row.total += gas;
        row.count += count;
    }

    /// Several of these.
    pub fn mean(&mut self, action: &str, gas: impl Iterator<Item = u64>) {
        gas.for_each(|gas| self.one(action, gas));
    }
}

impl Report {
    /// Whether every check and the audit hold.
    pub fn holds(&self) -> bool {
        self.audit_agrees && self.conservation.iter().all(|check| check.holds)
    }

    /// The laws that the chain alone shows; the audit checks the pool's.
    pub fn check_conservation(&mut self, treasury_balance: u128, data_supply: u128, gov_supply: u128) {
        let t = &self.treasury;
        let buckets = t.contributors + t.buyback + t.operations + t.compliance + t.reserve;
        let price = self.license.as_ref().map_or(0, |license| license.price);
        let paid: u128 = self.members.iter().map(|member| member.cash).sum();
        let (data, gov) = self.members.iter().fold((0, 0), |(d, g), member| (d + member.data, g + member.gov));
        let mut checks = vec![
            equal("license price = sum of the buckets", price, buckets),
            equal("treasury balance = buckets − claimed", treasury_balance, buckets.saturating_sub(paid)),
            equal("claimed on the ledger = sum over the members", t.claimed, paid),
            equal("DATA minted = DATA claimed", data_supply, data),
            equal("GOV minted = GOV claimed", gov_supply, gov),
        ];
        if let Some(header) = self.epochs.last().and_then(|epoch| epoch.header.as_ref()) {
            checks.extend([
                at_most("cash claimed ≤ allocated", paid, header.cash_allocated),
                at_most("cash allocated ≤ booked to contributors", header.cash_allocated, t.contributors),
                at_most("DATA claimed ≤ earned", data, header.data_earned),
                at_most("DATA earned ≤ awarded", header.data_earned, header.data_awarded),
                at_most("GOV claimed ≤ earned", gov, header.gov_earned),
                at_most("GOV earned ≤ awarded", header.gov_earned, header.gov_awarded),
            ]);
        }
        self.conservation = checks;
    }

    /// Prints the report: one JSON object, or tables.
    pub fn print(&self, ui: Ui) -> Result<()> {
        if ui.json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        self.print_money();
        self.print_quality();
        self.print_queries();
        self.print_denials();
        self.print_gas();
        self.print_checks();
        Ok(())
    }

    fn print_money(&self) {
        println!(
            "\nWho was paid what ({} records contributed, {} inputs skipped)",
            self.patients.contributed,
            self.patients.skipped.len()
        );
        for member in &self.members {
            println!(
                "  {} (member {:>4})  {:>16}  {:>14}  {:>14}",
                member.name,
                member.member_id,
                MicroUsdc(member.cash).to_string(),
                DataWei(member.data).to_string(),
                GovWei(member.gov).to_string()
            );
        }
        let t = &self.treasury;
        println!("\nWhere the license's money went");
        let rows = [
            ("price", self.license.as_ref().map_or(0, |license| license.price)),
            ("contributors", t.contributors),
            ("  of which claimed", t.claimed),
            ("buyback", t.buyback),
            ("operations", t.operations),
            ("compliance", t.compliance),
            ("reserve", t.reserve),
        ];
        rows.iter().for_each(|(bucket, amount)| println!("  {bucket:<20} {:>18}", MicroUsdc(*amount).to_string()));
    }

    /// What each record is worth to research, and what costs most of it: whoever gave it mends that first.
    fn print_quality(&self) {
        println!("\nQuality of the records, and what costs most of it");
        for member in &self.members {
            let quality = member.score["quality"].as_u64().and_then(|quality| u16::try_from(quality).ok());
            let reason = member.score["reasons"][0]["text"].as_str().unwrap_or("nothing");
            println!("  {} {:>8}  {}: {reason}", member.name, percent(quality.unwrap_or(0)), member.input);
        }
    }

    fn print_queries(&self) {
        println!("\nQueries (differentially private, each with a receipt on chain)");
        for asked in &self.queries {
            let answer = &asked.answered.answer;
            println!("  {:<10} {:.1} s", asked.kind, asked.seconds);
            if let Outcome::Withheld { reason } = &answer.outcome {
                println!("    withheld: {reason:?}");
            }
            asked.figures.iter().for_each(|figure| println!("    {figure}"));
        }
        let BudgetView { debits, rho, .. } = self.budget;
        println!("  {debits} debits are booked; nobody was charged more than {:.3} zCDP", rho as f64 / 1e9);
    }

    fn print_denials(&self) {
        println!("\nRevoked and erased");
        for refusal in &self.refusals {
            println!("  steward {} for member {}: {}", refusal.steward, refusal.member_id, refusal.reason);
        }
        if let Some(erasure) = &self.erasure {
            let who: Vec<_> = erasure.attested_by.iter().map(ToString::to_string).collect();
            println!(
                "  member {}: stewards {} destroyed their shares ({} deletions suffice); it can be opened by {}",
                erasure.member_id,
                who.join(", "),
                erasure.needed,
                if erasure.can_be_opened { "somebody still" } else { "nobody" }
            );
        }
    }

    fn print_gas(&self) {
        println!("\nGas per action (measured on this chain)");
        for (action, row) in &self.gas.0 {
            println!("  {action:<44} {:>9}  (mean of {})", row.total / row.count.max(1), row.count);
        }
    }

    fn print_checks(&self) {
        println!("\nConservation");
        for check in &self.conservation {
            let mark = if check.holds { "ok    " } else { "BROKEN" };
            println!("  {mark} {} ({} | {})", check.says, check.left, check.right);
        }
        println!("  {} steward 1's audit of every epoch", if self.audit_agrees { "ok    " } else { "BROKEN" });
        println!("\nSeconds");
        self.seconds.iter().for_each(|(part, seconds)| println!("  {part:<34} {seconds:>6.1}"));
    }
}

fn equal(says: &str, left: u128, right: u128) -> Check {
    Check { says: says.to_owned(), left: left.to_string(), right: right.to_string(), holds: left == right }
}

fn at_most(says: &str, left: u128, right: u128) -> Check {
    Check { says: says.to_owned(), left: left.to_string(), right: right.to_string(), holds: left <= right }
}
