//! States grown by one event after the other are those that a fold from the first event gives, whatever the chain undoes.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use proptest::prelude::*;
use rochdale_chain::events::{Event, LicenseTerms, Located};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose};
use rochdale_core::ledger::{DemandKind, Params, Schedule};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use rochdale_core::order::Debit;
use rochdale_node::states::{Kept, States};

const SCHEDULE: Schedule = Schedule { genesis: 1_000, epoch_length: 500, lag: 0, attempt_length: 60 };

/// What a chain does.
#[derive(Clone, Debug)]
enum Move {
    /// Blocks of one event each, of kinds that the seed draws.
    Grow(u16, u64),
    /// One block with events.
    Block(Vec<(u8, u8)>),
    /// Time passes without an event.
    Wait(u8),
    /// The newest blocks with events are undone.
    Undo(u8),
    /// The process restarts.
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        1 => (1u16..400, any::<u64>()).prop_map(|(blocks, seed)| Move::Grow(blocks, seed)),
        6 => prop::collection::vec((any::<u8>(), any::<u8>()), 1..6).prop_map(Move::Block),
        2 => any::<u8>().prop_map(Move::Wait),
        3 => (1u8..80).prop_map(Move::Undo),
        1 => Just(Move::Restart),
    ];
    prop::collection::vec(one, 1..24)
}

fn event(kind: u8, who: u8, count: u64) -> Event {
    let member = MemberId(u32::from(who % 16) + 1);
    let (epoch, attempt, hash) = (Epoch(u32::from(who % 4) + 1), u32::from(kind % 3), B256::repeat_byte(who));
    let account = Address::repeat_byte(who % 16);
    let terms = LicenseTerms {
        dataset: DatasetId(1),
        right: 1,
        purpose: Purpose(1),
        ehds_category: 1,
        records: 9,
        issued_at: 1,
        expiry: count,
        recipient_key: hash,
    };
    match kind % 16 {
        0 | 1 => Event::Joined { member, account, payout: account, nullifier: hash, row_key_digest: hash },
        2 => Event::ConsentGranted { member, version: u32::from(kind) + 1, receipt_commitment: hash, expiry: 0 },
        3 => Event::ConsentRevoked { member, version: 1 },
        4 => Event::Erased { member },
        5..=7 => Event::ContributionRecorded {
            contribution: ContributionId(count),
            member,
            commitment: hash,
            consent_version: 1,
        },
        8 => Event::Ended { member },
        9 => Event::LicenseIssued { license: LicenseId(u64::from(who)), holder: account, terms },
        10 => Event::Booked {
            license: LicenseId(u64::from(who)),
            dataset: DatasetId(1),
            contributors: MicroUsdc(count.into()),
            buyback: MicroUsdc(0),
            operations: MicroUsdc(1),
            compliance: MicroUsdc(2),
            reserve: MicroUsdc(3),
        },
        11 => Event::Debited {
            id: count,
            debit: Debit {
                license_id: LicenseId(u64::from(who)),
                order: hash,
                query_digest: hash,
                snapshot: hash,
                purpose: Purpose(1),
                rho: count,
                deadline: 1,
            },
        },
        12 => {
            Event::Claimed { member, payout: account, cash: MicroUsdc(count.into()), data: DataWei(1), gov: GovWei(2) }
        }
        13 => Event::Demanded { epoch, attempt, member, kind: DemandKind::Row, answer_by: count },
        14 => Event::Voided { epoch, attempt, reason: hash },
        _ => Event::ParamsSet { from_epoch: epoch, params_hash: hash, params: Box::new(Params::default()) },
    }
}

/// The chain, and the states that follow it.
struct Site {
    events: Vec<Located>,
    states: States,
    number: u64,
    time: u64,
}

impl Site {
    fn block(&mut self, of: &[(u8, u8)]) {
        self.number += 1;
        self.time += u64::from(of[0].1 % 7);
        let known = self.events.len() as u64;
        let located = |(place, (kind, who)): (u64, &(u8, u8))| Located {
            block_number: self.number,
            block_hash: B256::repeat_byte(*who),
            timestamp: self.time,
            log_index: place,
            transaction: B256::repeat_byte(*kind),
            event: event(*kind, *who, known + place),
        };
        let events: Vec<Located> = (0..).zip(of).map(located).collect();
        self.states.apply(&events);
        self.events.extend(events);
    }

