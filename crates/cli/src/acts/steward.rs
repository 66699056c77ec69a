//! Stewards' bonds: put, asked back, fetched; faults shown, and slashes that nobody decided given back.

use super::args::{SeatArgs, StewardCommand};
use super::{Act, Doing, usdc};
use crate::args::Common;
use crate::coop;
use crate::failure::Failure;
use crate::gov::Site;
use crate::state::input;
use crate::ui::{Ui, show};
use crate::when::utc;
use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use anyhow::{Context as _, Result, bail};
use rochdale_chain::bindings::{self, StewardCommittee};
use rochdale_core::ledger::Header;
use rochdale_core::money::MicroUsdc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// What the contract keeps of a steward.
type Stake = <StewardCommittee::stakeOfCall as SolCall>::Return;

/// Two headers of one attempt, each with the steward's signature over it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TwoHeaders {
    a: SignedHeader,
    b: SignedHeader,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedHeader {
    header: Header,
    signature: Bytes,
}

/// Runs a command.
pub async fn run(common: &Common, command: StewardCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        StewardCommand::Show { chain } => everybody(&Site::open(common, &chain).await?, ui).await,
        StewardCommand::Bond { of, amount, seat } => {
            let doing = seat.open(common).await?;
            let act = bond(&doing, of.unwrap_or(doing.account()), amount).await?;
            doing.carry_out(&act, ui).await
        }
        StewardCommand::Unbond { amount, seat } => {
            let doing = seat.open(common).await?;
            doing.carry_out(&unbond(&doing, amount).await?, ui).await
        }
        StewardCommand::Withdraw { to, seat } => {
            let doing = seat.open(common).await?;
            let act = withdraw(&doing, to.unwrap_or(doing.account())).await?;
            doing.carry_out(&act, ui).await
        }
        StewardCommand::Report { file, act } => {
            let doing = Doing::anyone(common, &act).await?;
            doing.carry_out(&report(&doing, &file)?, ui).await
        }
        StewardCommand::Release { slash, act } => {
            let doing = Doing::anyone(common, &act).await?;
            doing.carry_out(&release(&doing, slash).await?, ui).await
        }
    }
}

impl SeatArgs {
    async fn open<'a>(&'a self, common: &Common) -> Result<Doing<'a>> {
        Doing::open(common, &self.act, |state| {
            let steward = self.steward.context("name --steward, --key or --account")?;
            coop::signer(&state.steward(steward).join("signing.key"))
        })
        .await
    }
}

impl Doing<'_> {
    fn committee(&self) -> Address {
        self.site.manifest.addresses.steward_committee
    }

    async fn stake(&self, steward: Address) -> Result<Stake> {
        self.view(self.committee(), &StewardCommittee::stakeOfCall { steward }).await
    }
}

/// What decides about a seat: what is bonded or locked by an objection counts, and a seat asks for so much.
struct Seat {
    stake: Stake,
    asks: U256,
    is_seated: bool,
}

impl Seat {
    async fn of(doing: &Doing<'_>, steward: Address) -> Result<Self> {
        let stake = doing.stake(steward).await?;
        let asks = doing.view(doing.committee(), &StewardCommittee::seatBondCall {}).await?;
        let id = doing.view(doing.committee(), &StewardCommittee::stewardIdCall { signer: steward }).await?;
        Ok(Self { stake, asks, is_seated: id != 0 })
    }

    fn bond(&self) -> U256 {
        U256::from(self.stake.bond)
    }

    fn locked(&self) -> U256 {
        U256::from(self.stake.locked)
    }
}

