//! The whole way of a record and of a cent by contract calls: the ledger's worked example on chain. It differs from
//! the page in epoch 3, where member 2 does not leave but erases everything.

use alloy::primitives::{B256, Bytes, U256};
use rochdale_chain::bindings::{self, Disputes, ISettlementLedger, PauseGuard, SettlementLedger, Treasury};
use rochdale_chain::client::{Receipt, SendError};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_chain::state::{ConsentStatus, Cooperative, FROZEN};
use rochdale_core::commit::Snapshot;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::ledger::{
    Amounts, ClaimRange, Claimed, Contribution, DEPTH, EpochInputs, Global, Grant, Header, Roots, Row, Score,
    ScoredRecord, Settled, Tree, amounts, claim_ranges, due, empty_root, input_blinder, inputs_tree, private_hash,
    row_tree, salt, step, usage,
};
use rochdale_core::order::Debit;
use rochdale_testkit::anvil::TestCoop;

const ONE: MemberId = MemberId(1);
const TWO: MemberId = MemberId(2);
const PURPOSE: Purpose = Purpose(42);

fn row_key(member: MemberId) -> [u8; 32] {
    [u8::try_from(member.0).unwrap(); 32]
}

fn score(quality: u16, uniqueness: u16, authenticity: u16, rarity: u16) -> Score {
    Score { quality, uniqueness, authenticity, rarity }
}

/// What a steward keeps between epochs.
struct Books<'a> {
    coop: &'a TestCoop,
    global: Global,
    rows: Vec<Row>,
    root: B256,
    scores: Vec<(ContributionId, Score)>,
    snapshots: Vec<Vec<ContributionId>>,
}

/// A settled epoch, ready to be claimed from.
struct Round {
    settled: Settled,
    tree: Tree,
    header: Header,
}

