//! What claims the cooperative pays gas for. Anyone may ask to have anyone paid, so that a member needs neither ether
//! nor a signature; the gas is everybody's.
//!
//! Each member is paid once for each final epoch, where enough is due; whoever asks is counted by address and network;
//! those who ask at about the same time share one batch, and batches keep a distance; and a day has a budget of gas.
//! Whoever wants more pays own gas to the contract, which asks no gateway.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rochdale_api::member::Claimed;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::Due;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::limits::CallQuota;
use super::{DAY, Relayer};
use crate::config::ClaimsConfig;
use crate::directory::Directory;
use crate::forward::Forward;
use crate::store::Store;

/// Seconds that the quotas of addresses and networks are for.
const HOUR: Duration = Duration::from_secs(3_600);
/// Requests that may wait for one batch.
const MOST_WAITING: usize = 1_000;
/// The transactions that the budget counts.
const KINDS: [&str; 2] = ["claim", "claim_many"];

type Shared = Arc<Result<Claimed, Problem>>;

struct Waiting {
    members: BTreeSet<MemberId>,
    answer: oneshot::Sender<Shared>,
}

/// Who waits for the next batch, and the limits.
pub struct House {
    config: ClaimsConfig,
    addresses: CallQuota,
    networks: CallQuota,
    waiting: Mutex<Vec<Waiting>>,
    asked: Notify,
}

impl House {
    /// With limits as configured.
    #[must_use]
    pub fn new(config: ClaimsConfig) -> Self {
        Self {
            config,
            addresses: CallQuota::new(config.per_address_per_hour, HOUR),
            networks: CallQuota::new(config.per_network_per_hour, HOUR),
            waiting: Mutex::default(),
            asked: Notify::new(),
        }
    }

    /// Whether the gas for this is worth it. DATA and GOV come once an epoch; cash comes every second.
    #[must_use]
    pub fn is_worth(&self, due: &Due) -> bool {
        due.data > 0 || due.gov > 0 || due.cash >= u128::from(self.config.min_due)
    }

    /// Gas that claims of the last day cost, and what they may cost.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn spent(&self, store: &Store, now: u64) -> Result<(u64, u64), Problem> {
        Ok((store.gas_since(now.saturating_sub(DAY), &KINDS).await?, self.config.gas_per_day))
    }

    /// What the operator should know, where the day's gas comes to its end.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn alarm(&self, store: &Store, now: u64) -> Result<Option<String>, Problem> {
        let (spent, allowed) = self.spent(store, now).await?;
        if spent < allowed / 5 * 4 {
            return Ok(None);
        }
        Ok(Some(format!(
            "claims cost {spent} of {allowed} gas a day: further ones wait; see who asks, or raise [claims] gas_per_day"
        )))
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait(&self, members: BTreeSet<MemberId>) -> Result<oneshot::Receiver<Shared>, Problem> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING {
            let detail = format!("{MOST_WAITING} requests wait for the next batch of claims");
            return Err(Problem::new(ProblemCode::TooManyRequests, detail).hint(self.own_gas()));
        }
        waiting.push(Waiting { members, answer });
        self.asked.notify_one();
        Ok(receiver)
    }

    fn own_gas(&self) -> String {
        "ask later, or pay the gas yourself: `rochdale member claim --name NAME --key FILE --rpc URL`".to_owned()
    }
}

impl Relayer {
    /// Has members paid with the next batch, everyone where the list is empty; `from` is who asks.
    ///
    /// # Errors
    /// A problem where a limit is reached, no root is final yet, no steward has the leaves, or the contract refuses them.
    pub async fn claim_on_the_house(&self, members: &[MemberId], from: IpAddr) -> Result<Claimed, Problem> {
        let wanted: BTreeSet<MemberId> = members.iter().copied().collect();
        let (address, network) = (site(from), network(from));
        let quotas = [(&self.house.addresses, address), (&self.house.networks, network)];
        for (quota, name) in &quotas {
            quota.check(name).map_err(|problem| problem.hint(self.house.own_gas()))?;
        }
        let answer = self.house.wait(wanted.clone())?.await;
        let stopped = |_| Problem::new(ProblemCode::PeerUnavailable, "the gateway stops").hint("ask again");
        let claimed = answer.map_err(stopped)?;
        let shown = claimed.as_ref().as_ref().map_err(Problem::clone)?.only(&wanted);
        if !shown.mined.is_empty() {
            quotas.iter().for_each(|(quota, name)| quota.spend(name));
        }
        Ok(shown)
    }

