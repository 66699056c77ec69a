//! What members buy for DATA.

use super::args::ServiceCommand;
use super::{Act, Doing, data};
use crate::args::Common;
use crate::coop;
use crate::failure::Failure;
use crate::gov::Site;
use crate::state::input;
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use alloy::primitives::{B256, U256};
use anyhow::{Context as _, Result, ensure};
use rand::Rng as _;
use rochdale_chain::bindings::ServiceDesk;
use rochdale_client::service;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Runs a command.
pub async fn run(common: &Common, command: ServiceCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        ServiceCommand::Show { id, chain } => {
            let site = Site::open(common, &chain).await?;
            let desk = site.manifest.addresses.service_desk;
            let service = site.chain.view(desk, &ServiceDesk::serviceOfCall { serviceId: id }).await?;
            let price = U256::from(service.dataPrice);
            let sentence = match (service.open, price.is_zero()) {
                (true, _) => format!("service {id} costs {}, which burn", data(price)),
                (false, false) => format!("service {id} is not offered; it cost {}", data(price)),
                (false, true) => {
                    format!("there is no service {id}: the token house offers one by `rochdale gov propose service`")
                }
            };
            show(ui, &json!({ "service": id, "price": price.to_string(), "open": service.open }), sentence)
        }
        ServiceCommand::Order { id, request, name, blinder, act } => {
            let doing = Doing::open(common, &act, |state| {
                let name = name.as_deref().context("name --name, --key or --account")?;
                Ok(Wallet::open(state, name)?.key)
            })
            .await?;
            let blinder = match blinder {
                Some(blinder) => blinder,
                None => {
                    let mut drawn = B256::ZERO;
                    coop::rng()?.fill_bytes(drawn.as_mut_slice());
                    drawn
                }
            };
            doing.carry_out(&order(&doing, id, &request, blinder).await?, ui).await
        }
    }
}

async fn order(doing: &Doing<'_>, id: u32, request: &Path, blinder: B256) -> Result<Act> {
    let addresses = &doing.site.manifest.addresses;
    let offer = doing.view(addresses.service_desk, &ServiceDesk::serviceOfCall { serviceId: id }).await?;
    ensure!(offer.open, Failure::refused(format!("service {id} is not offered: `rochdale service show --id {id}`")));
    let price = U256::from(offer.dataPrice);
    let commitment = service::commitment(blinder, &input(request)?);
    let words = format!(
        "Service {id} is ordered by {} for {}, which burn. Whoever delivers it is shown the request and the blinder {blinder}; the chain shows \
         {commitment} alone. What is not delivered is not given back.",
        doing.account(),
        data(price)
    );
    let allowance = doing.allowance(addresses.data_token, addresses.service_desk, price).await?;
    let call = ServiceDesk::orderCall { serviceId: id, requestCommitment: commitment };
    let mut act = Act::one(words, addresses.service_desk, &call);
    act.keep = Some(format!("Keep the blinder {blinder}: without it nobody can be shown what was ordered."));
    act.steps.splice(..0, allowance);
    Ok(act)
}
