// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Three amounts in one word: cash (64 bits, micro-USDC), data and gov (96 bits each, wei).
/// @dev A member's and everybody's totals are one slot each, so a claim of three assets writes no more slots than a
/// claim of one. Plain words rather than a struct: a struct costs a dozen memory operations for each member of a batch.
type Amounts is uint256;

using AmountsLib for Amounts global;

library AmountsLib {
    uint256 internal constant MAX_CASH = type(uint64).max;
    uint256 internal constant MAX_TOKEN = type(uint96).max;

    /// @dev The caller has checked the widths.
    function pack(uint256 cash_, uint256 data_, uint256 gov_) internal pure returns (Amounts) {
        return Amounts.wrap(cash_ | data_ << 64 | gov_ << 160);
    }

    function cash(Amounts a) internal pure returns (uint256) {
        return Amounts.unwrap(a) & MAX_CASH;
    }

    function data(Amounts a) internal pure returns (uint256) {
        return Amounts.unwrap(a) >> 64 & MAX_TOKEN;
    }

    function gov(Amounts a) internal pure returns (uint256) {
        return Amounts.unwrap(a) >> 160;
    }

    function isZero(Amounts a) internal pure returns (bool) {
        return Amounts.unwrap(a) == 0;
    }

    /// @dev No amount of the sum may exceed its width; the caller has bounded each.
    function plus(Amounts a, Amounts b) internal pure returns (Amounts) {
        return Amounts.wrap(Amounts.unwrap(a) + Amounts.unwrap(b));
    }

    /// @dev No amount of `b` may exceed that of `a`.
    function minus(Amounts a, Amounts b) internal pure returns (Amounts) {
        return Amounts.wrap(Amounts.unwrap(a) - Amounts.unwrap(b));
    }

    /// @notice Whether `a` + `b` is at most `limit` in each amount.
    function sumFits(Amounts a, Amounts b, Amounts limit) internal pure returns (bool) {
        return
            a.cash() + b.cash() <= limit.cash() && a.data() + b.data() <= limit.data()
                && a.gov() + b.gov() <= limit.gov();
    }
}
