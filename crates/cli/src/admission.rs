//! Admission across machines: the member applies, the registrar admits, the member joins; two files travel, no secret
//! is in either, and each is signed.

use crate::args::Common;
use crate::coop::{self, Coop};
use crate::found::{self, REGISTRAR};
use crate::invitations;
use crate::registrar_args::RegistrarCommand;
use crate::state::{State, input, write_json};
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use crate::when::{holding, utc};
use anyhow::{Context, Result, ensure};
use rochdale_api::invitation::InvitationsRequest;
use rochdale_api::member::{Application, JoinRequest, Joined, KeyOfferRequest, KeyReceipts};
use rochdale_api::route::gateway;
use rochdale_chain::eip712;
use rochdale_client::membership::{self, Applicant};
use rochdale_client::statement;
use rochdale_crypto::random_blinder;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Seconds of block time that an application, and then an admission, holds: stewards keep the keys that it is sealed to for a day after
/// they are replaced, and an offered row key for as long.
const HOLDS: u64 = 82_800;

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
    let account = wallet.account();
    let applicant = Applicant { site: &site, account, nullifier, row_key: &row_key };
    let deadline = coop.now().await? + HOLDS;
    let application = applicant.apply(&wallet.key, deadline, &mut rng)?;
    write_json(out, &application)?;
    let sentence = format!(
        "{name} has the account {account}; the application is {}, signed by it, and holds until {}\n\
         Tell the registrar that account by another way, too: whoever carries the file cannot change whom it is about, but put another in its place\n\
         Next: the registrar types `rochdale registrar admit {}`, and {name} then `rochdale member join --name {name} --admission FILE`",
        out.display(),
        utc(deadline),
        out.display()
    );
    show(ui, &json!({ "account": account, "application": out, "until": deadline }), sentence)
}

/// `rochdale registrar …`
pub async fn registrar(common: &Common, command: RegistrarCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        RegistrarCommand::Invite { count, days, note, base, office } => {
            invitations::invite(common, (InvitationsRequest { count, days, note }, base), &office, ui).await
        }
        RegistrarCommand::Invitations { office } => invitations::list(common, &office, ui).await,
        RegistrarCommand::Withdraw { id, office } => invitations::withdraw(common, id, &office, ui).await,
        RegistrarCommand::Admit { application, out, key } => admit(common, &application, &out, key, ui).await,
    }
}

async fn admit(common: &Common, application: &Path, out: &Path, key: Option<PathBuf>, ui: Ui) -> Result<ExitCode> {
    let registrar = match key {
        Some(path) => coop::signer(&path)?,
        None => found::office(&common.state()?, REGISTRAR)?,
    };
    let asked: Application = read(application, "no application: `rochdale member apply` writes one")?;
    let coop = Coop::connect(&common.gateway()?).await?;
    let (site, now) = (coop.site(), coop.now().await?);
    // Before anything is signed: it is the account itself that asks, with this row key.
    membership::check_application(&site, &asked, now)?;
    let deadline = now + HOLDS;
    let Application { account, nullifier, row_key_digest, row_keys, .. } = asked;
    let offer = statement::key_offer(account, nullifier, row_key_digest, deadline);
    let registrar_signature = eip712::sign(&registrar, &offer, &coop.manifest.membership_domain())?;
    let offer = KeyOfferRequest { account, nullifier, row_key_digest, deadline, registrar_signature, row_keys };
    let answer: KeyReceipts = coop.gateway.post(gateway::OFFER, &offer).await?;
    let admission = membership::admit(&site, &registrar, offer, &answer)?;
    write_json(out, &admission)?;
    let held = answer.receipts.len();
    let sentence = format!(
        "{account} is admitted; {} the row key. {} is for the member, who joins with it until {}",
        holding(held),
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
    let joined: Joined = coop.gateway.post(gateway::JOIN, &request).await?;
    wallet.membership.member_id = Some(joined.member_id);
    wallet.save()?;
    Ok(joined)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, otherwise: &str) -> Result<T> {
    serde_json::from_slice(&input(path)?).with_context(|| format!("{} is {otherwise}", path.display()))
}
