//! Addresses as people type them.

use alloy_primitives::Address;

use crate::{ClientError, Result};

/// Reads an address. One of capitals and small letters carries a checksum (EIP-55), by which nearly every slip is found; nothing tells of
/// one in an address without.
///
/// # Errors
/// Where it is none, or its checksum is another's.
pub fn read(typed: &str) -> Result<Address> {
    let has = |of: fn(&char) -> bool| typed.trim_start_matches("0x").chars().any(|c| of(&c));
    let is_checked = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    let found = if is_checked {
        Address::parse_checksummed(typed, None).map_err(|why| why.to_string())
    } else {
        typed.parse().map_err(|_| "it has to be 0x and 40 hexadecimal digits".to_owned())
    };
    found.map_err(|why| ClientError::Other(format!("{typed} is no address: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_an_address_with_a_checksum_is_found() {
        let good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let slip = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee";
        assert!(read(good).is_ok_and(|found| found.to_checksum(None) == good));
        assert!(read(&good.to_lowercase()).is_ok());
        assert!(read(slip).is_err_and(|why| why.to_string().contains("is no address")));
        assert!(read(&slip.to_lowercase()).is_ok(), "nothing tells");
        assert!(read("0x5aAe").is_err());
    }
}
