//! Members without a wallet: their passkey signs, the gateway creates their account and pays for what it does.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use rochdale_api::account::{
    AccountCall, AccountCreated, AccountRequest, ExecuteRequest, PasskeyPoint, RecoveryApproval, RecoveryRequest,
};
use rochdale_api::client::ClientError;
use rochdale_api::member::{Granted, Joined, Mined};
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::account::{Call, Recovery, execute_digest, message_digest};
use rochdale_chain::bindings::{
    CoopGovernor, DataToken, DatasetCatalog, GovToken, MemberAccount, MemberAccountFactory, ServiceDesk,
    SettlementLedger, TestUSDC,
};
use rochdale_chain::deploy::account_factory;
use rochdale_chain::eip712::{self, account};
use rochdale_client::{service, statement};
use rochdale_core::ids::MemberId;
use rochdale_testkit::anvil::role_key;
use rochdale_testkit::passkey::Passkey;

use crate::rig::Rig;

const GOV: u128 = 1_000_000_000_000_000_000;
const DAY: u64 = 86_400;
const DELAY: u32 = 259_200;

/// A person with a phone.
pub struct Person {
    pub passkey: Passkey,
    pub account: Address,
}

impl Person {
    pub async fn named(rig: &Rig, name: &str) -> Self {
        let passkey = Passkey::named(name);
        let (qx, qy) = passkey.public();
        let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
        let call = MemberAccountFactory::accountAtCall { qx, qy, recovery };
        let account = rig.coop.chain.view(account_factory().1, &call).await.unwrap();
        Self { passkey, account }
    }

    pub fn asks(&self) -> AccountRequest {
        let (qx, qy) = self.passkey.public();
        AccountRequest { qx, qy, guardians: Vec::new(), threshold: 0, delay: 0 }
    }

    pub async fn join(&self, rig: &Rig) -> MemberId {
        let joined: Joined = rig.client().post(gateway::JOIN, &rig.admission(self.account).await).await.unwrap();
        joined.member_id
    }

    /// Calls under the account's nonce, valid for an hour.
    pub async fn signs(&self, rig: &Rig, calls: &[(Address, Vec<u8>)]) -> ExecuteRequest {
        let nonce = rig.client().get(gateway::ACCOUNT.at(self.account)).await.unwrap().nonce;
        self.signs_until(calls, nonce, rig.now().await + 3_600)
    }

    fn signs_until(&self, calls: &[(Address, Vec<u8>)], nonce: u64, deadline: u64) -> ExecuteRequest {
        let call = |(target, data): &(Address, Vec<u8>)| AccountCall { target: *target, data: data.clone().into() };
        let calls: Vec<AccountCall> = calls.iter().map(call).collect();
        let call = |c: &AccountCall| Call { target: c.target, value: U256::ZERO, data: c.data.clone() };
        let signed: Vec<Call> = calls.iter().map(call).collect();
        let signature = self.passkey.sign(execute_digest(31_337, self.account, &signed, nonce, deadline));
        ExecuteRequest { account: self.account, calls, nonce, deadline, signature }
    }

    pub async fn does(&self, rig: &Rig, calls: &[(Address, Vec<u8>)]) -> Result<Mined, Problem> {
        rig.client().post(gateway::EXECUTE, &self.signs(rig, calls).await).await.map_err(Problem::from)
    }

    /// A member with an account and some GOV that it earned.
    pub async fn enrolled(rig: &Rig, name: &str) -> (Self, MemberId) {
        let person = Self::named(rig, name).await;
        let id = person.join(rig).await;
        rig.client().post(gateway::CREATE_ACCOUNT, &person.asks()).await.unwrap();
        let a = rig.coop.manifest.addresses;
        let mint = GovToken::mintCall { to: person.account, amount: U256::from(100 * GOV) };
        rig.coop.local.act_as(a.settlement_ledger, a.gov_token, &mint).await.unwrap();
        (person, id)
    }
}

pub fn code(result: Result<impl std::fmt::Debug, ClientError>) -> (ProblemCode, String) {
    let problem = Problem::from(result.unwrap_err());
    (problem.code, problem.to_string())
}

pub fn refused(result: Result<Mined, Problem>, why: ProblemCode, word: &str) {
    let problem = result.unwrap_err();
    assert_eq!(problem.code, why, "{problem}");
    assert!(problem.to_string().contains(word), "{problem}");
}

fn lock(amount: u128) -> Vec<u8> {
    let amount = alloy::primitives::aliases::U96::from(amount);
    GovToken::lockCall { amount, tier: 0 }.abi_encode()
}