impl Books<'_> {
    fn new(coop: &TestCoop) -> Books<'_> {
        let root = empty_root(DEPTH);
        Books { coop, global: Global::default(), rows: Vec::new(), root, scores: Vec::new(), snapshots: Vec::new() }
    }

    /// Everything that the chain knows at the cut of an epoch, and the scores that it does not.
    fn inputs(&self, state: &Cooperative, since: Option<u64>, grants: Vec<Grant>) -> EpochInputs {
        let scored = |id: ContributionId| self.scores.iter().find(|(scored, _)| *scored == id).unwrap().1;
        let records: Vec<ScoredRecord> = state
            .contributions
            .values()
            .map(|c| ScoredRecord { id: c.id, member: c.member, score: scored(c.id), erased: c.erased })
            .collect();
        let used: Vec<&[ContributionId]> =
            state.debits_since(since).map(|debit| self.snapshots[debit.id as usize - 1].as_slice()).collect();
        let fresh = state.contributions_since(since);
        EpochInputs {
            members: u32::try_from(state.members.len()).unwrap(),
            active: state.active_members().collect(),
            contributions: fresh
                .iter()
                .map(|c| Contribution { member: c.member, id: c.id, score: scored(c.id) })
                .collect(),
            grants,
            usage: usage(&records, &used).unwrap().into_iter().collect(),
            revenue: state.revenue_since(since).unwrap(),
            erased: state.erased_since(since).collect(),
        }
    }

    /// Moves past the end of an epoch, replays the ledger from the chain and has two stewards sign the header.
    async fn settle(&mut self, epoch: Epoch, grants: Vec<Grant>) -> Round {
        let (manifest, schedule) = (&self.coop.manifest, self.coop.manifest.schedule());
        let end = schedule.end(epoch);
        self.coop.local.time_to(schedule.start(epoch, 0), 2).await.unwrap();
        let cut = self.coop.chain.cut_block(end).await.unwrap().unwrap();
        let events = self.coop.history().await.unwrap();
        let state = Cooperative::at_cut(&events, end);
        assert_eq!(state, Cooperative::at_block(&events, cut.number));
        let inputs = self.inputs(&state, manifest.since(epoch), grants);
        let params = &manifest.ledger;
        let settled = step(params, epoch, &self.global, &self.rows, &inputs).unwrap();
        let tree = row_tree(params, DEPTH, &settled.rows, &settled.inputs, |m| salt(&row_key(m), epoch)).unwrap();
        let blinded = inputs_tree(DEPTH, &settled.inputs, |m| input_blinder(&row_key(m), epoch)).unwrap();
        let roots =
            Roots { previous: self.root, rows: tree.root(), inputs: blinded.root(), sheet: B256::repeat_byte(5) };
        let header = Header::new(params, &settled, &roots, 0);
        (self.global, self.rows, self.root) = (settled.global.clone(), settled.rows.clone(), tree.root());
        Round { settled, tree, header }
    }

    async fn propose(&self, header: &Header, stewards: &[usize]) -> Result<Receipt, SendError> {
        let h = eip712::Header::from(header);
        let domain = self.coop.manifest.settlement_domain();
        let sigs = stewards.iter().map(|s| eip712::sign(&self.coop.stewards[*s], &h, &domain).unwrap()).collect();
        let call = SettlementLedger::proposeCall { h: h.into(), signatures: sigs };
        self.coop.relayer.send(self.coop.manifest.addresses.settlement_ledger, &call).await
    }

    /// Proposes with a quorum and waits out the objection window.
    async fn finish(&self, round: &Round) {
        self.propose(&round.header, &[0, 2]).await.unwrap();
        let now = self.coop.chain.now().await.unwrap();
        self.coop.local.time_to(now + u64::from(self.coop.manifest.settlement.window), 0).await.unwrap();
    }

    fn shown(&self, round: &Round, member: MemberId) -> Amounts {
        let index = member.0 as usize - 1;
        amounts(&self.coop.manifest.ledger, member, &round.settled.rows[index], round.settled.inputs[index].active)
            .unwrap()
    }

    fn claim(&self, round: &Round, member: MemberId) -> (ISettlementLedger::Claim, Vec<B256>) {
        let shown = self.shown(round, member);
        let row = &round.settled.rows[member.0 as usize - 1];
        let claim = bindings::claim(member, &shown, private_hash(row, salt(&row_key(member), round.header.epoch)));
        (claim, round.tree.proof(member).unwrap())
    }
}

/// Two members, three records, one license; what each test below continues from.
async fn two_epochs<'a>(books: &mut Books<'a>) -> Round {
    let coop = books.coop;
    let (one, two) = (coop.member_key(1), coop.member_key(2));
    for (key, id) in [(&one, ONE), (&two, TWO)] {
        assert_eq!(coop.join(key).await.unwrap(), id);
        coop.grant(key, id, 1).await.unwrap();
    }
    let records = [(&one, ONE, B256::repeat_byte(1)), (&two, TWO, B256::repeat_byte(2))];
    assert_eq!(coop.record(&records).await.unwrap(), [ContributionId(1), ContributionId(2)]);
    books.scores.push((ContributionId(1), score(8_000, 10_000, 10_000, 12_500)));
    books.scores.push((ContributionId(2), score(6_000, 9_000, 3_000, 10_000)));
    let first = books.settle(Epoch(1), Vec::new()).await;
    assert_eq!((first.settled.points.as_slice(), first.header.payout), ([10_000, 1_620].as_slice(), 0));
    assert_eq!(first.header.sum_early, U256::from(206));
    books.finish(&first).await;

    // Epoch 2: another record, a sale, and a query over the records of epoch 1.
    let third = coop.record(&[(&one, ONE, B256::repeat_byte(3))]).await.unwrap();
    assert_eq!(third, [ContributionId(3)]);
    books.scores.push((ContributionId(3), score(7_000, 10_000, 10_000, 12_500)));
    coop.approve_researcher(PURPOSE).await.unwrap();
    assert_eq!(coop.buy(DatasetId(1), 400, PURPOSE).await.unwrap(), LicenseId(1));
    anchor(books, vec![ContributionId(1), ContributionId(2)]).await;
    let grant = Grant { member: TWO, program: 1, points: 500 };
    let second = books.settle(Epoch(2), vec![grant]).await;
    assert_eq!(second.settled.points, [9_250, 500]);
    assert_eq!((second.header.payout, second.header.sharers), (5_769_230, 2));
    assert_eq!(second.header.sum_usage, U256::from(11_620));
    second
}

