//! Signed polls: members' opinions that bind nobody, counted by anyone from the signed messages and the chain.
//!
//! A poll and each ballot are EIP-712 messages of members. What the chain adds is who was a member at the poll's
//! snapshot block and how many votes each had there. [`tally`] takes both and says what counts and what does not; it
//! gives the same result whatever the order of the ballots, so that two people who hold the same ballots agree.
//!
//! A ballot says by its `sequence` which of two is the later one, and by its `deadline` until when it may be taken. No
//! signature shows when it was made: that a ballot came in time is known to who took it, and the digest of the counted
//! ballots ([`Tally::ballots`]) lets people compare what they hold.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Keccak256};
use serde::{Deserialize, Serialize};

use crate::commit;
use crate::ids::MemberId;

/// Bytes of a question.
pub const QUESTION_BYTES: usize = 1_000;
/// Bytes of an option.
pub const OPTION_BYTES: usize = 200;
/// Fewest and most options.
pub const OPTIONS: std::ops::RangeInclusive<usize> = 2..=32;
/// Longest time a poll stays open: a year, in seconds.
pub const LONGEST: u64 = 365 * 86_400;

/// Who is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum House {
    /// Every member has one vote, from 30 days after joining.
    #[default]
    Members,
}

impl House {
    /// The word that is signed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Members => "members",
        }
    }
}

/// A question to the members, in the name of the member who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The member who asks.
    pub author: MemberId,
    /// What is asked.
    pub question: String,
    /// What can be answered, chosen by place from 0.
    pub options: Vec<String>,
    /// The block whose members vote, with the votes that they had there.
    pub snapshot_block: u64,
    /// Unix seconds of block time.
    pub opens_at: u64,
    /// Unix seconds of block time; a ballot must be taken before.
    pub closes_at: u64,
    /// Who is asked.
    #[serde(default)]
    pub house: House,
}

/// A poll that cannot be held.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PollError {
    /// The question is empty or too long; its length in bytes.
    #[error("the question has {0} bytes; 1 to {QUESTION_BYTES} are taken")]
    Question(usize),
    /// The number of options.
    #[error("{0} options; name {first} to {last}", first = OPTIONS.start(), last = OPTIONS.end())]
    Options(usize),
    /// An option is empty or too long.
    #[error("option {place} has {bytes} bytes; 1 to {OPTION_BYTES} are taken")]
    Option {
        /// Its place, from 0.
        place: usize,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The same words twice.
    #[error("option {0:?} stands twice")]
    Twice(String),
    /// Characters that would show something else than is signed.
    #[error("{0:?} holds a control character; write plain text")]
    Control(String),
    /// The poll closes before it opens, or stays open too long.
    #[error("a poll that opens at {opens_at} closes after that and within {LONGEST} s, not at {closes_at}")]
    Times {
        /// Unix seconds.
        opens_at: u64,
        /// Unix seconds.
        closes_at: u64,
    },
    /// Members who joined after the poll opened would be asked.
    #[error("the snapshot was taken at {snapshot}, after the poll opened at {opens_at}")]
    LateSnapshot {
        /// Unix seconds of the snapshot block.
        snapshot: u64,
        /// Unix seconds.
        opens_at: u64,
    },
}

impl Poll {
    /// Checks the poll's shape; `snapshot` is the timestamp of its block, in Unix seconds.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, snapshot: u64) -> Result<(), PollError> {
        if self.question.is_empty() || self.question.len() > QUESTION_BYTES {
            return Err(PollError::Question(self.question.len()));
        }
        if !OPTIONS.contains(&self.options.len()) {
            return Err(PollError::Options(self.options.len()));
        }
        let mut seen = BTreeSet::new();
        for (place, option) in self.options.iter().enumerate() {
            if option.is_empty() || option.len() > OPTION_BYTES {
                return Err(PollError::Option { place, bytes: option.len() });
            }
            if !seen.insert(option.trim()) {
                return Err(PollError::Twice(option.clone()));
            }
        }
        let mut texts = self.options.iter().chain([&self.question]);
        if let Some(text) = texts.find(|text| text.chars().any(char::is_control)) {
            return Err(PollError::Control(text.clone()));
        }
        let Self { opens_at, closes_at, .. } = *self;
        if closes_at <= opens_at || closes_at - opens_at > LONGEST {
            return Err(PollError::Times { opens_at, closes_at });
        }
        if snapshot > opens_at {
            return Err(PollError::LateSnapshot { snapshot, opens_at });
        }
        Ok(())
    }
}

/// A member's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ballot {
    /// The poll's id.
    pub poll: B256,
    /// The member who answers.
    pub member: MemberId,
    /// The option's place, from 0.
    pub choice: u16,
    /// The higher of a member's ballots counts.
    pub sequence: u32,
    /// Until when it may be taken, in Unix seconds; not after the poll closes.
    pub deadline: u64,
}

