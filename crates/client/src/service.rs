//! What members buy for DATA.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolCall as _;
use rochdale_eip712::governor::Spending;

/// What the chain shows of an order: the Keccak-256 of the blinder and the Keccak-256 of the request. Whoever delivers is shown both.
#[must_use]
pub fn commitment(blinder: B256, request: &[u8]) -> B256 {
    keccak256([blinder, keccak256(request)].concat())
}

/// The two calls that order a service: the desk may take its price of what the account has, and takes it. A price that was raised meanwhile
/// is not paid: the allowance does not cover it.
#[must_use]
pub fn order(
    (token, desk): (Address, Address),
    service: u32,
    price: u128,
    commitment: B256,
) -> [(Address, Vec<u8>); 2] {
    let allow = Spending::approveCall { spender: desk, value: U256::from(price) };
    let order = Spending::orderCall { serviceId: service, requestCommitment: commitment };
    [(token, allow.abi_encode()), (desk, order.abi_encode())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_allows_the_price_and_no_more_and_names_nothing_that_was_asked() {
        let (token, desk) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let said = commitment(B256::repeat_byte(3), b"my record against the cohort");
        let [(first, allow), (second, order)] = order((token, desk), 7, 25, said);
        assert_eq!((first, second), (token, desk));
        let allow = Spending::approveCall::abi_decode(&allow).unwrap();
        assert_eq!((allow.spender, allow.value), (desk, U256::from(25)));
        let order = Spending::orderCall::abi_decode(&order).unwrap();
        assert_eq!((order.serviceId, order.requestCommitment), (7, said));
        assert_ne!(said, commitment(B256::repeat_byte(4), b"my record against the cohort"), "the blinder hides it");
    }
}
