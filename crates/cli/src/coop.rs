//! A running cooperative, as a client meets it: the gateway's directory, the manifest, the signing domains.

use crate::failure::Failure;
use crate::state::make_dir;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use anyhow::{Context, Result, bail};
use rand::rngs::SysRng;
use rand::{CryptoRng, SeedableRng as _};
use rochdale_api::auth;
use rochdale_api::client::{Client, Identity};
use rochdale_api::route::gateway;
use rochdale_api::status::{Cooperative, StewardEntry};
use rochdale_chain::deploy::Manifest;
use rochdale_client::Site;
use rochdale_crypto::SealingPublicKey;
use rochdale_crypto::keyfile::{self, KeyKind};
use std::path::Path;
use std::time::Duration;

/// How long what we sign stays valid, in seconds of block time.
pub const LIFETIME: u64 = 3_000;

/// How long the gateway may take: it waits for transactions to be mined.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a question may take: answering it opens every record of its snapshot.
pub const QUESTION: Duration = Duration::from_secs(660);
/// How long an order stays open, in seconds of block time: a day, in which whatever stops is mended and the same order goes on.
pub const ORDER_LIFETIME: u64 = 86_400;

/// A cooperative behind its gateway.
#[derive(Clone)]
pub struct Coop {
    /// Where the contracts are and how settlement is timed.
    pub manifest: Manifest,
    /// The committee by seat.
    pub stewards: Vec<StewardEntry>,
    /// How many stewards open a record or bind the committee.
    pub quorum: u8,
    /// Stewards that were known before and that the gateway does not name now: none is asked but for a withdrawal.
    pub former: Vec<StewardEntry>,
    /// The gateway.
    pub gateway: Client,
}

impl Coop {
    /// Reads the directory of the gateway at `url`.
    pub async fn connect(url: &str) -> Result<Self> {
        let gateway = Client::new(url)?.patient(PATIENCE);
        let view: Cooperative = gateway.get(gateway::COOPERATIVE).await.with_context(|| {
            format!("no cooperative answers at {url}: start one with `rochdale up`, or name another --url")
        })?;
        Self::of(url, view)
    }

    /// As the gateway at `url` showed itself.
    pub fn of(url: &str, view: Cooperative) -> Result<Self> {
        let gateway = Client::new(url)?.patient(PATIENCE);
        let manifest: Manifest =
            serde_json::from_value(view.manifest).context("the gateway's manifest is not understood")?;
        if view.stewards.is_empty() {
            bail!("the cooperative at {url} has no stewards: nobody could open or settle anything");
        }
        let domain = auth::domain(manifest.chain_id, manifest.addresses.steward_committee);
        let gateway = gateway.expecting(domain, view.gateway);
        Ok(Self { manifest, stewards: view.stewards, quorum: view.quorum, former: Vec::new(), gateway })
    }

    /// What is needed to sign and to seal.
    pub fn site(&self) -> Site {
        Site { contracts: self.manifest.contracts(), stewards: self.stewards.clone(), quorum: self.quorum }
    }

    /// The gateway's own view, read again.
    pub async fn view(&self) -> Result<Cooperative> {
        Ok(self.gateway.get(gateway::COOPERATIVE).await?)
    }

    /// The same cooperative with its committee as it is now: sealing keys are replaced each epoch.
    pub async fn fresh(&self) -> Result<Self> {
        let view = self.view().await?;
        Ok(Self { stewards: view.stewards, quorum: view.quorum, ..self.clone() })
    }

    /// Block time at the gateway.
    pub async fn now(&self) -> Result<u64> {
        Ok(self.view().await?.now)
    }

    /// When a signature made now ends to be valid.
    pub async fn deadline(&self) -> Result<u64> {
        Ok(self.now().await? + LIFETIME)
    }

    /// The signing domain of HTTP requests.
    pub fn request_domain(&self) -> Eip712Domain {
        auth::domain(self.manifest.chain_id, self.manifest.addresses.steward_committee)
    }

    /// A client of a steward that signs as `key`.
    pub fn steward(&self, entry: &StewardEntry, key: &PrivateKeySigner) -> Result<Client> {
        let identity = Identity { key: key.clone(), domain: self.request_domain() };
        Ok(Client::new(&entry.url)?.signing(identity, entry.address))
    }
}

/// A steward's sealing key.
pub fn sealing_key(entry: &StewardEntry) -> SealingPublicKey {
    SealingPublicKey(entry.sealing_key)
}

/// A random generator seeded by the operating system.
pub fn rng() -> Result<impl CryptoRng> {
    rand::rngs::StdRng::try_from_rng(&mut SysRng).context("the operating system gives no random numbers")
}

/// The signing key in a key file, which must be there: a new one would hold no office, no seat and no money.
pub fn signer(path: &Path) -> Result<PrivateKeySigner> {
    if !path.exists() {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        bail!(Failure::refused(format!(
            "there is no key file {}: name the one that holds the key, or draw a new key with `rochdale key new {}`",
            whole.display(),
            path.display()
        )));
    }
    of_secret(path, &keyfile::load(path, KeyKind::Signing)?)
}

/// The signing key in a key file, drawn where there is none: for commands that say that they make keys.
pub fn drawn(path: &Path) -> Result<PrivateKeySigner> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    of_secret(path, &keyfile::load_or_create(path, KeyKind::Signing, &mut rng()?)?)
}

fn of_secret(path: &Path, secret: &keyfile::Secret) -> Result<PrivateKeySigner> {
    PrivateKeySigner::from_slice(secret.as_slice()).with_context(|| format!("{} holds no signing key", path.display()))
}
