//! The script: what happens when, and the queue in which it waits.

use std::collections::BTreeMap;

use super::span::{DAY, HOUR};
use super::topics::Topic;

/// The shortest year, in epochs of a week: the script below is written for it and stretched for longer ones.
pub const SHORTEST: u32 = 18;

/// Until the first members have a vote, nothing waits for the length of the year.
const BEGINNING: u64 = 33 * DAY;

/// How the stewards take the next settlement that they propose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// As the ledger has it.
    Honest,
    /// A quorum moves earnings from one member to another.
    Lying,
    /// They propose, and answer no demand.
    Absent,
    /// One of them objects without a reason.
    Divided,
}

/// One thing on the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// What members do in an epoch: joining, consenting, contributing, coming and going.
    Members(u32),
    /// What researchers do in an epoch: buying at the list price, queries.
    Researchers,
    /// The next epoch is proposed, if it is this one's turn.
    Settle(u32),
    /// The pending settlement is final: claims and checks.
    Finish,
    /// How the next settlement is taken.
    Turn(Mood),
    /// From now on garbage in each field of a header comes before honest proposals.
    Garbage,
    /// A steward goes down, and members join and leave.
    GoDown,
    /// It comes back and catches up.
    ComeBack,
    /// A member asks for its row of the pending settlement.
    Demand,
    /// The falsified row is answered and contested.
    Contest,
    /// The demand was not answered in time.
    VoidUnanswered,
    /// A question is put before its house, or both.
    Put(Topic),
    /// Members vote on the motion of this number.
    Vote(usize),
    /// The vote is over.
    Decide(usize),
    /// The timelock is over.
    Carry(usize),
    /// Anyone constitutes the cooperative; a second time, nobody can.
    Constitute,
    /// Members lock, delegate, have their GOV counted.
    TendVotes,
    /// A steward takes back what its seat does not ask for.
    Unbond,
    /// It is paid out.
    WithdrawBond,
    /// A member lost a device; guardians approve another passkey.
    LosePasskey,
    /// The account opens to it.
    Recover,
    /// Approvals by the ethics board.
    Approve,
    /// Two reservations.
    Reserve,
    /// One of them is cancelled, the other becomes a license.
    SettleReservations,
    /// A license is renewed.
    Renew,
    /// A license for DATA.
    BuyWithData,
    /// An auction is opened and bid for.
    Auction,
    /// Bids are revealed, but one.
    Reveal,
    /// The auction ends.
    CloseAuction,
    /// Two metered jobs; one is completed.
    Jobs,
    /// The other was never done.
    RefundJob,
    /// Members spend DATA.
    SpendData,
    /// A lot of the buyback is offered, and a member sells.
    OfferLot,
    /// Operators are paid.
    PayOperators,
    /// The guardian pauses everything that can be paused.
    Pause,
    /// It ends the pause.
    Unpause,
}

/// What is to be done, by time in unix seconds; what is due at one time is done in the order in which it was put in.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    queue: BTreeMap<(u64, u64), Deed>,
    count: u64,
}

impl Agenda {
    pub fn add(&mut self, time: u64, deed: Deed) {
        self.count += 1;
        self.queue.insert((time, self.count), deed);
    }

    pub fn next(&mut self) -> Option<(u64, Deed)> {
        self.queue.pop_first().map(|((time, _), deed)| (time, deed))
    }

    /// The script of a year of `epochs` that begins at `genesis`, epochs of `length` seconds, proposed `lag` seconds
    /// after their end.
    pub fn of_year(genesis: u64, epochs: u32, length: u64, lag: u64) -> Self {
        let mut agenda = Self::default();
        for epoch in 1..=epochs {
            let start = genesis + u64::from(epoch - 1) * length;
            // Settlement and claims of the epoch before come first; the first members come at once.
            let members = if epoch == 1 { start + HOUR } else { start + length / 2 };
            agenda.add(members, Deed::Members(epoch));
            agenda.add(start + length * 2 / 3, Deed::Researchers);
            agenda.add(start + length + lag, Deed::Settle(epoch));
        }
        for (day, deed) in SCRIPT {
            agenda.add(genesis + stretched(u64::from(*day) * DAY, epochs), *deed);
        }
        agenda
    }
}

/// Where a second of the shortest year lies in one of `epochs`: the beginning is the same in all, the rest is stretched.
fn stretched(second: u64, epochs: u32) -> u64 {
    let (beginning, rest) = (second.min(BEGINNING), second.saturating_sub(BEGINNING));
    let length = |epochs: u32| u64::from(epochs) * 7 * DAY - BEGINNING;
    beginning + rest * length(epochs) / length(SHORTEST)
}

/// What happens once, by the day of the shortest year. In the first 30 days nobody has a vote; a proposal takes 8 days and
/// counts GOV that was counted before. Money and charter are the houses' once the cooperative is constituted.
const SCRIPT: &[(u32, Deed)] = &[
    (3, Deed::Approve),
    (9, Deed::GoDown),
    (10, Deed::Reserve),
    (23, Deed::ComeBack),
    (24, Deed::Turn(Mood::Absent)),
    (31, Deed::Constitute),
    (33, Deed::TendVotes),
    (34, Deed::Put(Topic::OpenDesks)),
    (34, Deed::Put(Topic::LoneRaise)),
    (35, Deed::Put(Topic::CheapRecords)),
    (35, Deed::Unbond),
    (36, Deed::Put(Topic::RequireBonds)),
    (37, Deed::Garbage),
    (44, Deed::Auction),
    (45, Deed::Jobs),
    (46, Deed::SpendData),
    (47, Deed::BuyWithData),
    (47, Deed::Put(Topic::NewParams)),
    (48, Deed::Put(Topic::HalfUpgrade)),
    (51, Deed::LosePasskey),
    (52, Deed::TendVotes),
    (53, Deed::Put(Topic::Upgrade)),
    (57, Deed::Put(Topic::Expel)),
    (58, Deed::Turn(Mood::Lying)),
    (74, Deed::Renew),
    (75, Deed::PayOperators),
    (78, Deed::Put(Topic::Grant)),
    (80, Deed::Pause),
    (87, Deed::SpendData),
    (88, Deed::TendVotes),
    (90, Deed::Turn(Mood::Divided)),
    (108, Deed::Auction),
    (110, Deed::Jobs),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_keeps_its_order_and_ends_with_the_year() {
        let last = SCRIPT.last().map_or(0, |(day, _)| u64::from(*day)) * DAY;
        for epochs in [SHORTEST, 26, 52, 520] {
            let times: Vec<u64> = SCRIPT.iter().map(|(day, _)| stretched(u64::from(*day) * DAY, epochs)).collect();
            assert!(times.is_sorted() && times[times.len() - 1] < u64::from(epochs) * 7 * DAY, "{epochs}: {times:?}");
        }
        assert_eq!(stretched(last, SHORTEST), last);
        assert_eq!(stretched(10 * DAY, 52), 10 * DAY);
    }

    #[test]
    fn what_is_due_at_one_time_keeps_its_order() {
        let mut agenda = Agenda::default();
        for (time, deed) in [(7, Deed::Renew), (5, Deed::Pause), (7, Deed::Jobs), (5, Deed::Unpause)] {
            agenda.add(time, deed);
        }
        let order: Vec<Deed> = std::iter::from_fn(|| agenda.next()).map(|(_, deed)| deed).collect();
        assert_eq!(order, [Deed::Pause, Deed::Unpause, Deed::Renew, Deed::Jobs]);
    }
}
