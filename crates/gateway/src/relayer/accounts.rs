//! Passkey accounts: created for members and researchers, and acted for by what their passkey signed.
//!
//! The relayer pays, so it decides what for: accounts of our own factory's code, of members calling what a member needs, and of researchers
//! whom the ethics board approves calling what a researcher needs. Everything else the account can still do when somebody else sends it.

use alloy::primitives::{Address, U256};
use alloy::providers::Provider as _;
use alloy::sol_types::SolCall;
use rochdale_api::account::{
    AccountCall, AccountCreated, AccountRequest, AccountView, ExecuteRequest, PasskeyPoint, Recovering,
    RecoveryApproval, RecoveryRequest,
};
use rochdale_api::member::Mined;
use rochdale_api::route::gateway;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::account::{BATCH, Call, Recovery, execution_data, is_account};
use rochdale_chain::bindings::{
    AuctionHouse, ComputeDesk, ConsentRegistry, ContributionRegistry, CoopGovernor, DataToken, Disputes, GovToken,
    Market, MemberAccount, MemberAccountFactory, Membership, ResearcherBond, ServiceDesk, SettlementLedger,
};
use rochdale_chain::client::SendError;
use rochdale_chain::deploy::{Addresses, account_factory};
use rochdale_core::ids::MemberId;

use super::{NEWCOMER, Relayer};
use crate::problems;

/// Calls in one batch.
const MAX_CALLS: usize = 8;
/// Bytes of all calls of a batch, and of a signature.
const MAX_BYTES: usize = 16 << 10;
/// What a batch that a block refused counts of a researcher's gas: about the largest.
const REVERTED: u64 = 1_000_000;

/// As whom an account is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    /// Either.
    Either,
    /// Who joined.
    Member,
    /// Whom the ethics board approves for some purpose.
    Researcher,
}

/// What a contract may be called for.
struct Paid {
    by: As,
    contract: Address,
    name: &'static str,
    functions: Vec<[u8; 4]>,
    /// Of a token: for whom an allowance may be. Of others nobody: they have none.
    spenders: Vec<Address>,
}

impl Paid {
    /// Whether a call's data is one of these functions, and an allowance one for whom it may be.
    fn covers(&self, data: &[u8]) -> bool {
        let Some(selector) = data.first_chunk::<4>() else { return false };
        let allows = |data| {
            let allowance = DataToken::approveCall::abi_decode(data);
            allowance.is_ok_and(|allowance| self.spenders.contains(&allowance.spender))
        };
        self.functions.contains(selector) || (*selector == DataToken::approveCall::SELECTOR && allows(data))
    }
}

/// What an account may be relayed to call.
fn allowed(a: &Addresses, account: Address) -> Vec<Paid> {
    let own = vec![
        MemberAccount::setPasskeyCall::SELECTOR,
        MemberAccount::setRecoveryCall::SELECTOR,
        MemberAccount::vetoCall::SELECTOR,
    ];
    let own =
        Paid { by: As::Either, contract: account, name: "the account itself", functions: own, spenders: Vec::new() };
    std::iter::once(own).chain(of_members(a)).chain(of_researchers(a)).collect()
}

/// What members need.
fn of_members(a: &Addresses) -> Vec<Paid> {
    let calls = |contract, name, functions| Paid { by: As::Member, contract, name, functions, spenders: Vec::new() };
    let votes = || vec![CoopGovernor::castVoteCall::SELECTOR, CoopGovernor::castVoteWithReasonCall::SELECTOR];
    let consent = vec![
        ConsentRegistry::grantCall::SELECTOR,
        ConsentRegistry::revokeCall::SELECTOR,
        ConsentRegistry::eraseCall::SELECTOR,
    ];
    let ledger = vec![SettlementLedger::claimCall::SELECTOR, SettlementLedger::claimManyCall::SELECTOR];
    let gov = vec![
        GovToken::delegateCall::SELECTOR,
        GovToken::lockCall::SELECTOR,
        GovToken::unlockCall::SELECTOR,
        GovToken::pokeCall::SELECTOR,
        GovToken::syncCall::SELECTOR,
    ];
    let membership = vec![Membership::leaveCall::SELECTOR, Membership::setPayoutCall::SELECTOR];
    vec![
        calls(a.membership, "Membership", membership),
        calls(a.consent_registry, "ConsentRegistry", consent),
        calls(a.contribution_registry, "ContributionRegistry", vec![ContributionRegistry::recordCall::SELECTOR]),
        calls(a.settlement_ledger, "SettlementLedger", ledger),
        calls(a.disputes, "Disputes", vec![Disputes::demandCall::SELECTOR]),
        calls(a.member_governor, "the member house", votes()),
        calls(a.token_governor, "the token house", votes()),
        calls(a.gov_token, "GovToken", gov),
        calls(a.service_desk, "ServiceDesk", vec![ServiceDesk::orderCall::SELECTOR]),
        Paid { spenders: vec![a.service_desk], ..calls(a.data_token, "DataToken", Vec::new()) },
    ]
}