async fn bond(doing: &Doing<'_>, steward: Address, amount: Option<MicroUsdc>) -> Result<Act> {
    let seat = Seat::of(doing, steward).await?;
    let (has, asks) = (seat.bond(), seat.asks);
    let amount = match amount {
        Some(MicroUsdc(amount)) => U256::from(amount),
        None => asks.saturating_sub(has + seat.locked()),
    };
    if amount.is_zero() {
        bail!(Failure::refused(format!(
            "{steward} has a bond of {}, a seat asks for {}: nothing is missing; name an --amount to put more",
            usdc(has + seat.locked()),
            usdc(asks)
        )));
    }
    let back = if steward == doing.account() {
        "It comes back 28 days after it is asked for, less what is slashed.".to_owned()
    } else {
        format!("Only {steward} can ask it back, and says to whom it goes.")
    };
    let seated = if seat.is_seated { "" } else { " That account has no seat now." };
    let words = format!(
        "{} pays {} into the bond of steward {steward}: {} → {}. A seat asks for {}.{seated} {back}",
        doing.account(),
        usdc(amount),
        usdc(has),
        usdc(has + amount),
        usdc(asks)
    );
    let allowance = doing.allowance(doing.site.manifest.addresses.usdc, doing.committee(), amount).await?;
    let mut act = Act::one(words, doing.committee(), &StewardCommittee::bondForCall { steward, amount });
    act.steps.splice(..0, allowance);
    Ok(act)
}

async fn unbond(doing: &Doing<'_>, amount: Option<MicroUsdc>) -> Result<Act> {
    let steward = doing.account();
    let seat = Seat::of(doing, steward).await?;
    let has = seat.bond();
    let amount = amount.map_or(has, |MicroUsdc(amount)| U256::from(amount));
    if has.is_zero() || amount > has {
        bail!(Failure::refused(format!(
            "{steward} has a bond of {}: {} cannot be asked back",
            usdc(has),
            usdc(amount)
        )));
    }
    let rest = has - amount;
    let office = match (seat.is_seated, rest + seat.locked() >= seat.asks) {
        (false, _) => String::new(),
        (true, true) => format!(" Its seat asks for {} and stays in office.", usdc(seat.asks)),
        (true, false) => " Its seat counts no more then: it signs nothing and opens no record.".to_owned(),
    };
    let waiting = match seat.stake.unbonding {
        0 => String::new(),
        waiting => format!(" {} that wait already wait anew.", usdc(U256::from(waiting))),
    };
    let words = format!(
        "Steward {steward} asks back {} of its bond: {} → {}. It can be fetched after 28 days.{office}{waiting}",
        usdc(amount),
        usdc(has),
        usdc(rest)
    );
    Ok(Act::one(words, doing.committee(), &StewardCommittee::requestUnbondCall { amount }))
}

async fn withdraw(doing: &Doing<'_>, to: Address) -> Result<Act> {
    let stake = doing.stake(doing.account()).await?;
    let amount = U256::from(stake.unbonding);
    if amount.is_zero() {
        bail!(Failure::refused(format!(
            "{} asked nothing back: `rochdale steward unbond` does, 28 days before it can be fetched",
            doing.account()
        )));
    }
    let (now, at) = (doing.site.chain.now().await?, stake.unbondsAt.to::<u64>());
    if now < at {
        bail!(Failure::refused(format!("{} can be fetched from {} on; it is {}", usdc(amount), utc(at), utc(now))));
    }
    let words = format!("{} fetches {} that it asked back of its bond, to {to}.", doing.account(), usdc(amount));
    Ok(Act::one(words, doing.committee(), &StewardCommittee::withdrawBondCall { to }))
}

fn report(doing: &Doing<'_>, file: &Path) -> Result<Act> {
    let shown = file.display();
    let TwoHeaders { a, b } = serde_json::from_slice(&input(file)?)
        .with_context(|| format!("{shown} is not {{\"a\": {{\"header\": …, \"signature\": …}}, \"b\": …}}"))?;
    if (a.header.epoch, a.header.attempt) != (b.header.epoch, b.header.attempt) || a.header == b.header {
        bail!(Failure::refused(format!(
            "{shown} holds no fault: a steward may sign epoch {}, attempt {} and epoch {}, attempt {}, and one header twice",
            a.header.epoch, a.header.attempt, b.header.epoch, b.header.attempt
        )));
    }
    let words = format!(
        "Two headers of epoch {}, attempt {} are shown, with roots {} and {}: whoever signed both has all of its bond put aside, and the \
         member house decides about it within 60 days.",
        a.header.epoch, a.header.attempt, a.header.root, b.header.root
    );
    let call = bindings::report_equivocation(&(a.header, a.signature), &(b.header, b.signature));
    Ok(Act::one(words, doing.committee(), &call))
}

