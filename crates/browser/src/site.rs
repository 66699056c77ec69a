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
    member_governor: Address,
    token_governor: Address,
    gov_token: Address,
    data_token: Address,
    service_desk: Address,
}

/// Where members vote, and spend.
#[derive(Clone, Copy)]
pub struct Places {
    /// The governor of the member house.
    pub member_house: Address,
    /// The governor of the token house.
    pub token_house: Address,
    /// Whose holders vote in the token house.
    pub gov_token: Address,
    /// DATA.
    pub data_token: Address,
    /// Where DATA buys services.
    pub service_desk: Address,
}

/// The answer of `GET /v1/cooperative`.
#[derive(Deserialize)]
#[serde(try_from = "Cooperative")]
pub struct Seen {
    /// What is needed to sign and to seal.
    pub site: Site,
    /// Where members vote, and spend.
    pub places: Places,
    /// Block time at the gateway.
    pub now: u64,
}

/// The chain of whoever tries things out, whose time is moved by hand.
const LOCAL_CHAIN: u64 = 31_337;
/// How far a device's clock may be off, seconds.
const CLOCK: u64 = 86_400;

/// Whether the gateway's block time is about this device's: what is said holds for a while from then on, and a gateway that names another
/// time could keep it for years. Both in Unix seconds.
fn is_of_this_time(chain_id: u64, now: u64, device: u64) -> Result<()> {
    if chain_id == LOCAL_CHAIN || now.abs_diff(device) <= CLOCK {
        return Ok(());
    }
    Err(format!(
        "the cooperative's time is {now} and this device's {device}, in seconds since 1970: nothing is agreed to before they are about the same. Look at the \
         device's clock; where that is right, tell the cooperative"
    ))
}

#[cfg(target_family = "wasm")]
fn device_time() -> u64 {
    // Seconds of any century are whole in an f64, which is what JavaScript has.
    (js_sys::Date::now() / 1_000.0) as u64
}

#[cfg(not(target_family = "wasm"))]
fn device_time() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl TryFrom<Cooperative> for Seen {
    type Error = String;

    fn try_from(shown: Cooperative) -> Result<Self> {
        let manifest: Manifest = serde_json::from_value(shown.manifest)
            .map_err(|error| format!("the cooperative's manifest is not understood: {error}"))?;
        is_of_this_time(shown.chain_id, shown.now, device_time())?;
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
        let places = Places {
            member_house: a.member_governor,
            token_house: a.token_governor,
            gov_token: a.gov_token,
            data_token: a.data_token,
            service_desk: a.service_desk,
        };
        let site = Site { contracts, stewards: shown.stewards, quorum: shown.quorum };
        Ok(Self { site, places, now: shown.now })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_names_another_time_has_nothing_signed() {
        let day = 86_400;
        for (chain, now, device, good) in [
            (1, 10 * day, 10 * day + day, true),
            (1, 10 * day, 9 * day, true),
            (1, 10 * day, 9 * day - 1, false),
            (1, 10 * day, 11 * day + 1, false),
            (LOCAL_CHAIN, 4_102_444_800, 10 * day, true),
        ] {
            assert_eq!(is_of_this_time(chain, now, device).is_ok(), good, "{now} {device}");
        }
    }
}
