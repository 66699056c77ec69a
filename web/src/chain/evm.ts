//! Contracts, asked and told through the wallet's own provider. The only file that knows viem; it is loaded when a wallet is there.
import { type Abi, type ContractEventName, type ContractFunctionArgs, type ContractFunctionName, type ContractFunctionReturnType, decodeErrorResult, decodeEventLog, decodeFunctionResult, encodeEventTopics, encodeFunctionData, type GetEventArgs } from "viem";
import * as v from "valibot";
import * as abis from "./abi";
import { type Desk, type Hash, Reverted, SentFailure, type Tell } from "./desk";
import { Account, type Address, ask, Bytes, Quantity, WalletFailure } from "./provider";

/** A contract: where it is, and what it understands. */
export type At<A extends Abi> = readonly [address: Address, abi: A];

type Reads = "view" | "pure";
type Writes = "nonpayable";

/** Asks a contract. */
export async function view<const A extends Abi, F extends ContractFunctionName<A, Reads>>({ provider }: Desk, [to, abi]: At<A>, functionName: F, args: ContractFunctionArgs<A, Reads, F>): Promise<ContractFunctionReturnType<A, Reads, F>> {
  const data = encodeFunctionData({ abi, functionName, args } as never);
  const told = await ask(provider, "eth_call", [{ to, data }, "latest"], Bytes).catch((error: unknown) => Promise.reject(explained(error)));
  if (told === "0x") throw new WalletFailure("strange", `there is no contract at ${to} on the chain that the wallet shows`);
  return decodeFunctionResult({ abi, functionName, data: told, args } as never) as ContractFunctionReturnType<A, Reads, F>;
}

const Log = v.object({ address: Account, topics: v.array(Bytes), data: Bytes, transactionHash: Bytes, blockNumber: Quantity });
export type Log = v.InferOutput<typeof Log>;
const Mined = v.nullable(v.object({ status: Quantity, blockNumber: Quantity, logs: v.array(Log) }));
export type Receipt = NonNullable<v.InferOutput<typeof Mined>> & { readonly hash: Hash };

/** What a sequencer of a busy chain may take. */
const PATIENCE = 300_000;

/**
 * Tells a contract something, from the researcher's account. It is tried without being sent first, so that a refusal is known before the wallet
 * asks; `sent` is told the transaction as soon as there is one, before anything is waited for.
 */
export async function send<const A extends Abi, F extends ContractFunctionName<A, Writes>>(desk: Desk, [to, abi]: At<A>, functionName: F, args: ContractFunctionArgs<A, Writes, F>, tell: Tell, sent: (hash: Hash) => Promise<void> = async () => undefined): Promise<Receipt> {
  const { provider, account } = desk;
  const call = { from: account, to, data: encodeFunctionData({ abi, functionName, args } as never) };
  await rightChain(desk);
  await ask(provider, "eth_call", [call, "latest"], v.unknown()).catch((error: unknown) => Promise.reject(explained(error)));
  const estimate = await ask(provider, "eth_estimateGas", [call], Quantity).catch((error: unknown) => Promise.reject(explained(error)));
  tell("confirming");
  // The block that it lands in may need more than the one that it was tried in.
  const gas = `0x${(estimate + estimate / 4n + 60_000n).toString(16)}`;
  const hash = await ask(provider, "eth_sendTransaction", [{ ...call, gas, chainId: `0x${desk.site.chain_id.toString(16)}` }], Bytes).catch((error: unknown) => Promise.reject(unsent(error)));
  tell("mining");
  // Where it cannot be kept it is waited for all the same: it is on its way.
  await sent(hash).catch(() => undefined);
  return mined(desk, hash);
}

/** What a wallet answers in the place of a hash. Only what it says before it sends tells that it did not. */
function unsent(error: unknown): unknown {
  const before = ["refused", "pending", "locked", "funds", "unknownChain"];
  return error instanceof WalletFailure && before.includes(error.kind) ? error : new SentFailure(undefined, String(error));
}

/** Waits until a transaction is in a block; throws where it was refused there. A node that does not answer says nothing of the transaction. */
export async function mined({ provider }: Pick<Desk, "provider">, hash: Hash, patience = PATIENCE, pause = 800): Promise<Receipt> {
  let why = "it is in no block yet";
  for (const end = Date.now() + patience; ; ) {
    const seen = await ask(provider, "eth_getTransactionReceipt", [hash], Mined).catch((error: unknown) => {
      why = String(error);
      return null;
    });
    if (seen?.status === 1n) return { ...seen, hash };
    if (seen) throw new Reverted("Refused", [], hash);
    if (Date.now() > end) throw new SentFailure(hash, why);
    await new Promise((go) => setTimeout(go, pause));
  }
}

