//! What a member says: written here, signed by its passkey.

use alloy_primitives::aliases::U96;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall as _;
use rochdale_api::account::{AccountCall, ExecuteRequest, RecoveryApproval};
use rochdale_api::contribution::ContributionPackage;
use rochdale_api::member::{DenyRequest, GrantRequest, LeaveRequest, PayoutRequest};
use rochdale_api::status::MemberView;
use rochdale_client::{Author, Stamp, address, choice, notice, service};
use rochdale_core::calendar::civil;
use rochdale_core::consent::{Choice, Controller, Receipt};
use rochdale_core::fhir::{Limits, Piece, pieces, record_digest};
use rochdale_core::ids::DatasetId;
use rochdale_core::score::score;
use rochdale_crypto::Cid;
use rochdale_eip712 as eip712;
use rochdale_eip712::account::{self, Approval, Call, OwnCalls};
use rochdale_eip712::governor::{House, Votes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::joining::{Nothing, guardian, recovery};
use crate::site::{LIFETIME, Places, Result, Seen, ToSign, rng, words as in_words};

/// The name under which the cooperative answers for what it does with the data.
const CONTROLLER: &str = "The cooperative";
/// How long a guardian's yes holds, seconds of block time.
const APPROVAL: u64 = 3_600;

/// A language.
#[derive(Deserialize)]
pub struct In {
    language: String,
}

/// A text.
#[derive(Serialize)]
pub struct Text {
    text: &'static str,
}

/// What is consented to.
pub fn notice(asked: In) -> Result<Text> {
    Ok(Text { text: told(&asked.language)? })
}

fn told(language: &str) -> Result<&'static str> {
    notice::text(language).ok_or_else(|| format!("what is consented to is not there in the language {language}"))
}

/// What a form offers first.
pub fn health_research(_: Nothing) -> Result<Choice> {
    Ok(Choice::health_research())
}

/// A choice.
#[derive(Deserialize)]
pub struct Chosen {
    choice: Choice,
}

/// A choice in sentences.
#[derive(Serialize)]
pub struct InWords {
    words: Vec<String>,
}

/// What a choice permits, in English.
pub fn words(asked: Chosen) -> Result<InWords> {
    Ok(InWords { words: choice::words(&asked.choice, date) })
}

/// Unix seconds as a day, UTC.
fn date(at: u64) -> String {
    let (year, month, day) = civil(at / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A consent to be given.
#[derive(Deserialize)]
pub struct Consenting {
    cooperative: Seen,
    member: MemberView,
    choice: Choice,
    /// Unix seconds; 0 for until it is withdrawn.
    until: u64,
    language: String,
    /// Where the cooperative is reached.
    contact: String,
}

/// A consent with its receipt.
#[derive(Serialize)]
pub struct Consent {
    #[serde(flatten)]
    to_sign: ToSign<GrantRequest>,
    receipt: Receipt,
    words: Vec<String>,
}

/// Writes a consent.
pub fn consent(asked: Consenting) -> Result<Consent> {
    let Consenting { cooperative, member, choice, until, language, contact } = asked;
    if until > 0 && until <= cooperative.now {
        return Err(format!("{} is over: name a later day", date(until)));
    }
    let contracts = cooperative.site.contracts;
    let controller = Controller {
        name: CONTROLLER.to_owned(),
        contact,
        chain_id: contracts.chain_id,
        registry: contracts.consent_registry,
    };
    let words = choice::words(&choice, date);
    let notice = notice::named((&language, told(&language)?));
    let version = member.consent_version + 1;
    let receipt = Receipt::new(member.member_id, version, controller, notice, choice, cooperative.now, until);
    let stamp = Stamp { nonce: member.consent_nonce, deadline: cooperative.now + LIFETIME };
    let author = Author { site: &cooperative.site, id: member.member_id };
    let unsigned = author.grant(&receipt, stamp, &mut rng()?).map_err(in_words)?;
    Ok(Consent { to_sign: cooperative.to_sign(member.account, &unsigned), receipt, words })
}

/// What is taken back.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The consent.
    Revoke,
    /// Everything.
    Erase,
    /// The membership.
    Leave,
}

/// A withdrawal to be made.
#[derive(Deserialize)]
pub struct Withdrawing {
    cooperative: Seen,
    member: MemberView,
    kind: Kind,
    /// As stewards say it, where the gateway does not answer.
    nonce: Option<u64>,
    /// Block time as stewards say it.
    now: Option<u64>,
}

/// A withdrawal.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Withdrawal {
    /// Of the consent, or of everything.
    Deny(ToSign<DenyRequest>),
    /// Of the membership.
    Leave(ToSign<LeaveRequest>),
}

