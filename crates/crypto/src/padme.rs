//! Padmé: lengths are rounded up so that they leak O(log log L) bits at a cost of at most 12 %.
//!
//! Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019, section 4.

/// The padded length of `len` bytes, or `None` where it does not fit 64 bits.
pub(crate) fn padded(len: u64) -> Option<u64> {
    if len < 2 {
        return Some(len);
    }
    let exponent = len.ilog2();
    let mantissa = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - mantissa.min(exponent))) - 1;
    Some(len.checked_add(mask)? & !mask)
}

#[cfg(test)]
mod tests {
    use super::padded;

    #[test]
    fn pads_as_published_and_never_by_more_than_12_percent() {
        // Worked out by hand: 9 = 0b1001 has E = 3, S = 2, so one bit is cleared upwards.
        assert_eq!(padded(9), Some(10));
        assert_eq!(padded(1_000_000), Some(1_015_808));
        assert_eq!(padded(u64::MAX), None);
        for len in (0..100_000).chain([1 << 20, (1 << 20) + 1, 8_000_000, 200_000_000]) {
            let to = padded(len).unwrap();
            assert!(to >= len && (to - len) * 100 <= len * 12, "{len} to {to}");
            assert_eq!(padded(to), Some(to), "padding {len} twice");
        }
    }
}