/** Signs typed data with the account, after the chain was looked at once more. */
export async function sign(desk: Desk, typed: { domain: object; types: Record<string, readonly { name: string; type: string }[]>; primaryType: string; message: object }, tell: Tell): Promise<Address> {
  const { chainId, verifyingContract } = typed.domain as { chainId?: unknown; verifyingContract?: unknown };
  const contracts = Object.values(desk.site.manifest.addresses).map((at) => String(at).toLowerCase());
  if (Number(chainId) !== desk.site.chain_id || !contracts.includes(String(verifyingContract).toLowerCase())) throw new WalletFailure("strange", `what is to be signed is for chain ${String(chainId)} and contract ${String(verifyingContract)}, which are not this cooperative's`);
  await rightChain(desk);
  tell("signing");
  return ask(desk.provider, "eth_signTypedData_v4", [desk.account, JSON.stringify(typed)], v.pipe(Bytes, v.length(132)));
}

async function rightChain({ provider, site }: Desk): Promise<void> {
  const chain = Number(await ask(provider, "eth_chainId", [], Quantity));
  if (chain !== site.chain_id) throw new WalletFailure("chain", `the wallet is on chain ${chain}, the cooperative on ${site.chain_id}`);
}

/** The events of a contract in a transaction. */
export function eventsOf<const A extends Abi, E extends ContractEventName<A>>({ logs }: { logs: readonly Log[] }, [at, abi]: At<A>, eventName: E): GetEventArgs<A, E, { EnableUnion: false; IndexedOnly: false; Required: true }>[] {
  return logs.flatMap((log) => {
    if (log.address !== at) return [];
    try {
      const decoded = decodeEventLog({ abi: abi as Abi, eventName: eventName as string, topics: log.topics as [Hash], data: log.data });
      return [decoded.args as never];
    } catch {
      return [];
    }
  });
}

/** Blocks in one request for events: what nodes give at least. */
const RANGE = 2_000;
/** So many requests for events at most: a wallet's node is not ours. */
const ASKS = 60;

/** Events of a contract with these indexed values, newest blocks first until `isEnough`; `isWhole` tells whether all blocks of the cooperative were seen. */
export async function history<const A extends Abi, E extends ContractEventName<A>>(desk: Desk, [address, abi]: At<A>, eventName: E, args: object, isEnough: (logs: Log[]) => boolean = () => false): Promise<{ logs: Log[]; isWhole: boolean }> {
  const topics = encodeEventTopics({ abi, eventName, args } as never);
  const first = desk.site.manifest.base.number;
  let to = Number(await ask(desk.provider, "eth_blockNumber", [], Quantity));
  let logs: Log[] = [];
  for (let asked = 0; asked < ASKS && to >= first && !isEnough(logs); asked += 1) {
    const from = Math.max(first, to - RANGE + 1);
    const filter = { address, topics, fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` };
    logs = [...(await ask(desk.provider, "eth_getLogs", [filter], v.array(Log))), ...logs];
    to = from - 1;
  }
  return { logs, isWhole: to < first };
}

const Block = v.object({ timestamp: Quantity });
/** Block time in Unix seconds: what the contracts compare with. */
export const now = async ({ provider }: Desk): Promise<number> => Number((await ask(provider, "eth_getBlockByNumber", ["latest", false], Block)).timestamp);

export const timeOfBlock = async ({ provider }: Desk, block: bigint): Promise<number> => Number((await ask(provider, "eth_getBlockByNumber", [`0x${block.toString(16)}`, false], Block)).timestamp);

const ERRORS: Abi = Object.values(abis).flatMap((abi) => (abi as Abi).filter(({ type }) => type === "error"));

/** A refusal by a contract, by its name and values, where it is one. */
function explained(error: unknown): unknown {
  if (!(error instanceof WalletFailure) || !error.data) return error;
  try {
    const { errorName, args } = decodeErrorResult({ abi: ERRORS, data: error.data });
    return new Reverted(errorName, (args ?? []) as unknown[], undefined);
  } catch {
    return new Reverted("Unknown", [error.data], undefined);
  }
}

/** What the token takes in the place of a transaction that allows: `value` at most, by `spender`, until `deadline`. */
export async function permit(desk: Desk, spender: Address, value: bigint, tell: Tell) {
  const { account, site } = desk;
  const { usdc } = site.manifest.addresses;
  const zero = `0x${"0".repeat(64)}` as const;
  if (value === 0n) return { value, deadline: 0n, v: 0, r: zero, s: zero };
  const nonce = await view(desk, [usdc, abis.TestUSDC], "nonces", [account]);
  const deadline = BigInt((await now(desk)) + 3_600);
  const message = { owner: account, spender, value: value.toString(), nonce: nonce.toString(), deadline: deadline.toString() };
  const fields = { EIP712Domain: DOMAIN, Permit: [["owner", "address"], ["spender", "address"], ["value", "uint256"], ["nonce", "uint256"], ["deadline", "uint256"]].map(([name, type]) => ({ name: name as string, type: type as string })) };
  const signature = await sign(desk, { domain: { ...site.manifest.usdc_permit, chainId: site.chain_id, verifyingContract: usdc }, types: fields, primaryType: "Permit", message }, tell);
  return { value, deadline, ...partsOf(signature) };
}

export const DOMAIN = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
] as const;

function partsOf(signature: Address): { v: number; r: Address; s: Address } {
  const last = Number.parseInt(signature.slice(130), 16);
  return { r: signature.slice(0, 66) as Address, s: `0x${signature.slice(66, 130)}`, v: last < 27 ? last + 27 : last };
}