/// A query over a snapshot of these contributions: its debit booked, its receipt anchored.
async fn anchor(books: &mut Books<'_>, ids: Vec<ContributionId>) {
    let coop = books.coop;
    let cut = coop.chain.head().await.unwrap().finalized;
    let snapshot = Snapshot {
        chain_id: coop.manifest.chain_id,
        registry: coop.manifest.addresses.contribution_registry,
        dataset: DatasetId(1),
        purpose: PURPOSE,
        cut: cut.hash,
        ids: &ids,
    };
    let debit = Debit {
        license_id: LicenseId(1),
        order: B256::repeat_byte(books.snapshots.len() as u8 + 1),
        query_digest: B256::repeat_byte(9),
        snapshot: snapshot.blinded_digest(B256::repeat_byte(10)).unwrap(),
        purpose: PURPOSE,
        rho: 5_000_000,
        deadline: coop.chain.now().await.unwrap() + 3_600,
    };
    books.snapshots.push(ids);
    coop.book_and_anchor(&debit, B256::repeat_byte(8)).await.unwrap();
}

#[tokio::test]
async fn a_record_and_a_cent_find_their_way() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut books = Books::new(&coop);
    let second = two_epochs(&mut books).await;
    books.finish(&second).await;

    // Epoch 3: every record is used, then member 2 erases everything.
    let all = vec![ContributionId(1), ContributionId(3)];
    anchor(&mut books, all).await;
    coop.revoke(&coop.member_key(2), TWO).await.unwrap();
    coop.erase(&coop.member_key(2), TWO).await.unwrap();
    let third = books.settle(Epoch(3), Vec::new()).await;
    assert_eq!((third.header.payout, third.header.sharers), (5_325_444, 1));
    assert_eq!(third.header.sum_usage, U256::from(27_981));
    let shown = books.shown(&third, ONE);
    assert_eq!((shown.cash, shown.stream, shown.data), (4_000_000, 5_000_000, 7_000_000_000_000_000_000));
    books.finish(&third).await;

    claims_pay_what_the_ledger_says(&books, &third).await;
    conservation_holds(&books).await;
    state_tells_the_same_story(&books).await;
}

