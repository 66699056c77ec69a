//! Withdrawing consent, and erasing, whether the gateway answers or not: what it does not bring on chain, or only says that it did, is handed
//! to the stewards.

mod words;

use crate::args::Common;
use crate::coop::{self, Coop};
use crate::erased::attested;
use crate::failure::{Failure, Kind as Failed};
use crate::member as members;
use crate::ui::{Ui, show};
use crate::wallet::{Kind, Remembered, Wallet, Withdrawal};
use alloy::primitives::Address;
use anyhow::{Context, Result, anyhow, bail};
use futures_util::future::join_all;
use rochdale_api::client::{Client, ClientError};
use rochdale_api::denial::{ConsentStanding, DenialTaken};
use rochdale_api::member::{DenyRequest, Mined};
use rochdale_api::route::steward;
use rochdale_api::status::StewardEntry;
use rochdale_client::Stamp;
use rochdale_core::ids::{MemberId, StewardId};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How long the gateway may take, from connecting to a mined transaction.
const GATEWAY: Duration = Duration::from_secs(7);
/// How long a steward may take.
const STEWARD: Duration = Duration::from_secs(4);
/// How long the stewards may take to see what the gateway says that it did.
const SEEN: Duration = Duration::from_secs(4);
/// How long what is handed to stewards is valid, in seconds of block time: the gateway may be away for long.
const LIFETIME: u64 = 30 * 86_400;
/// The same where no quorum says with which number it must be signed: who lies keeps nothing that is good for long.
const UNSURE: u64 = 7_200;
/// How many numbers are tried then.
const TRIES: usize = 3;

/// What one steward said.
type Heard<T> = (StewardId, Result<T, ClientError>);

/// What came of handing it over.
struct Handed {
    withdrawal: Withdrawal,
    refused: Vec<(StewardId, String)>,
    /// How many have to take it until nobody opens anything.
    needed: usize,
}

/// `rochdale member revoke`, `member erase` and `member consent --revoke`.
pub async fn withdraw(common: &Common, name: &str, kind: Kind, ui: Ui) -> Result<ExitCode> {
    let wallet = Wallet::open(&common.state()?, name)?;
    wallet.id()?;
    let by = Instant::now() + GATEWAY;
    let fresh = in_time(by, Coop::connect(&common.gateway()?)).await;
    let (fresh, silent) = fresh.map_or_else(|error| (None, Some(error)), |coop| (Some(coop), None));
    if kind == Kind::Revoke && wallet.withdrawal()?.is_some_and(|kept| kept.kind == Kind::Erase) {
        // It would take the number of the erasure, and nothing would be destroyed.
        bail!(Failure::refused(
            "everything was asked to be erased already, which withdraws consent too: `rochdale member erase` goes on with it"
        ));
    }
    let witnesses = Witnesses::of(wallet.remembered()?)?;
    let known = known(fresh, wallet.remembered()?)?;
    let why = match (silent, &known) {
        (Some(error), _) => error,
        (None, None) => anyhow!("the gateway shows no cooperative"),
        (None, Some(coop)) => match by_gateway(coop, (&wallet, witnesses.as_ref()), kind, by).await {
            Ok(mined) => return withdrawn(coop, &wallet, kind, &mined, ui).await,
            Err(error) => error,
        },
    };
    let Some(coop) = known else {
        let hint = "neither does this wallet know the stewards: it learns them when the gateway answers once";
        return Err(why.context(hint));
    };
    let handed = hand_over(&coop, &wallet, kind)
        .await
        .map_err(|error| error.context(format!("the gateway did not do it ({why:#}), and no steward took it")))?;
    let (value, sentence) = words::handed(name, &handed, &format!("{why:#}"));
    show(ui, &value, sentence)?;
    let enough = handed.withdrawal.taken_by.len() >= handed.needed;
    Ok(if enough { ExitCode::SUCCESS } else { ExitCode::from(Failed::Unreachable as u8) })
}

