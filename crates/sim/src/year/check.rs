//! What must hold after each epoch, as far as a chain can show it; the numbers are those of `docs/invariants.md`.

use std::collections::BTreeSet;

use alloy::primitives::{Address, U256};
use anyhow::{Result, ensure};
use rochdale_chain::bindings::{
    AuctionHouse, ComputeDesk, ContributionRegistry, DataToken, GovToken, Market, Membership, OperatorPay,
    ResearcherBond, SettlementLedger, StewardCommittee, TestUSDC, Treasury,
};
use rochdale_chain::deploy::{Role, holders};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{Epoch, MemberId};

use super::tally::Outcome;
use super::{ATTEMPTS, Year};

/// What an upgrade must leave as it is: money held, books, promises.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Balances {
    held: Vec<u128>,
    buckets: Vec<U256>,
    terms: (u128, u16, u32, bool),
}

/// One invariant: counted where it holds, an error that names it where it does not.
macro_rules! holds {
    ($year:ident, $name:literal, $condition:expr, $($detail:tt)+) => {
        ensure!($condition, "{} is broken: {}", $name, format!($($detail)+));
        $year.tally.note(Outcome::Checked);
    };
}

impl Year {
    /// What an upgrade must not change.
    pub(super) async fn balances(&self) -> Result<Balances> {
        let at = self.site.manifest.addresses;
        let mut held = Vec::new();
        for contract in [at.treasury, at.market, at.auction_house, at.compute_desk, at.steward_committee] {
            held.push(self.site.balance(at.usdc, contract).await?);
        }
        let b = self.site.view(at.treasury, &Treasury::bucketsCall {}).await?;
        let s = self.site.view(at.treasury, &Treasury::spentCall {}).await?;
        let buckets = vec![b.contributors, b.buyback, b.operations, b.compliance, b.reserve];
        let spent = [s.buyback, s.operations, s.compliance, s.reserve];
        let terms = self.site.view(at.market, &Market::dataTermsCall {}).await?;
        let window = self.site.view(at.market, &Market::refundWindowCall {}).await?;
        let bond = self.site.view(at.market, &Market::bondRequiredCall {}).await?;
        Ok(Balances {
            held,
            buckets: buckets.into_iter().chain(spent).collect(),
            terms: (terms.dataPerUsdc, terms.burnBps, window, bond),
        })
    }

    /// After an epoch: the money, the totals, the root, the members.
    pub(super) async fn check(&mut self, epoch: Epoch) -> Result<()> {
        self.check_totals(epoch).await?;
        self.check_treasury().await?;
        self.check_members(epoch).await?;
        if epoch.0.is_multiple_of(8) {
            self.check_holders().await?;
        }
        Ok(())
    }

    /// At the end also everything that looks at each account.
    pub(super) async fn check_everything(&mut self) -> Result<()> {
        let epoch = self.books.global.epoch;
        self.check(epoch).await?;
        self.check_holders().await?;
        self.check_sales().await?;
        self.check_stewards().await?;
        self.check_votes().await?;
        self.check_roles().await
    }

    /// L12: whatever one member and all stewards but a quorum did, the epoch became final within a few attempts, and only
    /// who signed a falsified row ever lost a bond.
    pub(super) async fn check_attempts(&mut self, epoch: Epoch, attempt: u32) -> Result<()> {
        let taken = attempt + 1;
        holds!(self, "L12", taken <= ATTEMPTS, "epoch {epoch} took {taken} attempts to become final, not {ATTEMPTS}");
        let committee = self.site.manifest.addresses.steward_committee;
        let slashes: u64 = self.site.view(committee, &StewardCommittee::slashCountCall {}).await?.to();
        let liars = self.liars.len() as u64;
        holds!(
            self,
            "L12",
            slashes <= liars,
            "by epoch {epoch} {slashes} were slashed, but {liars} signed a false row"
        );
        for id in 1..=slashes {
            let slash = self.site.view(committee, &StewardCommittee::slashOfCall { id: U256::from(id) }).await?;
            // What the member house decided is forgotten.
            let known = slash.amount == 0 || self.liars.contains(&slash.steward);
            holds!(self, "L12", known, "by epoch {epoch} the honest steward {} was slashed", slash.steward);
        }
        self.tally.note(Outcome::FinalInTime);
        Ok(())
    }

