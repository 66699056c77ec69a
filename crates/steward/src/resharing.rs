//! Shares follow the committee (docs/adr/0020-shares-follow-the-committee.md): who holds an older share of a record deals it to the committee
//! in office, everybody takes over all deals and says which are good, and the set that most seats hold is the one that shares are
//! made of. No member is needed for it, nothing waits for a steward that is down, and old shares are used until a quorum holds new ones.
//!
//! Nothing here puts a secret together. What leaves is sealed twice: each part to its seat, and the answer to its asker.

mod choice;
mod deals;
pub(crate) mod progress;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use futures_util::future::join_all;
use rochdale_api::reshare::{
    HeldDeal, HeldWord, RESHARE_PAGE, RecordAsked, RecordDealt, ReshareAnswer, ReshareRequest,
};
use rochdale_api::route::steward;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::events::Seat;
use rochdale_chain::state::Contribution;
use rochdale_core::ids::{ContributionId, StewardId};

pub use choice::{Choice, choice};
use progress::{Lack, Progress, Round};

use deals::DEALS;

use crate::record::Held;
use crate::steward::{Mirror, Steward};

/// Between two rounds: at least, and at most where nothing moves. Who asks us with something new ends the longer pause, never the shortest one.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);
/// Words of one steward that are kept and told: its own, and one that contradicts it.
const WORDS: usize = 2;
/// Pages that are looked at before the other duties have their turn.
const PAGES: usize = 4;

/// The committee that is dealt to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its number, from 2: nobody deals to the first one but members.
    pub generation: u32,
    /// Shares that will open.
    pub quorum: u8,
    /// By seat.
    pub seats: Vec<Seat>,
    /// When it was seated, Unix seconds.
    pub seated: u64,
}

impl Target {
    /// The committee in office, once that is final.
    pub(crate) fn of(mirror: &Mirror) -> Option<Self> {
        let latest = &mirror.latest;
        let is_final = mirror.finalized().generation == latest.generation;
        (latest.generation > 1 && is_final).then(|| Self {
            generation: latest.generation,
            quorum: latest.quorum,
            seats: latest.seats.clone(),
            seated: latest.committees.last().map_or(0, |committee| committee.seated),
        })
    }

    /// Number of seats.
    pub(crate) fn size(&self) -> u8 {
        u8::try_from(self.seats.len()).unwrap_or(u8::MAX)
    }
}

/// A record on its way to the committee.
struct OnItsWay<'a> {
    contribution: &'a Contribution,
    held: Held,
    /// What everybody is asked.
    asked: RecordAsked,
    /// The words that we told everybody in this round.
    told: Said,
    /// Who answered that it knows these and no others.
    same: BTreeSet<Address>,
}

/// Who said what, whatever the signatures look like.
type Said = BTreeSet<(Address, Vec<HeldDeal>)>;

fn said(words: &[HeldWord]) -> Said {
    words.iter().map(|word| (word.steward, word.deals.clone())).collect()
}

impl Steward {
    /// Takes over what was dealt to this committee and puts it in force, as far as it goes.
    ///
    /// # Errors
    /// Where the store fails; whoever does not answer is asked again.
    pub async fn reshare_round(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let Some(target) = Target::of(mirror) else { return Ok(()) };
        let open = self.open_to_resharing(mirror, target.generation);
        if open.is_empty() || !self.is_time() {
            return Ok(());
        }
        let Round { from, mut moved, mut silent, mut lack } = self.take_round();
        let open = &open[open.partition_point(|contribution| contribution.id < from)..];
        let (now, later) = open.split_at(open.len().min(PAGES * RESHARE_PAGE));
        for page in now.chunks(RESHARE_PAGE) {
            moved |= self.reshare_page(mirror, &target, page, &mut lack, &mut silent).await?;
        }
        match later.first() {
            Some(next) => self.go_on(Round { from: next.id, moved, silent, lack }),
            None => self.note_progress(moved, lack),
        }
        Ok(())
    }

    /// Whether records still wait for shares of the committee in office: their rounds follow a clock of their own, not the chain's.
    pub(crate) fn is_resharing(&self, mirror: &Mirror) -> bool {
        Target::of(mirror).is_some_and(|target| !self.open_to_resharing(mirror, target.generation).is_empty())
    }