/// What researchers need.
fn of_researchers(a: &Addresses) -> Vec<Paid> {
    let calls =
        |contract, name, functions| Paid { by: As::Researcher, contract, name, functions, spenders: Vec::new() };
    let auctions = vec![
        AuctionHouse::openCall::SELECTOR,
        AuctionHouse::commitCall::SELECTOR,
        AuctionHouse::revealCall::SELECTOR,
        AuctionHouse::closeCall::SELECTOR,
        AuctionHouse::withdrawCall::SELECTOR,
    ];
    let jobs =
        vec![ComputeDesk::openCall::SELECTOR, ComputeDesk::refundCall::SELECTOR, ComputeDesk::withdrawCall::SELECTOR];
    let bond = vec![
        ResearcherBond::postCall::SELECTOR,
        ResearcherBond::requestUnbondCall::SELECTOR,
        ResearcherBond::withdrawCall::SELECTOR,
    ];
    let spenders = vec![a.market, a.auction_house, a.compute_desk, a.researcher_bond];
    vec![
        Paid { spenders, ..calls(a.usdc, "USDC", Vec::new()) },
        calls(a.market, "Market", vec![Market::buyCall::SELECTOR, Market::renewCall::SELECTOR]),
        calls(a.auction_house, "AuctionHouse", auctions),
        calls(a.compute_desk, "ComputeDesk", jobs),
        calls(a.researcher_bond, "ResearcherBond", bond),
    ]
}

/// As whom a batch is paid for: as each that one of its calls names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Needs {
    member: bool,
    researcher: bool,
}

impl Needs {
    fn with(self, by: As) -> Self {
        Self { member: self.member || by == As::Member, researcher: self.researcher || by == As::Researcher }
    }
}

/// Refuses what the relayer does not pay for, before the chain is asked anything. Gives as whom the account is to be paid for.
fn check(addresses: &Addresses, request: &ExecuteRequest) -> Result<Needs, Problem> {
    let bytes: usize = request.calls.iter().map(|call| call.data.len()).sum();
    if request.calls.is_empty() || request.calls.len() > MAX_CALLS {
        let detail = format!("calls: {} are given, 1 to {MAX_CALLS} can be relayed at once", request.calls.len());
        return Err(Problem::new(ProblemCode::BadRequest, detail));
    }
    if bytes > MAX_BYTES || request.signature.len() > MAX_BYTES {
        let detail = format!("calls and signature may have {MAX_BYTES} bytes each");
        return Err(Problem::new(ProblemCode::TooLarge, detail));
    }
    let table = allowed(addresses, request.account);
    let mut needs = Needs::default();
    for (place, AccountCall { target, data }) in request.calls.iter().enumerate() {
        let target = if target.is_zero() { request.account } else { *target };
        let Some(paid) = table.iter().find(|paid| paid.contract == target) else {
            let detail = format!("calls[{place}].target: the relayer does not pay for calls of {target}");
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(ELSEWHERE));
        };
        if !paid.covers(data) {
            let shown = data.first_chunk::<4>();
            let shown = shown.map_or_else(|| "no function".to_owned(), alloy::primitives::hex::encode_prefixed);
            let whose = if paid.spenders.is_empty() { "" } else { ", but for an allowance to the cooperative's desks" };
            let detail = format!("calls[{place}].data: the relayer does not pay for {shown} of {}{whose}", paid.name);
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(ELSEWHERE));
        }
        needs = needs.with(paid.by);
    }
    Ok(needs)
}

/// Whether a batch does nothing but take back: consent, everything, or the membership. That always goes through.
fn is_denial(a: &Addresses, request: &ExecuteRequest) -> bool {
    let denies = |call: &AccountCall| {
        let selector = call.data.first_chunk::<4>().copied();
        let denials = [
            (a.consent_registry, ConsentRegistry::revokeCall::SELECTOR),
            (a.consent_registry, ConsentRegistry::eraseCall::SELECTOR),
            (a.membership, Membership::leaveCall::SELECTOR),
        ];
        denials.iter().any(|(target, denial)| call.target == *target && selector == Some(*denial))
    };
    request.calls.iter().all(denies)
}