    /// M3, M4, M5, M6, L5: claimed ≤ earned ≤ awarded ≤ caps, tokens in existence, and each member's part of it.
    async fn check_totals(&mut self, epoch: Epoch) -> Result<()> {
        let at = self.site.manifest.addresses;
        let last = self.site.view(at.settlement_ledger, &SettlementLedger::finalEpochCall {}).await?;
        holds!(self, "L5", (last.epoch, last.root) == (epoch.0, self.books.root), "another root is final");
        let totals = self.site.view(at.settlement_ledger, &SettlementLedger::finalTotalsCall {}).await?;
        let claimed = self.site.view(at.settlement_ledger, &SettlementLedger::claimedTotalsCall {}).await?;
        let ours = &self.books.global.totals;
        let same = [
            (totals.cashAllocated, ours.cash_allocated),
            (totals.dataAwarded, ours.data_awarded),
            (totals.dataEarned, ours.data_earned),
            (totals.govAwarded, ours.gov_awarded),
            (totals.govEarned, ours.gov_earned),
        ];
        holds!(self, "M3", same.iter().all(|(chain, own)| *chain == U256::from(*own)), "{same:?}");
        let caps = self.transcript.epochs.iter().map(|e| (e.params.data_cap, e.params.gov_cap));
        let (data_cap, gov_cap) = caps.fold((0, 0), |sum, cap| (sum.0 + cap.0, sum.1 + cap.1));
        let booked = self.site.view(at.treasury, &Treasury::contributorsBookedCall {}).await?;
        let chains = [
            [claimed.data, totals.dataEarned, totals.dataAwarded, U256::from(data_cap)],
            [claimed.gov, totals.govEarned, totals.govAwarded, U256::from(gov_cap)],
            [claimed.cash, totals.cashAllocated, booked, booked],
        ];
        holds!(self, "M3", chains.iter().all(|chain| chain.is_sorted()), "{chains:?}");
        let supply = self.site.view(at.gov_token, &GovToken::totalSupplyCall {}).await?;
        holds!(self, "M4", supply == claimed.gov, "{supply} GOV exist, {} were claimed", claimed.gov);
        let mut sums = [U256::ZERO; 3];
        for member in (1..=self.known() as u32).map(MemberId) {
            let asked = SettlementLedger::claimedOfCall { memberId: member.0 };
            let paid = self.site.view(at.settlement_ledger, &asked).await?;
            let (leaf, _) = self.leaf(member)?;
            let within = paid.cash <= U256::from(leaf.cash + leaf.stream)
                && paid.data <= U256::from(leaf.data)
                && paid.gov <= U256::from(leaf.gov);
            holds!(self, "M6", within, "member {member} was paid more than the leaf");
            for (sum, part) in sums.iter_mut().zip([paid.cash, paid.data, paid.gov]) {
                *sum += part;
            }
        }
        holds!(self, "M5", sums == [claimed.cash, claimed.data, claimed.gov], "{sums:?} is not the sum of the members");
        Ok(())
    }

    /// T1, T3, M7: the buckets, less what left them, are what the treasury holds, and what is owed can be paid.
    async fn check_treasury(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let b = self.site.view(at.treasury, &Treasury::bucketsCall {}).await?;
        let s = self.site.view(at.treasury, &Treasury::spentCall {}).await?;
        let claimed = self.site.view(at.settlement_ledger, &SettlementLedger::claimedTotalsCall {}).await?.cash;
        let held = U256::from(self.site.balance(at.usdc, at.treasury).await?);
        let booked = b.contributors + b.buyback + b.operations + b.compliance + b.reserve;
        let left = s.buyback + s.operations + s.compliance + s.reserve + claimed;
        holds!(self, "T1", booked - left == held, "{booked} booked, {left} left, {held} held");
        let pairs = [
            (s.buyback, b.buyback),
            (s.operations, b.operations),
            (s.compliance, b.compliance),
            (s.reserve, b.reserve),
        ];
        holds!(self, "T3", pairs.iter().all(|(spent, booked)| spent <= booked), "{pairs:?}");
        let state = Cooperative::fold(&self.history().await?);
        let cut = self.site.manifest.schedule().end(self.books.global.epoch);
        let paid_in: u128 = state.bookings.iter().filter(|b| b.booked.time <= cut).map(|b| b.contributors.0).sum();
        let global = &self.books.global;
        let split = global.incoming + global.pool + global.totals.cash_allocated;
        holds!(self, "M7", paid_in == split, "{paid_in} paid in up to the cut, {split} in pool and rows");
        Ok(())
    }

