//! The parts of an archive that people read.

use super::{Manifest, VERSION};
use crate::earnings;
use crate::member::OpeningLog;
use crate::when::{count, utc};
use rochdale_api::custody::HeldClaims;
use rochdale_api::member::RowReport;
use rochdale_api::status::DatasetView;
use rochdale_core::ledger::CashParts;
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use std::fmt::Write as _;

/// `README.txt`.
pub fn readme(manifest: &Manifest) -> String {
    let Manifest { member, account, epoch, written_at, records, missing, cooperative, .. } = manifest;
    let mut text = format!(
        "What a patient data cooperative holds on you\n\n\
         You are member {member} of the cooperative whose contracts are on chain {}; your account is {account}.\n\
         Written at {}, when epoch {epoch} was the last that was settled. {} in it.\n\n\
         KEEP IT SAFE. This archive is NOT encrypted. Whoever has it reads your health records, what you consented to, what you\n\
         earned, and who asked about you; and can link your member number and account to you. Lock it away, or delete it once\n\
         it is where you wanted it. It holds no key: nobody can sign, be paid or join as you with it.\n\n\
         records/    your health records, as you contributed them: FHIR R4 bundles, a file each\n\
         consents/   each version of your consent: the receipt, your signature under it, what hides it on chain, and the text that\n\
         \x20           you were shown\n\
         fhir/       the consents as FHIR R4 Consent, and where each record comes from as Provenance (commitment, block, score, how\n\
         \x20           well it was vouched for)\n\
         ledger/     what you earned and for what, epoch by epoch (account.txt in words, account.csv for a spreadsheet, rows.json\n\
         \x20           with everything), and what was paid out\n\
         access/     who used your records, when, for which purpose, what was asked and what it cost of your privacy budget; who\n\
         \x20           opened them to score them; and when you had them opened yourself, as for this archive\n\
         manifest.json  which files there are, with the SHA-256 of each (format version {VERSION})\n\n\
         To take your records to another cooperative, join it, consent there, and type\n\
         \x20   rochdale import THIS-FILE.zip --name YOUR-NAME\n\
         It takes the records. Consents are not carried over: they were given to this cooperative, and you give them anew there. The\n\
         ledger is an account, not money: what you are owed here stays payable here (`rochdale member claim`).\n",
        cooperative.chain_id,
        utc(*written_at),
        count(records.len() as u64, "record"),
    );
    if !missing.is_empty() {
        text += "\nWhat could not be had:\n";
        missing.iter().for_each(|sentence| text += &format!("- {sentence}\n"));
    }
    text
}

/// A settled epoch's row with what its cash is made of.
pub struct Settled {
    /// The row, as most stewards show it.
    pub report: RowReport,
    /// Of what the cash is made.
    pub parts: Option<CashParts>,
}

/// `ledger/account.txt`.
pub fn account(name: &str, rows: &[Settled], claimed: Option<HeldClaims>) -> String {
    let paid = claimed.map_or_else(
        || "what was paid out so far: stewards say different things of it".to_owned(),
        |HeldClaims { cash, data, gov }| {
            format!("paid out so far: {}, {} and {}", MicroUsdc(cash), DataWei(data), GovWei(gov))
        },
    );
    let Some(newest) = rows.last() else { return format!("no row of yours is in this archive\n{paid}\n") };
    let mut lines = Vec::new();
    for settled in rows {
        lines.extend(earnings::earned(name, &settled.report, settled.parts.as_ref()));
        lines.push(String::new());
    }
    for contribution in &newest.report.contributions {
        lines.extend(earnings::scored(contribution, usize::MAX));
    }
    lines.push(String::new());
    lines.push(paid);
    lines.join("\n") + "\n"
}

/// `ledger/account.csv`: integers, with their units in the names.
pub fn table(rows: &[Settled]) -> String {
    let mut text = "epoch,micro_usdc_in_all,micro_usdc_of_epoch,of_it_floor,of_it_use,of_it_data_earned,of_it_early,\
                    data_wei_in_all,gov_wei_in_all\n"
        .to_owned();
    for Settled { report, parts } in rows {
        let row = &report.row;
        let part = |of: fn(&CashParts) -> u128| parts.as_ref().map(|parts| of(parts).to_string()).unwrap_or_default();
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{}",
            report.epoch,
            row.cash_earned.saturating_add(row.cash_streaming),
            row.cash_streaming,
            part(|parts| parts.floor),
            part(|parts| parts.usage),
            part(|parts| parts.data),
            part(|parts| parts.early),
            row.data_earned,
            row.gov_earned
        );
    }
    text
}

/// `access/log.txt`.
pub fn access(newest: Option<&RowReport>, logs: &[OpeningLog], datasets: &[DatasetView]) -> String {
    let mut lines = Vec::new();
    let uses = newest.map(|report| report.uses.as_slice()).unwrap_or_default();
    lines.push(match uses.len() {
        0 if newest.is_none() => {
            "who used your records stands with your row of the ledger, which is not in this archive".to_owned()
        }
        0 => "nobody has used your records".to_owned(),
        uses => format!("your records were used {}:", count(uses as u64, "time")),
    });
    lines.extend(uses.iter().map(|used| earnings::used(used, datasets)));
    lines.push(String::new());
    lines.push("who opened them, by the log of each steward:".to_owned());
    for OpeningLog { steward, openings } in logs {
        match openings {
            Ok(openings) if openings.is_empty() => lines.push(format!("  steward {steward}: nobody, by its share")),
            Ok(openings) => {
                lines.extend(
                    openings.iter().map(|line| format!("  steward {steward}: {}", earnings::opening_line(line))),
                );
            }
            Err(error) => lines.push(format!("  steward {steward} did not show its log: {error}")),
        }
    }
    lines.join("\n") + "\n"
}