async fn release(doing: &Doing<'_>, id: U256) -> Result<Act> {
    let slash = doing.view(doing.committee(), &StewardCommittee::slashOfCall { id }).await?;
    if slash.amount == 0 {
        bail!(Failure::refused(format!(
            "slash {id} was decided or never opened: `rochdale steward show` lists those that are open"
        )));
    }
    let (now, at) = (doing.site.chain.now().await?, slash.releasesAt);
    if now < at {
        bail!(Failure::refused(format!(
            "the member house may decide slash {id} until {}; it is {}",
            utc(at),
            utc(now)
        )));
    }
    let words = format!(
        "Slash {id} was not decided in 60 days: {} go back into the bond of steward {}.",
        usdc(U256::from(slash.amount)),
        slash.steward
    );
    Ok(Act::one(words, doing.committee(), &StewardCommittee::releaseSlashCall { id }))
}

/// `rochdale steward show`
async fn everybody(site: &Site, ui: Ui) -> Result<ExitCode> {
    let committee = site.manifest.addresses.steward_committee;
    let seats = site.chain.view(committee, &StewardCommittee::seatsCall {}).await?;
    let asks = site.chain.view(committee, &StewardCommittee::seatBondCall {}).await?;
    let (mut lines, mut stewards) = (vec![format!("a seat asks for a bond of {}", usdc(asks))], Vec::new());
    for (number, seat) in (1..).zip(seats) {
        let steward = seat.signer;
        let stake = site.chain.view(committee, &StewardCommittee::stakeOfCall { steward }).await?;
        let active = site.chain.view(committee, &StewardCommittee::isActiveStewardCall { steward }).await?;
        lines.push(line(number, steward, &stake, active));
        stewards.push(stake_json(number, steward, &stake, active));
    }
    let (open, slashes) = slashes(site, committee).await?;
    lines.extend(open);
    let value = json!({ "seat_bond": asks.to_string(), "stewards": stewards, "open_slashes": slashes });
    show(ui, &value, lines.join("\n"))
}

fn line(number: u64, steward: Address, stake: &Stake, active: bool) -> String {
    let amount = |micro: u64| usdc(U256::from(micro));
    let office = if active { "in office" } else { "seated, and does not count: its bond is too small" };
    let mut line = format!("steward {number} {steward}: {office}, bond {}", amount(stake.bond));
    if stake.locked != 0 {
        line += &format!(", {} locked by its objection", amount(stake.locked));
    }
    if stake.unbonding != 0 {
        line +=
            &format!(", {} asked back, to be fetched from {} on", amount(stake.unbonding), utc(stake.unbondsAt.to()));
    }
    line
}

fn stake_json(number: u64, steward: Address, stake: &Stake, active: bool) -> Value {
    json!({
        "steward": number, "account": steward, "active": active, "bond": stake.bond.to_string(),
        "locked": stake.locked.to_string(), "unbonding": stake.unbonding.to_string(),
        "withdrawable_at": stake.unbondsAt.to::<u64>(),
    })
}

/// What is put aside and waits for the member house, in words and as JSON.
async fn slashes(site: &Site, committee: Address) -> Result<(Vec<String>, Vec<Value>)> {
    let count: u64 = site.chain.view(committee, &StewardCommittee::slashCountCall {}).await?.saturating_to();
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    for id in 1..=count {
        let slash = site.chain.view(committee, &StewardCommittee::slashOfCall { id: U256::from(id) }).await?;
        if slash.amount == 0 {
            continue;
        }
        let amount = usdc(U256::from(slash.amount));
        lines.push(format!(
            "slash {id}: {amount} of {} are put aside; undecided on {}, they go back",
            slash.steward,
            utc(slash.releasesAt)
        ));
        values.push(json!({
            "slash": id, "steward": slash.steward, "amount": slash.amount.to_string(), "releases_at": slash.releasesAt,
        }));
    }
    Ok((lines, values))
}
