//! Licenses at the fixed price: bought for USDC or DATA, reserved, renewed.

use super::DAY;
use super::args::PayArg;
use super::desk::Desk;
use super::keys::dollars;
use super::quote::Wanted;
use crate::ui::{Ui, show};
use crate::when::{count, utc};
use alloy::primitives::U256;
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::bindings::{License, LicenseSale, Market};
use rochdale_core::ids::{LicenseId, Purpose};
use rochdale_core::money::DataWei;
use serde_json::json;
use std::process::ExitCode;

/// `rochdale researcher license`
pub async fn license(desk: &Desk, wanted: Wanted, pay: PayArg, ui: Ui) -> Result<ExitCode> {
    if pay == PayArg::Data {
        return for_data(desk, wanted, ui).await;
    }
    let order = desk.researcher.order(wanted.purchase);
    let market = desk.addresses().market;
    let price = desk.view(market, &Market::priceOfCall { o: order.clone() }).await?;
    ui.agree(&format!("{wanted} for {}, paid by {}.\n{}.", dollars(price), desk.account(), wanted.budgets()))?;
    desk.approved(wanted.purchase.purpose, wanted.purchase.duration).await?;
    let call = Market::buyCall { o: order, p: desk.permit(market, price).await? };
    let receipt = desk.send(market, &call).await?;
    let license = desk.researcher.issued(&receipt)?;
    desk.finalize().await?;
    let value = json!({ "license": license, "price": price.to_string(), "tx": receipt.transaction });
    show(ui, &value, format!("license {license} for {}", dollars(price)))
}

async fn for_data(desk: &Desk, wanted: Wanted, ui: Ui) -> Result<ExitCode> {
    let order = desk.researcher.order(wanted.purchase);
    let (market, token) = (desk.addresses().market, desk.addresses().data_token);
    let price = desk.view(market, &Market::dataPriceOfCall { o: order.clone() }).await?;
    ensure!(!price.is_zero(), "the cooperative does not take DATA: the token house sets what it is worth");
    let data = |amount: U256| DataWei(amount.saturating_to());
    ui.agree(&format!("{wanted} for {}, paid by {}.\n{}.", data(price), desk.account(), wanted.budgets()))?;
    desk.approved(wanted.purchase.purpose, wanted.purchase.duration).await?;
    desk.allow(token, market, price).await?;
    let receipt = desk.send(market, &Market::buyWithDataCall { o: order, maxData: price }).await?;
    let license = desk.researcher.issued(&receipt)?;
    let sold = receipt.logs.iter().find_map(|log| log.log_decode::<Market::SoldForData>().ok());
    let sold = sold.context("the purchase does not say what was paid")?.inner.data;
    desk.finalize().await?;
    let value = json!({
        "license": license, "data": price.to_string(), "burned": sold.burned.to_string(),
        "kept": sold.kept.to_string(), "tx": receipt.transaction,
    });
    show(ui, &value, format!("license {license} for {}, of which {} burned", data(price), data(sold.burned)))
}

/// `rochdale researcher renew`
pub async fn renew(desk: &Desk, (license, days): (Option<LicenseId>, u32), left: &str, ui: Ui) -> Result<ExitCode> {
    let license = license.map_or_else(|| desk.researcher.last_license(), Ok)?;
    let duration = u64::from(days) * DAY;
    let (market, licenses) = (desk.addresses().market, desk.addresses().license);
    let terms = desk.view(licenses, &License::termsOfCall { licenseId: license.0 }).await?;
    ensure!(terms.datasetId != 0, "there is no license {license}");
    let order = LicenseSale::Order {
        datasetId: terms.datasetId,
        records: terms.records,
        purpose: terms.purpose,
        ehdsCategory: terms.ehdsCategory,
        duration,
        recipientKey: terms.recipientKey,
    };
    let price = desk.view(market, &Market::priceOfCall { o: order }).await?;
    ui.agree(&format!(
        "License {license} lasts {} longer for {}, paid by {}.{left}",
        count(days.into(), "day"),
        dollars(price),
        desk.account()
    ))?;
    // Stewards look at the approval again at each query: it has to last as long as the license.
    let lasts = terms.expiry.saturating_sub(desk.now().await?).saturating_add(duration);
    desk.approved(Purpose(terms.purpose), lasts).await?;
    let permit = desk.permit(market, price).await?;
    let receipt = desk.send(market, &Market::renewCall { licenseId: license.0, duration, p: permit }).await?;
    let renewed = receipt.logs.iter().find_map(|log| log.log_decode::<Market::Renewed>().ok());
    let expiry = renewed.context("the transaction does not say until when")?.inner.data.expiry;
    desk.researcher.note_license(license)?;
    desk.finalize().await?;
    let value = json!({ "license": license, "expiry": expiry, "price": price.to_string(), "tx": receipt.transaction });
    show(ui, &value, format!("license {license} lasts until {}, for {}", utc(expiry), dollars(price)))
}