    /// G1, C1, C2: one vote a member at most, memberships ended where they should have, contributions dense.
    async fn check_members(&mut self, epoch: Epoch) -> Result<()> {
        let at = self.site.manifest.addresses;
        let before = U256::from(self.site.now().await? - 1);
        let mut votes = U256::ZERO;
        for person in self.people.clone() {
            let account = person.key.address();
            let asked = Membership::getPastVotesCall { account, timepoint: before };
            let own = self.site.view(at.membership, &asked).await?;
            let active = self.site.view(at.membership, &Membership::isMemberCall { account }).await?;
            holds!(self, "G1", own <= U256::from(u8::from(!person.gone)), "{account} has {own} votes");
            holds!(self, "C1", active != person.gone, "member {} is active: {active}", person.id);
            votes += own;
        }
        let total = Membership::getPastTotalSupplyCall { timepoint: before };
        let total = self.site.view(at.membership, &total).await?;
        holds!(self, "G1", votes <= total, "{votes} votes of {total} in epoch {epoch}");
        let recorded = ContributionRegistry::contributionCountCall {};
        let recorded = self.site.view(at.contribution_registry, &recorded).await?;
        holds!(
            self,
            "C2",
            recorded == self.scores.len() as u64,
            "{recorded} contributions, {} known",
            self.scores.len()
        );
        Ok(())
    }

    /// Everybody who may hold a token.
    fn everybody(&self) -> BTreeSet<Address> {
        let at = &self.site.manifest.addresses;
        let contracts = at.named().into_iter().map(|(_, _, address)| address);
        let people = self.people.iter().flat_map(|person| [person.key.address(), person.payout]);
        let researchers = self.researchers.iter().map(|key| key.address());
        let others = ["worker", "grantee", "gateway"].map(|role| self.site.key(role).address());
        let payer = self.site.payer().address();
        let known = self.holders.iter().copied().chain(contracts).chain(people).chain(researchers);
        known.chain(others).chain([payer]).collect()
    }

    /// M1, M4, T5: every unit of each token is with somebody known.
    async fn check_holders(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let everybody = self.everybody();
        for (name, token) in [("USDC", at.usdc), ("DATA", at.data_token), ("GOV", at.gov_token)] {
            let mut sum = U256::ZERO;
            for account in &everybody {
                sum += self.site.view(token, &TestUSDC::balanceOfCall { account: *account }).await?;
            }
            let supply = self.site.view(token, &TestUSDC::totalSupplyCall {}).await?;
            // Elsewhere than on the local chain, others hold USDC, too.
            let whole = sum == supply || (token == at.usdc && !self.site.is_local() && sum <= supply);
            holds!(self, "M1", whole, "{sum} {name} are with somebody, {supply} exist");
        }
        let claimed = self.site.view(at.settlement_ledger, &SettlementLedger::claimedTotalsCall {}).await?.data;
        let burned = self.site.burned().await?;
        let supply = self.site.view(at.data_token, &DataToken::totalSupplyCall {}).await?;
        holds!(self, "T5", supply + burned == claimed, "{supply} DATA exist, {claimed} were claimed, {burned} burned");
        Ok(())
    }

    /// E1: what the sales hold is what they owe.
    async fn check_sales(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let mut reserved = U256::ZERO;
        for id in 1..=self.reservations {
            let asked = Market::reservationOfCall { reservationId: id };
            reserved += U256::from(self.site.view(at.market, &asked).await?.price);
        }
        let (mut auctions, mut jobs, mut bonds) = (U256::ZERO, U256::ZERO, U256::ZERO);
        for id in 1..=self.auctions {
            let a = self.site.view(at.auction_house, &AuctionHouse::auctionOfCall { auctionId: id }).await?;
            if !a.closed {
                auctions += U256::from(a.bestAmount + u128::from(a.hidden) * a.terms.bidBond);
            }
        }
        for id in 1..=self.jobs_opened {
            let job = self.site.view(at.compute_desk, &ComputeDesk::jobOfCall { jobId: id }).await?;
            jobs += U256::from(job.base + job.perUnit * u128::from(job.maxUnits));
        }
        for researcher in self.researchers.clone() {
            let account = researcher.address();
            auctions += self.site.view(at.auction_house, &AuctionHouse::owedToCall { account }).await?;
            jobs += self.site.view(at.compute_desk, &ComputeDesk::owedToCall { account }).await?;
            let bond = self.site.view(at.researcher_bond, &ResearcherBond::bondOfCall { researcher: account }).await?;
            bonds += U256::from(bond.amount) + U256::from(bond.unbonding);
        }
        let desks =
            [(at.market, reserved), (at.auction_house, auctions), (at.compute_desk, jobs), (at.researcher_bond, bonds)];
        for (desk, owed) in desks {
            let held = U256::from(self.site.balance(at.usdc, desk).await?);
            holds!(self, "E1", held == owed, "{desk} holds {held} and owes {owed}");
        }
        Ok(())
    }

