//! Collateral: put, asked back, fetched.

use super::args::BondCommand;
use super::desk::Desk;
use crate::amounts::tokens;
use crate::args::Common;
use crate::ui::{Ui, show};
use crate::when::utc;
use alloy::primitives::aliases::U96;
use alloy::primitives::{Address, U256};
use anyhow::{Result, bail, ensure};
use rochdale_chain::bindings::ResearcherBond;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What counts as bonded, and what this researcher has.
struct Held {
    token: Address,
    needed: U256,
    /// The token of what is held; zero where nothing is.
    own: Address,
    amount: U256,
    unbonding: U256,
    withdrawable_at: u64,
}

/// Runs a command.
pub async fn run(common: &Common, command: BondCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        BondCommand::Put { who, amount, agreed } => {
            put(&Desk::open(common, &who).await?, amount, ui.agreeing(agreed)).await
        }
        BondCommand::Withdraw { who, amount } => withdraw(&Desk::open(common, &who).await?, amount, ui).await,
        BondCommand::Show { who } => {
            let desk = Desk::open(common, &who).await?;
            let held = held(&desk).await?;
            show(ui, &held.json(&desk), held.sentence(&desk))
        }
    }
}

async fn held(desk: &Desk) -> Result<Held> {
    let contract = desk.addresses().researcher_bond;
    let terms = desk.view(contract, &ResearcherBond::termsCall {}).await?;
    let bond = desk.view(contract, &ResearcherBond::bondOfCall { researcher: desk.account() }).await?;
    Ok(Held {
        token: terms.token,
        needed: U256::from(terms.minAmount),
        own: bond.token,
        amount: U256::from(bond.amount),
        unbonding: U256::from(bond.unbonding),
        withdrawable_at: bond.withdrawableAt,
    })
}

impl Held {
    fn counts(&self) -> bool {
        self.own == self.token && self.amount >= self.needed
    }

    fn json(&self, desk: &Desk) -> Value {
        json!({
            "researcher": desk.account(), "token": desk.token_name(self.token), "needed": self.needed.to_string(),
            "bonded": self.counts(), "amount": self.amount.to_string(), "unbonding": self.unbonding.to_string(),
            "withdrawable_at": self.withdrawable_at,
        })
    }

    fn sentence(&self, desk: &Desk) -> String {
        let needed = format!("{} {}", desk.amount(self.token, self.needed), desk.token_name(self.token));
        if self.own.is_zero() {
            return format!("{} has no bond; {needed} count as bonded", desk.account());
        }
        let (own, token) = (desk.token_name(self.own), self.own);
        let verdict = if self.counts() { "bonded" } else { "not bonded" };
        let mut text =
            format!("{} has {} {own}, {needed} are needed: {verdict}", desk.account(), desk.amount(token, self.amount));
        if !self.unbonding.is_zero() {
            let back = desk.amount(token, self.unbonding);
            text += &format!("; {back} {own} can be fetched from {} on", utc(self.withdrawable_at));
        }
        text
    }
}

async fn put(desk: &Desk, amount: Option<String>, ui: Ui) -> Result<ExitCode> {
    let before = held(desk).await?;
    let amount = match amount {
        Some(text) => U256::from(tokens(&text, desk.decimals(before.token)).map_err(anyhow::Error::msg)?),
        None => before.needed.saturating_sub(if before.own == before.token { before.amount } else { U256::ZERO }),
    };
    ensure!(!amount.is_zero(), "{}: nothing is missing; name an --amount to put more", before.sentence(desk));
    if !before.own.is_zero() && before.own != before.token && !(before.amount + before.unbonding).is_zero() {
        bail!(
            "the bond is in {}, by now {} count: take the old one back first with `rochdale researcher bond withdraw`",
            desk.token_name(before.own),
            desk.token_name(before.token)
        );
    }
    let (shown, token) = (desk.amount(before.token, amount), desk.token_name(before.token));
    ui.agree(&format!(
        "A bond of {shown} {token} is put by {}: it comes back 30 days after it is asked for, less what is slashed.",
        desk.account()
    ))?;
    let contract = desk.addresses().researcher_bond;
    if before.token == desk.addresses().usdc {
        desk.funded(amount).await?;
    }
    desk.allow(before.token, contract, amount).await?;
    let receipt = desk.send(contract, &ResearcherBond::postCall { amount }).await?;
    let after = held(desk).await?;
    let mut value = after.json(desk);
    value["tx"] = json!(receipt.transaction);
    show(ui, &value, after.sentence(desk))
}

async fn withdraw(desk: &Desk, amount: Option<String>, ui: Ui) -> Result<ExitCode> {
    let contract = desk.addresses().researcher_bond;
    let before = held(desk).await?;
    let now = desk.now().await?;
    let waiting = !before.unbonding.is_zero();
    let receipt = match amount {
        None if waiting && now >= before.withdrawable_at => {
            desk.send(contract, &ResearcherBond::withdrawCall { to: desk.account() }).await?
        }
        // A new request would start the delay anew for what is on its way already: it has to be asked for.
        None if waiting => bail!("{}; block time is {}", before.sentence(desk), utc(now)),
        None => {
            ensure!(!before.amount.is_zero(), "{}: there is nothing to take back", before.sentence(desk));
            ask_back(desk, before.amount).await?
        }
        Some(text) => {
            let amount = U256::from(tokens(&text, desk.decimals(before.own)).map_err(anyhow::Error::msg)?);
            ensure!(amount <= before.amount, "{}: that is less than {text}", before.sentence(desk));
            ask_back(desk, amount).await?
        }
    };
    let after = held(desk).await?;
    let mut value = after.json(desk);
    value["tx"] = json!(receipt.transaction);
    let paid = receipt.logs.iter().find_map(|log| log.log_decode::<ResearcherBond::BondWithdrawn>().ok());
    let sentence = match paid {
        Some(paid) => {
            let amount = paid.inner.data.amount;
            value["withdrawn"] = json!(amount.to_string());
            format!("{} {} are back", desk.amount(before.own, amount), desk.token_name(before.own))
        }
        None => after.sentence(desk),
    };
    show(ui, &value, sentence)
}

async fn ask_back(desk: &Desk, amount: U256) -> Result<rochdale_chain::client::Receipt> {
    // No bond is that high: what does not fit is refused as more than there is.
    let amount = U96::saturating_from(amount.saturating_to::<u128>());
    desk.send(desk.addresses().researcher_bond, &ResearcherBond::requestUnbondCall { amount }).await
}
