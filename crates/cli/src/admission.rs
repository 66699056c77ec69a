//! Admission across machines: the member applies, the registrar admits, the member joins; two files travel, and no secret
//! is in either.

use crate::args::{Common, RegistrarCommand};
use crate::commands::show;
use crate::coop::{self, Coop};
use crate::found::{self, REGISTRAR};
use crate::state::{State, input, write_json};
use crate::ui::Ui;
use crate::wallet::Wallet;
use crate::when::utc;
use alloy::primitives::{Address, B256, U256};
use anyhow::{Context, Result, ensure};
use rochdale_api::member::{JoinRequest, Joined, KeyOfferRequest, KeyReceipts, SealedTo};
use rochdale_chain::eip712;
use rochdale_client::membership::{self, Applicant};
use rochdale_crypto::random_blinder;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Seconds of block time that an admission holds: a day is the most that stewards keep an offered key for.
const HOLDS: u64 = 82_800;

/// What a member asks the registrar with: the row key is in it for the stewards alone, sealed to each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    account: Address,
    nullifier: B256,
    row_key_digest: B256,
    row_keys: Vec<SealedTo>,
}

/// `rochdale member apply`
pub async fn apply(coop: &Coop, state: &State, name: &str, out: &Path, ui: Ui) -> Result<ExitCode> {
    let mut wallet = Wallet::open_or_create(state, name)?;
    if let Some(id) = wallet.membership.member_id {
        anyhow::bail!("{name} joined already, as member {id}");
    }
    let mut rng = coop::rng()?;
    if wallet.membership.nullifier.is_zero() {
        wallet.membership.nullifier = random_blinder(&mut rng);
        wallet.save()?;
    }
    let (site, row_key) = (coop.fresh().await?.site(), wallet.row_key()?);
    let nullifier = wallet.membership.nullifier;
    let applicant = Applicant { site: &site, account: wallet.account(), nullifier, row_key: &row_key };
    let (account, row_key_digest) = (wallet.account(), applicant.row_key_digest());
    let application = Application { account, nullifier, row_key_digest, row_keys: applicant.seal_row_key(&mut rng)? };
    write_json(out, &application)?;
    let sentence = format!(
        "{name} has the account {account}; the application is {}\nNext: the registrar types `rochdale registrar admit`, and \
         {name} then `rochdale member join --name {name} --admission FILE`",
        out.display()
    );
    show(ui, &json!({ "account": account, "application": out }), sentence)
}

/// `rochdale registrar …`
pub async fn registrar(common: &Common, command: RegistrarCommand, ui: Ui) -> Result<ExitCode> {
    let RegistrarCommand::Admit { application, out, key } = command;
    let registrar = match key {
        Some(path) => coop::signer(&path)?,
        None => found::office(&common.state()?, REGISTRAR)?,
    };
    let asked: Application = read(&application, "no application: `rochdale member apply` writes one")?;
    let coop = Coop::connect(&common.gateway()?).await?;
    let (site, deadline) = (coop.site(), coop.now().await? + HOLDS);
    let Application { account, nullifier, row_key_digest, row_keys } = asked;
    let until = U256::from(deadline);
    let offer = eip712::KeyOffer { account, nullifier, rowKeyDigest: row_key_digest, deadline: until };
    let registrar_signature = eip712::sign(&registrar, &offer, &coop.manifest.membership_domain())?;
    let offer = KeyOfferRequest { account, nullifier, row_key_digest, deadline, registrar_signature, row_keys };
    let answer: KeyReceipts = coop.gateway.post("/v1/row-keys/offers", &offer).await?;
    let admission = membership::admit(&site, &registrar, offer, &answer)?;
    write_json(&out, &admission)?;
    let held = answer.receipts.len();
    let sentence = format!(
        "{account} is admitted; {held} stewards hold the row key. {} is for the member, who joins with it until {}",
        out.display(),
        utc(deadline)
    );
    show(ui, &json!({ "account": account, "admission": out, "until": deadline, "stewards": held }), sentence)
}

/// `rochdale member join --admission`
pub async fn join(coop: &Coop, wallet: &mut Wallet, admission: &Path) -> Result<Joined> {
    let request: JoinRequest = read(admission, "no admission: `rochdale registrar admit` writes one")?;
    ensure!(
        request.account == wallet.account(),
        "{} admits {}, and this member's account is {}",
        admission.display(),
        request.account,
        wallet.account()
    );
    let joined: Joined = coop.gateway.post("/v1/members", &request).await?;
    wallet.membership.member_id = Some(joined.member_id);
    wallet.save()?;
    Ok(joined)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, otherwise: &str) -> Result<T> {
    serde_json::from_slice(&input(path)?).with_context(|| format!("{} is {otherwise}", path.display()))
}
