// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Governed} from "../access/Governed.sol";
import {Pausing} from "../access/Pausing.sol";
import {ITreasury} from "../treasury/ITreasury.sol";
import {IResearcherBond} from "./IResearcherBond.sol";

/// @title ResearcherBond
/// @notice Collateral that a researcher loses for breaking the terms of a license.
///
/// Roles
/// - Researcher: posts, and takes back after a delay in which it can still be slashed.
/// - Token house: says which token (USDC, DATA or GOV) and how much counts as bonded.
/// - Member house: slashes, after its own hearing.
/// - Guardian: pauses posting, never taking back.
/// - Charter: upgrades.
///
/// Assumptions: the three tokens move exactly what they are told. While GOV or DATA may move among listed accounts only,
/// this contract and the Treasury are listed.
/// Liveness: a change of token or amount takes nothing from anybody; who is bonded in the old token takes it back after
/// the delay and posts the new one.
/// Who can hurt whom: the member house can take any bond, up to all of it; the money goes to the Treasury, nowhere else.
contract ResearcherBond is Governed, Pausing, ReentrancyGuardTransient, IResearcherBond {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @dev Two slots. `amount` counts as bonded, `unbonding` does not any more.
    struct Bond {
        IERC20 token;
        uint96 amount;
        uint96 unbonding;
        uint64 withdrawableAt;
    }

    /// @custom:storage-location erc7201:rochdale.storage.ResearcherBond
    struct Storage {
        IERC20 usdc;
        IERC20 dataToken;
        IERC20 govToken;
        address treasury;
        // One slot: read by every sale that needs a bond.
        IERC20 token;
        // Not 0: nobody is bonded with nothing.
        uint96 minAmount;
        // What all of them have bonded and on its way back is here, each in its own token.
        mapping(address researcher => Bond) bonds;
    }

    bytes32 private constant STORAGE = 0x99624b2bc83a35e4e92d47bb9d67df17c83935ad61bafc2296473f1fe4e63700;

    /// @notice How long what is taken back can still be slashed.
    uint64 public constant UNBONDING_DELAY = 30 days;

    event BondTermsSet(address indexed token, uint96 minAmount);
    event BondPosted(address indexed researcher, address indexed token, uint256 amount);
    event UnbondRequested(address indexed researcher, uint256 amount, uint64 withdrawableAt);
    event BondWithdrawn(address indexed researcher, uint256 amount);
    event BondSlashed(address indexed researcher, uint256 amount, bytes32 reason);

    error ResearcherBond_BadToken(address token);
    error ResearcherBond_ZeroAmount();
    error ResearcherBond_OtherToken(address held, address accepted);
    error ResearcherBond_Exceeds(uint256 amount, uint256 available);
    error ResearcherBond_TooEarly(uint64 withdrawableAt);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param usdc a token that may be accepted, and the first that is
    /// @param dataToken a token that may be accepted
    /// @param govToken a token that may be accepted
    /// @param treasury where forfeited bonds go
    /// @param minUsdc what counts as bonded at first, micro-USDC
    function initialize(
        address authority_,
        address usdc,
        address dataToken,
        address govToken,
        address treasury,
        uint96 minUsdc
    ) external initializer {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.usdc = IERC20(_nonZero(usdc, "usdc"));
        $.dataToken = IERC20(_nonZero(dataToken, "dataToken"));
        $.govToken = IERC20(_nonZero(govToken, "govToken"));
        $.treasury = _nonZero(treasury, "treasury");
        _setTerms(usdc, minUsdc);
    }

    /// @notice Sets what counts as bonded from now on.
    /// @param token USDC, DATA or GOV
    /// @param minAmount what counts as bonded, not 0
    function setTerms(address token, uint96 minAmount) external restricted {
        _setTerms(token, minAmount);
    }

    /// @notice Takes a researcher's collateral for the Treasury, also what is on its way back.
    /// @param researcher whose bond
    /// @param amount not 0, at most all that is held
    /// @param reason for the log
    function slash(address researcher, uint256 amount, bytes32 reason) external restricted nonReentrant {
        Storage storage $ = _storage();
        Bond storage b = $.bonds[researcher];
        uint256 held = uint256(b.amount) + b.unbonding;
        // Check:
        if (amount == 0) revert ResearcherBond_ZeroAmount();
        if (amount > held) revert ResearcherBond_Exceeds(amount, held);
        // Effects: what counts as bonded goes first.
        uint256 fromBond = amount < b.amount ? amount : b.amount;
        b.amount -= uint96(fromBond);
        b.unbonding -= uint96(amount - fromBond);
        emit BondSlashed(researcher, amount, reason);
        // Interaction: USDC has a bucket, the others are the Treasury's as they are.
        IERC20 token = b.token;
        if (token == $.usdc) {
            token.forceApprove($.treasury, amount);
            ITreasury($.treasury).donate(amount);
        } else {
            token.safeTransfer($.treasury, amount);
        }
    }

    /// @notice Adds to the caller's bond; the caller approved the token.
    /// @param amount in the token that is accepted now
    function post(uint256 amount) external nonReentrant whenNotPaused {
        Storage storage $ = _storage();
        Bond storage b = $.bonds[msg.sender];
        IERC20 token = $.token;
        // Check:
        if (amount == 0) revert ResearcherBond_ZeroAmount();
        bool empty = b.amount == 0 && b.unbonding == 0;
        if (!empty && b.token != token) revert ResearcherBond_OtherToken(address(b.token), address(token));
        // Effects:
        b.token = token;
        b.amount = (b.amount + amount).toUint96();
        emit BondPosted(msg.sender, address(token), amount);
        // Interaction:
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Starts to take back a part of the bond; the delay starts anew for what is already on its way.
    /// @param amount not 0, at most what is bonded
    function requestUnbond(uint96 amount) external {
        Bond storage b = _storage().bonds[msg.sender];
        // Check:
        if (amount == 0) revert ResearcherBond_ZeroAmount();
        if (amount > b.amount) revert ResearcherBond_Exceeds(amount, b.amount);
        // Effects:
        b.amount -= amount;
        b.unbonding += amount;
        b.withdrawableAt = uint64(block.timestamp) + UNBONDING_DELAY;
        emit UnbondRequested(msg.sender, amount, b.withdrawableAt);
    }

    /// @notice Pays what the caller has on its way back, after the delay, where the caller wants it: GOV goes to members
    /// alone, and who left is none.
    /// @param to who gets it
    function withdraw(address to) external nonReentrant {
        Bond storage b = _storage().bonds[msg.sender];
        uint256 amount = b.unbonding;
        // Check:
        if (amount == 0) revert ResearcherBond_ZeroAmount();
        if (block.timestamp < b.withdrawableAt) revert ResearcherBond_TooEarly(b.withdrawableAt);
        // Effects:
        b.unbonding = 0;
        emit BondWithdrawn(msg.sender, amount);
        // Interaction:
        b.token.safeTransfer(to, amount);
    }

    /// @inheritdoc IResearcherBond
    function isBonded(address researcher) external view returns (bool) {
        Storage storage $ = _storage();
        Bond storage b = $.bonds[researcher];
        return b.token == $.token && b.amount >= $.minAmount;
    }

    /// @notice A researcher's bond.
    /// @param researcher whose bond
    /// @return what counts, and what is on its way back
    function bondOf(address researcher) external view returns (Bond memory) {
        return _storage().bonds[researcher];
    }

    /// @notice Which token, and how much of it, counts as bonded.
    /// @return token that is accepted now
    /// @return minAmount what counts as bonded
    function terms() external view returns (address token, uint96 minAmount) {
        Storage storage $ = _storage();
        return (address($.token), $.minAmount);
    }

    function _setTerms(address token, uint96 minAmount) private {
        Storage storage $ = _storage();
        bool known = token == address($.usdc) || token == address($.dataToken) || token == address($.govToken);
        if (!known) revert ResearcherBond_BadToken(token);
        if (minAmount == 0) revert ResearcherBond_ZeroAmount();
        ($.token, $.minAmount) = (IERC20(token), minAmount);
        emit BondTermsSet(token, minAmount);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
