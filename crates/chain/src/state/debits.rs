//! Debits in the order of the chain, and the receipts of their answers.

use alloy::primitives::{Address, B256};
use rochdale_core::order::Debit;
use serde::{Deserialize, Serialize};

use super::{At, Cooperative};
use crate::events::{Event, Located};

/// A booked debit, and the receipt of its answer once there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitState {
    /// Its place in the order in which debits count, from 1.
    pub id: u64,
    /// What a quorum signed.
    pub debit: Debit,
    /// When it was booked.
    pub booked: At,
    /// The transaction that booked it.
    pub transaction: B256,
    /// What was anchored for it.
    pub receipt: Option<ReceiptState>,
}

/// An anchored receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptState {
    /// Blinded digest of the answer.
    pub result_digest: B256,
    /// The worker that signed.
    pub worker: Address,
    /// When it was anchored.
    pub anchored: At,
    /// The transaction that anchored it.
    pub transaction: B256,
}

impl Cooperative {
    pub(super) fn apply_debit(&mut self, located: &Located, at: At) {
        match &located.event {
            Event::Debited { id, debit } => {
                let transaction = located.transaction;
                let new = DebitState { id: *id, debit: *debit, booked: at, transaction, receipt: None };
                self.debits.insert(*id, new);
                self.orders.insert(debit.order, *id);
            }
            Event::ReceiptAnchored { id, result_digest, worker, .. } => {
                if let Some(debit) = self.debits.get_mut(id) {
                    let (result_digest, worker, transaction) = (*result_digest, *worker, located.transaction);
                    debit.receipt = Some(ReceiptState { result_digest, worker, anchored: at, transaction });
                }
            }
            _ => {}
        }
    }

    /// Debits booked after `since`, by id.
    pub fn debits_since(&self, since: Option<u64>) -> impl Iterator<Item = &DebitState> {
        self.debits.values().filter(move |debit| debit.booked.is_after(since))
    }

    /// The debit of an order, if one is booked.
    #[must_use]
    pub fn debit_of(&self, order: B256) -> Option<&DebitState> {
        self.orders.get(&order).and_then(|id| self.debits.get(id))
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use rochdale_core::ids::{LicenseId, Purpose};

    fn located(event: Event) -> Located {
        let (block_hash, transaction) = (B256::ZERO, B256::ZERO);
        Located { block_number: 1, block_hash, timestamp: 1, log_index: 0, transaction, event }
    }

    #[test]
    fn debits_count_in_the_order_of_the_chain_and_carry_their_receipt() {
        let debit = |order| Debit {
            license_id: LicenseId(1),
            order: B256::repeat_byte(order),
            query_digest: B256::ZERO,
            snapshot: B256::ZERO,
            purpose: Purpose(42),
            rho: 7,
            deadline: 100,
        };
        let mut state = Cooperative::default();
        state.apply(&located(Event::Debited { id: 1, debit: debit(9) }));
        state.apply(&located(Event::Debited { id: 2, debit: debit(4) }));
        let (result_digest, worker) = (B256::repeat_byte(1), Address::repeat_byte(2));
        let order = B256::repeat_byte(4);
        state.apply(&located(Event::ReceiptAnchored { id: 2, order, result_digest, worker }));
        assert_eq!(
            state.debits_since(None).map(|d| (d.id, d.receipt.is_some())).collect::<Vec<_>>(),
            [(1, false), (2, true)]
        );
        assert_eq!(state.debit_of(order).map(|d| d.id), Some(2));
        assert_eq!(state.debit_of(B256::ZERO), None);
    }
}