async fn claims_pay_what_the_ledger_says(books: &Books<'_>, round: &Round) {
    let (coop, ledger) = (books.coop, books.coop.manifest.addresses.settlement_ledger);
    let (schedule, length) = (coop.manifest.schedule(), coop.manifest.ledger.epoch_length);
    let (claim, proof) = books.claim(round, ONE);
    let forged = ISettlementLedger::Claim { cash: claim.cash + 1, ..claim.clone() };
    let refused = coop.relayer.send(ledger, &SettlementLedger::claimCall { c: forged, proof: proof.clone() }).await;
    assert_eq!(refused.unwrap_err().revert().unwrap().name(), "SettlementLedger_BadProof");

    // Singly, while the stream runs: what is due depends on the second of the block.
    let call = SettlementLedger::claimCall { c: claim, proof };
    let receipt = coop.relayer.send(ledger, &call).await.unwrap();
    let at = coop.chain.block(receipt.block_number.into()).await.unwrap().timestamp;
    let wanted = due(&books.shown(round, ONE), &Claimed::default(), at, schedule.end(Epoch(3)), length);
    let Event::Claimed { payout, cash, data, gov, .. } = coop.events(&receipt).unwrap()[0].event else { panic!() };
    assert_eq!((cash.0, data.0, gov.0), (wanted.cash, wanted.data, wanted.gov));
    assert!(wanted.cash > 4_000_000 && wanted.cash < 9_000_000, "{wanted:?}");
    assert_eq!(payout, coop.member_key(1).address());

    // In a batch, once it has run out; the one who erased everything is still paid, to the last wei.
    coop.local.time_to(schedule.end(Epoch(4)), 0).await.unwrap();
    let members = [ONE, TWO];
    let leaf = |member: MemberId| {
        let claim = members.contains(&member).then(|| books.claim(round, member).0)?;
        Some((books.shown(round, member), claim.privateHash))
    };
    let ranges = claim_ranges(&members, |id| !members.contains(&id), coop.manifest.tree_depth, 7);
    assert_eq!(ranges, [ClaimRange { first: 0, height: 2 }], "of ids 0 to 3, 0 and 3 have no member");
    let ranges = ranges.into_iter().map(|r| bindings::claim_range(r, leaf, &books.claim(round, ONE).1)).collect();
    let batch = SettlementLedger::claimManyCall { ranges };
    coop.relayer.send(ledger, &batch).await.unwrap();
    let again = coop.relayer.send(ledger, &call).await.unwrap_err();
    assert_eq!(again.revert().unwrap().name(), "SettlementLedger_NothingDue");
    let addresses = &coop.manifest.addresses;
    for member in [ONE, TWO] {
        let (shown, payout) = (books.shown(round, member), coop.member_key(member.0).address());
        assert_eq!(coop.balance(addresses.usdc, payout).await.unwrap(), shown.cash + shown.stream);
        assert_eq!(coop.balance(addresses.data_token, payout).await.unwrap(), shown.data);
        assert_eq!(coop.balance(addresses.gov_token, payout).await.unwrap(), shown.gov);
    }
}

async fn conservation_holds(books: &Books<'_>) {
    let (coop, global) = (books.coop, &books.global);
    let addresses = &coop.manifest.addresses;
    let buckets = coop.chain.view(addresses.treasury, &Treasury::bucketsCall {}).await.unwrap();
    let parts = [buckets.contributors, buckets.buyback, buckets.operations, buckets.compliance, buckets.reserve];
    assert_eq!(parts.into_iter().sum::<U256>(), U256::from(100_000_000), "the license's price");
    let ours = global.incoming + global.pool + global.totals.cash_allocated;
    assert_eq!(U256::from(ours), buckets.contributors);
    let claimed = coop.chain.view(addresses.settlement_ledger, &SettlementLedger::claimedTotalsCall {}).await.unwrap();
    let held = coop.balance(addresses.usdc, addresses.treasury).await.unwrap();
    assert_eq!(U256::from(held) + claimed.cash, U256::from(100_000_000));
    assert!(claimed.cash <= U256::from(global.totals.cash_allocated));
    assert!(claimed.data <= U256::from(global.totals.data_earned));
    assert!(global.totals.data_earned <= global.totals.data_awarded);
    assert!(claimed.gov <= U256::from(global.totals.gov_earned));
}

async fn state_tells_the_same_story(books: &Books<'_>) {
    let coop = books.coop;
    let state = Cooperative::fold(&coop.history().await.unwrap());
    let now = coop.chain.now().await.unwrap();
    assert_eq!(state.active_members().collect::<Vec<_>>(), [ONE]);
    assert_eq!(state.consents[&TWO].status, ConsentStatus::Erased);
    let every = (1..=4).map(ContributionId);
    assert_eq!(state.live_contributions(every, now), [ContributionId(1), ContributionId(3)]);
    assert!(state.contributions[&ContributionId(2)].erased);
    let license = &state.licenses[&LicenseId(1)];
    assert_eq!((license.holder, license.terms.records), (coop.researcher.address(), 400));
    assert!(state.approval(coop.researcher.address(), PURPOSE, now).is_some());
    assert!(state.approval(coop.researcher.address(), Purpose(1), now).is_none());
    assert_eq!(state.debits.values().filter(|debit| debit.receipt.is_some()).count(), 2);
    assert_eq!(state.steward_id(coop.stewards[2].address()), Some(StewardId(3)));
    assert_eq!(state.steward_id(coop.worker.address()), None);
    assert_eq!(state.gateway, Some(coop.relayer.address()));
    assert_eq!(state.final_proposal(now).unwrap().header.epoch, Epoch(3));
    assert_eq!(state.final_proposal(now).unwrap().header.root, books.root);
    let paid = state.claimed[&ONE];
    assert_eq!((paid.cash.0, paid.data.0), (9_000_000, 7_000_000_000_000_000_000));
}

