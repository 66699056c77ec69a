// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Compiled here so that its ABI and bytecode are exported beside ours.
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
