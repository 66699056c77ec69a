//! What stewards and workers are paid: work counted, and what is owed paid out.

use super::args::PayCommand;
use super::{Act, Doing, usdc};
use crate::args::Common;
use crate::failure::Failure;
use crate::gov::Site;
use crate::ui::{Ui, show};
use crate::when::count;
use alloy::primitives::{Address, U256};
use anyhow::{Result, bail};
use rochdale_chain::bindings::{Bucket, OperatorPay, SettlementLedger, StewardCommittee, Treasury};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Runs a command.
pub async fn run(common: &Common, command: PayCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        PayCommand::Show { operator, chain } => owed(&Site::open(common, &chain).await?, operator, ui).await,
        PayCommand::Meter { worker, act } => {
            let doing = Doing::anyone(common, &act).await?;
            let act = match worker {
                Some(worker) => meter_worker(&doing, worker).await?,
                None => meter(&doing).await?,
            };
            doing.carry_out(&act, ui).await
        }
        PayCommand::Collect { operator, act } => {
            let doing = Doing::anyone(common, &act).await?;
            doing.carry_out(&collect(&doing, operator).await?, ui).await
        }
    }
}

async fn meter(doing: &Doing<'_>) -> Result<Act> {
    let addresses = &doing.site.manifest.addresses;
    let metered = doing.view(addresses.operator_pay, &OperatorPay::meteredEpochCall {}).await?;
    let last = doing.view(addresses.settlement_ledger, &SettlementLedger::finalSignersCall {}).await?;
    if last.epoch <= metered {
        bail!(Failure::refused(format!(
            "epoch {metered} was metered, and none after it is final: nothing is to be credited"
        )));
    }
    let signers =
        doing.view(addresses.steward_committee, &StewardCommittee::signersOfCall { signers: last.signers }).await?;
    let rates = doing.view(addresses.operator_pay, &OperatorPay::ratesCall {}).await?;
    let words = format!(
        "Epoch {}: each of {} that signed its root is credited with {}.",
        last.epoch,
        count(signers.len() as u64, "steward"),
        usdc(U256::from(rates.stewardPerEpoch))
    );
    Ok(Act::one(words, addresses.operator_pay, &OperatorPay::meterCall {}))
}

async fn meter_worker(doing: &Doing<'_>, worker: Address) -> Result<Act> {
    let addresses = &doing.site.manifest.addresses;
    let all = doing.view(addresses.steward_committee, &StewardCommittee::receiptsOfCall { worker }).await?;
    let metered = doing.view(addresses.operator_pay, &OperatorPay::receiptsMeteredCall { worker }).await?;
    let fresh = all.saturating_sub(metered);
    if fresh.is_zero() {
        bail!(Failure::refused(format!("worker {worker} anchored no receipt since it was metered last")));
    }
    let rates = doing.view(addresses.operator_pay, &OperatorPay::ratesCall {}).await?;
    let each = U256::from(rates.workerPerReceipt);
    let words = format!(
        "Worker {worker} is credited with {} for {}, {} each.",
        usdc(fresh * each),
        count(fresh.saturating_to(), "receipt"),
        usdc(each)
    );
    Ok(Act::one(words, addresses.operator_pay, &OperatorPay::meterWorkerCall { worker }))
}

async fn collect(doing: &Doing<'_>, operator: Address) -> Result<Act> {
    let addresses = &doing.site.manifest.addresses;
    let owed = doing.view(addresses.operator_pay, &OperatorPay::owedToCall { operator }).await?;
    let bucket = doing.view(addresses.treasury, &Treasury::availableCall { bucket: Bucket::Operations as u8 }).await?;
    let amount = owed.min(bucket);
    if amount.is_zero() {
        bail!(Failure::refused(format!(
            "{operator} is owed {}, the bucket for operations holds {}: nothing can be paid",
            usdc(owed),
            usdc(bucket)
        )));
    }
    let words = format!("{operator} is paid {} of {} that it is owed, out of operations.", usdc(amount), usdc(owed));
    Ok(Act::one(words, addresses.operator_pay, &OperatorPay::collectCall { operator }))
}

/// `rochdale pay show`
async fn owed(site: &Site, operator: Option<Address>, ui: Ui) -> Result<ExitCode> {
    let addresses = &site.manifest.addresses;
    let rates = site.chain.view(addresses.operator_pay, &OperatorPay::ratesCall {}).await?;
    let bucket =
        site.chain.view(addresses.treasury, &Treasury::availableCall { bucket: Bucket::Operations as u8 }).await?;
    let metered = site.chain.view(addresses.operator_pay, &OperatorPay::meteredEpochCall {}).await?;
    let operators = match operator {
        Some(operator) => vec![operator],
        None => {
            let seats = site.chain.view(addresses.steward_committee, &StewardCommittee::seatsCall {}).await?;
            seats.into_iter().map(|seat| seat.signer).collect()
        }
    };
    let mut text = format!(
        "a steward is paid {} for each epoch that it signed, a worker {} for each receipt\nepoch {metered} was metered last; operations hold {}",
        usdc(U256::from(rates.stewardPerEpoch)),
        usdc(U256::from(rates.workerPerReceipt)),
        usdc(bucket)
    );
    let mut owed: Vec<Value> = Vec::new();
    for operator in operators {
        let amount = site.chain.view(addresses.operator_pay, &OperatorPay::owedToCall { operator }).await?;
        text += &format!("\n{operator} is owed {}", usdc(amount));
        owed.push(json!({ "operator": operator, "owed": amount.to_string() }));
    }
    let value = json!({
        "steward_per_epoch": rates.stewardPerEpoch.to_string(), "worker_per_receipt": rates.workerPerReceipt.to_string(),
        "metered_epoch": metered, "operations": bucket.to_string(), "owed": owed,
    });
    show(ui, &value, text)
}