#[tokio::test]
async fn a_proposal_needs_a_quorum_over_exactly_its_header() {
    let coop = TestCoop::deploy().await.unwrap();
    let mut books = Books::new(&coop);
    let second = two_epochs(&mut books).await;
    let name = |refused: Result<Receipt, SendError>| refused.unwrap_err().revert().unwrap().name().to_owned();
    assert_eq!(name(books.propose(&second.header, &[0]).await), "StewardCommittee_TooFewSignatures");
    assert_eq!(name(books.propose(&second.header, &[1, 0]).await), "StewardCommittee_NotAscending");
    let greedy = Header { cash_allocated: 75_000_001, ..second.header.clone() };
    assert_eq!(name(books.propose(&greedy, &[0, 1]).await), "SettlementLedger_CashExceedsBooked");
    let skipped = Header { epoch: Epoch(3), ..second.header.clone() };
    assert_eq!(name(books.propose(&skipped, &[0, 1]).await), "SettlementLedger_BadEpoch");
    let other = Header { params_hash: B256::repeat_byte(1), ..second.header.clone() };
    assert_eq!(name(books.propose(&other, &[0, 1]).await), "SettlementLedger_BadParams");
    let early = Header { attempt: 1, ..second.header.clone() };
    assert_eq!(name(books.propose(&early, &[0, 1]).await), "SettlementLedger_TooEarly");
    let receipt = books.propose(&second.header, &[0, 1, 2]).await.unwrap();
    let Event::Proposed { header, root, .. } = &coop.events(&receipt).unwrap()[0].event else { panic!() };
    assert_eq!((**header == second.header, *root), (true, second.tree.root()));
    assert_eq!(name(books.propose(&second.header, &[0, 1]).await), "SettlementLedger_Pending");
}

