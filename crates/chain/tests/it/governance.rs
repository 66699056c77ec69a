//! What is folded of the houses against what their contracts say, through the lives of several proposals.

use alloy::primitives::{Address, B256, U256, Uint};
use alloy::sol_types::SolCall;
use rochdale_chain::bindings::{CharterGate, CoopGovernor, CoopTimelock, GovToken, Membership};
use rochdale_chain::client::Sender;
use rochdale_chain::events::{Follower, FollowerOptions, MemoryStore};
use rochdale_chain::gov::{House, Proposal, Status, Support};
use rochdale_chain::state::{Cooperative, Motion, SEASONING};
use rochdale_testkit::anvil::TestCoop;
use serde_json::json;

use crate::gov::{draft, gathering, pass, propose, spec};

const DAY: u64 = 86_400;

/// A cooperative and what is folded of it.
struct Watched {
    coop: TestCoop,
    members: Vec<Sender>,
    follower: Follower<MemoryStore>,
}

impl Watched {
    async fn begin() -> Self {
        let (coop, members) = gathering().await;
        let options = FollowerOptions { houses: true, ..FollowerOptions::default() };
        let follower = Follower::with_options(coop.chain.clone(), &coop.manifest, MemoryStore::default(), options);
        Self { coop, members, follower }
    }

    async fn view<C: SolCall>(&self, at: Address, call: &C) -> C::Return {
        self.coop.chain.view(at, call).await.unwrap()
    }

    /// Everything that is folded, held against the contracts; the standing of each proposal, the oldest first.
    async fn check(&mut self) -> Vec<Status> {
        let head = self.follower.step().await.unwrap().head.latest;
        let state = Cooperative::fold(self.follower.store().events());
        let mut standing: Vec<Status> = Vec::new();
        for motion in state.governance.newest() {
            standing.insert(0, self.check_motion(&state, motion, head.timestamp).await);
        }
        let accounts = self.members.iter().map(Sender::address);
        for account in accounts.chain([self.coop.founder.address()]) {
            self.check_account(&state, account, head.timestamp).await;
        }
        standing
    }

    async fn check_motion(&self, state: &Cooperative, motion: &Motion, now: u64) -> Status {
        let (governor, id) = (motion.house.governor(&self.coop.manifest), U256::from_be_bytes(motion.id.0));
        let opens_at = U256::from(motion.opens_at);
        assert_eq!(self.view(governor, &CoopGovernor::proposalSnapshotCall { proposalId: id }).await, opens_at);
        let closes_at = self.view(governor, &CoopGovernor::proposalDeadlineCall { proposalId: id }).await;
        assert_eq!(closes_at.to::<u64>(), motion.closes_at);
        let votes = self.view(governor, &CoopGovernor::proposalVotesCall { proposalId: id }).await;
        let tally = (motion.tally.in_favour, motion.tally.against, motion.tally.abstain);
        assert_eq!((votes.forVotes.to(), votes.againstVotes.to(), votes.abstainVotes.to()), tally);
        let eta: u64 = self.view(governor, &CoopGovernor::proposalEtaCall { proposalId: id }).await.to();
        assert_eq!(eta, motion.queued.map_or(0, |(_, at)| at));
        let mut quorum = None;
        assert_eq!(state.castable(motion, now).is_some(), now > motion.opens_at);
        if let Some(castable) = state.castable(motion, now) {
            let asked = CoopGovernor::quorumCall { timepoint: opens_at };
            quorum = Some(self.view(governor, &asked).await.to());
            assert_eq!(castable.votes, self.past_votes(governor, opens_at).await, "{motion:?}");
        }
        let status = motion.status(now, quorum, state.governance.constituted_at);
        let made = Proposal {
            house: motion.house,
            id,
            proposer: motion.proposer,
            calls: motion.calls.clone(),
            description: motion.description.clone(),
        };
        assert_eq!(status, made.status(&self.coop.chain, &self.coop.manifest).await.unwrap(), "{motion:?}");
        status
    }

    /// The votes that members had at a time.
    async fn past_votes(&self, governor: Address, timepoint: U256) -> u128 {
        let mut all = 0;
        for member in &self.members {
            let call = CoopGovernor::getVotesCall { account: member.address(), timepoint };
            all += self.view(governor, &call).await.to::<u128>();
        }
        all
    }

