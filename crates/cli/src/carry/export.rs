//! `rochdale member export`: everything that the cooperative holds on a member, into one archive.

use super::fhir::{self, At, Standing};
use super::gather::{self, Inventory, Records};
use super::words::{self, Settled};
use super::{FORMAT, MANIFEST, Manifest, Origin, RECORDS, RecordEntry, VERSION};
use crate::consents;
use crate::coop::Coop;
use crate::earnings;
use crate::failure::{Failure, Kind};
use crate::member::{self, OpeningLog};
use crate::member_args::ExportArgs;
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use crate::when::count;
use alloy::primitives::B256;
use anyhow::{Context, Result, bail};
use rochdale_api::custody::{HeldConsent, HeldContribution};
use rochdale_api::route::gateway;
use rochdale_api::status::MemberView;
use rochdale_chain::eip712;
use rochdale_client::{notice, statement};
use rochdale_core::ids::Epoch;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;
use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive that is being written: it has its name once it is whole, and is deleted where the command ends before that. What is killed leaves
/// a file of its owner's alone, `.export-….partial`.
struct Archive {
    zip: ZipWriter<BufWriter<NamedTempFile>>,
    files: BTreeMap<String, B256>,
}

impl Archive {
    fn begin(path: &Path) -> Result<Self> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Made for its owner alone, whatever the umask.
        let file = tempfile::Builder::new().prefix(".export-").suffix(".partial").tempfile_in(dir);
        let file = file.with_context(|| format!("cannot write in {}", dir.display()))?;
        let mut zip = ZipWriter::new(BufWriter::new(file));
        zip.set_comment(format!("{FORMAT} {VERSION}"))?;
        Ok(Self { zip, files: BTreeMap::new() })
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<B256> {
        let how = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o600);
        let cannot = || format!("cannot write {name} into the archive");
        self.zip.start_file(name, how).with_context(cannot)?;
        self.zip.write_all(bytes).with_context(cannot)?;
        let digest = B256::from_slice(&Sha256::digest(bytes));
        self.files.insert(name.to_owned(), digest);
        Ok(digest)
    }

    fn add_json(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        self.add(name, &serde_json::to_vec_pretty(value)?).map(drop)
    }

    fn finish(self, path: &Path, force: bool) -> Result<u64> {
        let cannot = || format!("cannot write {}", path.display());
        let file = self.zip.finish().with_context(cannot)?.into_inner().map_err(std::io::IntoInnerError::into_error);
        let file = file.with_context(cannot)?;
        file.as_file().sync_all().with_context(cannot)?;
        let bytes = file.as_file().metadata().with_context(cannot)?.len();
        if force {
            file.persist(path).map_err(|error| error.error).with_context(cannot)?;
        } else {
            file.persist_noclobber(path).map_err(|error| error.error).with_context(cannot)?;
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir).and_then(|dir| dir.sync_all()).with_context(cannot)?;
        Ok(bytes)
    }
}

