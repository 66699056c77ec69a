//! Which deals a committee's shares are made of: the same for everybody who knows the same words.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};
use rochdale_api::reshare::{HeldDeal, HeldWord};

/// Steps of the search for one sharing, whatever words name. Up to twelve old seats it takes fewer; beyond that, the deals that most seats hold come
/// first.
const STEPS: usize = 20_000;

/// Deals that make a share, and who says that it holds all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// By dealer, each once, all of one sharing, as many as it takes.
    pub deals: Vec<HeldDeal>,
    /// Accounts of the seats.
    pub holders: BTreeSet<Address>,
}

/// The set that most seats hold, and a quorum at least, the lowest of equals. Who signed two words that contradict each other holds nothing: else those who heard of
/// one would choose differently from those who heard of the other.
#[must_use]
pub fn choice(words: &[HeldWord], quorum: usize) -> Option<Choice> {
    let mut holders: BTreeMap<HeldDeal, BTreeSet<Address>> = BTreeMap::new();
    let twice = |word: &&HeldWord| words.iter().filter(|other| other.steward == word.steward).count() > 1;
    for word in words.iter().filter(|word| !twice(word)) {
        for deal in &word.deals {
            holders.entry(*deal).or_default().insert(word.steward);
        }
    }
    let mut sharings: BTreeMap<(B256, u8), Vec<HeldDeal>> = BTreeMap::new();
    // What fewer name costs no search.
    for (deal, _) in holders.iter().filter(|(_, holders)| holders.len() >= quorum) {
        sharings.entry((deal.source, deal.need)).or_default().push(*deal);
    }
    let mut best: Option<Choice> = None;
    for ((_, need), mut deals) in sharings {
        deals.sort_by_key(|deal| (usize::MAX - holders[deal].len(), *deal));
        let mut search =
            Search { need: usize::from(need), quorum, deals: &deals, holders: &holders, left: STEPS, best: &mut best };
        search.extend(&mut Vec::new(), 0, None);
    }
    best
}

struct Search<'a> {
    need: usize,
    quorum: usize,
    deals: &'a [HeldDeal],
    holders: &'a BTreeMap<HeldDeal, BTreeSet<Address>>,
    left: usize,
    best: &'a mut Option<Choice>,
}

