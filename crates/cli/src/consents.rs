//! `rochdale member consent`: what is chosen, in words, and signed.

use crate::consent_args::ConsentArgs;
use crate::coop::Coop;
use crate::member as members;
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use crate::when::utc;
use crate::withdraw;
use anyhow::{Result, bail};
use rochdale_client::{choice, notice};
use serde_json::json;
use std::process::ExitCode;

/// `rochdale member consent`
pub async fn consent(coop: &Coop, wallet: &Wallet, args: &ConsentArgs, ui: Ui) -> Result<ExitCode> {
    let (choice, until) = (args.chosen.choice()?, args.chosen.until.unwrap_or(0));
    if until > 0 && until <= coop.now().await? {
        bail!("{} is over: name a later day", utc(until));
    }
    let (words, ends) = (choice::words(&choice, utc), end(until));
    ui.agreeing(args.agreed).agree(&format!(
        "{}\n\nWhat {name} consents to, {ends}:\n- {}",
        notice::ENGLISH.1.trim_end(),
        words.join("\n- "),
        name = args.name
    ))?;
    withdraw::settle(coop, wallet).await?;
    let (mined, receipt) = members::consent(coop, wallet, choice, until).await?;
    let sentence = format!("consent recorded in block {}, {ends}:\n- {}", mined.block, words.join("\n- "));
    show(ui, &json!({ "mined": mined, "receipt": receipt, "words": words }), sentence)
}

/// Until when a consent holds.
pub fn end(until: u64) -> String {
    match until {
        0 => "until it is taken back with --revoke".to_owned(),
        until => format!("until {}, or taken back with --revoke before", utc(until)),
    }
}

/// The words of a receipt's choice, and until when it holds.
pub fn told(receipt: &rochdale_core::consent::Receipt) -> String {
    let words = choice::words(&receipt.choice, utc);
    format!("Given {}, {}:\n- {}", utc(receipt.event.given_at), end(receipt.event.expiry), words.join("\n- "))
}