/// Writes a withdrawal.
pub fn withdraw(asked: Withdrawing) -> Result<Withdrawal> {
    let Withdrawing { cooperative, member, kind, nonce, now } = asked;
    let author = Author { site: &cooperative.site, id: member.member_id };
    let deadline = now.unwrap_or(cooperative.now) + LIFETIME;
    let stamp = |known| Stamp { nonce: nonce.unwrap_or(known), deadline };
    let account = member.account;
    Ok(match kind {
        Kind::Revoke => Withdrawal::Deny(cooperative.to_sign(account, &author.revoke(stamp(member.consent_nonce)))),
        Kind::Erase => Withdrawal::Deny(cooperative.to_sign(account, &author.erase(stamp(member.consent_nonce)))),
        Kind::Leave => Withdrawal::Leave(cooperative.to_sign(account, &author.leave(stamp(member.membership_nonce)))),
    })
}

/// Where money goes.
#[derive(Deserialize)]
pub struct Paying {
    cooperative: Seen,
    member: MemberView,
    payout: String,
}

/// Writes that the member is paid elsewhere.
pub fn pay_to(asked: Paying) -> Result<ToSign<PayoutRequest>> {
    let Paying { cooperative, member, payout } = asked;
    let payout = address::read(&payout).map_err(in_words)?;
    let stamp = Stamp { nonce: member.membership_nonce, deadline: cooperative.now + LIFETIME };
    let author = Author { site: &cooperative.site, id: member.member_id };
    Ok(cooperative.to_sign(member.account, &author.pay_to(payout, stamp)))
}

/// Who contributes.
#[derive(Deserialize)]
pub struct Contributing {
    cooperative: Seen,
    member: MemberView,
    dataset: DatasetId,
}

/// A sealed record.
#[derive(Serialize)]
pub struct Contribution {
    #[serde(flatten)]
    to_sign: ToSign<ContributionPackage>,
    /// Where the blob goes.
    cid: String,
    /// Names the record's content.
    digest: B256,
    quality: u16,
    /// Of the record before it was sealed.
    bytes: usize,
}

/// Seals the record with this number in a file, counted from 0. Gives the blob beside the package.
pub fn contribute(asked: &Contributing, name: &str, bytes: &[u8], which: usize) -> Result<(Contribution, Vec<u8>)> {
    let Contributing { cooperative, member, dataset } = asked;
    let records = pieces(name, bytes, Limits::default()).filter_map(|piece| match piece {
        Ok(Piece::Record(source)) => Some(source),
        _ => None,
    });
    let source = records.into_iter().nth(which).ok_or_else(|| format!("{name} has no record {which}"))?;
    let now = i64::try_from(cooperative.now).map_err(in_words)?;
    let quality = score(&source.record, now, false).quality;
    let digest = record_digest(&source.record);
    let record = Zeroizing::new(source.record.bytes().to_vec());
    drop(source);
    let stamp = Stamp { nonce: member.contribution_nonce, deadline: cooperative.now + LIFETIME };
    let author = Author { site: &cooperative.site, id: member.member_id };
    let sealed = author.contribute(&record, *dataset, member.consent_version, stamp, &mut rng()?);
    let (unsigned, blob) = sealed.map_err(in_words)?;
    let cid = Cid::from_sha256(unsigned.request().blob_digest.0).to_string();
    let to_sign = cooperative.to_sign(member.account, &unsigned);
    Ok((Contribution { to_sign, cid, digest, quality, bytes: record.len() }, blob))
}

/// A package that waits, to be signed again.
#[derive(Deserialize)]
pub struct Resuming {
    cooperative: Seen,
    member: MemberView,
    package: ContributionPackage,
}

/// The same package with a deadline and number of now.
pub fn contribute_again(asked: Resuming) -> Result<ToSign<ContributionPackage>> {
    let Resuming { cooperative, member, package } = asked;
    let (nonce, deadline) = (member.contribution_nonce, cooperative.now + LIFETIME);
    let author = Author { site: &cooperative.site, id: member.member_id };
    let package = ContributionPackage { nonce, deadline, signature: Bytes::new(), ..package };
    Ok(cooperative.to_sign(member.account, &author.contribution(package)))
}

/// What a passkey gave.
#[derive(Deserialize)]
pub struct Asserted {
    client_data_json: String,
    authenticator_data: Bytes,
    signature: Bytes,
}

/// A signature as the account takes it.
#[derive(Serialize)]
pub struct Signed {
    signature: Bytes,
}

/// Puts a passkey's answer in the form that accounts take.
pub fn assertion(asserted: Asserted) -> Result<Signed> {
    let (r, s) = account::p256_signature(&asserted.signature).ok_or("the passkey's signature is none of P-256")?;
    let signature = account::assertion(r, s, &asserted.authenticator_data, &asserted.client_data_json);
    Ok(Signed { signature: signature.ok_or("the passkey's answer names no challenge")? })
}

/// A lost passkey, and the one that is to take its place.
#[derive(Deserialize)]
pub struct Recovering {
    cooperative: Seen,
    account: Address,
    recovery_code: String,
    qx: B256,
    qy: B256,
    round: u64,
}

