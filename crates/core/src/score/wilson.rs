//! The Wilson lower bound of a pass ratio, in integers.

/// Lower bound of the confidence interval of `passed / checked` in millionths, rounded down; 0 where nothing was checked.
///
/// `(k + z²/2 − z·√(k(n−k)/n + z²/4)) / (n + z²)`, Wilson 1927, computed in millionths with an exact integer square root.
/// `z_milli` is z in thousandths (1,960 = a two-sided 95% interval).
#[must_use]
pub fn lower_bound(passed: u32, checked: u32, z_milli: u16) -> u32 {
    if checked == 0 {
        return 0;
    }
    let (k, n, z2) = (u128::from(passed.min(checked)), u128::from(checked), u128::from(z_milli) * u128::from(z_milli));
    // Scale 10^6 for k, n and z²; 10^12 under the root. The largest product stays under 2^100.
    let spread = (z2 * (k * (n - k) * 1_000_000 / n + z2 / 4)).isqrt();
    let above = (k * 1_000_000 + z2 / 2).saturating_sub(spread);
    u32::try_from(above * 1_000_000 / (n * 1_000_000 + z2)).unwrap_or(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_published_values() {
        // Wilson 95% lower bounds, e.g. Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29.
        for (k, n, bound) in [(81, 263, 255_300), (15, 148, 62_400), (0, 20, 0), (1, 29, 6_100)] {
            let ours = lower_bound(k, n, 1_960);
            assert!(ours.abs_diff(bound) <= 60, "{k}/{n}: {ours} against {bound}");
        }
    }

    #[test]
    fn never_reaches_the_ratio_and_grows_with_it() {
        for n in [1u32, 2, 10, 100, 10_000, u32::MAX] {
            assert!(lower_bound(n, n, 1_960) < 1_000_000);
            assert!(lower_bound(n - 1, n, 1_960) <= lower_bound(n, n, 1_960));
        }
        assert_eq!(lower_bound(0, 0, 1_960), 0);
        assert_eq!(lower_bound(5, 3, 1_960), lower_bound(3, 3, 1_960));
        // All of n: n ÷ (n + z²).
        assert_eq!(lower_bound(10, 10, 1_960), 722_459);
    }
}