    async fn check_account(&self, state: &Cooperative, account: Address, now: u64) {
        let token = self.coop.manifest.addresses.gov_token;
        let holding = state.governance.holdings.get(&account).cloned().unwrap_or_default();
        assert_eq!(self.view(token, &GovToken::unitsOfCall { account }).await.to::<u128>(), holding.held);
        assert_eq!(self.view(token, &GovToken::getVotesCall { account }).await.to::<u128>(), holding.votes);
        let delegate = self.view(token, &GovToken::delegatesCall { account }).await;
        assert_eq!(delegate, holding.delegate.unwrap_or(account));
        let votes = self.view(self.coop.manifest.addresses.membership, &Membership::getVotesCall { account }).await;
        let member = state.member_ids.get(&account).map(|id| &state.members[id]);
        assert_eq!(u128::from(member.is_some_and(|m| m.votes_at(now))), votes.to::<u128>());
    }

    async fn propose(&self, by: usize, contract: &str, function: &str, args: serde_json::Value) -> Proposal {
        let why = format!("{contract}.{function} {args}");
        let made = propose(&self.coop, &self.members[by], &draft(&why, vec![spec(contract, function, args)])).await;
        made.into_iter().next().unwrap()
    }

    async fn vote(&self, proposal: &Proposal, who: usize, support: Support) {
        proposal.vote(&self.members[who], &self.coop.manifest, support).await.unwrap();
    }
}

fn admissions(n: u32) -> (&'static str, &'static str, serde_json::Value) {
    ("Membership", "setAdmissionsPerEpoch", json!({ "admissionsPerEpoch": n }))
}