    /// Sends a batch when somebody asked for it, at the configured distance, until `stop` resolves.
    pub async fn keep_claiming(
        self: Arc<Self>,
        forward: Forward,
        directory: Directory,
        stop: impl Future<Output = ()> + Send,
    ) {
        tokio::pin!(stop);
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.house.asked.notified() => {}
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep_until(next) => {}
            }
            let waiting = self.house.take();
            if waiting.is_empty() {
                continue;
            }
            let everyone = waiting.iter().any(|one| one.members.is_empty());
            let members: BTreeSet<MemberId> = waiting.iter().flat_map(|one| one.members.iter().copied()).collect();
            let members: Vec<MemberId> = if everyone { Vec::new() } else { members.into_iter().collect() };
            let claimed: Shared = Arc::new(self.claim(&members, &forward, &directory).await);
            if claimed.as_ref().as_ref().is_ok_and(|c| !c.mined.is_empty()) {
                next = Instant::now() + self.house.config.every();
            }
            for one in waiting {
                // Whoever hung up meanwhile is paid nevertheless.
                let _ = one.answer.send(Arc::clone(&claimed));
            }
        }
        // Whoever still waits is told so by the end of its channel.
        drop(self.house.take());
    }

    /// Whether callers come through a proxy of ours.
    #[must_use]
    pub fn is_behind_proxy(&self) -> bool {
        self.house.config.behind_proxy
    }

    /// Fails where the day's gas is used up.
    pub(super) async fn within_the_day(&self, now: u64) -> Result<(), Problem> {
        let (spent, allowed) = self.house.spent(&self.store, now).await?;
        if spent < allowed {
            return Ok(());
        }
        let detail = format!("claims cost {spent} gas in the last day, {allowed} is what the cooperative pays for");
        Err(Problem::new(ProblemCode::TooManyRequests, detail).hint(self.house.own_gas()))
    }

    /// What the operator should know about gas.
    pub async fn alarms(&self, now: u64) -> Vec<String> {
        let claims = self.house.alarm(&self.store, now).await.unwrap_or_else(|problem| Some(problem.detail));
        claims.into_iter().chain(self.errands_alarm().await).collect()
    }

    /// Whose claims on this epoch's root were paid for already.
    pub(super) async fn served(&self, epoch: Epoch) -> Result<BTreeSet<MemberId>, Problem> {
        Ok(self.store.claimed_on_the_house(epoch).await?)
    }
}

/// Who one caller is: an IPv4 address, or the /64 that one IPv6 caller has.
pub(crate) fn site(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(address) => format!("address {address}"),
        IpAddr::V6(address) => format!("address {}/64", masked(address, 64)),
    }
}

/// The network of a caller: an IPv4 /24 or an IPv6 /48.
pub(crate) fn network(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("network {a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => format!("network {}/48", masked(address, 48)),
    }
}

fn masked(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let names = |text: &str| {
            let from: IpAddr = text.parse().unwrap();
            (site(from), network(from))
        };
        assert_eq!(names("192.0.2.7"), ("address 192.0.2.7".to_owned(), "network 192.0.2.0/24".to_owned()));
        assert_eq!(names("::ffff:192.0.2.7"), names("192.0.2.7"), "an IPv4 caller at an IPv6 socket is the same one");
        let (one, other) = (names("2001:db8:1:2:3::1"), names("2001:db8:1:2:9::1"));
        assert_eq!(one, other);
        assert_eq!(one.1, "network 2001:db8:1::/48");
        assert_ne!(one.1, names("2001:db8:2::1").1);
    }

    #[test]
    fn little_cash_alone_is_not_worth_the_gas() {
        let house = House::new(ClaimsConfig { min_due: 100, ..ClaimsConfig::default() });
        assert!(!house.is_worth(&Due { cash: 99, ..Due::default() }));
        assert!(house.is_worth(&Due { cash: 100, ..Due::default() }));
        assert!(house.is_worth(&Due { gov: 1, ..Due::default() }));
    }
}
