//! Passkey accounts: created for members, and acted for by what their passkey signed.
//!
//! The relayer pays, so it decides what for: accounts of our own factory's code, of members, calling what a member needs.
//! Everything else the account can still do when somebody else sends it.

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
    ConsentRegistry, ContributionRegistry, CoopGovernor, Disputes, GovToken, MemberAccount, MemberAccountFactory,
    Membership, SettlementLedger,
};
use rochdale_chain::deploy::{Addresses, account_factory};
use rochdale_core::ids::MemberId;

use super::{NEWCOMER, Relayer};
use crate::problems;

/// Calls in one batch.
const MAX_CALLS: usize = 8;
/// Bytes of all calls of a batch, and of a signature.
const MAX_BYTES: usize = 16 << 10;

/// What an account may be relayed to call: contract, its name, selectors.
fn allowed(a: &Addresses, account: Address) -> [(Address, &'static str, Vec<[u8; 4]>); 9] {
    let votes = || vec![CoopGovernor::castVoteCall::SELECTOR, CoopGovernor::castVoteWithReasonCall::SELECTOR];
    let own = vec![
        MemberAccount::setPasskeyCall::SELECTOR,
        MemberAccount::setRecoveryCall::SELECTOR,
        MemberAccount::vetoCall::SELECTOR,
    ];
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
    [
        (account, "the account itself", own),
        (a.membership, "Membership", vec![Membership::leaveCall::SELECTOR, Membership::setPayoutCall::SELECTOR]),
        (a.consent_registry, "ConsentRegistry", consent),
        (a.contribution_registry, "ContributionRegistry", vec![ContributionRegistry::recordCall::SELECTOR]),
        (a.settlement_ledger, "SettlementLedger", ledger),
        (a.disputes, "Disputes", vec![Disputes::demandCall::SELECTOR]),
        (a.member_governor, "the member house", votes()),
        (a.token_governor, "the token house", votes()),
        (a.gov_token, "GovToken", gov),
    ]
}

/// Refuses what the relayer does not pay for, before the chain is asked anything.
fn check(addresses: &Addresses, request: &ExecuteRequest) -> Result<(), Problem> {
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
    for (place, AccountCall { target, data }) in request.calls.iter().enumerate() {
        let target = if target.is_zero() { request.account } else { *target };
        let Some((_, name, selectors)) = table.iter().find(|(contract, ..)| *contract == target) else {
            let detail = format!("calls[{place}].target: the relayer does not pay for calls of {target}");
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(ELSEWHERE));
        };
        let selector = data.first_chunk::<4>().copied();
        if !selector.is_some_and(|selector| selectors.contains(&selector)) {
            let shown = selector.map_or_else(|| "no function".to_owned(), alloy::primitives::hex::encode_prefixed);
            let detail = format!("calls[{place}].data: the relayer does not pay for {shown} of {name}");
            return Err(Problem::new(ProblemCode::Forbidden, detail).hint(ELSEWHERE));
        }
    }
    Ok(())
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

/// Whether a batch does nothing but end a recovery. The account's nonce lets it take effect once, by its passkey's word.
fn is_veto(request: &ExecuteRequest) -> bool {
    let is = |call: &AccountCall| {
        let own = call.target.is_zero() || call.target == request.account;
        own && call.data.as_ref() == MemberAccount::vetoCall::SELECTOR
    };
    request.calls.iter().all(is)
}

/// What can be done about a call that is not relayed.
const ELSEWHERE: &str = "what is relayed stands in docs/how-to/accounts.md; any other account can send executeSigned";

impl Relayer {
    /// Creates the account of a passkey that joined; an account that is there already costs nothing.
    ///
    /// # Errors
    /// A problem where nobody joined with that account, the contract refuses, or the chain fails.
    pub async fn create_account(&self, request: &AccountRequest) -> Result<AccountCreated, Problem> {
        let recovery =
            Recovery { guardians: request.guardians.clone(), threshold: request.threshold, delay: request.delay };
        let (_, factory) = account_factory();
        let (qx, qy) = (request.qx, request.qy);
        let at = MemberAccountFactory::accountAtCall { qx, qy, recovery: recovery.clone() };
        let account = self.chain().view(factory, &at).await.map_err(|e| problems::chain(&e))?;
        // One for each member: whoever may join anyway cannot have more created than that.
        let Some(member) = self.member_of(account).await? else {
            let detail = format!("nobody joined with {account}, the account of this passkey and these guardians");
            return Err(Problem::new(ProblemCode::Forbidden, detail)
                .hint("join with this address first: an account can be admitted before it exists"));
        };
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
    /// A problem where it is no member's account, the calls are not among those that are relayed, the account or a
    /// contract refuses, or the chain fails.
    pub async fn execute(&self, request: &ExecuteRequest) -> Result<Mined, Problem> {
        let account = request.account;
        check(&self.manifest.addresses, request)?;
        let member = self.expect_account(account).await?;
        // A veto waits for nothing that others can fill: a thief who has a guardian's key would.
        let turn = match is_veto(request) {
            true => self.limiter.unlimited(&format!("veto {account}")).await,
            false => self.limiter.turn(&format!("account {account}")).await?,
        };
        if !is_veto(request) && !is_denial(&self.manifest.addresses, request) {
            self.may_spend(member).await?;
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
        let done =
            self.errand("execute", &vec![member; calls.len()], account, &call).await.map_err(|e| problems::send(&e))?;
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
        self.expect_account(account).await?;
        // Neither the member's turn nor its gas of the day: whoever has a guardian's key would use them up.
        let turn = self.limiter.turn(&format!("recovery {account}")).await?;
        self.may_spend(NEWCOMER).await?;
        let done = self.errand(kind, &[NEWCOMER], account, call).await.map_err(|e| problems::send(&e))?;
        turn.spend();
        Ok(done.mined)
    }

    /// The member with this account, which is one of our factory's.
    async fn expect_account(&self, account: Address) -> Result<MemberId, Problem> {
        // The account's code runs at our expense: it has to be the one that we know.
        if !self.is_account(account).await? {
            return Err(no_account(account));
        }
        self.member_of(account).await?.ok_or_else(|| {
            let detail = format!("nobody joined with account {account}: the relayer pays for members");
            Problem::new(ProblemCode::Forbidden, detail)
        })
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

fn no_account(account: Address) -> Problem {
    Problem::new(ProblemCode::NotFound, format!("there is no passkey account at {account}"))
        .hint(format!("POST {} creates it once its member has joined", gateway::CREATE_ACCOUNT.path))
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
        let code = |request: &ExecuteRequest| check(&a, request).map_err(|problem| problem.code);
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

    #[test]
    fn a_veto_is_a_veto_alone() {
        let own = Address::repeat_byte(0xcc);
        let mut asked = request(Address::ZERO, MemberAccount::vetoCall::SELECTOR.to_vec());
        assert!(is_veto(&asked) && is_veto(&request(own, MemberAccount::vetoCall::SELECTOR.to_vec())));
        assert!(!is_veto(&request(addresses().gov_token, MemberAccount::vetoCall::SELECTOR.to_vec())));
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
        many.calls[MAX_CALLS - 1].target = a.usdc;
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
