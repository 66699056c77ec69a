//! Computations: paid ahead up to a limit, settled by a receipt, given back where none comes.

use super::args::{JobCommand, UseArgs};
use super::auction::{fetch, owed};
use super::desk::Desk;
use super::keys::dollars;
use super::read_query;
use crate::args::Common;
use crate::state::{read_json, write_json};
use crate::ui::{Ui, show};
use crate::when::utc;
use alloy::primitives::{B256, Bytes, U256};
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::bindings::ComputeDesk;
use rochdale_core::ids::LicenseId;
use rochdale_core::money::MicroUsdc;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// A job of this researcher's, as it lies in the state directory: the chain forgets one that is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    license: LicenseId,
    plan_digest: B256,
    escrow: MicroUsdc,
}

/// What stewards and worker signed, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptFile {
    job: u64,
    units: u64,
    plan_digest: B256,
    snapshot: B256,
    steward_signatures: Vec<Bytes>,
    worker_signature: Bytes,
}

/// Runs a command.
pub async fn run(common: &Common, command: JobCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        JobCommand::Open { who, plan, max_units, use_, agreed } => {
            // Before anything is sent: a plan that is none is the file's fault, not the chain's.
            let query = read_query(&plan)?;
            let desk = Desk::open(common, &who).await?;
            open(&desk, query.dataset.0, query.digest()?, max_units, use_, ui.agreeing(agreed)).await
        }
        JobCommand::Show { target } => status(&Desk::open(common, &target.who).await?, target.job, ui).await,
        JobCommand::Settle { who, receipt } => settle(&Desk::open(common, &who).await?, &receipt, ui).await,
        JobCommand::Refund { target } => refund(&Desk::open(common, &target.who).await?, target.job, ui).await,
    }
}

async fn open(desk: &Desk, dataset: u32, plan_digest: B256, max_units: u64, use_: UseArgs, ui: Ui) -> Result<ExitCode> {
    let contract = desk.addresses().compute_desk;
    let prices = desk.view(contract, &ComputeDesk::pricesCall {}).await?;
    ensure!(prices.base != 0 || prices.perUnit != 0, "computations have no price yet: the token house sets it");
    let purpose = use_.purpose.code();
    let escrow = U256::from(prices.base) + U256::from(prices.perUnit) * U256::from(max_units);
    ui.agree(&format!(
        "A computation on dataset {dataset} holds {} of {}: {} and {} for each of {max_units} units. What it does not use comes back.",
        dollars(escrow),
        desk.account(),
        MicroUsdc(prices.base),
        MicroUsdc(prices.perUnit)
    ))?;
    desk.approved(purpose, u64::from(prices.timeout)).await?;
    let job = ComputeDesk::Job {
        datasetId: dataset,
        purpose: purpose.0,
        ehdsCategory: use_.category,
        maxUnits: max_units,
        planDigest: plan_digest,
        recipientKey: desk.researcher.recipient_key(),
    };
    let call = ComputeDesk::openCall { j: job, p: desk.permit(contract, escrow).await?.into() };
    let receipt = desk.send(contract, &call).await?;
    let opened = receipt.logs.iter().find_map(|log| log.log_decode::<ComputeDesk::JobOpened>().ok());
    let opened = opened.context("the transaction opened no job")?.inner.data;
    let (job, license) = (opened.jobId, LicenseId(opened.licenseId));
    let kept = Opened { license, plan_digest, escrow: dollars(escrow) };
    write_json(&desk.file("jobs", &format!("{job}.json")), &kept)?;
    desk.finalize().await?;
    let held = desk.view(contract, &ComputeDesk::jobOfCall { jobId: job }).await?;
    let value = json!({
        "job": job, "license": license, "plan_digest": plan_digest, "max_units": max_units,
        "escrow": escrow.to_string(), "refund_at": held.refundAt, "tx": receipt.transaction,
    });
    let sentence = format!(
        "job {job} holds {} under license {license}; without a receipt all of it can be had back from {} on",
        dollars(escrow),
        utc(held.refundAt)
    );
    show(ui, &value, sentence)
}

