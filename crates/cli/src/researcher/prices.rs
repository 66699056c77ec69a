//! What things cost now, and whom the ethics board has approved: read from the contracts, so that no gateway is believed about an amount.

use super::args::purpose_words;
use super::desk::Desk;
use super::study::facts;
use crate::args::Common;
use crate::coop::Coop;
use crate::gov::Site;
use crate::gov::args::ChainArgs;
use crate::ui::{Ui, show};
use crate::when::{count, span, utc};
use alloy::signers::local::PrivateKeySigner;
use anyhow::Result;
use rochdale_api::route::gateway;
use rochdale_api::status::DatasetView;
use rochdale_chain::bindings::{AuctionHouse, ComputeDesk, DatasetCatalog, EthicsRegistry, Market, ResearcherBond};
use rochdale_core::consent::{Permission, Protocol};
use rochdale_core::ids::Purpose;
use rochdale_core::money::{DataWei, MicroUsdc};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Part of a hundred, in basis points.
const PERCENT: u16 = 100;

/// `rochdale researcher prices`
pub async fn prices(common: &Common, chain: &ChainArgs, ui: Ui) -> Result<ExitCode> {
    let site = Site::open(common, chain).await?;
    let (mut sets, mut lines) = (Vec::new(), Vec::new());
    // Which there are the gateway tells; what they cost the contracts do.
    let offered: Vec<DatasetView> = Coop::connect(&common.gateway()?).await?.gateway.get(gateway::DATASETS).await?;
    for set in &offered {
        let (value, said) = dataset_prices(&site, set.dataset.0).await?;
        sets.push(value);
        lines.extend(said);
    }
    if sets.is_empty() {
        lines.push("no dataset is on offer".to_owned());
    }
    let addresses = &site.manifest.addresses;
    let compute = site.chain.view(addresses.compute_desk, &ComputeDesk::pricesCall {}).await?;
    let (base, unit) = (MicroUsdc(compute.base), MicroUsdc(compute.perUnit));
    lines.push(match (compute.base, compute.perUnit) {
        (0, 0) => "computations are not on offer: the token house sets their price".to_owned(),
        _ => format!(
            "a computation: {base} and {unit} a unit, held ahead; all of it can be had back {} later where no receipt comes",
            span(compute.timeout.into())
        ),
    });
    let data = site.chain.view(addresses.market, &Market::dataTermsCall {}).await?;
    lines.push(match data.dataPerUsdc {
        0 => "DATA is not taken: the token house sets what it is worth".to_owned(),
        per => format!(
            "{} are taken for 1.00 USDC, of which {} % burn",
            DataWei(per),
            f64::from(data.burnBps) / f64::from(PERCENT)
        ),
    });
    let (bond, said) = bond(&site).await?;
    lines.push(said);
    let value = json!({
        "datasets": sets,
        "compute": { "base": compute.base.to_string(), "per_unit": compute.perUnit.to_string(), "timeout": compute.timeout },
        "data": { "per_usdc": data.dataPerUsdc.to_string(), "burn_bps": data.burnBps },
        "bond": bond,
    });
    show(ui, &value, lines.join("\n"))
}

/// A dataset by the price form that is open.
async fn dataset_prices(site: &Site, id: u32) -> Result<(Value, Vec<String>)> {
    let addresses = &site.manifest.addresses;
    let set = site.chain.view(addresses.dataset_catalog, &DatasetCatalog::datasetOfCall { id }).await?;
    let terms = site.chain.view(addresses.auction_house, &AuctionHouse::termsOfCall { datasetId: id }).await?;
    let auctioned = set.auctioned;
    let fixed = MicroUsdc(set.pricePerThousand);
    let mut lines = vec![match (set.open, auctioned) {
        (false, _) => format!("dataset {id}: not on offer now"),
        (true, true) => format!(
            "dataset {id}: by auction, {} for {}; at least {}, with a bond of {}",
            count(terms.records.into(), "record"),
            span(terms.duration),
            MicroUsdc(terms.reserve),
            MicroUsdc(terms.bidBond)
        ),
        (true, false) => format!(
            "dataset {id}: {fixed} for 1,000 records and each month of 30 days that has begun, {} a record",
            MicroUsdc(fixed.0 / 1_000)
        ),
    }];
    let live = site.chain.view(addresses.auction_house, &AuctionHouse::liveAuctionCall { datasetId: id }).await?;
    if live != 0 {
        lines.push(format!("  auction {live} runs: `rochdale researcher auction show --auction {live}`"));
    }
    let auction = auctioned.then(|| {
        json!({
            "reserve": terms.reserve.to_string(), "bond": terms.bidBond.to_string(), "records": terms.records,
            "duration": terms.duration, "live": (live != 0).then_some(live),
        })
    });
    let value =
        json!({ "dataset": id, "open": set.open, "price_per_thousand": fixed.0.to_string(), "auction": auction });
    Ok((value, lines))
}

