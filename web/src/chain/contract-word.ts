//! Whether a contract account said something, perhaps one that is not created yet (ERC-1271, ERC-6492): the node of the wallet runs the standard's own check.
import { concat, encodeAbiParameters, erc6492SignatureValidatorByteCode } from "viem";
import { type Address, ask, Bytes, type Provider, WalletFailure } from "./provider";

export async function isWordOf(provider: Provider, account: Address, digest: Address, signature: Address): Promise<boolean> {
  const given = encodeAbiParameters([{ type: "address" }, { type: "bytes32" }, { type: "bytes" }], [account, digest, signature]);
  // It runs as a creation that is never mined. What makes it revert is no signature.
  const said = await ask(provider, "eth_call", [{ data: concat([erc6492SignatureValidatorByteCode, given]) }, "latest"], Bytes).catch((error: unknown) =>
    error instanceof WalletFailure && error.data !== undefined ? ("0x" as const) : Promise.reject(error),
  );
  return /^0x0*1$/.test(said);
}