    fn go(&mut self, one: &Move) {
        match one {
            Move::Grow(blocks, seed) => {
                let mut drawn = *seed;
                for _ in 0..*blocks {
                    drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    self.block(&[((drawn >> 40) as u8, (drawn >> 50) as u8)]);
                }
            }
            Move::Block(of) => self.block(of),
            Move::Wait(blocks) => {
                self.number += u64::from(*blocks);
                self.time += u64::from(*blocks) * 3;
            }
            Move::Undo(depth) => {
                let mut blocks: Vec<u64> = self.events.iter().map(|event| event.block_number).collect();
                blocks.dedup();
                let left = blocks.len().saturating_sub(usize::from(*depth));
                let last = left.checked_sub(1).map(|place| blocks[place]);
                self.events.retain(|event| Some(event.block_number) <= last);
                if !self.states.rollback_to(last) {
                    self.restart();
                }
            }
            Move::Restart => self.restart(),
        }
    }

    fn restart(&mut self) {
        self.states.clear();
        self.states.apply(&self.events);
    }

    fn whole(&self, kept: Kept, is_in: impl Fn(&Located) -> bool) -> (Cooperative, usize) {
        let Kept { mut state, lacks } = kept;
        let Some((after, upto)) = lacks else { return (state, 0) };
        let between = |event: &&Located| (after + 1..=upto).contains(&event.block_number);
        let read: Vec<&Located> = self.events.iter().filter(between).collect();
        read.iter().filter(|event| is_in(event)).for_each(|event| state.apply(event));
        (state, read.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn states_are_those_of_a_fold_from_the_first_event(moves in moves(), asked in prop::collection::vec(any::<u32>(), 6)) {
        let mut site = Site { events: Vec::new(), states: States::new(SCHEDULE), number: 1, time: 900 };
        for one in &moves {
            site.go(one);
            prop_assert_eq!(site.states.latest(), Cooperative::fold(&site.events));
            let known = site.events.last().map_or(0, |event| event.block_number);
            prop_assert_eq!(site.states.newest(), known);
        }
        for part in asked {
            let block = u64::from(part) % (site.number + 2);
            let (found, _) = site.whole(site.states.at_block(block), |_| true);
            prop_assert_eq!(found, Cooperative::at_block(&site.events, block), "block {}", block);
            let end = 900 + u64::from(part) % (site.time - 900 + 2);
            let (found, _) = site.whole(site.states.at_time(end), |event| event.timestamp <= end);
            prop_assert_eq!(found, Cooperative::at_cut(&site.events, end), "time {}", end);
        }
    }
}

#[test]
fn newest_blocks_and_cuts_of_newest_epochs_are_kept_and_an_old_block_costs_a_stretch() {
    let mut site = Site { events: Vec::new(), states: States::new(SCHEDULE), number: 1, time: 900 };
    site.go(&Move::Grow(20_000, 7));
    let read = |block| site.whole(site.states.at_block(block), |_| true).1;
    let (newest, oldest) = (site.number, site.events[0].block_number);
    assert!((newest - 1_000..=newest).all(|block| read(block) == 0), "the newest blocks");
    let cut = |back: u32| {
        let epoch = SCHEDULE.epoch_at(site.time).unwrap();
        let end = SCHEDULE.end(Epoch(epoch.0 - back));
        let (state, read) = site.whole(site.states.at_time(end), |event| event.timestamp <= end);
        assert_eq!(state, Cooperative::at_cut(&site.events, end));
        read
    };
    assert_eq!((1..=16).map(cut).sum::<usize>(), 0, "the newest epochs");
    let longest = (oldest..=newest).step_by(37).map(read).max().unwrap();
    assert!(longest > 0 && longest <= 2_048, "{longest} events for one block of long ago");
    let mut stretches: BTreeMap<usize, u32> = BTreeMap::new();
    site.go(&Move::Grow(60_000, 8));
    for block in (oldest..=site.number).step_by(997) {
        *stretches.entry(site.whole(site.states.at_block(block), |_| true).1).or_default() += 1;
    }
    assert!(stretches.keys().all(|read| *read <= 4_096), "{stretches:?}");
}