/// `rochdale researcher reserve`
pub async fn reserve(desk: &Desk, wanted: Wanted, ui: Ui) -> Result<ExitCode> {
    let order = desk.researcher.order(wanted.purchase);
    let market = desk.addresses().market;
    let price = desk.view(market, &Market::priceOfCall { o: order.clone() }).await?;
    ui.agree(&format!(
        "{wanted} is reserved for {}, held of {}: all of it can be had back for a while.\n{}.",
        dollars(price),
        desk.account(),
        wanted.budgets()
    ))?;
    desk.approved(wanted.purchase.purpose, wanted.purchase.duration).await?;
    let permit = desk.permit(market, price).await?;
    let receipt = desk.send(market, &Market::reserveCall { o: order, p: permit }).await?;
    let reserved = receipt.logs.iter().find_map(|log| log.log_decode::<Market::Reserved>().ok());
    let reservation = reserved.context("the transaction made no reservation")?.inner.data.reservationId;
    let held = desk.view(market, &Market::reservationOfCall { reservationId: reservation }).await?;
    let value = json!({
        "reservation": reservation, "price": price.to_string(), "cancel_until": held.cancelUntil,
        "tx": receipt.transaction,
    });
    let sentence = format!(
        "reservation {reservation} for {}: `activate` makes it a license, `cancel` gives the money back until {}",
        dollars(price),
        utc(held.cancelUntil)
    );
    show(ui, &value, sentence)
}

/// `rochdale researcher activate`
pub async fn activate(desk: &Desk, reservation: u64, ui: Ui) -> Result<ExitCode> {
    let market = desk.addresses().market;
    let held = desk.view(market, &Market::reservationOfCall { reservationId: reservation }).await?;
    let receipt = desk.send(market, &Market::activateCall { reservationId: reservation }).await?;
    let activated = receipt.logs.iter().find_map(|log| log.log_decode::<Market::ReservationActivated>().ok());
    let Some(activated) = activated else { bail!("transaction {} activated nothing", receipt.transaction) };
    let license = LicenseId(activated.inner.data.licenseId);
    // Anyone may activate once it cannot be cancelled any more: then the license is its holder's.
    if held.holder == desk.account() {
        desk.researcher.note_license(license)?;
    }
    desk.finalize().await?;
    let value = json!({
        "reservation": reservation, "license": license, "holder": held.holder, "tx": receipt.transaction,
    });
    show(ui, &value, format!("reservation {reservation} became license {license} of {}", held.holder))
}

/// `rochdale researcher cancel`
pub async fn cancel(desk: &Desk, reservation: u64, ui: Ui) -> Result<ExitCode> {
    let market = desk.addresses().market;
    let receipt = desk.send(market, &Market::cancelCall { reservationId: reservation }).await?;
    let cancelled = receipt.logs.iter().find_map(|log| log.log_decode::<Market::ReservationCancelled>().ok());
    let refund = cancelled.context("the transaction cancelled nothing")?.inner.data.refund;
    let value = json!({ "reservation": reservation, "refund": refund.to_string(), "tx": receipt.transaction });
    show(ui, &value, format!("reservation {reservation} is cancelled, {} are back", dollars(refund)))
}