/// What the chain says of a member at the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The account that signs for the member; zero for a number that was never given out.
    pub account: Address,
    /// Joined at or before the snapshot, not ended by then.
    pub member: bool,
    /// Votes at the snapshot.
    pub votes: u64,
}

/// A ballot as it came, with what was found out about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// What was signed.
    pub ballot: Ballot,
    /// Whether the member's account signed it.
    pub signed: bool,
    /// When it was taken, in Unix seconds of block time, as who took it says.
    pub received_at: u64,
    /// The member at the snapshot.
    pub standing: Standing,
}

/// Why a ballot does not count.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Refusal {
    /// Another question was answered.
    #[error("it answers another poll")]
    OtherPoll,
    /// No such option.
    #[error("it chooses option {choice} of {options}, counted from 0")]
    NoSuchOption {
        /// The option that was chosen, from 0.
        choice: u16,
        /// How many there are.
        options: usize,
    },
    /// Joined later, ended before, or never.
    #[error("its member was none at the snapshot")]
    NotAMember,
    /// A member, without a vote yet.
    #[error("its member had no vote at the snapshot: the vote comes 30 days after joining")]
    Unseasoned,
    /// Somebody else signed.
    #[error("{account}, the member's account, did not sign it")]
    WrongSigner {
        /// Who should have.
        account: Address,
    },
    /// It was taken too early.
    #[error("it was taken at {received_at}, before the poll opened")]
    BeforeOpening {
        /// Unix seconds.
        received_at: u64,
    },
    /// It was taken too late, or says that it could be.
    #[error("it was taken at {received_at} with deadline {deadline}: after the poll closed, or after its own deadline")]
    AfterClosing {
        /// Unix seconds.
        received_at: u64,
        /// Unix seconds.
        deadline: u64,
    },
    /// The member changed their mind.
    #[error("the member's ballot number {by} replaces it")]
    Replaced {
        /// The later one's sequence.
        by: u32,
    },
    /// Two answers, neither of which is the later one.
    #[error("the member signed two different ballots with number {sequence}: neither counts")]
    Contradicted {
        /// The number that both ballots have.
        sequence: u32,
    },
    /// The same ballot once more.
    #[error("the same ballot stands in the list before")]
    Repeated,
}

/// The result of a poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Votes for each option, in their order.
    pub votes: Vec<u64>,
    /// Ballots that count.
    pub counted: usize,
    /// Digest of the ballots that count, ascending by member: who holds the same ballots finds the same.
    pub ballots: B256,
    /// Ballots that do not, by their place in the list, and why.
    pub refused: Vec<(usize, Refusal)>,
}

/// Counts ballots. `id` is the poll's id.
#[must_use]
pub fn tally(poll: &Poll, id: B256, casts: &[Cast]) -> Tally {
    let mut refused: BTreeMap<usize, Refusal> = BTreeMap::new();
    let mut by_member: BTreeMap<MemberId, Vec<usize>> = BTreeMap::new();
    for (place, cast) in casts.iter().enumerate() {
        match admit(poll, id, cast) {
            Ok(()) => by_member.entry(cast.ballot.member).or_default().push(place),
            Err(refusal) => drop(refused.insert(place, refusal)),
        }
    }
    let mut votes = vec![0u64; poll.options.len()];
    let mut digest = Keccak256::new();
    digest.update(commit::tag("tally"));
    digest.update(id);
    let mut counted = 0;
    for places in by_member.values() {
        let Some(place) = last_word(casts, places, &mut refused) else { continue };
        let Cast { ballot, standing, .. } = &casts[place];
        if let Some(sum) = votes.get_mut(usize::from(ballot.choice)) {
            *sum = sum.saturating_add(standing.votes);
            counted += 1;
            digest.update(u64::from(ballot.member.0).to_be_bytes());
            digest.update(ballot.choice.to_be_bytes());
            digest.update(ballot.sequence.to_be_bytes());
            digest.update(ballot.deadline.to_be_bytes());
        }
    }
    Tally { votes, counted, ballots: digest.finalize(), refused: refused.into_iter().collect() }
}

/// Whether a ballot counts where it is the member's only one.
///
/// # Errors
/// Why not.
pub fn admit(poll: &Poll, id: B256, cast: &Cast) -> Result<(), Refusal> {
    let Cast { ballot, received_at, standing, .. } = *cast;
    if ballot.poll != id {
        return Err(Refusal::OtherPoll);
    }
    if usize::from(ballot.choice) >= poll.options.len() {
        return Err(Refusal::NoSuchOption { choice: ballot.choice, options: poll.options.len() });
    }
    if !standing.member {
        return Err(Refusal::NotAMember);
    }
    if !cast.signed {
        return Err(Refusal::WrongSigner { account: standing.account });
    }
    if standing.votes == 0 {
        return Err(Refusal::Unseasoned);
    }
    if received_at < poll.opens_at {
        return Err(Refusal::BeforeOpening { received_at });
    }
    let last = ballot.deadline.min(poll.closes_at);
    if ballot.deadline > poll.closes_at || received_at > last {
        return Err(Refusal::AfterClosing { received_at, deadline: ballot.deadline });
    }
    Ok(())
}

