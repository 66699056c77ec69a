//! The cooperative as the gateway shows it to the page, and what is made of that.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::Eip712Domain;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};
use rochdale_api::auth;
use rochdale_api::status::Cooperative;
use rochdale_client::{Carries, Site, Unsigned};
use rochdale_eip712::{Contracts, account};
use serde::{Deserialize, Serialize};

/// Why something is not done, in English.
pub type Result<T> = std::result::Result<T, String>;

/// How long what is said stays valid, seconds of block time.
pub const LIFETIME: u64 = 3_000;

/// Where the contracts are, as the deployment's manifest says; more of it is not needed here.
#[derive(Deserialize)]
struct Manifest {
    addresses: Addresses,
}

#[derive(Deserialize)]
struct Addresses {
    membership: Address,
    consent_registry: Address,
    contribution_registry: Address,
    steward_committee: Address,
    settlement_ledger: Address,
    disputes: Address,
    gov_token: Address,
    member_governor: Address,
    token_governor: Address,
}

/// The answer of `GET /v1/cooperative`.
#[derive(Deserialize)]
#[serde(try_from = "Cooperative")]
pub struct Seen {
    /// What is needed to sign and to seal.
    pub site: Site,
    /// Block time at the gateway.
    pub now: u64,
    /// The votes of the token house.
    pub gov_token: Address,
    /// Where the member house votes.
    pub member_governor: Address,
    /// Where the token house votes.
    pub token_governor: Address,
}

impl TryFrom<Cooperative> for Seen {
    type Error = String;

    fn try_from(shown: Cooperative) -> Result<Self> {
        let manifest: Manifest = serde_json::from_value(shown.manifest)
            .map_err(|error| format!("the cooperative's manifest is not understood: {error}"))?;
        if shown.stewards.is_empty() {
            return Err("the cooperative has no stewards: nobody could open or settle anything".to_owned());
        }
        let a = manifest.addresses;
        let contracts = Contracts {
            chain_id: shown.chain_id,
            membership: a.membership,
            consent_registry: a.consent_registry,
            contribution_registry: a.contribution_registry,
            steward_committee: a.steward_committee,
            settlement_ledger: a.settlement_ledger,
            disputes: a.disputes,
        };
        Ok(Self {
            site: Site { contracts, stewards: shown.stewards, quorum: shown.quorum },
            now: shown.now,
            gov_token: a.gov_token,
            member_governor: a.member_governor,
            token_governor: a.token_governor,
        })
    }
}

impl Seen {
    /// The signing domain of HTTP requests.
    pub fn request_domain(&self) -> Eip712Domain {
        auth::domain(self.site.contracts.chain_id, self.site.contracts.steward_committee)
    }

    /// What the passkey of `account` is asked to sign for `request`.
    pub fn to_sign<R: Carries + Clone>(&self, account: Address, unsigned: &Unsigned<R>) -> ToSign<R> {
        let challenge = account::message_digest(self.site.contracts.chain_id, account, unsigned.digest());
        ToSign { request: unsigned.request().clone(), challenge }
    }
}

/// A request without its signature, with the challenge of the passkey that signs it.
#[derive(Debug, Serialize)]
pub struct ToSign<R> {
    /// To be sent once `signature` is in it.
    pub request: R,
    /// 32 bytes.
    pub challenge: B256,
}

/// Random numbers of the browser.
pub fn rng() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| format!("the browser gives no random numbers: {error}"))
}

/// 32 secret bytes, which a page hands over as hexadecimal.
pub fn secret(bytes: &Bytes) -> Result<[u8; 32]> {
    <[u8; 32]>::try_from(&bytes[..]).map_err(|_| format!("a secret has 32 bytes, this one {}", bytes.len()))
}

/// An error in words.
pub fn words(error: impl ToString) -> String {
    error.to_string()
}