#[tokio::test]
async fn statuses_votes_and_delegations_are_those_of_the_contracts_from_the_first_proposal_on() {
    use Status::{Active, Canceled, Defeated, Executed, Expired, Pending, Queued, Succeeded};
    let mut w = Watched::begin().await;
    let seasoning = w.view(w.coop.manifest.addresses.membership, &Membership::SEASONINGCall {}).await;
    assert_eq!(seasoning.to::<u64>(), SEASONING);
    let (contract, function, _) = admissions(0);
    let lapsing = w.propose(0, contract, function, json!({ "admissionsPerEpoch": 71 })).await;
    let lost = w.propose(1, contract, function, json!({ "admissionsPerEpoch": 72 })).await;
    assert_eq!(w.check().await, [Pending, Pending]);
    pass(&w.coop, DAY + 1).await;
    for who in 0..3 {
        w.vote(&lapsing, who, Support::For).await;
    }
    w.vote(&lost, 0, Support::Abstain).await;
    assert_eq!(w.check().await, [Active, Active]);
    pass(&w.coop, 6 * DAY).await;
    lapsing.queue(&w.coop.relayer, &w.coop.manifest).await.unwrap();
    assert_eq!(w.check().await, [Queued, Defeated]);
    w.coop.relayer.send(w.coop.manifest.addresses.charter_gate, &CharterGate::constituteCall {}).await.unwrap();
    assert_eq!(w.check().await, [Expired, Defeated]);

    // From here on both houses decide. One member joins too late to vote, one locks, one delegates to another.
    w.coop.join(&w.coop.member_key(6)).await.unwrap();
    w.members.push(w.coop.sender("member-6").await.unwrap());
    let token = w.coop.manifest.addresses.gov_token;
    let lock = |tokens: u64| GovToken::lockCall { amount: Uint::<96, 2>::from(tokens), tier: 0 };
    w.members[0].send(token, &lock(40_000_000)).await.unwrap();
    w.members[0].send(token, &lock(50_000_000)).await.unwrap();
    w.members[1].send(token, &GovToken::delegateCall { delegatee: w.members[2].address() }).await.unwrap();
    w.check().await;

    let carried = w.propose(0, contract, function, json!({ "admissionsPerEpoch": 73 })).await;
    let taken_back = w.propose(1, contract, function, json!({ "admissionsPerEpoch": 74 })).await;
    let (targets, values, data, hash) = taken_back.parts();
    let cancel = CoopGovernor::cancelCall { targets, values, calldatas: data, descriptionHash: hash };
    w.members[1].send(House::Member.governor(&w.coop.manifest), &cancel).await.unwrap();
    let late = w.propose(0, "ContributionRegistry", "setCooldown", json!({ "cooldown": 86_400 })).await;
    let thrown_out = w.propose(0, contract, function, json!({ "admissionsPerEpoch": 75 })).await;
    assert_eq!(late.house, House::Token);
    assert_eq!(w.check().await[2..], [Pending, Canceled, Pending, Pending]);

    pass(&w.coop, DAY + 1).await;
    // What is delegated after the snapshot moves no vote that is open.
    w.members[3].send(token, &GovToken::delegateCall { delegatee: w.members[2].address() }).await.unwrap();
    for (proposal, who) in [(&carried, 0), (&carried, 1), (&carried, 2), (&thrown_out, 0), (&thrown_out, 1)] {
        w.vote(proposal, who, Support::For).await;
    }
    w.vote(&thrown_out, 4, Support::Abstain).await;
    w.vote(&carried, 3, Support::Against).await;
    let again = carried.vote(&w.members[3], &w.coop.manifest, Support::For).await.unwrap_err().to_string();
    assert!(again.contains("GovernorAlreadyCastVote"), "{again}");
    let unseasoned = carried.vote(&w.members[5], &w.coop.manifest, Support::For).await.unwrap_err().to_string();
    assert!(unseasoned.contains("CoopGovernor_NoVotes"), "{unseasoned}");
    let delegated = late.vote(&w.members[1], &w.coop.manifest, Support::For).await.unwrap_err().to_string();
    assert!(delegated.contains("CoopGovernor_NoVotes"), "{delegated}");
    assert_eq!(w.check().await[2..], [Active, Canceled, Active, Active]);

    // The quorum of the token house is reached in its last hours.
    pass(&w.coop, 5 * DAY - 3_600).await;
    w.vote(&late, 2, Support::For).await;
    w.vote(&late, 3, Support::For).await;
    pass(&w.coop, 2 * 3_600).await;
    assert_eq!(w.check().await[2..], [Succeeded, Canceled, Active, Succeeded]);
    pass(&w.coop, 3 * DAY).await;
    for proposal in [&carried, &late, &thrown_out] {
        proposal.queue(&w.coop.relayer, &w.coop.manifest).await.unwrap();
    }
    assert_eq!(w.check().await[2..], [Queued, Canceled, Queued, Queued]);
    let timelock = House::Member.timelock(&w.coop.manifest);
    let role = w.view(timelock, &CoopTimelock::CANCELLER_ROLECall {}).await;
    let grant = CoopTimelock::grantRoleCall { role, account: w.coop.founder.address() };
    w.coop.local.act_as(timelock, timelock, &grant).await.unwrap();
    w.coop.founder.send(timelock, &CoopTimelock::cancelCall { id: B256::from(thrown_out.id) }).await.unwrap();
    assert_eq!(w.check().await[2..], [Queued, Canceled, Queued, Canceled]);
    pass(&w.coop, 2 * DAY + 1).await;
    for proposal in [&carried, &late] {
        proposal.execute(&w.coop.relayer, &w.coop.manifest).await.unwrap();
    }
    assert_eq!(w.check().await, [Expired, Defeated, Executed, Canceled, Executed, Canceled]);

    // Whoever leaves has no vote from then on, and whoever delegated to it has its own again.
    let left = w.follower.store().events().iter().filter(|e| e.block_number > 0).count();
    w.coop.leave(&w.coop.member_key(3), rochdale_core::ids::MemberId(3)).await.unwrap();
    w.coop.relayer.send(token, &GovToken::syncCall { account: w.members[1].address() }).await.unwrap();
    w.check().await;
    assert!(w.follower.store().events().len() > left);

    let state = Cooperative::fold(w.follower.store().events());
    let motion = |p: &Proposal| state.governance.motions[&(p.house, B256::from(p.id))].clone();
    assert!(motion(&late).extended && !motion(&carried).extended);
    assert_eq!((motion(&carried).ballots, motion(&carried).tally.all()), (4, 4));
    let now = w.coop.chain.now().await.unwrap();
    assert_eq!(state.castable(&motion(&carried), now).unwrap().accounts, 5, "the sixth joined too late");
    let cast: Vec<_> = state.governance.cast_by(w.members[0].address()).map(|(_, c)| (c.proposal, c.support)).collect();
    let expected =
        [(&thrown_out, Support::For), (&carried, Support::For), (&lost, Support::Abstain), (&lapsing, Support::For)];
    assert_eq!(cast, expected.map(|(proposal, support)| (B256::from(proposal.id), support)));
}
