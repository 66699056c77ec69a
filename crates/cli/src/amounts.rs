//! Amounts as people write them.

use alloy::primitives::utils::parse_units;
use rochdale_core::money::MicroUsdc;

/// Decimals of USDC, such as `3000` or `0.05`.
pub fn usdc(text: &str) -> Result<MicroUsdc, String> {
    tokens(text, 6).map(MicroUsdc)
}

/// An amount of whole tokens with so many decimals, in the smallest unit; more than none.
pub fn tokens(text: &str, decimals: u8) -> Result<u128, String> {
    // The parser would cut off what a token cannot be divided into, and take a minus.
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if !digits || fraction.len() > usize::from(decimals) {
        return Err(format!("`{text}` is no amount: write digits with at most {decimals} after a point"));
    }
    let parsed = parse_units(text, decimals).map_err(|error| format!("`{text}` is no amount: {error}"))?;
    match u128::try_from(parsed.get_absolute()) {
        Ok(0) => Err("an amount of 0 does nothing".to_owned()),
        Ok(amount) => Ok(amount),
        Err(_) => Err(format!("`{text}` is more than there can be")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_tokens_and_never_cut_off() {
        assert_eq!(usdc("3000"), Ok(MicroUsdc(3_000_000_000)));
        assert_eq!(usdc("0.05"), Ok(MicroUsdc(50_000)));
        assert_eq!(tokens("250.5", 18), Ok(250_500_000_000_000_000_000));
        for bad in ["", ".", "-1", "1e3", "0", "0.0000001", "1,000", "1.2.3", "9".repeat(60).as_str()] {
            assert!(usdc(bad).is_err(), "{bad} passed");
        }
    }
}