async fn status(desk: &Desk, job: u64, ui: Ui) -> Result<ExitCode> {
    let contract = desk.addresses().compute_desk;
    let held = desk.view(contract, &ComputeDesk::jobOfCall { jobId: job }).await?;
    let now = desk.now().await?;
    let stage = match held.refundAt {
        0 => "settled",
        at if now < at => "under_way",
        _ => "refundable",
    };
    let path = desk.file("jobs", &format!("{job}.json"));
    let kept: Option<Opened> = if path.exists() { Some(read_json(&path)?) } else { None };
    if stage == "settled" && kept.is_none() {
        bail!("no job {job} is under way, and none of that number was opened from here");
    }
    let owed = owed(desk, contract).await?;
    let license =
        if held.licenseId == 0 { kept.as_ref().map(|kept| kept.license) } else { Some(LicenseId(held.licenseId)) };
    let value = json!({
        "job": job, "stage": stage, "license": license, "max_units": held.maxUnits, "refund_at": held.refundAt,
        "base": held.base.to_string(), "per_unit": held.perUnit.to_string(), "now": now,
        "escrow": kept.map(|kept| kept.escrow), "owed": owed.to_string(),
    });
    let sentence = match stage {
        "settled" => format!("job {job} is settled; {} can be fetched", dollars(owed)),
        "under_way" => format!("job {job} is under way; it can be ended from {} on", utc(held.refundAt)),
        _ => format!("job {job} got no receipt in time: `rochdale researcher job refund --job {job}`"),
    };
    show(ui, &value, sentence)
}

async fn settle(desk: &Desk, path: &Path, ui: Ui) -> Result<ExitCode> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: ReceiptFile =
        serde_json::from_slice(&bytes).with_context(|| format!("{} is no receipt", path.display()))?;
    let call = ComputeDesk::completeCall {
        r: ComputeDesk::ComputeReceipt {
            jobId: file.job,
            units: file.units,
            planDigest: file.plan_digest,
            snapshot: file.snapshot,
        },
        stewardSignatures: file.steward_signatures,
        workerSignature: file.worker_signature,
    };
    let receipt = desk.send(desk.addresses().compute_desk, &call).await?;
    let done = receipt.logs.iter().find_map(|log| log.log_decode::<ComputeDesk::JobCompleted>().ok());
    let done = done.context("the transaction settled no job")?.inner.data;
    desk.finalize().await?;
    let value = json!({
        "job": done.jobId, "units": done.units, "cost": done.cost.to_string(), "refund": done.refund.to_string(),
        "worker": done.worker, "tx": receipt.transaction,
    });
    let sentence = format!(
        "job {} took {} units and cost {}; {} can be fetched: `rochdale researcher job refund --job {}`",
        done.jobId,
        done.units,
        dollars(done.cost),
        dollars(done.refund),
        done.jobId
    );
    show(ui, &value, sentence)
}

async fn refund(desk: &Desk, job: u64, ui: Ui) -> Result<ExitCode> {
    let contract = desk.addresses().compute_desk;
    let held = desk.view(contract, &ComputeDesk::jobOfCall { jobId: job }).await?;
    let now = desk.now().await?;
    let ended = held.refundAt != 0;
    if ended {
        ensure!(
            now >= held.refundAt,
            "job {job} is under way: it can be ended from {} on, block time is {}",
            utc(held.refundAt),
            utc(now)
        );
        desk.send(contract, &ComputeDesk::refundCall { jobId: job }).await?;
    }
    // What was owed for other jobs comes with it: the contract keeps one sum for an account.
    let amount = fetch(desk, contract).await?;
    let value = json!({ "job": job, "ended": ended, "refund": amount.to_string() });
    let what = if ended { "ended without a receipt" } else { "settled" };
    show(ui, &value, format!("job {job} is {what}; {} are back", dollars(amount)))
}
