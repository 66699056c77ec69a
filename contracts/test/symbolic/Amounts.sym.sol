// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Amounts, AmountsLib} from "../../src/settlement/Amounts.sol";

/// @notice The claim's bookkeeping in one word, for every three amounts that fit: nothing runs over into its neighbour,
/// and what is booked as claimed is at most what was earned. Proved for all values, without a bound.
contract AmountsSymbolic {
    function check_PackAndUnpack(uint64 cash, uint96 data, uint96 gov) external pure {
        Amounts a = AmountsLib.pack(cash, data, gov);
        assert(a.cash() == cash && a.data() == data && a.gov() == gov);
        assert(a.isZero() == (cash == 0 && data == 0 && gov == 0));
    }

    /// @dev What SettlementLedger does with a claim: it books `due` only where the sum fits.
    function check_ClaimedIsAtMostEarned(uint256 claimed_, uint256 due_, uint256 earned_) external pure {
        (Amounts claimed, Amounts due, Amounts earned) =
            (Amounts.wrap(claimed_), Amounts.wrap(due_), Amounts.wrap(earned_));
        if (!claimed.sumFits(due, earned)) return;
        Amounts sum = claimed.plus(due);
        assert(sum.cash() == claimed.cash() + due.cash() && sum.cash() <= earned.cash());
        assert(sum.data() == claimed.data() + due.data() && sum.data() <= earned.data());
        assert(sum.gov() == claimed.gov() + due.gov() && sum.gov() <= earned.gov());
    }

    /// @dev And what a token refused is given back without a trace.
    function check_GivingBackUndoes(uint256 claimed_, uint256 due_, uint256 earned_) external pure {
        (Amounts claimed, Amounts due, Amounts earned) =
            (Amounts.wrap(claimed_), Amounts.wrap(due_), Amounts.wrap(earned_));
        if (!claimed.sumFits(due, earned)) return;
        assert(Amounts.unwrap(claimed.plus(due).minus(due)) == claimed_);
    }

    /// @dev Refused exactly where one of the three would exceed.
    function check_SumFitsRefusesNothingElse(uint256 claimed_, uint256 due_, uint256 earned_) external pure {
        (Amounts claimed, Amounts due, Amounts earned) =
            (Amounts.wrap(claimed_), Amounts.wrap(due_), Amounts.wrap(earned_));
        if (claimed.sumFits(due, earned)) return;
        assert(
            claimed.cash() + due.cash() > earned.cash() || claimed.data() + due.data() > earned.data()
                || claimed.gov() + due.gov() > earned.gov()
        );
    }
}
