//! Everything that settled epochs were computed from: what an appointed auditor is given, and needs beside the chain.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::books::{Books, Round, SettledInputs};
use super::error::LedgerError;
use crate::ids::MemberId;

/// The settled epochs from the first one on, with the members' row keys. It holds what members earn: it is given to
/// auditors, sealed, and never published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// Depth of the trees.
    pub depth: u8,
    /// Row keys by member. Who erased everything has none any more.
    pub row_keys: BTreeMap<MemberId, B256>,
    /// Epochs in order, from 1.
    pub epochs: Vec<SettledInputs>,
}

impl Transcript {
    /// Recomputes every epoch and hands each round over; the first error of `see` ends it.
    ///
    /// # Errors
    /// Where the inputs contradict each other, or what `see` returns.
    pub fn replay<E: From<LedgerError>>(&self, mut see: impl FnMut(&Round) -> Result<(), E>) -> Result<Books, E> {
        let mut books = Books::new(self.depth);
        let row_key = |member: MemberId| self.row_keys.get(&member).map(|key| key.0);
        for epoch in &self.epochs {
            let round = books.settle(epoch, row_key)?;
            see(&round)?;
            books.close(&round);
        }
        Ok(books)
    }
}

#[cfg(test)]
mod tests {

    use std::collections::BTreeSet;

    use super::*;
    use crate::ids::{ContributionId, DatasetId, Epoch, LicenseId};
    use crate::ledger::{
        Contribution, DEPTH, EpochInputs, Header, Params, Revenue, Score, StandIn, Sums, Usage, empty_root,
    };

    const MEMBER: MemberId = MemberId(1);
    const OTHER: MemberId = MemberId(2);

    fn score(quality: u16) -> Score {
        Score { quality, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 }
    }

    /// Two members, both contribute in the first epoch; the first erases everything in the third.
    fn transcript() -> Transcript {
        let one = |member: MemberId, id| Contribution { member, id: ContributionId(id), score: score(8_000) };
        let use_of = |member| (member, Usage { n: 1, k: 1, w: 5_000 });
        let inputs = |contributions| EpochInputs {
            members: 2,
            active: vec![MEMBER, OTHER],
            contributions,
            usage: vec![use_of(MEMBER), use_of(OTHER)],
            revenue: Revenue::of([(LicenseId(1), DatasetId(1), 75_000_000)]).unwrap(),
            ..EpochInputs::default()
        };
        let epoch = |inputs| SettledInputs {
            params: Params { min_licenses: 1, min_datasets: 1, ..Params::default() },
            inputs,
            attempt: 0,
            sheet: B256::ZERO,
            root: B256::ZERO,
            unkeyed: BTreeSet::new(),
            stand_ins: BTreeMap::new(),
            sums: None,
        };
        let last =
            EpochInputs { active: vec![OTHER], erased: vec![MEMBER], usage: vec![use_of(OTHER)], ..inputs(Vec::new()) };
        Transcript {
            depth: DEPTH,
            row_keys: [(MEMBER, B256::repeat_byte(7)), (OTHER, B256::repeat_byte(8))].into(),
            epochs: vec![
                epoch(inputs(vec![one(MEMBER, 1), one(OTHER, 2)])),
                epoch(inputs(Vec::new())),
                epoch(last.clone()),
                epoch(EpochInputs { erased: Vec::new(), ..last }),
            ],
        }
    }

    fn rounds(transcript: &Transcript) -> Vec<Round> {
        let mut rounds = Vec::new();
        let keep = |round: &Round| {
            rounds.push(round.clone());
            Ok::<(), LedgerError>(())
        };
        transcript.replay(keep).unwrap();
        rounds
    }

    fn headers(transcript: &Transcript) -> Vec<Header> {
        rounds(transcript).into_iter().map(|round| round.header).collect()
    }

    #[test]
    fn each_epoch_names_the_root_before() {
        let headers = headers(&transcript());
        assert_eq!(headers.len(), 4);
        assert_eq!(headers[0].previous_root, empty_root(DEPTH));
        assert_eq!(headers[1].previous_root, headers[0].root);
        assert_eq!(headers[1].data_awarded, 20_000_000_000_000_000_000, "10,000 points each");
    }