#[tokio::test]
async fn an_account_is_created_for_who_joined_and_once() {
    let rig = Rig::new().await;
    let ada = Person::named(&rig, "ada").await;
    let (forbidden, said) = code(rig.client().post(gateway::CREATE_ACCOUNT, &ada.asks()).await);
    assert_eq!(forbidden, ProblemCode::Forbidden);
    assert!(said.contains("join with this address first"), "{said}");
    assert_eq!(code(rig.client().get(gateway::ACCOUNT.at(ada.account)).await).0, ProblemCode::NotFound);
    let unborn = ada.signs_until(&[(Address::ZERO, MemberAccount::vetoCall {}.abi_encode())], 0, u64::MAX);
    assert_eq!(code(rig.client().post(gateway::EXECUTE, &unborn).await).0, ProblemCode::NotFound);

    let id = ada.join(&rig).await;
    let AccountCreated { account, mined } = rig.client().post(gateway::CREATE_ACCOUNT, &ada.asks()).await.unwrap();
    assert_eq!(account, ada.account);
    assert!(mined.is_some());
    let again = rig.client().post(gateway::CREATE_ACCOUNT, &ada.asks()).await.unwrap();
    assert_eq!(again, AccountCreated { account, mined: None });
    let view = rig.client().get(gateway::ACCOUNT.at(account)).await.unwrap();
    assert_eq!((view.member_id, view.nonce), (Some(id), 0));

    // Consent is a signature that the account says yes to.
    let key = role_key("nobody");
    let mut grant = rig.grant_request(&key, id).await;
    let digest = eip712::digest(&statement::grant(&grant), &rig.coop.manifest.consent_domain());
    grant.signature = ada.passkey.sign(message_digest(31_337, account, digest));
    let granted: Granted = rig.client().post(gateway::GRANT, &grant).await.unwrap();
    assert!(granted.pending_stewards.is_empty());
}

#[tokio::test]
async fn what_the_passkey_signed_is_done_once_whole_and_in_time() {
    let rig = Rig::new().await;
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let a = rig.coop.manifest.addresses;
    let locked = async || {
        let call = GovToken::lockedOfCall { account: ada.account };
        rig.coop.chain.view(a.gov_token, &call).await.unwrap().to::<u128>()
    };
    let signed = ada.signs(&rig, &[(a.gov_token, lock(30 * GOV))]).await;
    let mined = rig.client().post(gateway::EXECUTE, &signed).await.unwrap();
    assert!(mined.gas_used > 0);
    assert_eq!(locked().await, 30 * GOV);
    let (refusal, said) = code(rig.client().post(gateway::EXECUTE, &signed).await);
    assert_eq!(refusal, ProblemCode::ChainRefused);
    assert!(said.contains("MemberAccount_BadNonce") && said.contains("/v1/accounts/"), "{said}");
    assert_eq!(locked().await, 30 * GOV, "what was replayed took no effect");

    let late = ada.signs_until(&[(a.gov_token, lock(GOV))], 1, rig.now().await - 1);
    let (refusal, said) = code(rig.client().post(gateway::EXECUTE, &late).await);
    assert_eq!(refusal, ProblemCode::ChainRefused);
    assert!(said.contains("MemberAccount_Expired"), "{said}");
    let mut changed = ada.signs(&rig, &[(a.gov_token, lock(GOV))]).await;
    changed.calls[0].data = lock(2 * GOV).into();
    let (_, said) = code(rig.client().post(gateway::EXECUTE, &changed).await);
    assert!(said.contains("MemberAccount_BadSignature"), "{said}");
    let another = Person { passkey: Passkey::named("eve"), account: ada.account };
    refused(another.does(&rig, &[(a.gov_token, lock(GOV))]).await, ProblemCode::ChainRefused, "BadSignature");

    // Two calls, of which the second cannot be made: neither is, and the nonce is not used up.
    let both = [(a.gov_token, lock(GOV)), (a.gov_token, lock(500 * GOV))];
    refused(ada.does(&rig, &both).await, ProblemCode::ChainRefused, "GovToken_NotEarned");
    assert_eq!(locked().await, 30 * GOV);
    let both = [(a.gov_token, lock(GOV)), (a.gov_token, lock(2 * GOV))];
    ada.does(&rig, &both).await.unwrap();
    assert_eq!(locked().await, 33 * GOV);

    // Another phone: from then on the first one signs in vain.
    let new = Person { passkey: Passkey::named("ada's new phone"), account: ada.account };
    let (qx, qy) = new.passkey.public();
    ada.does(&rig, &[(Address::ZERO, MemberAccount::setPasskeyCall { qx, qy }.abi_encode())]).await.unwrap();
    refused(ada.does(&rig, &[(a.gov_token, lock(GOV))]).await, ProblemCode::ChainRefused, "BadSignature");
    new.does(&rig, &[(a.gov_token, lock(GOV))]).await.unwrap();
    assert_eq!(locked().await, 34 * GOV);
}

