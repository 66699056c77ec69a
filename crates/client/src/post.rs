//! Sending what [`crate::sealed`] seals: the only thing here that does I/O, and only with the feature `http`.

use rand::CryptoRng;
use rochdale_api::Problem;
use rochdale_api::auth::Identity;
use rochdale_api::client::{Client, ClientError, Told};
use rochdale_api::route::{Call, Sealed};
use rochdale_crypto::SealingPublicKey;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sealed::Asked;

/// Posts a sealed body to the process behind `client`, whose sealing key on chain is `to`, and opens its sealed answer. `now` is block
/// time. It is sealed before anything waits, so that no generator is held meanwhile.
///
/// # Errors
/// [`ClientError`]; a sealed refusal as a `Problem`.
pub fn post_sealed<Q: Serialize, A: DeserializeOwned>(
    client: &Client,
    to: SealingPublicKey,
    call: impl Into<Call<Sealed<Q>, A>>,
    body: &Q,
    now: u64,
    rng: impl CryptoRng,
) -> impl Future<Output = Result<A, ClientError>> {
    let call = call.into();
    let asked = ask(client, to, &call.path, body, rng);
    async move { exchange(client, &call, &asked?, now).await }
}

fn ask(
    client: &Client,
    to: SealingPublicKey,
    path: &str,
    body: &impl Serialize,
    mut rng: impl CryptoRng,
) -> Result<Asked, ClientError> {
    let signing = |error: String| ClientError::Signing(error);
    let Identity { key, domain } = client.identity().ok_or_else(|| signing("no key was given".to_owned()))?;
    let peer = (client.audience().unwrap_or_default(), &to);
    Asked::seal(domain, key.address(), peer, path, body, &mut rng).map_err(|error| signing(error.to_string()))
}

async fn exchange<Q, A: DeserializeOwned>(
    client: &Client,
    call: &Call<Sealed<Q>, A>,
    asked: &Asked,
    now: u64,
) -> Result<A, ClientError> {
    let garbled = |error: String| client.garbled(&call.path, error);
    let opened = |told: Told| {
        asked.open(told.request, told.status, told.body.into()).map_err(|error| garbled(error.to_string()))
    };
    match client.exchange(call, asked.sealed.to_vec(), now).await? {
        Ok(told) => serde_json::from_slice(&opened(told)?).map_err(|error| garbled(error.to_string())),
        Err(refused) => {
            let problem: Problem =
                serde_json::from_slice(&opened(refused)?).map_err(|error| garbled(error.to_string()))?;
            Err(client.problem(&call.path, problem))
        }
    }
}
