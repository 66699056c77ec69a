//! The rules' types as what is signed, and back.

use alloy_primitives::U256;
use rochdale_core::{ledger, poll};

use super::{Ballot, Header, Poll};

impl From<&ledger::Header> for Header {
    fn from(h: &ledger::Header) -> Self {
        Self {
            epoch: h.epoch.0,
            attempt: h.attempt,
            previousRoot: h.previous_root,
            root: h.root,
            paramsHash: h.params_hash,
            inputsRoot: h.inputs_root,
            sheetDigest: h.sheet_digest,
            sharers: h.sharers,
            payout: h.payout,
            sumUsage: h.sum_usage,
            sumData: h.sum_data,
            sumEarly: h.sum_early,
            sumDataAward: h.sum_data_award,
            sumGovAward: h.sum_gov_award,
            cashAllocated: h.cash_allocated,
            dataAwarded: h.data_awarded,
            dataEarned: h.data_earned,
            govAwarded: h.gov_awarded,
            govEarned: h.gov_earned,
        }
    }
}

impl From<Header> for ledger::Header {
    fn from(h: Header) -> Self {
        Self {
            epoch: h.epoch.into(),
            attempt: h.attempt,
            previous_root: h.previousRoot,
            root: h.root,
            params_hash: h.paramsHash,
            inputs_root: h.inputsRoot,
            sheet_digest: h.sheetDigest,
            sharers: h.sharers,
            payout: h.payout,
            sum_usage: h.sumUsage,
            sum_data: h.sumData,
            sum_early: h.sumEarly,
            sum_data_award: h.sumDataAward,
            sum_gov_award: h.sumGovAward,
            cash_allocated: h.cashAllocated,
            data_awarded: h.dataAwarded,
            data_earned: h.dataEarned,
            gov_awarded: h.govAwarded,
            gov_earned: h.govEarned,
        }
    }
}

impl From<&poll::Poll> for Poll {
    fn from(p: &poll::Poll) -> Self {
        Self {
            author: p.author.0,
            question: p.question.clone(),
            options: p.options.clone(),
            snapshotBlock: p.snapshot_block,
            opensAt: p.opens_at,
            closesAt: p.closes_at,
            house: p.house.word().to_owned(),
        }
    }
}

impl From<&poll::Ballot> for Ballot {
    fn from(b: &poll::Ballot) -> Self {
        Self {
            pollId: b.poll,
            memberId: b.member.0,
            choice: b.choice,
            sequence: b.sequence,
            deadline: U256::from(b.deadline),
        }
    }
}