#[tokio::test]
async fn the_relayer_pays_for_members_and_for_nothing_else() {
    let rig = Rig::new().await;
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let a = rig.coop.manifest.addresses;
    let spent = rig.coop.chain.head().await.unwrap().latest.number;
    let transfer = TestUSDC::transferCall { to: Address::repeat_byte(1), value: U256::ZERO }.abi_encode();
    refused(ada.does(&rig, &[(a.usdc, transfer.clone())]).await, ProblemCode::Forbidden, "of USDC");
    refused(ada.does(&rig, &[(a.treasury, transfer.clone())]).await, ProblemCode::Forbidden, "calls[0].target");
    refused(ada.does(&rig, &[(a.gov_token, transfer)]).await, ProblemCode::Forbidden, "of GovToken");
    let hidden = [(a.gov_token, lock(GOV)), (a.treasury, vec![0; 4])];
    refused(ada.does(&rig, &hidden).await, ProblemCode::Forbidden, "calls[1].target");
    let claim = SettlementLedger::proposeCall::SELECTOR.to_vec();
    refused(ada.does(&rig, &[(a.settlement_ledger, claim)]).await, ProblemCode::Forbidden, "of SettlementLedger");

    // Another contract with the same function, in the name of an account.
    let impostor = ExecuteRequest {
        account: a.treasury,
        calls: vec![AccountCall { target: a.gov_token, data: lock(GOV).into() }],
        nonce: 0,
        deadline: u64::MAX,
        signature: Bytes::new(),
    };
    assert_eq!(code(rig.client().post(gateway::EXECUTE, &impostor).await).0, ProblemCode::NotFound);
    assert_eq!(rig.coop.chain.head().await.unwrap().latest.number, spent, "nothing was sent");

    // An account of ours that nobody joined with, created by whoever paid for it.
    let stranger = Person::named(&rig, "stranger").await;
    let (qx, qy) = stranger.passkey.public();
    let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
    let create = MemberAccountFactory::createCall { qx, qy, recovery };
    rig.coop.founder.send(account_factory().1, &create).await.unwrap();
    refused(stranger.does(&rig, &[(a.gov_token, lock(GOV))]).await, ProblemCode::Forbidden, "nobody joined");
}

/// What a member orders is paid out of its own DATA, and an allowance is for the desk alone.
#[tokio::test]
async fn a_passkey_orders_a_service_for_data() {
    let rig = Rig::new().await;
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let a = rig.coop.manifest.addresses;
    let offer = ServiceDesk::Service { dataPrice: 25, open: true };
    let set = ServiceDesk::setServiceCall { serviceId: 7, s: offer };
    rig.coop.local.act_as(a.token_timelock, a.service_desk, &set).await.unwrap();
    let mint = DataToken::mintCall { to: ada.account, amount: U256::from(40) };
    rig.coop.local.act_as(a.settlement_ledger, a.data_token, &mint).await.unwrap();
    let data = async || {
        let call = DataToken::balanceOfCall { account: ada.account };
        rig.coop.chain.view(a.data_token, &call).await.unwrap()
    };
    let commitment = service::commitment(B256::repeat_byte(1), b"my record against the cohort");
    let order = |price| service::order((a.data_token, a.service_desk), 7, price, commitment);

    let sent = rig.coop.chain.head().await.unwrap().latest.number;
    for spender in [Address::repeat_byte(9), a.market, ada.account] {
        let allow = DataToken::approveCall { spender, value: U256::from(25) }.abi_encode();
        refused(ada.does(&rig, &[(a.data_token, allow)]).await, ProblemCode::Forbidden, "calls[0].data");
    }
    let transfer = DataToken::transferCall { to: Address::repeat_byte(9), value: U256::ONE }.abi_encode();
    let [allow, _] = order(25);
    refused(ada.does(&rig, &[allow, (a.data_token, transfer)]).await, ProblemCode::Forbidden, "calls[1].data");
    let set = ServiceDesk::setServiceCall { serviceId: 7, s: ServiceDesk::Service { dataPrice: 1, open: true } };
    refused(ada.does(&rig, &[(a.service_desk, set.abi_encode())]).await, ProblemCode::Forbidden, "of ServiceDesk");
    assert_eq!(rig.coop.chain.head().await.unwrap().latest.number, sent, "nothing was sent");

    // The price rose since it was shown, and the member has too little: nothing is allowed and nothing burns.
    refused(ada.does(&rig, &order(24)).await, ProblemCode::ChainRefused, "ERC20InsufficientAllowance");
    ada.does(&rig, &order(25)).await.unwrap();
    assert_eq!(data().await, U256::from(15));
    let left = DataToken::allowanceCall { owner: ada.account, spender: a.service_desk };
    assert_eq!(rig.coop.chain.view(a.data_token, &left).await.unwrap(), U256::ZERO);
    refused(ada.does(&rig, &order(25)).await, ProblemCode::ChainRefused, "ERC20InsufficientBalance");
    assert_eq!(data().await, U256::from(15));
}