impl Search<'_> {
    fn extend(&mut self, set: &mut Vec<HeldDeal>, from: usize, held: Option<&BTreeSet<Address>>) {
        self.left = self.left.saturating_sub(1);
        if set.len() == self.need {
            if let Some(held) = held {
                self.offer(set, held);
            }
            return;
        }
        for at in from..self.deals.len() {
            let deal = self.deals[at];
            if self.left == 0 {
                return;
            }
            if set.iter().any(|other| other.dealer == deal.dealer) {
                continue;
            }
            let own = &self.holders[&deal];
            let both = held.map_or_else(|| own.clone(), |held| held & own);
            if both.len() < self.quorum {
                continue;
            }
            set.push(deal);
            self.extend(set, at + 1, Some(&both));
            set.pop();
        }
    }

    fn offer(&mut self, set: &[HeldDeal], held: &BTreeSet<Address>) {
        let mut deals = set.to_vec();
        deals.sort_by_key(|deal| deal.dealer);
        let better = self.best.as_ref().is_none_or(|best| {
            let (ours, theirs) = (held.len(), best.holders.len());
            ours > theirs || ours == theirs && deals < best.deals
        });
        if better {
            *self.best = Some(Choice { deals, holders: held.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;
    use rochdale_core::ids::StewardId;

    use super::*;

    /// Where one seat suffices.
    fn choice(words: &[HeldWord]) -> Option<Choice> {
        super::choice(words, 1)
    }

    fn deal(source: u8, dealer: u8) -> HeldDeal {
        let deal = B256::repeat_byte(source * 16 + dealer);
        HeldDeal { source: B256::repeat_byte(source), need: 2, dealer: StewardId(dealer), deal }
    }

    fn word(seat: u8, deals: &[HeldDeal]) -> HeldWord {
        let mut deals = deals.to_vec();
        deals.sort_unstable();
        HeldWord { steward: Address::repeat_byte(seat), deals, signature: Bytes::new() }
    }

    fn seats(seats: &[u8]) -> BTreeSet<Address> {
        seats.iter().map(|seat| Address::repeat_byte(*seat)).collect()
    }

    #[test]
    fn all_hold_all_and_the_lowest_is_taken() {
        let all = [deal(1, 1), deal(1, 2), deal(1, 3)];
        let chosen = choice(&[word(1, &all), word(2, &all), word(3, &all)]).unwrap();
        assert_eq!(chosen, Choice { deals: all[..2].to_vec(), holders: seats(&[1, 2, 3]) });
    }

    #[test]
    fn a_dealer_that_is_bad_to_one_seat_is_left_out() {
        let all = [deal(1, 1), deal(1, 2), deal(1, 3)];
        let chosen = choice(&[word(1, &all), word(2, &all), word(3, &all[1..])]).unwrap();
        assert_eq!(chosen, Choice { deals: all[1..].to_vec(), holders: seats(&[1, 2, 3]) });
    }

    #[test]
    fn one_dealer_counts_once_and_two_sharings_do_not_mix() {
        let twice = HeldDeal { deal: B256::repeat_byte(0xee), ..deal(1, 1) };
        assert_eq!(choice(&[word(1, &[deal(1, 1), twice]), word(2, &[deal(1, 1), twice])]), None);
        assert_eq!(choice(&[word(1, &[deal(1, 1), deal(2, 2)])]), None);
        assert_eq!(choice(&[]), None);
        // Told apart from what others say of the same deal with another threshold.
        let other = HeldDeal { need: 3, ..deal(1, 2) };
        let chosen = choice(&[word(1, &[deal(1, 1), deal(1, 2)]), word(2, &[deal(1, 1), other])]).unwrap();
        assert_eq!(chosen.holders, seats(&[1]));
    }

    #[test]
    fn who_deals_twice_splits_its_own_deal_alone() {
        let twice = HeldDeal { deal: B256::repeat_byte(0xee), ..deal(1, 1) };
        let rest = [deal(1, 2), deal(1, 3)];
        let words = [
            word(1, &[&[deal(1, 1)][..], &rest].concat()),
            word(2, &[&[twice][..], &rest].concat()),
            word(3, &[&[twice][..], &rest].concat()),
        ];
        assert_eq!(choice(&words).unwrap(), Choice { deals: rest.to_vec(), holders: seats(&[1, 2, 3]) });
    }

    #[test]
    fn thirty_two_old_seats_are_chosen_from_in_bounded_time() {
        let all: Vec<HeldDeal> = (1..=32).map(|dealer| HeldDeal { need: 17, ..deal(1, dealer) }).collect();
        let words: Vec<HeldWord> = (1..=32).map(|seat| word(seat, &all)).collect();
        let chosen = choice(&words).unwrap();
        assert_eq!((chosen.deals.len(), chosen.holders.len()), (17, 32));
    }

    /// One word may name anything: what completes no set ends as soon as what does.
    #[test]
    fn a_word_that_completes_no_set_costs_a_bounded_search() {
        let odd = |dealer| HeldDeal { need: 255, ..deal(1, dealer) };
        let named: Vec<HeldDeal> = (1..=100).map(odd).collect();
        let honest = [deal(2, 1), deal(2, 2)];
        let chosen = choice(&[word(1, &[named, honest.to_vec()].concat()), word(2, &honest)]).unwrap();
        assert_eq!(chosen, Choice { deals: honest.to_vec(), holders: seats(&[1, 2]) });
        let short: Vec<HeldDeal> = (1..=31).map(|dealer| HeldDeal { need: 32, ..deal(1, dealer) }).collect();
        assert_eq!(choice(&[word(1, &short), word(2, &short)]), None);
    }

    #[test]
    fn what_fewer_than_a_quorum_hold_is_no_choice() {
        let (all, alone) = ([deal(1, 1), deal(1, 2), deal(1, 3)], [deal(2, 1), deal(2, 2)]);
        let words = [word(1, &all), word(2, &all[1..]), word(3, &[&all[..1], &alone].concat())];
        let chosen = super::choice(&words, 2).unwrap();
        assert_eq!(chosen, Choice { deals: all[1..].to_vec(), holders: seats(&[1, 2]) });
        assert_eq!(super::choice(&words, 3), None, "each deal has two holders");
        assert_eq!(super::choice(&words[2..], 2), None);
    }

    #[test]
    fn who_signed_two_words_holds_nothing() {
        let all = [deal(1, 1), deal(1, 2), deal(1, 3)];
        let words = [word(1, &all), word(2, &all), word(3, &all[..2]), word(3, &all[1..])];
        assert_eq!(choice(&words).unwrap(), Choice { deals: all[..2].to_vec(), holders: seats(&[1, 2]) });
    }

    /// As long as `need` dealers dealt well to everybody, there is a set that everybody holds, whatever others dealt and in whatever
    /// order words came.
    #[test]
    fn honest_dealers_suffice() {
        let (honest, liar) = ([deal(1, 1), deal(1, 3)], deal(1, 2));
        for bad in 0..8u8 {
            let of = |seat: u8| {
                let deals: Vec<HeldDeal> =
                    honest.iter().copied().chain((bad >> seat & 1 == 1).then_some(liar)).collect();
                word(seat + 1, &deals)
            };
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let chosen = choice(&order.map(of)).unwrap();
                assert_eq!(chosen.holders, seats(&[1, 2, 3]));
                assert_eq!(chosen, choice(&[of(0), of(1), of(2)]).unwrap());
            }
        }
    }
}
