//! A message as `eth_signTypedData_v4` takes it, for a wallet that is asked to sign.

use alloy_sol_types::{Eip712Domain, SolStruct};
use serde::Serialize;
use serde_json::{Value, json};

/// The JSON of a flat struct, whose serde names are its fields' and whose numbers fit 53 bits or are written as text.
///
/// # Errors
/// Where serde refuses the message.
pub fn typed_data<T: SolStruct + Serialize>(message: &T, domain: &Eip712Domain) -> Result<Value, serde_json::Error> {
    let types = json!({ "EIP712Domain": fields(&domain.encode_type()), T::NAME: fields(&T::eip712_root_type()) });
    Ok(json!({ "types": types, "primaryType": T::NAME, "domain": domain, "message": serde_json::to_value(message)? }))
}

/// `Name(type field,type field)` as a list of fields.
fn fields(encoded: &str) -> Vec<Value> {
    let inside = encoded.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let field = |(kind, name): (&str, &str)| json!({ "name": name, "type": kind });
    inside.split(',').filter_map(|field| field.split_once(' ')).map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain;
    use crate::order::QueryOrder;
    use alloy_primitives::{Address, B256};

    #[test]
    fn an_order_is_what_wallets_take() {
        let order = QueryOrder {
            licenseId: 7,
            cut: B256::ZERO,
            queryDigest: B256::ZERO,
            rho: 5,
            purpose: 6,
            nonce: B256::ZERO,
            deadline: 9,
        };
        let found = typed_data(&order, &domain("StewardCommittee", 31_337, Address::ZERO)).unwrap();
        let zero = format!("{:?}", B256::ZERO);
        let field = |kind: &str, name: &str| json!({ "name": name, "type": kind });
        assert_eq!(
            found,
            json!({
                "types": {
                    "EIP712Domain": [
                        field("string", "name"), field("string", "version"), field("uint256", "chainId"),
                        field("address", "verifyingContract"),
                    ],
                    "QueryOrder": [
                        field("uint64", "licenseId"), field("bytes32", "cut"), field("bytes32", "queryDigest"),
                        field("uint64", "rho"), field("uint16", "purpose"), field("bytes32", "nonce"),
                        field("uint64", "deadline"),
                    ],
                },
                "primaryType": "QueryOrder",
                "domain": {
                    "name": "StewardCommittee", "version": "1", "chainId": "0x7a69",
                    "verifyingContract": format!("{:?}", Address::ZERO),
                },
                "message": {
                    "licenseId": 7, "cut": zero, "queryDigest": zero, "rho": 5, "purpose": 6, "nonce": zero,
                    "deadline": 9,
                },
            })
        );
    }
}