/// The guardian's yes.
pub fn approve_recovery(asked: Recovering) -> Result<RecoveryApproval> {
    let Recovering { cooperative, account, recovery_code, qx, qy, round } = asked;
    let key = guardian(&recovery_code)?;
    let deadline = cooperative.now + APPROVAL;
    let said = Approval { qx, qy, guardian: key.address(), round: U256::from(round), deadline: U256::from(deadline) };
    let domain = account::domain(cooperative.site.contracts.chain_id, account);
    let signature = eip712::sign(&key, &said, &domain).map_err(in_words)?;
    let account::Recovery { guardians, threshold, delay } = recovery(key.address());
    let guardian = key.address();
    Ok(RecoveryApproval { account, qx, qy, guardian, round, deadline, guardians, threshold, delay, signature })
}

/// What an account does.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Act {
    /// Ends a recovery that is under way.
    Veto,
    /// Makes the guardian that follows from a code the only one.
    SetRecovery { recovery_code: String },
    /// Votes on the proposal of this number, in each of these houses.
    Vote { proposal: U256, houses: Vec<HouseOf>, support: Support },
    /// Has somebody else vote with what GOV one holds, or oneself.
    Delegate { to: Address },
    /// Locks GOV, in its smallest unit, for the time of a tier.
    Lock { amount: U256, tier: u8 },
    /// Fetches what the lock at this place, from 0, held.
    Unlock { index: u32 },
    /// Has the votes of who became a member 30 days ago count.
    Sync,
    /// Orders a service for what it costs, in DATA's smallest unit; `request` is shown to whoever delivers, with the blinder.
    Order { service: u32, price: U256, request: String, blinder: B256 },
}

/// A house.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HouseOf {
    Member,
    Token,
}

/// A vote, by the number that governors have for it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
enum Support {
    Against = 0,
    For = 1,
    Abstain = 2,
}

impl Act {
    /// The calls that do it; target zero is the account itself.
    fn calls(self, account: Address, places: Places) -> Result<Vec<(Address, Vec<u8>)>> {
        let own = |data| vec![(Address::ZERO, data)];
        let of_gov = |data| vec![(places.gov_token, data)];
        Ok(match self {
            Self::Veto => own(OwnCalls::vetoCall {}.abi_encode()),
            Self::SetRecovery { recovery_code } => {
                let recovery = recovery(guardian(&recovery_code)?.address());
                own(OwnCalls::setRecoveryCall { recovery }.abi_encode())
            }
            Self::Vote { proposal, houses, support } => {
                let vote = House::castVoteCall { proposalId: proposal, support: support as u8 }.abi_encode();
                let governor = |house| match house {
                    HouseOf::Member => places.member_house,
                    HouseOf::Token => places.token_house,
                };
                houses.into_iter().map(|house| (governor(house), vote.clone())).collect()
            }
            Self::Delegate { to } => of_gov(Votes::delegateCall { delegatee: to }.abi_encode()),
            Self::Lock { amount, tier } => {
                let narrow = u128::try_from(amount).ok().and_then(|amount| U96::try_from(amount).ok());
                let amount = narrow.ok_or_else(|| format!("{amount} is more GOV than there can be"))?;
                of_gov(Votes::lockCall { amount, tier }.abi_encode())
            }
            Self::Unlock { index } => of_gov(Votes::unlockCall { index: U256::from(index) }.abi_encode()),
            Self::Sync => of_gov(Votes::syncCall { account }.abi_encode()),
            Self::Order { service, price, request, blinder } => {
                let price = u128::try_from(price).map_err(|_| format!("{price} is more DATA than there can be"))?;
                let commitment = service::commitment(blinder, request.as_bytes());
                service::order((places.data_token, places.service_desk), service, price, commitment).into()
            }
        })
    }
}

/// What is to be done.
#[derive(Deserialize)]
pub struct Acting {
    cooperative: Seen,
    account: Address,
    nonce: u64,
    act: Act,
}

/// Writes what the account does.
pub fn account_act(asked: Acting) -> Result<ToSign<ExecuteRequest>> {
    let Acting { cooperative, account, nonce, act } = asked;
    let calls = act.calls(account, cooperative.places)?;
    let calls = calls.into_iter().map(|(target, data)| AccountCall { target, data: data.into() }).collect();
    Ok(batch(&cooperative, account, nonce, calls).0)
}

/// A batch of an account's, for its passkey to sign, and the same for the account to try.
pub fn batch(
    cooperative: &Seen,
    account: Address,
    nonce: u64,
    calls: Vec<AccountCall>,
) -> (ToSign<ExecuteRequest>, Vec<u8>) {
    let deadline = cooperative.now + LIFETIME;
    let call =
        |AccountCall { target, data }: &AccountCall| Call { target: *target, value: U256::ZERO, data: data.clone() };
    let batch: Vec<Call> = calls.iter().map(call).collect();
    let challenge = account::execute_digest(cooperative.site.contracts.chain_id, account, &batch, nonce, deadline);
    let request = ExecuteRequest { account, calls, nonce, deadline, signature: Bytes::new() };
    let trial = OwnCalls::executeCall { mode: account::BATCH, executionData: account::execution_data(&batch) };
    (ToSign { request, challenge }, trial.abi_encode())
}
