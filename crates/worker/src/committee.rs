//! The stewards in office: asking all of them at once, and what follows from who answered.

use std::future::Future;
use std::time::Duration;

use rochdale_api::client::Client;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::events::Seat;
use rochdale_core::ids::StewardId;
pub use rochdale_node::peers::Answers;
use rochdale_node::peers::{Peer, Peers};

use crate::worker::{Mirror, Worker};

/// A steward and how to reach it.
#[derive(Clone)]
pub struct Steward {
    /// The steward's seat, from 1.
    pub id: StewardId,
    /// Its keys on chain.
    pub seat: Seat,
    /// Signs as the worker; none where the configuration has no URL for this seat.
    pub client: Option<Client>,
}

/// All stewards in office.
#[derive(Clone)]
pub struct Committee {
    /// By seat.
    pub stewards: Vec<Steward>,
    /// Shares that open a record, signatures that bind.
    pub quorum: u8,
    patience: Duration,
    peers: Peers,
}

impl Worker {
    /// The committee as the chain seats it.
    #[must_use]
    pub fn committee(&self, mirror: &Mirror) -> Committee {
        let steward = |(id, seat): (u8, &Seat)| {
            let id = StewardId(id);
            Steward { id, seat: *seat, client: self.peers.client(id, seat.signer) }
        };
        Committee {
            stewards: (1u8..).zip(&mirror.latest.seats).map(steward).collect(),
            quorum: mirror.latest.quorum,
            patience: self.config.patience(),
            peers: self.peers.clone(),
        }
    }
}

impl Committee {
    /// Number of seats.
    #[must_use]
    pub fn seats(&self) -> u8 {
        u8::try_from(self.stewards.len()).unwrap_or(u8::MAX)
    }

    /// How many stewards must agree.
    #[must_use]
    pub fn need(&self) -> usize {
        usize::from(self.quorum.max(1))
    }

    /// The seat of a steward.
    #[must_use]
    pub fn seat(&self, id: StewardId) -> Option<&Seat> {
        self.stewards.iter().find(|steward| steward.id == id).map(|steward| &steward.seat)
    }

