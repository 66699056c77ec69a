//! What the gateway tells of proposals, votes and key figures.

use std::collections::BTreeMap;

use alloy::primitives::{B256, U256, keccak256};
use alloy::sol_types::SolCall as _;
use rochdale_api::ProblemCode;
use rochdale_api::governance::{BallotSupport, HouseName, MemberVotes, ProposalDetail, ProposalStatus, ProposalView};
use rochdale_api::kpi::Kpis;
use rochdale_api::log::{Act, Log};
use rochdale_api::route::Call;
use rochdale_api::route::gateway;
use rochdale_chain::bindings::{CoopGovernor, Membership, PauseGuard};
use rochdale_chain::gov::{CallSpec, CharterCalls, Draft, House, Proposal, Support, proposals};
use serde_json::json;

use crate::rig::Rig;

const DAY: u64 = 86_400;

impl Rig {
    async fn pass(&self, seconds: u64) {
        let now = self.now().await;
        self.coop.local.time_to(now + seconds, 1).await.unwrap();
    }

    async fn shown(&self) -> ProposalView {
        let mut all = self.client().get(gateway::PROPOSALS).await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    async fn detail(&self, id: B256) -> ProposalDetail {
        let mut all = self.client().get(gateway::PROPOSAL.at(id)).await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// Fewer admissions, by the first member.
    async fn propose(&self) -> Proposal {
        let args = BTreeMap::from([("admissionsPerEpoch".to_owned(), json!(77))]);
        let function = "setAdmissionsPerEpoch".to_owned();
        let call = CallSpec { contract: "Membership".to_owned(), function, args, value: 0 };
        let draft = Draft { why: "# Fewer at a time\n\nThe registrar asks for it.".to_owned(), calls: vec![call] };
        let motions =
            draft.motions(&self.coop.chain, &self.coop.manifest, CharterCalls::salt(&draft.why)).await.unwrap();
        let by = self.coop.sender("member-1").await.unwrap();
        motions[0].propose(&by, &self.coop.manifest).await.unwrap();
        proposals(&self.coop.chain, &self.coop.manifest).await.unwrap().remove(0)
    }
}

#[tokio::test]
async fn a_proposal_is_told_from_its_first_day_to_its_execution_and_keeps_its_words() {
    let mut rig = Rig::new().await;
    let mut ids = Vec::new();
    for n in 1..=3 {
        let key = rig.coop.member_key(n);
        ids.push(rig.join(&key).await.member_id);
    }
    rig.pass(31 * DAY).await;
    assert_eq!(rig.client().get(gateway::PROPOSALS).await.unwrap(), []);
    let made = rig.propose().await;
    let id = B256::from(made.id);
    let view = rig.shown().await;
    assert_eq!((view.id, view.house, view.status), (id, HouseName::Member, ProposalStatus::Pending));
    assert_eq!((view.proposer, view.proposer_member), (rig.coop.member_key(1).address(), Some(ids[0])));
    assert_eq!((view.title.as_str(), view.quorum, view.castable), ("Fewer at a time", None, None));
    assert_eq!((view.closes_at - view.opens_at, view.executable_at - view.closes_at), (5 * DAY, 2 * DAY));
    let detail = rig.detail(id).await;
    assert_eq!(detail.proposal, rig.shown().await);
    assert_eq!(detail.description_hash, keccak256(&made.description));
    let change = &detail.calls[0].changes[0];
    assert_eq!((change.old.as_deref(), change.new.as_str()), (Some("10000"), "77"));
    assert_eq!((detail.calls[0].contract.as_str(), &detail.calls[0].data), ("Membership", &made.calls[0].data));

    rig.pass(DAY + 1).await;
    for n in 1..=3 {
        let sender = rig.coop.sender(&format!("member-{n}")).await.unwrap();
        let support = if n == 2 { Support::Abstain } else { Support::For };
        made.vote(&sender, &rig.coop.manifest, support).await.unwrap();
    }
    let view = rig.shown().await;
    assert_eq!((view.votes_for, view.votes_against, view.votes_abstain, view.ballots), (2, 0, 1, 3));
    assert_eq!((view.status, view.castable.as_deref()), (ProposalStatus::Active, Some("3")));
    let quorum = made.view(&rig.coop.chain, &rig.coop.manifest).await.unwrap().quorum;
    assert!(view.quorum.is_some() && view.quorum == quorum, "{view:?}");
    let votes: MemberVotes = rig.client().get(gateway::MEMBER_VOTES.at(ids[1])).await.unwrap();
    assert_eq!((votes.member_votes, votes.held, votes.token_votes, votes.delegate), (1, 0, 0, votes.account));
    assert_eq!((votes.ballots.len(), votes.on.len(), votes.lockable), (1, 1, 0));
    assert_eq!((votes.on[0].proposal, votes.on[0].votes, votes.on[0].support), (id, 1, Some(BallotSupport::Abstain)));
    let ballot = &votes.ballots[0];
    assert_eq!((ballot.proposal, ballot.support, ballot.votes), (id, BallotSupport::Abstain, 1));

    // Whoever joins while a vote is open has none in it.
    let late = rig.coop.member_key(4);
    let late = rig.join(&late).await.member_id;
    let votes: MemberVotes = rig.client().get(gateway::MEMBER_VOTES.at(late)).await.unwrap();
    assert_eq!((votes.on[0].votes, votes.on[0].support, votes.member_votes), (0, None, 0));

    rig.pass(6 * DAY).await;
    assert_eq!(rig.client().get(gateway::MEMBER_VOTES.at(late)).await.unwrap().on, []);
    assert_eq!(rig.shown().await.status, ProposalStatus::Succeeded);
    made.queue(&rig.coop.relayer, &rig.coop.manifest).await.unwrap();
    assert_eq!(rig.shown().await.status, ProposalStatus::Queued);
    rig.pass(2 * DAY + 1).await;
    made.execute(&rig.coop.relayer, &rig.coop.manifest).await.unwrap();
    let view = rig.shown().await;
    assert_eq!(view.status, ProposalStatus::Executed);
    assert!(view.queued_at < view.executed_at && view.canceled_at.is_none(), "{view:?}");
    // What the call replaced is no more on chain: the words are those of the proposal's first day, through a restart too.
    rig.stop().await;
    rig.start().await;
    assert_eq!(rig.detail(id).await.calls, detail.calls);
}

#[tokio::test]
async fn many_proposals_hide_none_that_is_still_open() {
    let rig = Rig::new().await;
    rig.join(&rig.coop.member_key(1)).await;
    rig.pass(31 * DAY).await;
    let open = B256::from(rig.propose().await.id);
    let (house, by) = (House::Member, rig.coop.sender("member-1").await.unwrap());
    let governor = house.governor(&rig.coop.manifest);
    for n in 0..=200 {
        let (targets, values) = (vec![rig.coop.manifest.addresses.membership], vec![U256::ZERO]);
        let calldatas = vec![Membership::setAdmissionsPerEpochCall { admissionsPerEpoch_: 1 }.abi_encode().into()];
        let description = format!("junk {n}");
        let description_hash = keccak256(&description);
        let propose = CoopGovernor::proposeCall {
            targets: targets.clone(),
            values: values.clone(),
            calldatas: Vec::clone(&calldatas),
            description,
        };
        by.send(governor, &propose).await.unwrap();
        by.send(governor, &CoopGovernor::cancelCall { targets, values, calldatas, descriptionHash: description_hash })
            .await
            .unwrap();
    }
    let listed = rig.client().get(gateway::PROPOSALS).await.unwrap();
    assert_eq!(listed.len(), 201, "the newest 200 that are decided, and what is open");
    assert_eq!(listed.last().map(|view| (view.id, view.status)), Some((open, ProposalStatus::Pending)));
}

#[tokio::test]
async fn the_rules_of_the_houses_are_those_of_the_founding_and_a_pause_is_told() {
    let rig = Rig::new().await;
    let rules = rig.client().get(gateway::CONSTITUTION).await.unwrap();
    assert_eq!((rules.constituted_at, rules.first_joined_at, rules.seasoned_members), (None, None, 0));
    assert!(rules.min_members > 0 && rules.pauses.is_empty(), "{rules:?}");
    let member = rules.houses.iter().find(|rules| rules.house == HouseName::Member).unwrap();
    assert_eq!((rules.houses.len(), member.voting_delay, member.voting_period), (2, DAY, 5 * DAY));
    assert_eq!((member.timelock_delay, member.quorum_floor), (2 * DAY, 3));
    let (guard, market) = (rig.coop.manifest.addresses.pause_guard, rig.coop.manifest.addresses.market);
    let pause = PauseGuard::pauseCall { targets: vec![market], duration: 3_600 };
    rig.coop.local.act_as(rules.guardian, guard, &pause).await.unwrap();
    let paused = rig.client().get(gateway::CONSTITUTION).await.unwrap().pauses;
    assert_eq!(paused.iter().map(|pause| pause.contract.as_str()).collect::<Vec<_>>(), ["Market"]);
    assert!(paused[0].until > rig.now().await);

    let newest: Log = rig.client().get(gateway::LOG).await.unwrap();
    let first = &newest.entries[0];
    assert_eq!((first.act, first.who, first.until), (Act::Paused, Some(market), Some(paused[0].until)));
    assert!(newest.entries.iter().any(|entry| entry.act == Act::CommitteeSeated), "{newest:?}");
    assert_eq!(newest.earlier, None);
    for wrong in ["0", "x-1", "1-"] {
        let refused = rig.client().get(Call::from(gateway::LOG).with("before", wrong)).await.unwrap_err();
        assert_eq!(refused.code(), ProblemCode::BadRequest, "{wrong}");
    }

    let operations = rig.client().get(gateway::OPERATIONS).await.unwrap();
    assert!(operations.gas_price > 0 && operations.gas_per_day > operations.gas_of_the_day, "{operations:?}");
    assert!(operations.gas_balance > 0 && operations.queued_contributions == 0, "{operations:?}");
    let gateway = rig.client().get(gateway::COOPERATIVE).await.unwrap().gateway;
    assert_eq!(operations.gas_account, gateway);
}

#[tokio::test]
async fn who_asks_for_nothing_that_there_is_is_told_so() {
    let rig = Rig::new().await;
    let code = |error: rochdale_api::client::ClientError| error.code();
    let unknown = rig.client().get(gateway::PROPOSAL.at(B256::ZERO)).await.unwrap_err();
    assert_eq!(code(unknown), ProblemCode::NotFound);
    assert_eq!(code(rig.client().get(gateway::PROPOSAL.at("12")).await.unwrap_err()), ProblemCode::BadRequest);
    assert_eq!(code(rig.client().get(gateway::MEMBER_VOTES.at(9)).await.unwrap_err()), ProblemCode::NotFound);
    assert_eq!(rig.client().get(gateway::DELEGATES).await.unwrap(), []);
    assert_eq!(rig.client().get(gateway::SERVICES).await.unwrap(), []);
    assert_eq!(code(rig.client().get(gateway::MEMBER_REWARDS.at(9)).await.unwrap_err()), ProblemCode::NotFound);
    for days in ["0", "367", "-1", "many"] {
        let refused = rig.client().get(Call::from(gateway::KPIS).with("days", days)).await.unwrap_err();
        assert_eq!(code(refused), ProblemCode::BadRequest, "{days}");
    }
}

#[tokio::test]
async fn key_figures_are_told_as_json_and_as_a_table_for_the_days_that_are_asked_for() {
    let rig = Rig::new().await;
    for n in 1..=3 {
        let key = rig.coop.member_key(n);
        rig.join(&key).await;
    }
    rig.pass(DAY).await;
    let kpis: Kpis = rig.client().get(Call::from(gateway::KPIS).with("days", 3)).await.unwrap();
    assert_eq!((kpis.days, kpis.first_day % DAY, kpis.now / DAY - kpis.first_day / DAY), (3, 0, 2));
    let values = |id: &str| kpis.kpis.iter().find(|kpi| kpi.id == id).unwrap().series[0].values.clone();
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(values("members_active"), [None, some("3"), some("3")]);
    assert_eq!(values("members_joined"), [None, some("3"), some("0")]);
    // Stewards of this test publish neither sizes nor budgets.
    assert_eq!(values("budget_left"), [None, None, None]);
    assert_eq!(kpis.cohorts.iter().map(|cohort| cohort.joined).sum::<u32>(), 3);
    let whole: Kpis = rig.client().get(gateway::KPIS).await.unwrap();
    assert_eq!(whole.kpis[0].series[0].values.len(), 90);

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{}/v1/kpis.csv?days=3", rig.url())).send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(answer.text().await.unwrap(), kpis.table());
}
