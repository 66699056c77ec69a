//! Who may call, decided before a caller has us write anything.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::eips::BlockId;
use alloy::primitives::Address;
use alloy::sol_types::Eip712Domain;
use rochdale_api::auth::Session;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::Chain;
use rochdale_chain::erc1271;

/// How many callers that we do not know yet have us look at the chain in a second.
const LOOKS: u32 = 100;

/// Looks at the chain for callers that are not known yet. A key that joined a moment ago is worth a look; that anybody can
/// draw keys must not cost more than these.
#[derive(Debug, Default)]
pub struct Looks(Mutex<Option<(Instant, u32)>>);

impl Looks {
    /// Takes one.
    ///
    /// # Errors
    /// A problem of code `too_many_requests` where this second's are taken.
    pub fn take(&self) -> Result<(), Problem> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *taken {
            Some((since, count)) if since.elapsed() < Duration::from_secs(1) => {
                if *count >= LOOKS {
                    let detail = "too many keys that the chain does not know have called within a second";
                    return Err(Problem::new(ProblemCode::TooManyRequests, detail)
                        .hint("if this key was registered just now, ask again in a second"));
                }
                *count += 1;
            }
            stale => *stale = Some((Instant::now(), 1)),
        }
        Ok(())
    }
}

/// Admits a caller whom `may` admits by what is `known` of the chain, or else by a fresh look at it.
///
/// # Errors
/// What `may` says of the fresh look; that too many looked.
pub async fn admit<M, F: Future<Output = Result<(), Problem>>>(
    looks: &Looks,
    known: Option<M>,
    fresh: impl Future<Output = Result<M, Problem>>,
    may: impl Fn(M) -> F,
) -> Result<(), Problem> {
    if let Some(known) = known
        && may(known).await.is_ok()
    {
        return Ok(());
    }
    looks.take()?;
    may(fresh.await?).await
}

/// Whether an account says, as of a block, that `key` reads for it. Asked anew for each request: who changes its passkey ends what the
/// old one said.
///
/// # Errors
/// Where it does not; that too many looked, or that the chain does not answer.
pub async fn vouch(
    looks: &Looks,
    chain: &Chain,
    domain: &Eip712Domain,
    (session, key): (&Session, Address),
    at: BlockId,
) -> Result<(), Problem> {
    // Anybody can have us ask the chain so.
    looks.take()?;
    let digest = Session::digest(domain, key, session.until);
    match erc1271::says(chain, session.account, digest, &session.signature, at).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let detail = format!("{} did not say that {key} reads for it until {}", session.account, session.until);
            Err(Problem::new(ProblemCode::Forbidden, detail)
                .hint("open another session: the passkey may be another one now"))
        }
        Err(error) => Err(Problem::new(ProblemCode::ChainUnavailable, error.to_string())),
    }
}

/// What is said of a session on a route that takes none.
#[must_use]
pub fn no_session() -> Problem {
    Problem::new(ProblemCode::Forbidden, "a session reads what is a member's own, and nothing else")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Issue 7, point 9: who calls is asked before anything is written or locked.
    #[tokio::test]
    async fn who_is_known_costs_no_look_and_strangers_only_so_many() {
        let looks = Looks::default();
        let looked = Cell::new(0u32);
        let admit = async |who: u32| {
            let fresh = async || {
                looked.set(looked.get() + 1);
                Ok(2)
            };
            let may = async |known: u32| {
                if who <= known { Ok(()) } else { Err(Problem::new(ProblemCode::Forbidden, "a stranger")) }
            };
            admit(&looks, Some(1), fresh(), may).await
        };
        for _ in 0..100 {
            admit(1).await.unwrap();
        }
        assert_eq!(looked.get(), 0);
        admit(2).await.unwrap();
        for _ in 1..LOOKS {
            assert_eq!(admit(3).await.unwrap_err().code, ProblemCode::Forbidden);
        }
        assert_eq!(admit(3).await.unwrap_err().code, ProblemCode::TooManyRequests);
        assert_eq!(looked.get(), LOOKS);
        admit(1).await.unwrap();
    }
}
