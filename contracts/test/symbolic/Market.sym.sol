// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {LicenseSale} from "../../src/market/LicenseSale.sol";
import {Market} from "../../src/market/Market.sol";

/// @notice What an order costs, asked of the real contract; this one plays the catalog.
contract MarketSymbolic {
    uint128 private constant UNEVEN = 250_000_001;

    uint128 private _perThousand;

    function priceOf(uint32) external view returns (uint128 pricePerThousand, bool open, bool auctioned) {
        return (_perThousand, true, false);
    }

    function _market() private returns (Market) {
        address self = address(this);
        bytes memory init = abi.encodeCall(
            Market.initialize, (LicenseSale.Deployment(self, self, self, self, self, self, self), self, 0)
        );
        return Market(address(new ERC1967Proxy(address(new Market()), init)));
    }

    function _price(Market market, uint32 records, uint128 perThousand) private returns (uint256) {
        _perThousand = perThousand;
        return market.priceOf(LicenseSale.Order(1, records, 42, 5, 30 days, bytes32(uint256(1))));
    }

    /// @dev Rounded up, and by less than one micro-USDC: any number of records at 250.000001 USDC for 1,000.
    function check_ThePriceIsTheExactOneRoundedUp(uint32 records) external {
        uint256 exact = uint256(records) * UNEVEN;
        uint256 price = _price(_market(), records, UNEVEN);
        assert(price * 1_000 >= exact);
        assert(price * 1_000 < exact + 1_000);
    }

    /// @dev No free lunch: whatever is licensed at a price costs something. Any number of records, any price.
    function check_OnlyNothingIsFree(uint32 records, uint128 perThousand) external {
        uint256 price = _price(_market(), records, perThousand);
        assert((price == 0) == (records == 0 || perThousand == 0));
    }

    /// @dev A license of any length costs as much as one of the months that it begins, and a day more never less.
    function check_EveryStartedMonthIsPaid(uint64 duration) external {
        if (duration == 0 || duration > 5 * 365 days) return;
        Market market = _market();
        // A micro-USDC for each record and month, so that the price counts months.
        _perThousand = 1_000;
        uint256 price = market.priceOf(LicenseSale.Order(1, 1, 42, 5, duration, bytes32(uint256(1))));
        assert(price * 30 days >= duration);
        assert(price * 30 days < uint256(duration) + 30 days);
    }

    /// @dev Who asks for more records never pays less.
    function check_MoreRecordsNeverCostLess(uint32 few, uint32 many) external {
        if (few > many) return;
        Market market = _market();
        assert(_price(market, few, UNEVEN) <= _price(market, many, UNEVEN));
    }
}