async fn in_time<T>(by: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    let slow = |_| Failure::new(Failed::Unreachable, format!("no answer within {} s", GATEWAY.as_secs()));
    timeout_at(by, work).await.map_err(slow)?
}

/// By the gateway; what it says that it did counts where the stewards see it.
async fn by_gateway(
    coop: &Coop,
    (wallet, witnesses): (&Wallet, Option<&Witnesses>),
    kind: Kind,
    by: Instant,
) -> Result<Mined> {
    let sent = async {
        match kind {
            Kind::Revoke => members::revoke(coop, wallet).await,
            Kind::Erase => members::erase(coop, wallet).await,
        }
    };
    let mined = in_time(by, sent).await?;
    let until = Instant::now() + SEEN;
    loop {
        let heard = standings(coop, wallet.id()?).await;
        let entries = coop.stewards.iter().chain(&coop.former).map(|entry| entry.address);
        let seen =
            entries.zip(&heard).filter(|(_, (_, said))| said.as_ref().is_ok_and(|one| is_done(kind, &one.consent)));
        let seen: BTreeSet<Address> = seen.map(|(address, _)| address).collect();
        let needed = match witnesses {
            Some(known) => known.quorum.saturating_sub(seen.intersection(&known.stewards).count()),
            None => usize::from(coop.quorum.max(1)).saturating_sub(seen.len()),
        };
        if needed == 0 {
            return Ok(mined);
        }
        if Instant::now() > until {
            bail!("it says that it is in block {}, and too few stewards that are known here see it there", mined.block);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Whose word counts for what the gateway says that it did: the stewards that the wallet knew before the gateway was asked, who may have new
/// places, and as many of them as it knew to be a quorum.
struct Witnesses {
    stewards: BTreeSet<Address>,
    quorum: usize,
}

impl Witnesses {
    fn of(remembered: Option<Remembered>) -> Result<Option<Self>> {
        let before = remembered.map(|kept| Coop::of(&kept.url, kept.cooperative)).transpose()?;
        Ok(before.map(|before| Self {
            quorum: usize::from(before.quorum.max(1)),
            stewards: before.stewards.iter().map(|entry| entry.address).collect(),
        }))
    }
}

fn is_done(kind: Kind, consent: &str) -> bool {
    consent == "erased" || (kind == Kind::Revoke && consent == "revoked")
}

async fn withdrawn(coop: &Coop, wallet: &Wallet, kind: Kind, mined: &Mined, ui: Ui) -> Result<ExitCode> {
    wallet.forget_withdrawal()?;
    let (mut value, block) = (json!(mined), mined.block);
    let sentence = match kind {
        Kind::Revoke => format!("revoked in block {block}: nothing is released any more"),
        Kind::Erase => {
            let (word, said) = attested(coop, wallet.id()?).await?;
            value["erasure"] = word;
            format!("erased in block {block}; what was earned stays claimable\n{said}")
        }
    };
    value["on_chain"] = json!(true);
    show(ui, &value, sentence)
}

/// Keeps what it takes to withdraw without the gateway.
pub async fn remember(coop: &Coop, wallet: &Wallet) -> Result<()> {
    let cooperative = coop.view().await?;
    let before = wallet.remembered()?.map(|kept| Coop::of(&kept.url, kept.cooperative)).transpose()?;
    if before.is_some_and(|before| before.manifest.addresses != coop.manifest.addresses) {
        bail!("the gateway shows other contracts than those that this member joined");
    }
    let member = members::view(coop, wallet.id()?).await?;
    wallet.remember(&Remembered { url: coop.gateway.base().to_string(), cooperative, member })
}

/// The cooperative as the gateway shows it now, with the stewards that were known before; as it was known before where it shows other contracts.
fn known(fresh: Option<Coop>, before: Option<Remembered>) -> Result<Option<Coop>> {
    let before = before.map(|kept| Coop::of(&kept.url, kept.cooperative)).transpose()?;
    Ok(match (fresh, before) {
        (Some(mut fresh), Some(before)) if is_same(&fresh, &before) => {
            // Also one that is said to have another place: that may be a lie.
            let is_at =
                |known: &StewardEntry, entry: &StewardEntry| known.address == entry.address && known.url == entry.url;
            let is_new = |entry: &StewardEntry| !fresh.stewards.iter().any(|known| is_at(known, entry));
            let more: Vec<_> = before.stewards.into_iter().filter(is_new).collect();
            fresh.former = more;
            Some(fresh)
        }
        (_, Some(before)) => Some(before),
        (fresh, None) => fresh,
    })
}

fn is_same(fresh: &Coop, before: &Coop) -> bool {
    fresh.manifest.addresses == before.manifest.addresses && fresh.manifest.chain_id == before.manifest.chain_id
}

fn client(coop: &Coop, entry: &StewardEntry) -> Result<Client, ClientError> {
    Ok(Client::new(&entry.url)?.patient(STEWARD).expecting(coop.request_domain(), entry.address))
}

/// What each steward sees of a member's consent.
pub async fn standings(coop: &Coop, member: MemberId) -> Vec<Heard<ConsentStanding>> {
    let asked = coop.stewards.iter().chain(&coop.former).map(|entry| async move {
        let said = async { client(coop, entry)?.get(steward::STANDING.at(member)).await };
        (entry.steward, said.await)
    });
    join_all(asked).await
}

/// What a quorum sees alike.
fn agreed(heard: &[&ConsentStanding], quorum: u8) -> Option<ConsentStanding> {
    let seen = |one: &ConsentStanding| (one.active, one.consent.clone(), one.consent_nonce);
    let alike = |one: &ConsentStanding| heard.iter().filter(|other| seen(other) == seen(one)).count();
    heard.iter().find(|one| alike(one) >= usize::from(quorum)).map(|one| (*one).clone())
}

/// The numbers to try, the lowest first: that which a quorum sees, else what single stewards say. A number that was used is refused by whoever
/// is honest, and one above the next would be worth something to who lies: none is signed before all below it were refused.
fn numbers(heard: &[&ConsentStanding], quorum: u8, known: u64) -> (Vec<u64>, u64) {
    if let Some(standing) = agreed(heard, quorum) {
        return (vec![standing.consent_nonce], LIFETIME);
    }
    let told: BTreeSet<u64> = heard.iter().map(|one| one.consent_nonce).filter(|nonce| *nonce >= known).collect();
    (told.into_iter().take(TRIES).collect(), UNSURE)
}

/// Block time as the stewards see it: the lower of the two in the middle, so that none of them alone moves it far.
fn block_time(heard: &[&ConsentStanding]) -> Option<u64> {
    let mut times: Vec<u64> = heard.iter().map(|one| one.now).collect();
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}

/// Signs it with the number that the stewards' chain takes, keeps it, and hands it to each of them.
async fn hand_over(coop: &Coop, wallet: &Wallet, kind: Kind) -> Result<Handed> {
    let heard = standings(coop, wallet.id()?).await;
    let good: Vec<&ConsentStanding> = heard.iter().filter_map(|(_, said)| said.as_ref().ok()).collect();
    let Some(now) = block_time(&good) else {
        let said: Vec<String> = heard.iter().map(|(id, said)| words::silent(*id, said)).collect();
        let text = format!("no steward answers:\n  {}", said.join("\n  "));
        bail!(Failure::new(Failed::Unreachable, text));
    };
    // A consent that was signed and is held back may come yet: then there is something to withdraw though none stands.
    let comes = good.iter().map(|one| wallet.has_granted(one.consent_nonce, now)).collect::<Result<Vec<_>>>()?;
    if !comes.contains(&true) {
        refuse_done(kind, agreed(&good, coop.quorum).as_ref())?;
    }
    let known = wallet.remembered()?.map_or(0, |kept| kept.member.consent_nonce);
    let (numbers, lifetime) = numbers(&good, coop.quorum, known);
    let (before, mut refusals) = (wallet.withdrawal()?, Vec::new());
    for nonce in numbers {
        let withdrawal = sign(coop, wallet, kind, Stamp { nonce, deadline: now + lifetime }, now)?;
        // Before it is sent: what is signed may come on chain though no answer comes.
        wallet.keep_withdrawal(&withdrawal)?;
        let (taken_by, refused) = give(coop, &withdrawal).await;
        if taken_by.is_empty() {
            refusals.extend(refused);
            continue;
        }
        let withdrawal = Withdrawal { taken_by, ..withdrawal };
        wallet.keep_withdrawal(&withdrawal)?;
        return Ok(Handed { withdrawal, refused, needed: coop.site().deletions_needed() });
    }
    // What nobody took may still have arrived, and is kept, unless another is known to be there.
    if let Some(before) = before.filter(|before| !before.taken_by.is_empty()) {
        wallet.keep_withdrawal(&before)?;
    }
    let said: Vec<String> = refusals.iter().map(|(id, why)| format!("steward {id}: {why}")).collect();
    Err(anyhow!(Failure::refused(said.join("\n  "))))
}

/// Where there is nothing to withdraw, by what a quorum sees.
fn refuse_done(kind: Kind, agreed: Option<&ConsentStanding>) -> Result<()> {
    let Some(standing) = agreed else { return Ok(()) };
    if is_done(kind, &standing.consent) {
        bail!(Failure::refused(format!(
            "the stewards see it on chain already: the consent is `{}`, and nothing is released",
            standing.consent
        )));
    }
    if kind == Kind::Revoke && !standing.active {
        bail!(Failure::refused("the membership has ended, and the consent with it: nothing is released"));
    }
    Ok(())
}

/// What is signed: with the number, and with the one after it where something else that was signed with this number may come on chain first.
fn sign(coop: &Coop, wallet: &Wallet, kind: Kind, stamp: Stamp, now: u64) -> Result<Withdrawal> {
    let site = coop.site();
    let member = wallet.signer(&site)?;
    let kept = wallet.withdrawal()?;
    let other = kept.as_ref().filter(|kept| kept.kind != kind).is_some_and(|kept| kept.holds(stamp.nonce, now));
    let numbers = if other || wallet.has_granted(stamp.nonce, now)? { 2 } else { 1 };
    let deny = |nonce| match kind {
        Kind::Revoke => member.revoke(Stamp { nonce, ..stamp }),
        Kind::Erase => member.erase(Stamp { nonce, ..stamp }),
    };
    let requests: Vec<DenyRequest> = (stamp.nonce..stamp.nonce + numbers).map(deny).collect::<Result<_, _>>()?;
    Ok(Withdrawal { kind, requests, taken_by: Vec::new(), at: now })
}

/// Hands it to every steward; gives who took it, and why others did not.
async fn give(coop: &Coop, withdrawal: &Withdrawal) -> (Vec<StewardId>, Vec<(StewardId, String)>) {
    let route = || match withdrawal.kind {
        Kind::Revoke => steward::REVOKE,
        Kind::Erase => steward::ERASE,
    };
    let giving = coop.stewards.iter().chain(&coop.former).map(|entry| async move {
        let mut answers = Vec::new();
        for request in &withdrawal.requests {
            let sent = async { client(coop, entry)?.post(route(), request).await };
            answers.push(sent.await);
        }
        (entry, answers)
    });
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for (entry, answers) in join_all(giving).await {
        let took = answers.iter().any(|answer: &Result<DenialTaken, _>| answer.is_ok());
        let in_office = coop.stewards.iter().any(|known| known.address == entry.address);
        match answers.into_iter().find_map(Result::err) {
            _ if took && in_office => taken.push(entry.steward),
            Some(error) if in_office => refused.push((entry.steward, error.to_string())),
            _ => {}
        }
    }
    // One may have been asked at two places.
    taken.sort_unstable();
    taken.dedup();
    refused.retain(|(id, _)| !taken.contains(id));
    (taken, refused)
}

/// Before consent is given anew: what was withdrawn past the gateway comes on chain first, or it would withdraw what is given now.
pub async fn settle(coop: &Coop, wallet: &Wallet) -> Result<()> {
    let Some(kept) = wallet.withdrawal()? else { return Ok(()) };
    let view = members::view(coop, wallet.id()?).await?;
    let open = kept.requests.iter().any(|request| request.nonce >= view.consent_nonce);
    let consents = ["granted", "expired"].contains(&view.consent.as_str());
    match kept.kind {
        Kind::Erase if open && view.consent != "erased" => bail!(Failure::refused(
            "everything was asked to be erased, and the stewards bring that on chain: no consent can be given any more"
        )),
        Kind::Revoke if open && consents => {
            members::revoke(coop, wallet).await?;
        }
        _ => {}
    }
    wallet.forget_withdrawal()
}

/// What became of a withdrawal that was handed to the stewards, for `rochdale member show`; `None` where nothing was.
pub async fn standing(coop: &Coop, wallet: &Wallet) -> Result<Option<(serde_json::Value, String)>> {
    let Some(kept) = wallet.withdrawal()? else { return Ok(None) };
    let heard = standings(coop, wallet.id()?).await;
    let good: Vec<&ConsentStanding> = heard.iter().filter_map(|(_, said)| said.as_ref().ok()).collect();
    let done = agreed(&good, coop.quorum).is_some_and(|standing| is_done(kept.kind, &standing.consent));
    let told = words::standing(&kept, &heard, coop.site().deletions_needed(), done);
    if done {
        wallet.forget_withdrawal()?;
    }
    Ok(Some(told))
}

/// `rochdale member show` where the gateway does not answer: what the stewards see.
pub async fn shown_without(name: &str, wallet: &Wallet, why: anyhow::Error, ui: Ui) -> Result<ExitCode> {
    let Some(coop) = known(None, wallet.remembered()?)? else { return Err(why) };
    let heard = standings(&coop, wallet.id()?).await;
    if heard.iter().all(|(_, said)| said.is_err()) {
        return Err(why.context("and no steward answers either"));
    }
    let withdrawal = standing(&coop, wallet).await?;
    let (value, sentence) = words::without_gateway(name, &heard, withdrawal, &format!("{why:#}"));
    show(ui, &value, sentence)
}

/// Connects as [`Coop::connect`], within single seconds: for commands that go on without the gateway.
pub async fn connect_soon(common: &Common) -> Result<Coop> {
    let by = Instant::now() + GATEWAY;
    in_time(by, coop::Coop::connect(&common.gateway()?)).await.context("the gateway does not answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(steward: u8, consent: &str, consent_nonce: u64, now: u64) -> ConsentStanding {
        ConsentStanding {
            member_id: MemberId(1),
            steward: StewardId(steward),
            account: Address::ZERO,
            active: true,
            consent: consent.to_owned(),
            consent_version: 1,
            consent_nonce,
            block: 1,
            now,
            withdrawals: Vec::new(),
        }
    }

    #[test]
    fn one_steward_decides_neither_the_number_nor_that_nothing_is_to_be_withdrawn_nor_the_time() {
        let (good, other) = (seen(1, "granted", 5, 1_000), seen(2, "granted", 5, 1_001));
        let liar = seen(3, "revoked", 9, u64::MAX);
        let all = [&liar, &good, &other];
        assert_eq!(numbers(&all, 2, 5), (vec![5], LIFETIME));
        assert!(refuse_done(Kind::Revoke, agreed(&all, 2).as_ref()).is_ok());
        assert_eq!(block_time(&all), Some(1_001));
        assert!(agreed(&[&liar, &good], 2).is_none(), "one is down, one lies");
        // The lowest first, for a short time, and none below what was known.
        assert_eq!(numbers(&[&liar, &good], 2, 5), (vec![5, 9], UNSURE));
        assert_eq!(numbers(&[&seen(3, "granted", 2, 1), &good], 2, 5), (vec![5], UNSURE));
        assert_eq!(block_time(&[&liar, &good]), Some(1_000));
        assert_eq!(block_time(&[]), None);
    }
}