/// `rochdale member export`
pub async fn export(coop: &Coop, wallet: &Wallet, args: &ExportArgs, ui: Ui) -> Result<ExitCode> {
    let listen = |kind| signal(kind).context("cannot listen for the signal to stop");
    let (mut stop, mut hangup) = (listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    let written = tokio::select! {
        written = write(coop, wallet, args, ui) => written?,
        _ = stop.recv() => bail!("stopped; nothing was written"),
        _ = hangup.recv() => bail!("stopped; nothing was written"),
        _ = tokio::signal::ctrl_c() => bail!("stopped; nothing was written"),
    };
    let path = args.file.display();
    let mut said = format!(
        "{path}: {}, {}, {}, and who used them. It is not encrypted: keep it safe; README.txt in it says what is in it",
        count(written["records"].as_u64().unwrap_or_default(), "record"),
        count(written["consents"].as_u64().unwrap_or_default(), "consent"),
        count(written["epochs"].as_u64().unwrap_or_default(), "epoch"),
    );
    for sentence in written["missing"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        said += &format!("\n  not in it: {sentence}");
    }
    show(ui, &written, said)
}

/// What can be said before anything is asked.
pub fn check_path(args: &ExportArgs) -> Result<()> {
    if args.file == Path::new("-") {
        bail!(Failure::new(
            Kind::Usage,
            "name a file: an archive of somebody's records goes to no terminal and no pipe"
        ));
    }
    if args.file.is_dir() {
        bail!(Failure::new(Kind::Usage, format!("{} is a folder: name a file", args.file.display())));
    }
    if args.file.exists() && !args.force {
        bail!(Failure::refused(format!("{} is there already; --force replaces it", args.file.display())));
    }
    Ok(())
}

async fn write(coop: &Coop, wallet: &Wallet, args: &ExportArgs, ui: Ui) -> Result<Value> {
    let (view, member) = (coop.view().await?, wallet.id()?);
    let standing = member::view(coop, member).await?;
    let mut archive = Archive::begin(&args.file)?;
    let mut missing = Vec::new();
    let waiting = ui.spinner("what stewards hold");
    let inventory = Inventory::take(coop, wallet).await?;
    waiting.done();
    missing.extend(inventory.refusals.iter().map(|refusal| format!("what else is known to {refusal}")));
    let coop = &inventory.answering(coop);
    let rows = rows(coop, wallet, view.epoch, &mut missing, ui).await?;
    let records = records(coop, wallet, &inventory, &mut archive, &mut missing, ui).await?;
    let held = inventory.consents(&mut missing);
    consents(coop, wallet, &held, &standing, &mut archive, &mut missing)?;
    let newest = rows.last().map(|settled| &settled.report);
    for (entry, given) in &records {
        let scored =
            newest.and_then(|row| row.contributions.iter().find(|c| c.contribution_id == entry.contribution_id));
        let tier = scored
            .and_then(|scored| scored.score)
            .and_then(|score| earnings::tier(score.authenticity))
            .map(|(tier, _)| tier);
        let target = (entry.file.as_str(), archive.files[&entry.file]);
        let resource = fhir::provenance(&at(coop), member, given, target, scored, tier);
        archive.add_json(&format!("fhir/Provenance-contribution-{}.json", entry.contribution_id), &resource)?;
    }
    let logs = member::openings(coop, wallet).await?;
    let hidden = logs.iter().filter_map(|log| log.openings.as_ref().err().map(|error| (log.steward, error)));
    missing.extend(
        hidden.map(|(steward, error)| format!("who opened your records by the log of steward {steward}: {error:#}")),
    );
    if inventory.claimed().is_none() {
        missing.push("what was paid out so far: stewards say different things of it".to_owned());
    }
    ledger(&rows, &inventory, &format!("member {member}"), &mut archive)?;
    let uses = access(coop, &rows, &logs, &mut archive).await?;
    let epoch = newest.map_or(Epoch(0), |row| row.epoch);
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        cooperative: origin(coop),
        member,
        account: wallet.account(),
        epoch,
        written_at: view.now,
        records: records.into_iter().map(|(entry, _)| entry).collect(),
        missing,
        files: BTreeMap::new(),
    };
    archive.add("README.txt", words::readme(&manifest).as_bytes())?;
    manifest.files = archive.files.clone();
    archive.add_json(MANIFEST, &manifest)?;
    let summary = json!({
        "file": args.file,
        "member": member,
        "epoch": epoch,
        "records": manifest.records.len(),
        "consents": held.len(),
        "epochs": rows.len(),
        "uses": uses,
        "missing": manifest.missing,
        "bytes": archive.finish(&args.file, args.force)?,
    });
    Ok(summary)
}

fn at(coop: &Coop) -> At {
    let addresses = &coop.manifest.addresses;
    let (membership, consents) = (addresses.membership, addresses.consent_registry);
    At { chain_id: coop.manifest.chain_id, membership, consents }
}

fn origin(coop: &Coop) -> Origin {
    let addresses = coop.manifest.addresses.named().into_iter().map(|(name, _, address)| (name.to_owned(), address));
    Origin { chain_id: coop.manifest.chain_id, addresses: addresses.collect() }
}

async fn rows(coop: &Coop, wallet: &Wallet, running: Epoch, missing: &mut Vec<String>, ui: Ui) -> Result<Vec<Settled>> {
    let counting = ui.spinner("rows of the ledger");
    let (rows, gone) = gather::rows(coop, wallet, running, || counting.inc()).await?;
    missing.extend(gone);
    let differing: Vec<String> =
        rows.iter().filter(|(_, differ)| *differ > 0).map(|(row, _)| row.epoch.to_string()).collect();
    if !differing.is_empty() {
        missing.push(format!("stewards show different rows of epochs {}: one of them is in it", differing.join(", ")));
    }
    let mut settled = Vec::new();
    for (report, _) in rows {
        let parts = earnings::parts(coop, wallet.id()?, &report).await?;
        settled.push(Settled { report, parts });
    }
    counting.done();
    Ok(settled)
}

async fn records(
    coop: &Coop,
    wallet: &Wallet,
    inventory: &Inventory,
    archive: &mut Archive,
    missing: &mut Vec<String>,
    ui: Ui,
) -> Result<Vec<(RecordEntry, HeldContribution)>> {
    let all = inventory.contributions(&wallet.membership.contributions, missing);
    let mut there = Vec::new();
    for given in all {
        let id = given.contribution_id;
        match (given.erased, &given.record) {
            (true, _) => missing.push(format!("the record of contribution {id} was erased")),
            (false, None) => missing.push(format!("no steward that answered holds a record of contribution {id}")),
            (false, Some(_)) => there.push(given),
        }
    }
    let bar = ui.bar("opening your records", there.len() as u64);
    let (mut opening, mut entries) = (Records::new(coop, wallet)?, Vec::new());
    for page in there.chunks(gather::PAGE) {
        opening.begin(page).await?;
        for given in page {
            let record = opening.open(given).await?;
            let file = format!("{RECORDS}contribution-{}.json", given.contribution_id);
            archive.add(&file, &record)?;
            let (contribution_id, commitment) = (given.contribution_id, given.commitment);
            entries.push((RecordEntry { file, contribution_id, commitment }, given.clone()));
            bar.inc();
        }
    }
    bar.done();
    Ok(entries)
}

