//! The buyback: a lot of USDC for the DATA that is asked for it, which burns.

use super::args::BuybackCommand;
use super::{Act, Doing, data, usdc};
use crate::args::Common;
use crate::failure::Failure;
use crate::gov::Site;
use crate::ui::{Ui, show};
use crate::when::{span, utc};
use alloy::primitives::{Address, U256};
use anyhow::{Result, bail};
use rochdale_chain::bindings::{Bucket, Buyback, Treasury};
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::Addresses;
use serde_json::json;
use std::process::ExitCode;

/// The buyback as it stands.
struct Lot {
    terms: Buyback::Terms,
    /// Since when it is on offer, Unix seconds; 0 where it is not.
    since: u64,
    /// Wei of DATA asked now; 0 where nothing is on offer.
    asked: U256,
    /// Micro-USDC in the bucket.
    bucket: U256,
}

impl Lot {
    async fn read(chain: &Chain, addresses: &Addresses) -> Result<Self> {
        let desk = addresses.buyback;
        let terms = chain.view(desk, &Buyback::termsCall {}).await?;
        let since = chain.view(desk, &Buyback::offeredAtCall {}).await?;
        let asked = if since == 0 { U256::ZERO } else { chain.view(desk, &Buyback::askedCall {}).await? };
        let bucket = chain.view(addresses.treasury, &Treasury::availableCall { bucket: Bucket::Buyback as u8 }).await?;
        Ok(Self { terms, since, asked, bucket })
    }

    fn pays(&self) -> String {
        usdc(U256::from(self.terms.lot))
    }

    fn sentence(&self) -> String {
        let (start, floor) = (data(U256::from(self.terms.startData)), data(U256::from(self.terms.floorData)));
        let holds = format!("the bucket holds {}", usdc(self.bucket));
        if self.terms.lot.is_zero() {
            return format!("nothing is bought back: the lot is 0; {holds}");
        }
        let terms = format!(
            "a lot pays {} for DATA: {start} are asked at first, {floor} after {}",
            self.pays(),
            span(self.terms.duration.into())
        );
        match self.since {
            0 => format!("{terms}\nnone is on offer; {holds}"),
            since => {
                format!("{terms}\none is on offer since {}: {} are asked now; {holds}", utc(since), data(self.asked))
            }
        }
    }
}

/// Runs a command.
pub async fn run(common: &Common, command: BuybackCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        BuybackCommand::Show { chain } => {
            let site = Site::open(common, &chain).await?;
            let lot = Lot::read(&site.chain, &site.manifest.addresses).await?;
            let value = json!({
                "lot": lot.terms.lot.to_string(), "start_data": lot.terms.startData.to_string(),
                "floor_data": lot.terms.floorData.to_string(), "duration_s": lot.terms.duration,
                "offered_at": lot.since, "asked": lot.asked.to_string(), "bucket": lot.bucket.to_string(),
            });
            show(ui, &value, lot.sentence())
        }
        BuybackCommand::Offer { act } => {
            let doing = Doing::anyone(common, &act).await?;
            let lot = Lot::read(&doing.site.chain, &doing.site.manifest.addresses).await?;
            if lot.since != 0 || lot.terms.lot.is_zero() || U256::from(lot.terms.lot) > lot.bucket {
                bail!(Failure::refused(lot.sentence()));
            }
            let words = format!(
                "A lot of {} is put on offer for {}, then less.",
                lot.pays(),
                data(U256::from(lot.terms.startData))
            );
            let desk = doing.site.manifest.addresses.buyback;
            doing.carry_out(&Act::one(words, desk, &Buyback::offerCall {}), ui).await
        }
        BuybackCommand::Sell { most, act } => {
            let doing = Doing::open(common, &act, |_| bail!("whose DATA? name --key, or --account")).await?;
            doing.carry_out(&sell(&doing, most).await?, ui).await
        }
    }
}

async fn sell(doing: &Doing<'_>, most: Option<U256>) -> Result<Act> {
    let addresses = &doing.site.manifest.addresses;
    let lot = Lot::read(&doing.site.chain, addresses).await?;
    if lot.since == 0 {
        bail!(Failure::refused(lot.sentence()));
    }
    // What is asked for one lot falls as time passes: it is at most this when the transaction is mined.
    if let Some(most) = most.filter(|most| *most < lot.asked) {
        bail!(Failure::refused(format!("{} are asked now, more than {}", data(lot.asked), data(most))));
    }
    let words = format!("{} gives {} or less, which burn, and gets {}.", doing.account(), data(lot.asked), lot.pays());
    let allowance = doing.allowance(addresses.data_token, addresses.buyback, lot.asked).await?;
    // The allowance serves; the permit is one that nobody signed, which the contract passes over.
    let p = Buyback::Permit { deadline: U256::ZERO, v: 0, r: Address::ZERO.into_word(), s: Address::ZERO.into_word() };
    let mut act = Act::one(words, addresses.buyback, &Buyback::sellCall { maxData: lot.asked, p });
    act.steps.splice(..0, allowance);
    Ok(act)
}