/// The place of the ballot that counts among one member's, and why the others do not.
fn last_word(casts: &[Cast], places: &[usize], refused: &mut BTreeMap<usize, Refusal>) -> Option<usize> {
    let highest = places.iter().map(|place| casts[*place].ballot.sequence).max()?;
    let (last, earlier): (Vec<usize>, Vec<usize>) =
        places.iter().partition(|place| casts[**place].ballot.sequence == highest);
    refused.extend(earlier.into_iter().map(|place| (place, Refusal::Replaced { by: highest })));
    let (first, others) = last.split_first()?;
    let choice = casts[*first].ballot.choice;
    if others.iter().any(|place| casts[*place].ballot.choice != choice) {
        refused.extend(last.iter().map(|place| (*place, Refusal::Contradicted { sequence: highest })));
        return None;
    }
    // Copies with other deadlines say the same; the one with the latest is taken, whatever the order.
    let kept = *last.iter().max_by_key(|place| (casts[**place].ballot.deadline, std::cmp::Reverse(**place)))?;
    refused.extend(last.iter().filter(|place| **place != kept).map(|place| (*place, Refusal::Repeated)));
    Some(kept)
}

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

    const ID: B256 = B256::repeat_byte(7);

    fn poll() -> Poll {
        Poll {
            author: MemberId(1),
            question: "Shall we take part in study 12?".to_owned(),
            options: vec!["yes".to_owned(), "no".to_owned(), "later".to_owned()],
            snapshot_block: 90,
            opens_at: 1_000,
            closes_at: 2_000,
            house: House::Members,
        }
    }

    fn cast(member: u32, choice: u16) -> Cast {
        Cast {
            ballot: Ballot { poll: ID, member: MemberId(member), choice, sequence: 0, deadline: 2_000 },
            signed: true,
            received_at: 1_500,
            standing: Standing { account: Address::repeat_byte(1), member: true, votes: 1 },
        }
    }

    fn refusal(cast: Cast) -> Refusal {
        let tally = tally(&poll(), ID, &[self::cast(9, 0), cast]);
        assert_eq!((tally.votes, tally.counted), (vec![1, 0, 0], 1), "the other ballot counts all the same");
        let [(1, refusal)] = &tally.refused[..] else { panic!("{:?}", tally.refused) };
        refusal.clone()
    }

    #[test]
    fn votes_are_added_for_each_option() {
        let casts = [cast(1, 0), cast(2, 2), cast(3, 0), cast(4, 1)];
        let tally = tally(&poll(), ID, &casts);
        assert_eq!((tally.votes, tally.counted, tally.refused), (vec![2, 1, 1], 4, vec![]));
    }

    #[test]
    fn nobody_but_members_of_the_snapshot_is_counted() {
        let mut stranger = cast(2, 0);
        stranger.standing = Standing { account: Address::ZERO, member: false, votes: 0 };
        assert_eq!(refusal(stranger), Refusal::NotAMember);
        // Votes without a membership would be a contradiction of the chain; the membership decides.
        stranger.standing.votes = 1;
        assert_eq!(refusal(stranger), Refusal::NotAMember);
    }

    #[test]
    fn a_member_before_seasoning_is_not_counted() {
        let mut young = cast(2, 0);
        young.standing.votes = 0;
        assert_eq!(refusal(young), Refusal::Unseasoned);
    }

    #[test]
    fn a_ballot_that_somebody_else_signed_is_not_counted() {
        let mut forged = cast(2, 0);
        forged.signed = false;
        assert_eq!(refusal(forged), Refusal::WrongSigner { account: Address::repeat_byte(1) });
    }

    #[test]
    fn a_ballot_for_another_poll_or_option_is_not_counted() {
        let mut other = cast(2, 0);
        other.ballot.poll = B256::ZERO;
        assert_eq!(refusal(other), Refusal::OtherPoll);
        assert_eq!(refusal(cast(2, 3)), Refusal::NoSuchOption { choice: 3, options: 3 });
    }

    #[test]
    fn opening_and_closing_are_kept_to_the_second() {
        let at = |received_at: u64, deadline: u64| {
            let mut timed = cast(2, 0);
            (timed.received_at, timed.ballot.deadline) = (received_at, deadline);
            timed
        };
        assert_eq!(refusal(at(999, 2_000)), Refusal::BeforeOpening { received_at: 999 });
        assert_eq!(refusal(at(2_001, 2_000)), Refusal::AfterClosing { received_at: 2_001, deadline: 2_000 });
        assert_eq!(refusal(at(1_500, 2_001)), Refusal::AfterClosing { received_at: 1_500, deadline: 2_001 });
        assert_eq!(refusal(at(1_501, 1_500)), Refusal::AfterClosing { received_at: 1_501, deadline: 1_500 });
        for good in [at(1_000, 2_000), at(2_000, 2_000), at(1_500, 1_500)] {
            assert_eq!(tally(&poll(), ID, &[good]).counted, 1);
        }
    }

    #[test]
    fn of_two_ballots_the_later_number_counts_in_any_order() {
        let mut later = cast(2, 1);
        later.ballot.sequence = 1;
        for casts in [[cast(2, 0), later], [later, cast(2, 0)]] {
            let tally = tally(&poll(), ID, &casts);
            assert_eq!((tally.votes, tally.counted), (vec![0, 1, 0], 1));
            assert_eq!(tally.refused.len(), 1);
            assert_eq!(tally.refused[0].1, Refusal::Replaced { by: 1 });
        }
    }

    #[test]
    fn a_replacement_that_is_refused_replaces_nothing() {
        let mut later = cast(2, 1);
        (later.ballot.sequence, later.signed) = (1, false);
        let tally = tally(&poll(), ID, &[cast(2, 0), later]);
        assert_eq!((tally.votes, tally.counted), (vec![1, 0, 0], 1));
    }

    #[test]
    fn two_answers_under_one_number_both_fall_and_a_copy_counts_once() {
        let tally_of = |casts: &[Cast]| tally(&poll(), ID, casts);
        let both = tally_of(&[cast(2, 0), cast(2, 1)]);
        assert_eq!((both.votes, both.counted), (vec![0, 0, 0], 0));
        assert_eq!(both.refused.iter().filter(|(_, r)| *r == Refusal::Contradicted { sequence: 0 }).count(), 2);
        let copies = tally_of(&[cast(2, 0), cast(2, 0)]);
        assert_eq!((copies.votes, copies.refused), (vec![1, 0, 0], vec![(1, Refusal::Repeated)]));
    }

    #[test]
    fn a_poll_must_be_readable_and_its_times_in_order() {
        poll().check(1_000).unwrap();
        let broken = |edit: fn(&mut Poll)| {
            let mut poll = poll();
            edit(&mut poll);
            poll.check(900).unwrap_err()
        };
        assert_eq!(broken(|p| p.question.clear()), PollError::Question(0));
        assert_eq!(broken(|p| p.question = "x".repeat(1_001)), PollError::Question(1_001));
        assert_eq!(broken(|p| p.options.truncate(1)), PollError::Options(1));
        assert_eq!(broken(|p| p.options = vec![String::from("x"); 33]), PollError::Options(33));
        assert_eq!(broken(|p| p.options[1].clear()), PollError::Option { place: 1, bytes: 0 });
        assert_eq!(broken(|p| p.options[2] = "yes ".to_owned()), PollError::Twice("yes ".to_owned()));
        assert_eq!(broken(|p| p.question = "a\u{1b}b".to_owned()), PollError::Control("a\u{1b}b".to_owned()));
        assert_eq!(broken(|p| p.closes_at = 1_000), PollError::Times { opens_at: 1_000, closes_at: 1_000 });
        let too_long = 1_001 + LONGEST;
        assert_eq!(
            broken(|p| p.closes_at = 1_001 + LONGEST),
            PollError::Times { opens_at: 1_000, closes_at: too_long }
        );
        assert_eq!(poll().check(1_001).unwrap_err(), PollError::LateSnapshot { snapshot: 1_001, opens_at: 1_000 });
    }

    proptest! {
        #[test]
        fn the_result_does_not_depend_on_the_order(
            ballots in prop::collection::vec((1u32..6, 0u16..4, 0u32..3, 1_990u64..2_003), 0..24),
            rotate in 0usize..24,
        ) {
            let casts: Vec<Cast> = ballots.iter().map(|(member, choice, sequence, received_at)| {
                let mut cast = cast(*member, *choice);
                (cast.ballot.sequence, cast.received_at) = (*sequence, *received_at);
                cast
            }).collect();
            let mut other = casts.clone();
            other.reverse();
            if !other.is_empty() {
                let places = other.len();
                other.rotate_left(rotate % places);
            }
            let (one, two) = (tally(&poll(), ID, &casts), tally(&poll(), ID, &other));
            prop_assert_eq!((&one.votes, one.counted, one.ballots), (&two.votes, two.counted, two.ballots));
            prop_assert_eq!(one.counted + one.refused.len(), casts.len(), "every ballot counts or is refused");
            prop_assert!(one.counted <= 5, "one ballot a member");
        }
    }
}