#[tokio::test]
async fn a_passkey_votes_in_its_house() {
    let rig = Rig::new().await;
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let (key, _) = rig.member(1).await;
    rig.coop.local.time_to(rig.now().await + 31 * DAY, 0).await.unwrap();
    let a = rig.coop.manifest.addresses;
    let proposer = rig.coop.sender("member-1").await.unwrap();
    assert_eq!(proposer.address(), key.address());
    let call = CoopGovernor::proposeCall {
        targets: vec![a.dataset_catalog],
        values: vec![U256::ZERO],
        calldatas: vec![DatasetCatalog::datasetOfCall { id: 1 }.abi_encode().into()],
        description: "Look at the first dataset".to_owned(),
    };
    let id = proposer.simulate(a.member_governor, &call).await.unwrap();
    proposer.send(a.member_governor, &call).await.unwrap();
    rig.coop.local.time_to(rig.now().await + 2 * DAY, 0).await.unwrap();
    let vote = CoopGovernor::castVoteCall { proposalId: id, support: 1 }.abi_encode();
    ada.does(&rig, &[(a.member_governor, vote.clone())]).await.unwrap();
    let votes = rig.coop.chain.view(a.member_governor, &CoopGovernor::proposalVotesCall { proposalId: id }).await;
    assert_eq!(votes.unwrap().forVotes, U256::ONE);
    refused(ada.does(&rig, &[(a.member_governor, vote)]).await, ProblemCode::ChainRefused, "AlreadyCastVote");
}

#[tokio::test]
async fn an_account_acts_so_often_in_a_minute_and_not_more() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    rig.limits.writes_per_minute = 2;
    rig.start().await;
    let (ada, _) = Person::enrolled(&rig, "ada").await;
    let token = rig.coop.manifest.addresses.gov_token;
    // Creating it was the first.
    ada.does(&rig, &[(token, lock(GOV))]).await.unwrap();
    refused(ada.does(&rig, &[(token, lock(GOV))]).await, ProblemCode::TooManyRequests, "in a minute");
}

/// A person whose account has one guardian, who may replace the passkey after three days.
async fn guarded(rig: &Rig, name: &str, guardian: &PrivateKeySigner) -> Person {
    let passkey = Passkey::named(name);
    let (qx, qy) = passkey.public();
    let guardians = vec![guardian.address()];
    let recovery = account::Recovery { guardians: guardians.clone(), threshold: 1, delay: DELAY };
    let at = MemberAccountFactory::accountAtCall {
        qx,
        qy,
        recovery: Recovery { guardians: guardians.clone(), threshold: 1, delay: DELAY },
    };
    let person = Person { passkey, account: account::account_at(qx, qy, &recovery) };
    assert_eq!(rig.coop.chain.view(account_factory().1, &at).await.unwrap(), person.account, "as the factory says");
    person.join(rig).await;
    let asks = AccountRequest { guardians, threshold: 1, delay: DELAY, ..person.asks() };
    rig.client().post(gateway::CREATE_ACCOUNT, &asks).await.unwrap();
    person
}

/// The yes of `key`, in the guardian's name, to another passkey for an account.
fn approval(
    account: Address,
    new: &Passkey,
    (guardian, key): (Address, &PrivateKeySigner),
    round: u64,
    deadline: u64,
) -> RecoveryApproval {
    let (qx, qy) = new.public();
    let said = account::Approval { qx, qy, guardian, round: U256::from(round), deadline: U256::from(deadline) };
    let signature = eip712::sign(key, &said, &account::domain(31_337, account)).unwrap();
    let (guardians, threshold, delay) = (vec![guardian], 1, DELAY);
    RecoveryApproval { account, qx, qy, guardian, round, deadline, guardians, threshold, delay, signature }
}

async fn approve(rig: &Rig, approval: RecoveryApproval) -> Result<Mined, Problem> {
    rig.client().post(gateway::APPROVE_RECOVERY, &approval).await.map_err(Problem::from)
}