/// The collateral that a purchase asks for, and whether it does.
async fn bond(site: &Site) -> Result<(Value, String)> {
    let addresses = &site.manifest.addresses;
    let required = site.chain.view(addresses.market, &Market::bondRequiredCall {}).await?;
    let terms = site.chain.view(addresses.researcher_bond, &ResearcherBond::termsCall {}).await?;
    let amount: u128 = terms.minAmount.to();
    let shown = if terms.token == addresses.usdc {
        MicroUsdc(amount).to_string()
    } else if terms.token == addresses.data_token {
        DataWei(amount).to_string()
    } else {
        rochdale_core::money::GovWei(amount).to_string()
    };
    let value = json!({ "required": required, "token": terms.token, "amount": amount.to_string() });
    let said = if required { "is asked for" } else { "is not asked for now" };
    Ok((value, format!("a researcher's bond {said} at the fixed price: {shown}")))
}

/// `rochdale researcher approve`: has the board approve the researcher's study for so many seconds.
pub async fn approve(
    desk: &Desk,
    board: &PrivateKeySigner,
    (purpose, protocol): (Purpose, Protocol),
    seconds: u64,
    ui: Ui,
) -> Result<ExitCode> {
    let until = desk.approve(board, purpose, protocol.clone(), seconds).await?;
    desk.finalize().await?;
    let account = desk.account();
    let facts: String = facts(&protocol).map(|fact| format!("\n- {fact}")).collect();
    let sentence = format!(
        "{account} is approved for purpose {purpose} until {}, by what the board says of the study:{facts}",
        utc(until)
    );
    let value = json!({ "researcher": account, "purpose": purpose, "until": until, "protocol": protocol });
    show(ui, &value, sentence)
}

/// `rochdale researcher approvals`: for which purposes the board has approved, until when, and which wait for it.
pub async fn approvals(desk: &Desk, name: &str, ui: Ui) -> Result<ExitCode> {
    let (account, registry, now) = (desk.account(), desk.addresses().ethics_registry, desk.now().await?);
    let (mut rows, mut lines) = (Vec::new(), vec![format!("{name}, account {account}:")]);
    for number in Permission::NUMBERS {
        let purpose = Purpose(number);
        let call = EthicsRegistry::approvedUntilCall { researcher: account, purpose: number };
        let until = desk.view(registry, &call).await?;
        let (state, said) = match until {
            0 => ("waits", "not approved: the ethics board has not decided, or nobody asked it".to_owned()),
            until if until > now => ("approved", format!("approved until {}", utc(until))),
            until => ("ended", format!("ended {}: the board approves anew", utc(until))),
        };
        let protocol = if until == 0 { Protocol::default() } else { desk.protocol(purpose).await? };
        lines.push(format!("  {number}, {}: {said}", purpose_words(purpose)));
        if until > 0 {
            lines.extend(facts(&protocol).map(|fact| format!("    - {fact}")));
        }
        rows.push(json!({ "purpose": number, "state": state, "until": until, "protocol": protocol }));
    }
    lines.push(format!(
        "the board approves with its key: `rochdale researcher approve --name {name} --purpose hmb --key ethics.key`, or signs and anyone sends it"
    ));
    show(ui, &json!({ "researcher": account, "approvals": rows }), lines.join("\n"))
}