/// Whether a batch is one veto and nothing else. The account's nonce lets it take effect once, by its passkey's word.
fn is_veto(request: &ExecuteRequest) -> bool {
    let [call] = &request.calls[..] else { return false };
    let own = call.target.is_zero() || call.target == request.account;
    own && call.data.as_ref() == MemberAccount::vetoCall::SELECTOR
}

/// What can be done about a call that is not relayed.
const ELSEWHERE: &str = "what is relayed stands in docs/how-to/accounts.md; any other account can send executeSigned";

impl Relayer {
    /// Creates the account of a passkey that joined, or that the ethics board approves; an account that is there already costs nothing.
    ///
    /// # Errors
    /// A problem where that account is neither a member's nor a researcher's, the contract refuses, or the chain fails.
    pub async fn create_account(&self, request: &AccountRequest) -> Result<AccountCreated, Problem> {
        let recovery =
            Recovery { guardians: request.guardians.clone(), threshold: request.threshold, delay: request.delay };
        let (_, factory) = account_factory();
        let (qx, qy) = (request.qx, request.qy);
        let at = MemberAccountFactory::accountAtCall { qx, qy, recovery: recovery.clone() };
        let account = self.chain().view(factory, &at).await.map_err(|e| problems::chain(&e))?;
        // One for each member and each approved address: whoever may join anyway cannot have more created than that.
        let member = self.member_of(account).await?;
        if member.is_none() && !self.is_researcher(account).await? {
            let detail = format!(
                "nobody joined with {account}, the account of this passkey and these guardians, and the ethics board approves it for nothing"
            );
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(
                "join with this address first, or have the ethics board approve it: either can be done before the account exists",
            ));
        }
        let member = member.unwrap_or(NEWCOMER);
        let turn = self.limiter.turn(&format!("account {account}")).await?;
        if self.is_account(account).await? {
            return Ok(AccountCreated { account, mined: None });
        }
        self.may_spend(member).await?;
        let call = MemberAccountFactory::createCall { qx, qy, recovery };
        let done = self.errand("create_account", &[member], factory, &call).await.map_err(|e| problems::send(&e))?;
        turn.spend();
        Ok(AccountCreated { account, mined: Some(done.mined) })
    }

    /// Makes calls that an account's passkey signed.
    ///
    /// # Errors
    /// A problem where it is nobody's account whom the relayer pays for, the calls are not among those that are relayed, the account or
    /// a contract refuses, or the chain fails.
    pub async fn execute(&self, request: &ExecuteRequest) -> Result<Mined, Problem> {
        let account = request.account;
        let needs = check(&self.manifest.addresses, request)?;
        let payer = self.expect_account(account, needs).await?;
        // A veto waits for nothing that others can fill: a thief who has a guardian's key would. One of nothing is a batch like any.
        let vetoes = is_veto(request) && self.is_recovering(account).await?;
        let turn = match vetoes {
            true => self.limiter.unlimited(&format!("veto {account}")).await,
            false => self.limiter.turn(&format!("account {account}")).await?,
        };
        if !vetoes && !is_denial(&self.manifest.addresses, request) {
            self.may_spend(payer.member()).await?;
            payer.check(self, account)?;
        }
        let call = |c: &AccountCall| Call { target: c.target, value: U256::ZERO, data: c.data.clone() };
        let calls: Vec<Call> = request.calls.iter().map(call).collect();
        let call = MemberAccount::executeSignedCall {
            mode: BATCH,
            executionData: execution_data(&calls),
            nonce_: U256::from(request.nonce),
            deadline: U256::from(request.deadline),
            signature: request.signature.clone(),
        };
        let sent = self.errand("execute", &vec![payer.member(); calls.len()], account, &call).await;
        match &sent {
            Ok(done) => payer.spend(self, account, done.mined.gas_used),
            Err(SendError::Reverted { .. }) => payer.spend(self, account, REVERTED),
            Err(_) => {}
        }
        let done = sent.map_err(|e| problems::send(&e))?;
        turn.spend();
        Ok(done.mined)
    }

    /// Brings a guardian's yes to another passkey on chain.
    ///
    /// # Errors
    /// A problem where it is no member's account, the account refuses, or the chain fails.
    pub async fn approve_recovery(&self, request: &RecoveryApproval) -> Result<Mined, Problem> {
        let RecoveryApproval { account, qx, qy, guardian, round, deadline, .. } = *request;
        let (round, deadline) = (U256::from(round), U256::from(deadline));
        let call = MemberAccount::approveRecoveryCall {
            a: MemberAccount::Approval { qx, qy, guardian, round, deadline },
            recovery: MemberAccount::Recovery {
                guardians: request.guardians.clone(),
                threshold: request.threshold,
                delay: request.delay,
            },
            signature: request.signature.clone(),
        };
        let name = format!("approvals of another passkey for {account}");
        self.approvals.check(&name)?;
        let mined = self.recovers(account, "approve_recovery", &call).await?;
        self.approvals.spend(&name);
        Ok(mined)
    }

    /// Puts a passkey in place whose delay is over.
    ///
    /// # Errors
    /// As [`Self::approve_recovery`].
    pub async fn execute_recovery(&self, request: &RecoveryRequest) -> Result<Mined, Problem> {
        self.recovers(request.account, "execute_recovery", &MemberAccount::executeRecoveryCall {}).await
    }

    async fn recovers(&self, account: Address, kind: &'static str, call: &impl SolCall) -> Result<Mined, Problem> {
        self.expect_account(account, Needs::default()).await?;
        // Neither the member's turn nor its gas of the day: whoever has a guardian's key would use them up.
        let turn = self.limiter.turn(&format!("recovery {account}")).await?;
        self.may_spend(NEWCOMER).await?;
        let done = self.errand(kind, &[NEWCOMER], account, call).await.map_err(|e| problems::send(&e))?;
        turn.spend();
        Ok(done.mined)
    }

    /// Whose account this is, which is one of our factory's.
    async fn expect_account(&self, account: Address, needs: Needs) -> Result<Payer, Problem> {
        // The account's code runs at our expense: it has to be the one that we know.
        if !self.is_account(account).await? {
            return Err(no_account(account));
        }
        let member = self.member_of(account).await?;
        if needs.member && member.is_none() {
            let detail = format!("nobody joined with account {account}: the relayer pays for members");
            return Err(Problem::new(ProblemCode::Forbidden, detail));
        }
        if (needs.researcher || member.is_none()) && !self.is_researcher(account).await? {
            let nobody = if member.is_none() { "nobody joined with it, and " } else { "" };
            let detail = format!(
                "{account}: {nobody}the ethics board approves it for no purpose, so that the relayer does not pay for it"
            );
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(
                "an approval that is over is given anew by the ethics board; any other account can send executeSigned",
            ));
        }
        Ok(member.map_or(Payer::Researcher, Payer::Member))
    }

    async fn is_recovering(&self, account: Address) -> Result<bool, Problem> {
        let pending = self.chain().view(account, &MemberAccount::pendingRecoveryCall {}).await;
        Ok(pending.map_err(|e| problems::chain(&e))?.readyAt != 0)
    }

    /// Whether an account is one of our factory's, of a member or of a researcher whom the ethics board approves.
    pub(crate) async fn is_paid_for(&self, account: Address) -> Result<bool, Problem> {
        Ok(self.is_account(account).await?
            && (self.member_of(account).await?.is_some() || self.is_researcher(account).await?))
    }

    /// Whether the ethics board approves an account for some purpose now.
    async fn is_researcher(&self, account: Address) -> Result<bool, Problem> {
        let now = self.index.fresh_head().await?.latest.timestamp;
        Ok(self.index.state().read(|state| state.is_researcher(account, now)))
    }

    /// An account with what it signs next.
    ///
    /// # Errors
    /// A problem where there is no such account or the chain fails.
    pub async fn account_view(&self, account: Address) -> Result<AccountView, Problem> {
        if !self.is_account(account).await? {
            return Err(no_account(account));
        }
        let member_id = self.member_of(account).await?;
        let chain = self.chain();
        let read = tokio::try_join!(
            chain.view(account, &MemberAccount::nonceCall {}),
            chain.view(account, &MemberAccount::recoveryRoundCall {}),
            chain.view(account, &MemberAccount::signerCall {}),
            chain.view(account, &MemberAccount::pendingRecoveryCall {}),
            chain.view(account, &MemberAccount::recoveryHashCall {}),
        );
        let (nonce, round, signer, pending, recovery_hash) = read.map_err(|e| problems::chain(&e))?;
        let recovery =
            (pending.readyAt != 0).then_some(Recovering { qx: pending.qx, qy: pending.qy, ready_at: pending.readyAt });
        let (nonce, recovery_round) = (nonce.saturating_to(), round.saturating_to());
        let passkey = PasskeyPoint { qx: signer.qx, qy: signer.qy };
        Ok(AccountView { account, member_id, passkey, nonce, recovery_round, recovery, recovery_hash })
    }

    /// Whether there is an account of our factory's code at an address.
    async fn is_account(&self, account: Address) -> Result<bool, Problem> {
        let code = self.chain().provider().get_code_at(account).await;
        let failed = |e| problems::chain(&crate::receipts::failed(self.chain(), "eth_getCode", &e));
        Ok(is_account(&code.map_err(failed)?))
    }

    /// The member, active or not, who joined with an account: who left is still paid and may still erase.
    async fn member_of(&self, account: Address) -> Result<Option<MemberId>, Problem> {
        let call = Membership::memberIdOfCall { account };
        let id = self.chain().view(self.manifest.addresses.membership, &call).await;
        let id = id.map_err(|e| problems::chain(&e))?;
        Ok((id != 0).then_some(MemberId(id)))
    }
}