#[tokio::test]
async fn a_lost_passkey_is_replaced_by_a_guardian_after_the_delay_unless_it_vetoes() {
    let rig = Rig::new().await;
    let guardian = PrivateKeySigner::random();
    let ada = guarded(&rig, "ada", &guardian).await;

    let new = Person { passkey: Passkey::named("ada's new phone"), account: ada.account };
    let view = async || rig.client().get(gateway::ACCOUNT.at(ada.account)).await.unwrap();
    let says = |round, deadline, key: &PrivateKeySigner| {
        approval(ada.account, &new.passkey, (guardian.address(), key), round, deadline)
    };
    let execute = async || {
        let request = RecoveryRequest { account: ada.account };
        rig.client().post(gateway::EXECUTE_RECOVERY, &request).await.map_err(Problem::from)
    };
    assert_eq!(view().await.recovery, None);
    refused(execute().await, ProblemCode::ChainRefused, "MemberAccount_NoRecovery");
    let (round, later) = (view().await.recovery_round, rig.now().await + 3_600);
    let forged = says(round, later, &PrivateKeySigner::random());
    refused(approve(&rig, forged).await, ProblemCode::ChainRefused, "MemberAccount_BadSignature");
    approve(&rig, says(round, later, &guardian)).await.unwrap();
    let (qx, qy) = new.passkey.public();
    assert_eq!(view().await.passkey, PasskeyPoint { qx: ada.asks().qx, qy: ada.asks().qy }, "the old one speaks still");
    let coming = view().await.recovery.unwrap();
    assert_eq!((coming.qx, coming.qy), (qx, qy));
    assert!(coming.ready_at > rig.now().await + 250_000);
    refused(execute().await, ProblemCode::ChainRefused, "MemberAccount_TooEarly");

    // Who still has the old one ends it, and what was approved before is void.
    ada.does(&rig, &[(Address::ZERO, MemberAccount::vetoCall {}.abi_encode())]).await.unwrap();
    assert_eq!(view().await.recovery, None);
    refused(approve(&rig, says(round, later, &guardian)).await, ProblemCode::ChainRefused, "MemberAccount_BadRound");

    approve(&rig, says(view().await.recovery_round, later, &guardian)).await.unwrap();
    rig.coop.local.time_to(rig.now().await + 259_201, 0).await.unwrap();
    execute().await.unwrap();
    assert_eq!(view().await.recovery, None);
    assert_eq!(view().await.passkey, PasskeyPoint { qx, qy });
    let call = [(Address::ZERO, MemberAccount::vetoCall {}.abi_encode())];
    refused(ada.does(&rig, &call).await, ProblemCode::ChainRefused, "BadSignature");
    new.does(&rig, &call).await.unwrap();

    let nobodys = RecoveryRequest { account: rig.coop.manifest.addresses.treasury };
    let refusal = rig.client().post(gateway::EXECUTE_RECOVERY, &nobodys).await.map_err(Problem::from);
    refused(refusal, ProblemCode::NotFound, "no passkey account");
}

/// A thief with the recovery code must not be able to have the owner's veto refused, nor to spend what the owner has.
#[tokio::test]
async fn who_has_a_guardians_key_holds_up_no_veto_and_is_paid_for_a_few_times_a_day() {
    let mut rig = Rig::without_gateway(crate::rig::deploy().await).await;
    // Joining and the account use up the day's gas of a member, and those of all.
    rig.gas.per_member_per_day = 1;
    rig.start().await;
    let guardian = PrivateKeySigner::random();
    let ada = guarded(&rig, "ada", &guardian).await;
    let token = rig.coop.manifest.addresses.gov_token;
    refused(ada.does(&rig, &[(token, lock(GOV))]).await, ProblemCode::TooManyRequests, "in the last day");
    let thief = Passkey::named("thief");
    let mut taken = 0;
    loop {
        let round = rig.client().get(gateway::ACCOUNT.at(ada.account)).await.unwrap().recovery_round;
        let word = approval(ada.account, &thief, (guardian.address(), &guardian), round, rig.now().await + 3_600);
        match approve(&rig, word).await {
            Ok(_) => taken += 1,
            Err(problem) => {
                assert_eq!(problem.code, ProblemCode::TooManyRequests, "{problem}");
                break;
            }
        }
    }
    assert_eq!(taken, 6);
    ada.does(&rig, &[(Address::ZERO, MemberAccount::vetoCall {}.abi_encode())]).await.unwrap();
    assert_eq!(rig.client().get(gateway::ACCOUNT.at(ada.account)).await.unwrap().recovery, None);
}