/// Each version of the consent, with the member's signature where the wallet kept it, and the text where it is this program's.
fn consents(
    coop: &Coop,
    wallet: &Wallet,
    held: &[HeldConsent],
    view: &MemberView,
    archive: &mut Archive,
    missing: &mut Vec<String>,
) -> Result<()> {
    for consent in held {
        let version = consent.version;
        let Some(secret) = &consent.secret else {
            missing.push(format!("no steward that answered holds the receipt of consent {version}"));
            continue;
        };
        let signed = wallet.granted(version)?.filter(|kept| {
            let domain = coop.site().contracts.consent_domain();
            kept.receipt_commitment == consent.receipt_commitment
                && eip712::verify(&statement::grant(kept), &domain, &kept.signature, wallet.account()).is_ok()
        });
        if signed.is_none() {
            missing.push(format!(
                "your signature under consent {version} is not in this wallet; it is in the transaction on chain"
            ));
        }
        let notice = notice::shown(&secret.receipt.notice);
        match notice {
            Some(text) => archive.add(&format!("consents/version-{version}.txt"), text.as_bytes()).map(drop)?,
            None => {
                missing.push(format!("the text that was shown before consent {version}: this program has another one"))
            }
        }
        let words = consents::told(&secret.receipt) + "\n";
        archive.add(&format!("consents/version-{version}.words.txt"), words.as_bytes())?;
        let value = json!({
            "version": version,
            "receipt": secret.receipt,
            "blinder": secret.blinder,
            "receipt_commitment": consent.receipt_commitment,
            "expiry": consent.expiry,
            "signed": signed.map(|kept| json!({
                "account": wallet.account(),
                "registry": coop.manifest.addresses.consent_registry,
                "nonce": kept.nonce,
                "deadline": kept.deadline,
                "signature": kept.signature,
            })),
        });
        archive.add_json(&format!("consents/version-{version}.json"), &value)?;
        let stands = view.active && view.consent == "granted" && view.consent_version == version;
        let standing = if stands { Standing::Active } else { Standing::Over };
        let resource = fhir::consent(&at(coop), consent, &secret.receipt, standing, notice);
        archive.add_json(&format!("fhir/Consent-{version}.json"), &resource)?;
    }
    Ok(())
}

fn ledger(rows: &[Settled], inventory: &Inventory, name: &str, archive: &mut Archive) -> Result<()> {
    let claimed = inventory.claimed();
    let by_epoch = rows.iter().map(|Settled { report, parts }| {
        let (row, leaf, salt) = (&report.row, &report.leaf, report.salt);
        json!({ "epoch": report.epoch, "row": row, "cash_parts": parts, "leaf": leaf, "salt": salt })
    });
    let newest = rows.last().map(|settled| &settled.report);
    let value = json!({
        "rows": by_epoch.collect::<Vec<_>>(),
        "contributions": newest.map(|report| &report.contributions),
        "claimed": claimed,
    });
    archive.add_json("ledger/rows.json", &value)?;
    archive.add("ledger/account.txt", words::account(name, rows, claimed).as_bytes())?;
    archive.add("ledger/account.csv", words::table(rows).as_bytes())?;
    Ok(())
}

async fn access(coop: &Coop, rows: &[Settled], logs: &[OpeningLog], archive: &mut Archive) -> Result<usize> {
    let newest = rows.last().map(|settled| &settled.report);
    let uses = newest.map(|report| report.uses.as_slice()).unwrap_or_default();
    let asked = uses.iter().any(|used| used.query.is_some());
    // What codes mean is the cooperative's word; without it they stand as they are.
    let datasets = if asked { coop.gateway.get(gateway::DATASETS).await.unwrap_or_default() } else { Vec::new() };
    let openings = logs.iter().map(|log| match &log.openings {
        Ok(lines) => json!({ "steward": log.steward, "openings": lines }),
        Err(error) => json!({ "steward": log.steward, "error": error.to_string() }),
    });
    archive.add_json("access/log.json", &json!({ "uses": uses, "openings": openings.collect::<Vec<_>>() }))?;
    archive.add("access/log.txt", words::access(newest, logs, &datasets).as_bytes())?;
    Ok(uses.len())
}