    /// Asks all stewards at once.
    pub async fn ask<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        question: impl Fn(StewardId, Client) -> F,
    ) -> Answers<T> {
        self.ask_those(|_| true, question).await
    }

    /// Asks some stewards at once. Once as many as are needed gave good answers, nobody is waited for.
    pub async fn ask_those<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        those: impl Fn(StewardId) -> bool,
        question: impl Fn(StewardId, Client) -> F,
    ) -> Answers<T> {
        let good = |answers: &Answers<T>| answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        self.ask_until(those, question, |answers| good(answers) >= self.need()).await
    }

    /// Asks some stewards at once. Once `suffice` says that the answers so far are enough, nobody is waited for.
    pub async fn ask_until<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        those: impl Fn(StewardId) -> bool,
        question: impl Fn(StewardId, Client) -> F,
        suffice: impl Fn(&Answers<T>) -> bool,
    ) -> Answers<T> {
        let asked = || self.stewards.iter().filter(|steward| those(steward.id));
        let peer = |steward: &Steward| Some(Peer { steward: steward.id, client: steward.client.clone()? });
        let reached: Vec<Peer> = asked().filter_map(peer).collect();
        let mut answers = self.peers.until(self.patience, reached, question, suffice).await;
        for steward in asked() {
            if !answers.iter().any(|(id, _)| *id == steward.id) {
                let detail = match &steward.client {
                    None => "the worker's configuration has no URL for this seat",
                    Some(_) => "others had answered, this one was not waited for",
                };
                answers.push((steward.id, Err(Problem::new(ProblemCode::PeerUnavailable, detail))));
            }
        }
        answers.sort_by_key(|(id, _)| *id);
        answers
    }

    /// The answers, where enough stewards gave one. Where so many refuse for one reason that the others do not suffice,
    /// that reason; else who is missing.
    ///
    /// # Errors
    /// As said.
    pub fn enough<T>(&self, what: &str, answers: Answers<T>) -> Result<Vec<(StewardId, T)>, Problem> {
        let need = self.need();
        let (mut given, mut refused) = (Vec::new(), Vec::new());
        for (id, answer) in answers {
            match answer {
                Ok(answer) => given.push((id, answer)),
                Err(problem) => refused.push((id, problem)),
            }
        }
        if given.len() >= need { Ok(given) } else { Err(self.lacking(what, given.len(), &refused)) }
    }

    /// Whether too few gave an answer, and would be enough with those who say that they lack yet what they are asked about.
    #[must_use]
    pub fn is_to_come<T>(&self, answers: &Answers<T>) -> bool {
        let is_late =
            |answer: &Result<T, Problem>| matches!(answer, Err(problem) if problem.code == ProblemCode::NotFound);
        let given = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        let late = answers.iter().filter(|(_, answer)| is_late(answer)).count();
        given < self.need() && given + late >= self.need()
    }

    /// Why `given` stewards do not suffice.
    #[must_use]
    pub fn lacking(&self, what: &str, given: usize, refused: &[(StewardId, Problem)]) -> Problem {
        if let Some((_, problem)) = refused.iter().find(|(_, problem)| self.is_final(problem.code, refused)) {
            return problem.clone();
        }
        let who: Vec<String> =
            refused.iter().map(|(id, problem)| format!("steward {id}: {}", problem.detail)).collect();
        let (need, seats) = (self.need(), self.seats());
        let detail = format!("{what}: {given} of {seats} stewards, {need} are needed; {}", who.join("; "));
        Problem::new(ProblemCode::NotEnough, detail)
            .hint("nothing was lost: send the same order again once the stewards named are back")
    }

    /// Whether those who refuse with this code leave too few others, and time will not change it.
    #[must_use]
    pub fn is_final(&self, code: ProblemCode, refused: &[(StewardId, Problem)]) -> bool {
        let same = refused.iter().filter(|(_, problem)| problem.code == code).count();
        self.is_refusal(code) && self.stewards.len() - same < self.need()
    }

    /// Whether a steward that answers so will answer so again.
    #[must_use]
    pub fn is_refusal(&self, code: ProblemCode) -> bool {
        !matches!(
            code,
            ProblemCode::PeerUnavailable
                | ProblemCode::ChainUnavailable
                | ProblemCode::Internal
                | ProblemCode::PeerFault
                | ProblemCode::TooManyRequests
                | ProblemCode::NotFound
                | ProblemCode::NotEnough
                | ProblemCode::SealBroken
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committee(seats: u8) -> Committee {
        let seat = Seat { signer: alloy::primitives::Address::ZERO, sealing_key: alloy::primitives::B256::ZERO };
        let steward = |id| Steward { id: StewardId(id), seat, client: None };
        let key = alloy::signers::local::PrivateKeySigner::from_slice(&[9; 32]).unwrap();
        let domain = rochdale_api::auth::domain(1, alloy::primitives::Address::ZERO);
        let peers = Peers::new(rochdale_api::client::Identity { key, domain }, []).unwrap();
        Committee { stewards: (1..=seats).map(steward).collect(), quorum: 2, patience: Duration::from_secs(1), peers }
    }

    fn no(code: ProblemCode) -> Result<(), Problem> {
        Err(Problem::new(code, "why"))
    }

    #[test]
    fn two_of_three_suffice_and_one_names_the_missing() {
        let (one, two, three) = (StewardId(1), StewardId(2), StewardId(3));
        let down = || no(ProblemCode::PeerUnavailable);
        let given = committee(3).enough("x", vec![(one, Ok(())), (two, down()), (three, Ok(()))]).unwrap();
        assert_eq!(given.len(), 2);
        let problem = committee(3).enough("x", vec![(one, Ok(())), (two, down()), (three, down())]).unwrap_err();
        assert_eq!(problem.code, ProblemCode::NotEnough);
        assert_eq!(problem.detail, "x: 1 of 3 stewards, 2 are needed; steward 2: why; steward 3: why");
    }

    #[test]
    fn a_refusal_passes_through_once_the_others_cannot_outvote_it() {
        let (one, two, three) = (StewardId(1), StewardId(2), StewardId(3));
        let over = || no(ProblemCode::BudgetExceeded);
        let down = || no(ProblemCode::PeerUnavailable);
        let code = |answers| committee(3).enough::<()>("x", answers).unwrap_err().code;
        assert_eq!(code(vec![(one, over()), (two, over()), (three, Ok(()))]), ProblemCode::BudgetExceeded);
        assert_eq!(code(vec![(one, over()), (two, down()), (three, Ok(()))]), ProblemCode::NotEnough);
    }

    #[tokio::test]
    async fn a_seat_without_a_url_is_missing() {
        let answers = committee(1).ask(|_, _| async { Ok(()) }).await;
        assert_eq!(answers[0].1.as_ref().unwrap_err().code, ProblemCode::PeerUnavailable);
    }
}