    #[test]
    fn survives_json_and_a_changed_score_changes_the_root() {
        let told = transcript();
        let read: Transcript = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
        assert_eq!(read, told);
        let mut changed = told.clone();
        changed.epochs[0].inputs.contributions[0].score.quality += 1_000;
        assert_ne!(headers(&changed)[0].root, headers(&told)[0].root);
    }

    #[test]
    fn a_key_that_came_late_salts_from_its_epoch_on() {
        let mut late = transcript();
        late.epochs[0].unkeyed.insert(MEMBER);
        let mut never = late.clone();
        never.epochs[1].unkeyed.insert(MEMBER);
        never.row_keys.remove(&MEMBER);
        let (told, late, never) = (headers(&transcript()), headers(&late), headers(&never));
        assert_eq!(late[0].root, never[0].root, "nobody had it");
        assert!(late[0].root != told[0].root && late[1].root != never[1].root);
        assert_eq!(late[1].root, told[1].root, "from the second epoch on as if it had always been there");
    }

    #[test]
    fn a_row_whose_key_is_missing_is_said() {
        let mut told = transcript();
        told.row_keys.remove(&OTHER);
        let error = told.replay(|_| Ok::<(), LedgerError>(())).unwrap_err();
        assert_eq!(error, LedgerError::NoRowKey(OTHER));
    }

    /// The transcript once the first member's key, and with `inputs` also what its rows were computed from, was destroyed.
    fn destroyed(inputs: bool) -> Transcript {
        let mut told = transcript();
        let rounds = rounds(&told);
        told.row_keys.remove(&MEMBER);
        for (epoch, round) in told.epochs.iter_mut().zip(&rounds) {
            let leaf = round.leaves[0];
            let amounts = inputs.then_some(leaf.amounts);
            let stand_in = StandIn { private_hash: leaf.private_hash, inputs_leaf: leaf.inputs, amounts };
            epoch.stand_ins.insert(MEMBER, stand_in);
            if inputs {
                epoch.inputs.contributions.retain(|one| one.member != MEMBER);
                epoch.inputs.usage.retain(|(member, _)| *member != MEMBER);
                epoch.sums = Some(Sums::from(&round.header));
            }
        }
        told
    }

    #[test]
    fn a_destroyed_row_key_is_stood_in_for() {
        assert_eq!(headers(&destroyed(false)), headers(&transcript()));
    }

    #[test]
    fn point_10_everybody_elses_rows_follow_without_what_an_erased_members_were_computed_from() {
        let (told, whole) = (destroyed(true), transcript());
        assert_eq!(headers(&told), headers(&whole));
        let (told, whole) = (rounds(&told), rounds(&whole));
        for (told, whole) in told.iter().zip(&whole) {
            assert_eq!(told.settled.global, whole.settled.global);
            assert_eq!(told.settled.rows[1], whole.settled.rows[1]);
            assert_eq!(told.leaves, whole.leaves);
        }
        assert_eq!(told[3].settled.rows[0], whole[3].settled.rows[0], "what a closed row owes stands in its leaf");
    }

    #[test]
    fn what_stands_in_is_bound_by_the_roots_and_the_sums_by_everybody_else() {
        let mut other = destroyed(true);
        let found = other.epochs[0].stand_ins.get_mut(&MEMBER).unwrap();
        found.amounts.as_mut().unwrap().data += 1;
        assert_ne!(headers(&other)[0].root, headers(&transcript())[0].root);
        for change in [
            (|sums: &mut Sums| sums.shared.payout += 1) as fn(&mut Sums),
            |sums| sums.shared.epoch = Epoch(7),
            |sums| sums.shared.sharers = 0,
            |sums| sums.totals.cash_allocated = u128::MAX,
        ] {
            let mut false_sums = destroyed(true);
            change(false_sums.epochs[0].sums.as_mut().unwrap());
            let error = false_sums.replay(|_| Ok::<(), LedgerError>(())).unwrap_err();
            assert!(matches!(error, LedgerError::Told(_)), "{error}");
        }
    }
}