/// For whom the cooperative pays.
#[derive(Clone, Copy, Debug)]
enum Payer {
    Member(MemberId),
    Researcher,
}

impl Payer {
    /// Whose errand it is.
    fn member(self) -> MemberId {
        match self {
            Self::Member(member) => member,
            Self::Researcher => NEWCOMER,
        }
    }

    /// Whether a researcher's gas of the day is not used up: what a member may spend the store knows.
    fn check(self, relayer: &Relayer, account: Address) -> Result<(), Problem> {
        match self {
            Self::Member(_) => Ok(()),
            Self::Researcher => relayer.researchers.check(&format!("researcher {account}")),
        }
    }

    fn spend(self, relayer: &Relayer, account: Address, gas: u64) {
        if let Self::Researcher = self {
            relayer.researchers.add(&format!("researcher {account}"), gas);
        }
    }
}

fn no_account(account: Address) -> Problem {
    Problem::new(ProblemCode::NotFound, format!("there is no passkey account at {account}")).hint(format!(
        "POST {} creates it once its member has joined, or the ethics board approves it",
        gateway::CREATE_ACCOUNT.path
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Bytes;

    fn addresses() -> Addresses {
        let parts: Vec<Address> = (1..=40).map(Address::repeat_byte).collect();
        Addresses::new(Address::repeat_byte(0xaa), Address::repeat_byte(0xbb), &parts)
    }

    fn request(target: Address, data: Vec<u8>) -> ExecuteRequest {
        let calls = vec![AccountCall { target, data: data.into() }];
        ExecuteRequest { account: Address::repeat_byte(0xcc), calls, nonce: 0, deadline: 0, signature: Bytes::new() }
    }

    #[test]
    fn only_what_a_member_needs_is_paid_for() {
        let a = addresses();
        let code = |request: &ExecuteRequest| check(&a, request).map(|_| ()).map_err(|problem| problem.code);
        let lock = GovToken::lockCall::SELECTOR.to_vec();
        assert_eq!(code(&request(a.gov_token, lock.clone())), Ok(()));
        assert_eq!(code(&request(Address::ZERO, MemberAccount::vetoCall::SELECTOR.to_vec())), Ok(()));
        // The right function of another contract, another function of the right contract, no function at all.
        assert_eq!(code(&request(a.membership, lock)), Err(ProblemCode::Forbidden));
        assert_eq!(code(&request(a.gov_token, GovToken::transferCall::SELECTOR.to_vec())), Err(ProblemCode::Forbidden));
        assert_eq!(code(&request(a.gov_token, vec![1, 2])), Err(ProblemCode::Forbidden));
        assert_eq!(code(&request(a.usdc, GovToken::transferCall::SELECTOR.to_vec())), Err(ProblemCode::Forbidden));
        let execute = MemberAccount::executeCall::SELECTOR.to_vec();
        assert_eq!(code(&request(Address::repeat_byte(0xcc), execute)), Err(ProblemCode::Forbidden));
    }

    fn allowance(spender: Address) -> Vec<u8> {
        DataToken::approveCall { spender, value: U256::MAX }.abi_encode()
    }

    #[test]
    fn an_allowance_is_paid_for_by_whom_it_is_for() {
        let a = addresses();
        let code = |target, data| check(&a, &request(target, data)).map_err(|problem| problem.code);
        let member = Needs { member: true, researcher: false };
        let researcher = Needs { member: false, researcher: true };
        assert_eq!(code(a.data_token, allowance(a.service_desk)), Ok(member));
        assert_eq!(code(a.service_desk, ServiceDesk::orderCall::SELECTOR.to_vec()), Ok(member));
        for desk in [a.market, a.auction_house, a.compute_desk, a.researcher_bond] {
            assert_eq!(code(a.usdc, allowance(desk)), Ok(researcher));
            assert_eq!(code(a.data_token, allowance(desk)), Err(ProblemCode::Forbidden));
        }
        for stranger in [Address::repeat_byte(0xee), Address::ZERO, a.usdc, a.service_desk] {
            assert_eq!(code(a.usdc, allowance(stranger)), Err(ProblemCode::Forbidden));
        }
        // An allowance without its arguments, of a contract that is no token, and other functions of a token.
        assert_eq!(code(a.usdc, allowance(a.market)[..35].to_vec()), Err(ProblemCode::Forbidden));
        assert_eq!(code(a.market, allowance(a.market)), Err(ProblemCode::Forbidden));
        for token in [a.usdc, a.data_token] {
            assert_eq!(code(token, DataToken::transferCall::SELECTOR.to_vec()), Err(ProblemCode::Forbidden));
            assert_eq!(code(token, DataToken::permitCall::SELECTOR.to_vec()), Err(ProblemCode::Forbidden));
        }
        assert_eq!(code(a.market, Market::buyWithDataCall::SELECTOR.to_vec()), Err(ProblemCode::Forbidden));
    }

    #[test]
    fn a_batch_needs_what_each_of_its_calls_needs() {
        let a = addresses();
        let mut batch = request(a.gov_token, GovToken::lockCall::SELECTOR.to_vec());
        let data = Market::buyCall::SELECTOR.to_vec().into();
        batch.calls.push(AccountCall { target: a.market, data });
        assert_eq!(check(&a, &batch).unwrap(), Needs { member: true, researcher: true });
        let own = request(Address::ZERO, MemberAccount::setPasskeyCall::SELECTOR.to_vec());
        assert_eq!(check(&a, &own).unwrap(), Needs::default());
    }

    #[test]
    fn a_veto_is_a_veto_alone() {
        let own = Address::repeat_byte(0xcc);
        let mut asked = request(Address::ZERO, MemberAccount::vetoCall::SELECTOR.to_vec());
        assert!(is_veto(&asked) && is_veto(&request(own, MemberAccount::vetoCall::SELECTOR.to_vec())));
        assert!(!is_veto(&request(addresses().gov_token, MemberAccount::vetoCall::SELECTOR.to_vec())));
        let twice = ExecuteRequest { calls: vec![asked.calls[0].clone(), asked.calls[0].clone()], ..asked.clone() };
        assert!(!is_veto(&twice));
        asked
            .calls
            .push(AccountCall { target: Address::ZERO, data: MemberAccount::setPasskeyCall::SELECTOR.to_vec().into() });
        assert!(!is_veto(&asked));
    }

    #[test]
    fn a_batch_that_takes_back_and_does_more_is_no_denial() {
        let a = addresses();
        let mut request = request(a.consent_registry, ConsentRegistry::revokeCall::SELECTOR.to_vec());
        assert!(is_denial(&a, &request));
        let data = ConsentRegistry::grantCall::SELECTOR.to_vec().into();
        request.calls.push(AccountCall { target: a.consent_registry, data });
        assert!(!is_denial(&a, &request));
        request.calls.remove(0);
        assert!(!is_denial(&a, &request));
    }

    #[test]
    fn a_batch_has_its_bounds_and_each_call_is_looked_at() {
        let a = addresses();
        let mut many = request(a.gov_token, GovToken::lockCall::SELECTOR.to_vec());
        many.calls = vec![many.calls[0].clone(); MAX_CALLS];
        check(&a, &many).unwrap();
        many.calls[MAX_CALLS - 1].target = a.treasury;
        assert!(check(&a, &many).unwrap_err().detail.starts_with("calls[7].target"));
        many.calls.push(many.calls[0].clone());
        assert_eq!(check(&a, &many).unwrap_err().code, ProblemCode::BadRequest);
        many.calls.clear();
        assert_eq!(check(&a, &many).unwrap_err().code, ProblemCode::BadRequest);
        let mut long = request(a.gov_token, GovToken::lockCall::SELECTOR.to_vec());
        long.signature = vec![0; MAX_BYTES + 1].into();
        assert_eq!(check(&a, &long).unwrap_err().code, ProblemCode::TooLarge);
    }
}
