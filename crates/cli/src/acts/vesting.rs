//! DATA that is promised and released over time.

use super::args::VestingCommand;
use super::{Act, Doing, data};
use crate::args::Common;
use crate::failure::Failure;
use crate::gov::Site;
use crate::ui::{Ui, show};
use crate::when::{span, utc};
use alloy::primitives::aliases::U96;
use alloy::primitives::{Address, U256};
use anyhow::{Result, bail, ensure};
use rochdale_chain::bindings::Vesting;
use serde_json::{Value, json};
use std::process::ExitCode;

/// A promise as it stands.
struct Promise {
    id: U256,
    schedule: Vesting::Schedule,
    released: U256,
    releasable: U256,
}

impl Promise {
    async fn read(site: &Site, id: U256) -> Result<Self> {
        let desk = site.manifest.addresses.vesting;
        let found = site.chain.view(desk, &Vesting::scheduleOfCall { id }).await?;
        ensure!(found.schedule.beneficiary != Address::ZERO, Failure::refused(format!("there is no promise {id}")));
        let releasable = site.chain.view(desk, &Vesting::releasableCall { id }).await?;
        Ok(Self { id, schedule: found.schedule, released: found.released, releasable })
    }

    fn sentence(&self) -> String {
        let s = &self.schedule;
        let start = s.start.to::<u64>();
        let revocable = if s.revocable { "; the token house may revoke what has not vested" } else { "" };
        format!(
            "promise {}: {} to {}, vesting from {} over {}, none of it before {}; {} paid, {} can be released now{revocable}",
            self.id,
            data(U256::from(s.amount)),
            s.beneficiary,
            utc(start),
            span(s.duration.into()),
            utc(start.saturating_add(s.cliff.into())),
            data(self.released),
            data(self.releasable)
        )
    }

    fn json(&self) -> Value {
        let s = &self.schedule;
        json!({
            "id": self.id.to_string(), "beneficiary": s.beneficiary, "amount": s.amount.to_string(),
            "start": s.start.to::<u64>(), "cliff_s": s.cliff, "duration_s": s.duration, "revocable": s.revocable,
            "released": self.released.to_string(), "releasable": self.releasable.to_string(),
        })
    }
}

/// Runs a command.
pub async fn run(common: &Common, command: VestingCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        VestingCommand::Show { id, chain } => promises(&Site::open(common, &chain).await?, id, ui).await,
        VestingCommand::Fund { amount, act } => {
            let doing = Doing::open(common, &act, |_| bail!("whose DATA? name --key, or --account")).await?;
            doing.carry_out(&fund(&doing, amount).await?, ui).await
        }
        VestingCommand::Release { id, act } => {
            let doing = Doing::anyone(common, &act).await?;
            let promise = Promise::read(&doing.site, id).await?;
            ensure!(
                !promise.releasable.is_zero(),
                Failure::refused(format!("nothing to release: {}", promise.sentence()))
            );
            let words = format!(
                "At least {} of promise {id} are paid to {}.",
                data(promise.releasable),
                promise.schedule.beneficiary
            );
            let desk = doing.site.manifest.addresses.vesting;
            doing.carry_out(&Act::one(words, desk, &Vesting::releaseCall { id }), ui).await
        }
    }
}

async fn fund(doing: &Doing<'_>, amount: U256) -> Result<Act> {
    let addresses = &doing.site.manifest.addresses;
    let free = doing.view(addresses.vesting, &Vesting::freeCall {}).await?;
    let words = format!(
        "{} gives {} for promises of the token house: {} → {} are promised to nobody yet. They do not come back.",
        doing.account(),
        data(amount),
        data(free),
        data(free + amount)
    );
    let allowance = doing.allowance(addresses.data_token, addresses.vesting, amount).await?;
    // Nobody has an amount that does not fit: the allowance was refused before.
    let mut act = Act::one(words, addresses.vesting, &Vesting::fundCall { amount: U96::saturating_from(amount) });
    act.steps.splice(..0, allowance);
    Ok(act)
}

/// `rochdale vesting show`
async fn promises(site: &Site, id: Option<U256>, ui: Ui) -> Result<ExitCode> {
    let desk = site.manifest.addresses.vesting;
    let free = site.chain.view(desk, &Vesting::freeCall {}).await?;
    let ids = match id {
        Some(id) => vec![id],
        None => {
            let count: u64 = site.chain.view(desk, &Vesting::countCall {}).await?.saturating_to();
            (1..=count).map(U256::from).collect()
        }
    };
    let mut lines = vec![format!("{} are promised to nobody", data(free))];
    let mut found = Vec::new();
    for id in ids {
        let promise = Promise::read(site, id).await?;
        lines.push(promise.sentence());
        found.push(promise.json());
    }
    show(ui, &json!({ "free": free.to_string(), "promises": found }), lines.join("\n"))
}