    /// The records that are not done, of a committee that is counted anew.
    fn open_to_resharing<'a>(&self, mirror: &'a Mirror, generation: u32) -> Vec<&'a Contribution> {
        let mut progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.generation != generation {
            *progress = Progress { generation, ..Progress::default() };
        }
        let all = mirror.latest.contributions.values();
        let open: Vec<&Contribution> = all.filter(|c| !c.erased && !progress.done.contains(&c.id)).collect();
        if open.is_empty() {
            progress.lack = Some(Lack::default());
            // Of what was erased meanwhile nothing is to be passed on.
            progress.told.clear();
        }
        open
    }

    fn is_time(&self) -> bool {
        let progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = if progress.told.is_empty() { progress.pause } else { PAUSE };
        // A round that goes on does not wait.
        progress.round.from > ContributionId(0) || progress.ended.is_none_or(|ended| ended.elapsed() >= pause)
    }

    /// The round that goes on, or a new one.
    fn take_round(&self) -> Round {
        let mut progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        let round = std::mem::take(&mut progress.round);
        if round.from == ContributionId(0) {
            let told = std::mem::take(&mut progress.told).len();
            if let Some(lack) = &mut progress.lack {
                lack.open += told;
            }
        }
        round
    }

    fn go_on(&self, round: Round) {
        self.resharing.lock().unwrap_or_else(PoisonError::into_inner).round = round;
    }

    fn note_progress(&self, moved: bool, lack: Lack) {
        let mut progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        progress.pause = if moved { PAUSE } else { (progress.pause * 2).clamp(PAUSE, LONGEST) };
        progress.ended = Some(Instant::now());
        progress.lack = Some(lack);
    }

    /// One page of records: deals our own shares, asks everybody for theirs but those who were silent in this round, and says what is good.
    /// `true` where something moved.
    async fn reshare_page(
        self: &Arc<Self>,
        mirror: &Mirror,
        target: &Target,
        page: &[&Contribution],
        lack: &mut Lack,
        silent: &mut BTreeSet<Address>,
    ) -> Result<bool, Problem> {
        let mut records = Vec::with_capacity(page.len());
        for contribution in page {
            match self.on_its_way(mirror, target, contribution).await {
                Ok(record) => records.extend(record),
                Err(problem) => lack.damaged(contribution.id, &problem),
            }
        }
        if records.is_empty() {
            return Ok(false);
        }
        let mut moved = self.ask_for_deals(mirror, target, &mut records, silent).await?;
        for record in &records {
            match self.say_and_settle(target, record, lack).await {
                Ok(came) => moved |= came,
                Err(problem) => lack.damaged(record.contribution.id, &problem),
            }
        }
        Ok(moved)
    }

    /// A record of which shares of this committee are still to come, with what is known of it. Our own share is dealt.
    async fn on_its_way<'a>(
        &self,
        mirror: &Mirror,
        target: &Target,
        contribution: &'a Contribution,
    ) -> Result<Option<OnItsWay<'a>>, Problem> {
        // What is not caught up yet comes with a later round.
        let Some(held) = self.record_of(contribution).await? else { return Ok(None) };
        if self.is_of(&held, target.generation).await? {
            self.done(contribution.id);
            return Ok(None);
        }
        if let Err(problem) = self.deal_own(mirror, target, &held).await {
            tracing::warn!(contribution = %contribution.id, %problem, "nothing is dealt of a record");
        }
        let rows = self.store.redealt(held.row.commitment, target.generation).await?;
        let words = self.store.held_words(held.row.commitment, target.generation).await?;
        let (told, have) = (said(&words), rows.iter().map(|row| row.digest).collect());
        let asked = RecordAsked { contribution_id: contribution.id, have, words };
        Ok(Some(OnItsWay { contribution, held, asked, told, same: BTreeSet::new() }))
    }

    /// Says what is good of a record, and puts it in force as far as it goes. `true` where something moved.
    async fn say_and_settle(&self, target: &Target, record: &OnItsWay<'_>, lack: &mut Lack) -> Result<bool, Problem> {
        let new = self.say_held(target, &record.held).await?;
        let (came, everybody) = self.settle_record(target, record, lack).await?;
        if everybody {
            self.done(record.contribution.id);
        }
        Ok(new || came)
    }

    /// Whether our share of a record was dealt to this committee by its member.
    async fn is_of(&self, held: &Held, generation: u32) -> Result<bool, Problem> {
        Ok(self.store.first_share(held.row.commitment).await?.is_some_and(|(of, _)| of >= generation))
    }

    fn done(&self, id: ContributionId) {
        let mut progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        if !progress.told.contains(&id) {
            progress.done.insert(id);
        }
    }

    /// Asks all at once, and takes what they have. `true` where something was new.
    async fn ask_for_deals(
        self: &Arc<Self>,
        mirror: &Mirror,
        target: &Target,
        records: &mut [OnItsWay<'_>],
        silent: &mut BTreeSet<Address>,
    ) -> Result<bool, Problem> {
        let asked = records.iter().map(|record| record.asked.clone()).collect();
        let request = &ReshareRequest { generation: target.generation, records: asked };
        let known = self.sources(mirror).into_iter().map(|(_, client)| (client.audience().unwrap_or_default(), client));
        let asking = known.filter(|(peer, _)| !silent.contains(peer)).map(|(peer, client)| async move {
            (peer, self.post_sealed(mirror, &client, steward::RESHARE, request).await)
        });
        let answers = join_all(asking.collect::<Vec<_>>()).await;
        let mut moved = false;
        for (peer, answer) in answers {
            let answers = match answer {
                Ok(answer) => answer.records,
                Err(problem) => {
                    tracing::debug!(%peer, %problem, "no deals");
                    silent.insert(peer);
                    continue;
                }
            };
            for (record, answer) in records.iter_mut().zip(answers) {
                match self.take_answer(mirror, target, record, peer, answer).await {
                    Ok(new) => moved |= new,
                    // Of that record it is heard no further in this round.
                    Err(problem) => tracing::warn!(%peer, %problem, "an answer was refused"),
                }
            }
        }
        Ok(moved)
    }

    async fn take_answer(
        &self,
        mirror: &Mirror,
        target: &Target,
        record: &mut OnItsWay<'_>,
        peer: Address,
        answer: RecordDealt,
    ) -> Result<bool, Problem> {
        let mut moved = false;
        if answer.deals.len() > DEALS {
            return Err(too_many("deals", answer.deals.len(), DEALS));
        }
        for deal in answer.deals {
            moved |= self.take_deal(mirror, target, &record.held, deal).await?;
        }
        moved |= self.take_words(target, &record.held, &answer.words).await?;
        if said(&answer.words) == record.told {
            record.same.insert(peer);
        }
        Ok(moved)
    }

    /// Takes words as far as the first that is none. `true` where one says something new.
    async fn take_words(&self, target: &Target, held: &Held, words: &[HeldWord]) -> Result<bool, Problem> {
        let most = WORDS * target.seats.len();
        if words.len() > most {
            return Err(too_many("words", words.len(), most));
        }
        let mut moved = false;
        for word in words {
            moved |= self.take_word(target, held, word).await?;
        }
        Ok(moved)
    }

    /// Puts our share of what is chosen in force, where a quorum holds it. Gives whether that is new, and whether it stays: everybody holds it,
    /// and answered in this round that it knows the words that we know, of which none came since we asked.
    async fn settle_record(
        &self,
        target: &Target,
        OnItsWay { contribution, held, told, same, .. }: &OnItsWay<'_>,
        lack: &mut Lack,
    ) -> Result<(bool, bool), Problem> {
        let words = self.store.held_words(held.row.commitment, target.generation).await?;
        let chosen = choice(&words, usize::from(target.quorum));
        let Some(choice) = chosen.filter(|choice| choice.holders.contains(&self.address())) else {
            // What was recorded since comes in its member's package.
            if contribution.recorded.time <= target.seated {
                let found = self.good_deals(target, held).await?;
                lack.records += 1;
                lack.fewest = Some(lack.fewest.map_or(found, |fewest| fewest.min(found)));
            }
            return Ok((false, false));
        };
        let agrees =
            |signer: &Address| choice.holders.contains(signer) && (*signer == self.address() || same.contains(signer));
        let silent = (1u8..).zip(&target.seats).filter(|(_, seat)| !agrees(&seat.signer));
        let silent: Vec<StewardId> = silent.map(|(seat, _)| StewardId(seat)).collect();
        let is_done = silent.is_empty() && said(&words) == *told;
        lack.open += usize::from(!is_done);
        lack.silent.extend(silent);
        match self.put_in_force(target, held, &choice).await {
            Ok(came) => Ok((came, is_done)),
            Err(problem) if problem.code == ProblemCode::SealBroken => {
                tracing::warn!(contribution = %contribution.id, %problem, "the deals that are chosen make no share");
                lack.records += 1;
                lack.fewest.get_or_insert((0, choice.deals.len()));
                Ok((false, false))
            }
            Err(problem) => Err(problem),
        }
    }

    /// How many good deals of one sharing of a record are here, and how many make a share.
    async fn good_deals(&self, target: &Target, held: &Held) -> Result<(usize, usize), Problem> {
        let rows = self.store.redealt(held.row.commitment, target.generation).await?;
        let mut by_source: BTreeMap<_, usize> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.wrapped.is_empty()) {
            *by_source.entry((row.source, row.deal.source.len())).or_default() += 1;
        }
        let most = by_source.into_iter().map(|((_, need), have)| (have, need)).max();
        Ok(most.unwrap_or((0, held.row.points.len())))
    }

    /// Answers a steward in office with what was dealt to its committee, our own shares among it, and takes what it knows.
    ///
    /// # Errors
    /// Where it asks for another committee's, or for too many; where the store fails.
    pub async fn answer_reshare(
        self: &Arc<Self>,
        mirror: &Mirror,
        request: &ReshareRequest,
    ) -> Result<ReshareAnswer, Problem> {
        let target = Target::of(mirror).filter(|target| target.generation == request.generation);
        let target = target.ok_or_else(|| {
            let detail = format!(
                "generation {} is in office here, and may not be final yet; {} was asked for",
                mirror.latest.generation, request.generation
            );
            Problem::new(ProblemCode::Conflict, detail).hint("ask again after a few blocks")
        })?;
        let ids: BTreeSet<_> = request.records.iter().map(|asked| asked.contribution_id).collect();
        if request.records.len() > RESHARE_PAGE || ids.len() < request.records.len() {
            let detail = format!("{} records, at most {RESHARE_PAGE} in one request, each once", request.records.len());
            return Err(Problem::new(ProblemCode::TooLarge, detail));
        }
        let mut answer = ReshareAnswer::default();
        for asked in &request.records {
            // Erased, not final yet, or not here: nothing is dealt of it.
            let dealt = match self.asked_record(mirror, asked).await? {
                Some(held) => self.answer_record(mirror, &target, asked, &held).await?,
                None => RecordDealt::default(),
            };
            answer.records.push(dealt);
        }
        Ok(answer)
    }

    async fn asked_record(&self, mirror: &Mirror, asked: &RecordAsked) -> Result<Option<Held>, Problem> {
        let recorded = mirror.finalized().contributions.contains_key(&asked.contribution_id);
        let contribution = mirror.latest.contributions.get(&asked.contribution_id).filter(|_| recorded);
        let Some(contribution) = contribution.filter(|contribution| !contribution.erased) else { return Ok(None) };
        // One record that is damaged here keeps no other from its share.
        Ok(self.record_of(contribution).await.unwrap_or_else(|problem| {
            tracing::warn!(contribution = %contribution.id, %problem, "nothing is dealt of a record");
            None
        }))
    }

    /// Takes what the asker knows of a record, and gives what it lacks; the first word that is none ends the request.
    async fn answer_record(
        &self,
        mirror: &Mirror,
        target: &Target,
        asked: &RecordAsked,
        held: &Held,
    ) -> Result<RecordDealt, Problem> {
        if asked.have.len() > DEALS {
            return Err(too_many("deals", asked.have.len(), DEALS));
        }
        if self.take_words(target, held, &asked.words).await? {
            self.told(asked.contribution_id);
        }
        if let Err(problem) = self.deal_own(mirror, target, held).await {
            tracing::warn!(contribution = %asked.contribution_id, %problem, "nothing of ours is dealt of a record");
        }
        let commitment = held.row.commitment;
        let rows = self.store.redealt(commitment, target.generation).await?;
        let deals = rows.into_iter().filter(|row| !asked.have.contains(&row.digest)).map(|row| row.deal).collect();
        let words = self.store.held_words(commitment, target.generation).await?;
        Ok(RecordDealt { deals, words })
    }

    /// Notes that something new was said of a record, and has it looked at.
    fn told(&self, id: ContributionId) {
        let mut progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        progress.told.insert(id);
        progress.done.remove(&id);
        drop(progress);
        self.stirred.notify_one();
    }

    /// What people have to look at while records wait for their shares.
    #[must_use]
    pub fn reshare_alarm(&self) -> Option<String> {
        let progress = self.resharing.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = progress.generation;
        if generation == 0 {
            return None;
        }
        let Some(lack) = &progress.lack else {
            return Some(format!("resharing to generation {generation}: not all records were looked at yet"));
        };
        if let Some((have, need)) = lack.fewest {
            return Some(format!(
                "resharing to generation {generation}: of {} records this steward has no share that a quorum holds; of one of them {have} good \
                 deals are here, {need} make a share: stewards that held shares before must run and be listed under [[former]]",
                lack.records
            ));
        }
        let silent: Vec<String> = lack.silent.iter().map(ToString::to_string).collect();
        if !silent.is_empty() {
            return Some(format!(
                "resharing to generation {generation}: steward {} did not say that it holds the shares in force, or knows other words of it",
                silent.join(", steward ")
            ));
        }
        let open = lack.open + progress.told.len();
        (open > 0).then(|| {
            format!(
                "resharing to generation {generation}: of {open} records something new was said; it is being passed on"
            )
        })
    }
}

fn too_many(what: &str, given: usize, most: usize) -> Problem {
    Problem::new(ProblemCode::TooLarge, format!("{given} {what} of one record, at most {most}"))
}