#[tokio::test]
async fn the_state_and_the_ledger_agree_when_a_proposal_is_final() {
    let coop = TestCoop::deploy().await.unwrap();
    coop.join(&coop.member_key(1)).await.unwrap();
    let mut books = Books::new(&coop);
    let first = books.settle(Epoch(1), Vec::new()).await;
    books.propose(&first.header, &[0, 1]).await.unwrap();
    let a = &coop.manifest.addresses;
    let (ledger, guard) = (a.settlement_ledger, a.pause_guard);
    let final_at = async || {
        let state = Cooperative::fold(&coop.history().await.unwrap());
        let pending = coop.chain.view(ledger, &SettlementLedger::pendingCall {}).await.unwrap();
        let frozen = pending.finalAt == (1 << 40) - 1;
        let folded = state.proposals[&Epoch(1)].final_at;
        assert_eq!(folded, if frozen { FROZEN } else { pending.finalAt });
        folded
    };
    let window = final_at().await;

    let guardian = coop.sender("guardian").await.unwrap();
    let pause = PauseGuard::pauseCall { targets: vec![ledger], duration: 3 * 86_400 };
    guardian.send(guard, &pause).await.unwrap();
    assert_eq!(final_at().await, window + 3 * 86_400);
    guardian.send(guard, &PauseGuard::unpauseCall { targets: vec![ledger] }).await.unwrap();
    assert_eq!(final_at().await, window + 3 * 86_400, "what a pause gave stays given");

    let member = coop.sender("member-1").await.unwrap();
    let r = eip712::Demand { memberId: 1, epoch: 1, attempt: 0, kind: 0, deadline: U256::ZERO };
    let now = coop.chain.now().await.unwrap();
    coop.local.time_to(final_at().await - 60, 0).await.unwrap();
    member.send(a.disputes, &Disputes::demandCall { r: r.into(), signature: Bytes::new() }).await.unwrap();
    let demanded = final_at().await;
    assert!(demanded > window + 3 * 86_400 && demanded > now + 36 * 3_600, "{demanded}");

    // The guardian's second pause would be due in a month; the ledger itself takes one at any time.
    let until = coop.chain.now().await.unwrap() + 86_400;
    let again = SettlementLedger::setPausedUntilCall { until };
    coop.local.act_as(guard, ledger, &again).await.unwrap();
    let longer = final_at().await;
    assert!(longer > demanded + 86_000, "{demanded} {longer}");
    let steward = coop.sender("steward-3").await.unwrap();
    steward.send(a.disputes, &Disputes::objectCall { epoch: 1, attempt: 0 }).await.unwrap();
    assert_eq!(final_at().await, FROZEN);
    let longest = SettlementLedger::setPausedUntilCall { until: until + 86_400 };
    coop.local.act_as(guard, ledger, &longest).await.unwrap();
    assert_eq!(final_at().await, FROZEN);
    let stands =
        Disputes::resolveObjectionCall { epoch: 1, attempt: 0, objector: coop.stewards[2].address(), upheld: false };
    coop.local.act_as(a.member_timelock, a.disputes, &stands).await.unwrap();
    let last = final_at().await;
    assert!(last >= coop.chain.now().await.unwrap() + 86_000, "a rejection leaves the full window: {last}");

    coop.local.time_to(last - 1, 0).await.unwrap();
    let is_final = async || {
        let now = coop.chain.now().await.unwrap();
        let known = Cooperative::fold(&coop.history().await.unwrap()).final_proposal(now).is_some();
        let epoch = coop.chain.view(ledger, &SettlementLedger::finalEpochCall {}).await.unwrap().epoch;
        assert_eq!(known, epoch == 1);
        known
    };
    assert!(!is_final().await);
    coop.local.mine(1).await.unwrap();
    assert!(is_final().await);
}

#[tokio::test]
async fn revoked_consent_stops_contributions_and_a_new_version_resumes_them() {
    let coop = TestCoop::deploy().await.unwrap();
    let key = coop.member_key(1);
    let id = coop.join(&key).await.unwrap();
    coop.grant(&key, id, 1).await.unwrap();
    coop.revoke(&key, id).await.unwrap();
    let refused = coop.record(&[(&key, id, B256::repeat_byte(1))]).await.unwrap_err();
    assert!(refused.to_string().contains("ContributionRegistry_Refused(0, "), "{refused}");
    let state = Cooperative::fold(&coop.history().await.unwrap());
    let now = coop.chain.now().await.unwrap();
    assert!(!state.consents_at(id, now));
    coop.grant(&key, id, 2).await.unwrap();
    let state = Cooperative::fold(&coop.history().await.unwrap());
    assert!(state.consents_at(id, now));
    assert_eq!(state.consents[&id].version, 2);
}

#[tokio::test]
async fn what_happened_up_to_genesis_is_settled_with_the_first_epoch() {
    let coop = TestCoop::deploy().await.unwrap();
    let key = coop.member_key(1);
    let id = coop.join(&key).await.unwrap();
    coop.grant(&key, id, 1).await.unwrap();
    coop.record(&[(&key, id, B256::repeat_byte(1))]).await.unwrap();
    let mut manifest = coop.manifest.clone();
    let state = Cooperative::fold(&coop.history().await.unwrap());
    let recorded = state.contributions[&ContributionId(1)].recorded.time;
    // Genesis on the block of the record, and a day after it: either way epoch 1 takes it, and no later one.
    for genesis in [recorded, recorded + 86_400] {
        manifest.genesis = genesis;
        assert_eq!(state.contributions_since(manifest.since(Epoch(1))).len(), 1);
        assert_eq!(state.contributions_since(manifest.since(Epoch(2))).len(), 0);
    }
}