    /// S2, T4: what the committee holds is bonds, locks, what is leaving and what is in escrow; metered pay is in bounds.
    async fn check_stewards(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let mut sum = U256::ZERO;
        for steward in self.former.clone() {
            let stake = self.site.view(at.steward_committee, &StewardCommittee::stakeOfCall { steward }).await?;
            sum += U256::from(stake.bond) + U256::from(stake.locked) + U256::from(stake.unbonding);
        }
        let slashes = self.site.view(at.steward_committee, &StewardCommittee::slashCountCall {}).await?;
        for id in 1..=slashes.to::<u64>() {
            let slash = StewardCommittee::slashOfCall { id: U256::from(id) };
            let slash = self.site.view(at.steward_committee, &slash).await?;
            holds!(self, "S2", slash.amount == 0, "slash {id} was never decided");
        }
        let held = U256::from(self.site.balance(at.usdc, at.steward_committee).await?);
        holds!(self, "S2", held == sum, "the committee holds {held}, stewards have {sum}");
        let metered = self.site.view(at.operator_pay, &OperatorPay::meteredEpochCall {}).await?;
        holds!(self, "T4", metered <= self.books.global.epoch.0, "epoch {metered} was metered before it was final");
        Ok(())
    }

    /// V1, V2, V3, V5: units of GOV follow the square root of what was earned, and sum to the quorum's total.
    async fn check_votes(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let (mut units, mut votes) = (U256::ZERO, U256::ZERO);
        for person in self.people.clone() {
            let account = person.key.address();
            let own = self.site.view(at.gov_token, &GovToken::unitsOfCall { account }).await?;
            let earned = self.site.view(at.gov_token, &GovToken::earnedOfCall { account }).await?;
            let locked = self.site.view(at.gov_token, &GovToken::lockedOfCall { account }).await?;
            let held = self.site.view(at.gov_token, &GovToken::balanceOfCall { account }).await?;
            let locks = self.site.view(at.gov_token, &GovToken::locksOfCall { account }).await?;
            let in_locks: U256 = locks.iter().map(|lock| U256::from(lock.amount)).sum();
            let bound = U256::from(4) * (earned + locked) * U256::from(10).pow(U256::from(18));
            holds!(self, "V1", own * own <= bound, "{account} has {own} units of {earned} + {locked}");
            holds!(
                self,
                "V5",
                in_locks == locked && locked <= held && locks.len() <= 16,
                "{account}: {in_locks} locked"
            );
            let paid = SettlementLedger::claimedOfCall { memberId: person.id.0 };
            let paid = self.site.view(at.settlement_ledger, &paid).await?.gov;
            // After a membership ended, GOV goes to the payout address.
            let minted = earned + locked <= paid && (person.gone || earned + locked == paid);
            holds!(self, "V2", minted, "{account} earned {earned} + {locked} of {paid}");
            holds!(self, "V4", !person.gone || own.is_zero(), "{account} is no member and has {own} units");
            units += own;
            votes += self.site.view(at.gov_token, &GovToken::getVotesCall { account }).await?;
        }
        // The past can be asked for once it is over.
        let now = self.site.now().await?;
        self.site.reach(now + 1).await?;
        let total = GovToken::getPastTotalSupplyCall { timepoint: U256::from(now) };
        let total = self.site.view(at.gov_token, &total).await?;
        // Who is not seasoned has units in the total that are not counted for votes.
        holds!(self, "V3", units <= total && votes <= units, "{units} units, {votes} votes, {total} in all");
        Ok(())
    }

    /// L6: the gate, both timelocks, the guard and the three sellers hold their roles, and nobody else any.
    async fn check_roles(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let held = holders(&self.site.chain, &self.site.manifest).await?;
        let mut sellers = vec![at.market, at.auction_house, at.compute_desk];
        sellers.sort_unstable();
        let houses = [at.charter_gate, at.token_timelock, at.member_timelock, at.pause_guard, at.token_timelock];
        let expected = houses.map(|holder| vec![holder]).into_iter().chain([sellers]);
        for (role, holders) in Role::ALL.into_iter().zip(expected) {
            let found = held.holders.get(&role.number()).cloned().unwrap_or_default();
            holds!(self, "L6", found == holders, "{role:?} is held by {found:?}");
        }
        Ok(())
    }
}
