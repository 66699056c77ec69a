//! Contracts, asked and told through the wallet's own provider. The only file that knows viem; it is loaded when a wallet is there.
import { type Abi, type ContractEventName, type ContractFunctionArgs, type ContractFunctionName, type ContractFunctionReturnType, decodeErrorResult, decodeEventLog, decodeFunctionResult, encodeEventTopics, encodeFunctionData, type GetEventArgs, hashTypedData } from "viem";
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
/** Wallets give logs of calls without the transaction and the block: those are the receipt's. */
const InReceipt = v.object({ address: Account, topics: v.array(Bytes), data: Bytes });
const Whole = v.object({ status: Quantity, blockNumber: Quantity, logs: v.array(InReceipt), transactionHash: v.optional(Bytes) });
type Whole = v.InferOutput<typeof Whole>;
const Mined = v.nullable(Whole);
export type Receipt = Omit<Whole, "logs"> & { readonly hash: Hash; readonly logs: readonly Log[] };

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
  const before = ["refused", "pending", "locked", "funds", "unknownChain", "unconfirmed", "noPasskey", "unpaid", "often", "away", "rules"];
  return error instanceof WalletFailure && before.includes(error.kind) ? error : new SentFailure(undefined, String(error));
}

const Capabilities = v.record(v.string(), v.looseObject({ atomic: v.optional(v.looseObject({ status: v.string() })) }));

/** Whether a wallet makes several calls with one prompt on the cooperative's chain, all or none, without asking for more first. Many do not know the question. */
export async function isAtomic({ provider, account, site }: Desk): Promise<boolean> {
  const chain = `0x${site.chain_id.toString(16)}`;
  const told = await ask(provider, "wallet_getCapabilities", [account, [chain]], Capabilities).catch((error: unknown) => {
    // A passkey knows the question: that its gateway is away is no answer to it.
    if (error instanceof WalletFailure && ["away", "often"].includes(error.kind)) throw error;
    return undefined;
  });
  return told?.[chain]?.atomic?.status === "supported";
}

/**
 * Tells a contract something that costs USDC. With a wallet that makes several calls at once, exactly that much is allowed and taken in one go;
 * with any other, by a signed permission first. `args` of what the contract is told about the allowance.
 */
export async function pay<const A extends Abi, F extends ContractFunctionName<A, Writes>>(desk: Desk, [to, abi]: At<A>, functionName: F, args: (allowed: Allowed) => ContractFunctionArgs<A, Writes, F>, value: bigint, tell: Tell, sent: (hash: Hash) => Promise<void> = async () => undefined): Promise<Receipt> {
  if (!desk.isAtomic || value === 0n) return send(desk, [to, abi], functionName, args(await permit(desk, to, value, tell)), tell, sent);
  const { usdc } = desk.site.manifest.addresses;
  const approve = { to: usdc, data: encodeFunctionData({ abi: abis.TestUSDC, functionName: "approve", args: [to, value] }) };
  const call = { to, data: encodeFunctionData({ abi, functionName, args: args(nothing(value)) } as never) };
  return sendTogether(desk, [approve, call], tell, sent);
}

/** Calls with one prompt, all or none. */
async function sendTogether(desk: Desk, calls: readonly { to: Address; data: Address }[], tell: Tell, sent: (hash: Hash) => Promise<void>): Promise<Receipt> {
  const { provider, account, site } = desk;
  await rightChain(desk);
  tell("confirming");
  const batch = { version: "2.0.0", from: account, chainId: `0x${site.chain_id.toString(16)}`, atomicRequired: true, calls };
  const { id } = await ask(provider, "wallet_sendCalls", [batch], v.looseObject({ id: Bytes })).catch((error: unknown) => {
    // A wallet that tries it first tells what a contract says, and sends nothing.
    const known = explained(error);
    return Promise.reject(known instanceof Reverted ? known : unsent(error));
  });
  tell("mining");
  await sent(id).catch(() => undefined);
  return mined(desk, id);
}

const Calls = v.looseObject({ status: v.number(), receipts: v.nullish(v.unknown()) });

/** The same of calls by the name that a wallet gave them, where that is no transaction's hash; nothing where it knows none. */
async function ofCalls(provider: Desk["provider"], id: Hash): Promise<Whole | null> {
  const told = await ask(provider, "wallet_getCallsStatus", [id], Calls).catch(() => undefined);
  // Below 200 they are on their way, below 300 they were made, from then on they were not.
  if (!told || told.status < 200) return null;
  const receipts = v.safeParse(v.array(Whole), told.receipts);
  const last = receipts.success ? receipts.output.at(-1) : undefined;
  // What carried them may have gone well where they did not.
  if (told.status >= 300) return { status: 0n, blockNumber: 0n, logs: [], transactionHash: last?.transactionHash ?? id };
  return last && receipts.success ? { ...last, logs: receipts.output.flatMap(({ logs }) => logs) } : null;
}

/** Waits until a transaction is in a block, or what the wallet names its calls by; throws where it was refused there. A node that does not answer says nothing of the transaction. */
export async function mined({ provider }: Pick<Desk, "provider">, hash: Hash, patience = PATIENCE, pause = 800): Promise<Receipt> {
  let why = "it is in no block yet";
  for (const end = Date.now() + patience; ; ) {
    const mined = await ask(provider, "eth_getTransactionReceipt", [hash], Mined).catch((error: unknown) => {
      why = String(error);
      return null;
    });
    const seen = mined ?? (await ofCalls(provider, hash));
    if (seen?.status === 1n) return receiptOf(seen, seen.transactionHash ?? hash);
    if (seen) throw new Reverted("Refused", [], seen.transactionHash ?? hash);
    if (Date.now() > end) throw new SentFailure(hash, why);
    await new Promise((go) => setTimeout(go, pause));
  }
}

const receiptOf = (seen: Whole, hash: Hash): Receipt => ({ ...seen, hash, logs: seen.logs.map((log) => ({ ...log, transactionHash: hash, blockNumber: seen.blockNumber })) });

/** Signs typed data with the account, after the chain was looked at once more. */
export async function sign(desk: Desk, typed: { domain: object; types: Record<string, readonly { name: string; type: string }[]>; primaryType: string; message: object }, tell: Tell): Promise<Address> {
  const { chainId, verifyingContract } = typed.domain as { chainId?: unknown; verifyingContract?: unknown };
  const contracts = Object.values(desk.site.manifest.addresses).map((at) => String(at).toLowerCase());
  if (Number(chainId) !== desk.site.chain_id || !contracts.includes(String(verifyingContract).toLowerCase())) throw new WalletFailure("strange", `what is to be signed is for chain ${String(chainId)} and contract ${String(verifyingContract)}, which are not this cooperative's`);
  await rightChain(desk);
  tell("signing");
  // A key's signature has 65 bytes, an account's that is a contract as many as it takes (ERC-1271).
  return ask(desk.provider, "eth_signTypedData_v4", [desk.account, JSON.stringify(typed)], v.pipe(Bytes, v.minLength(132)));
}

/** The digest of typed data as a wallet is given it. */
export const digestOf = (text: string): Hash => hashTypedData(JSON.parse(text) as never);

async function rightChain({ provider, site }: Desk): Promise<void> {
  const chain = Number(await ask(provider, "eth_chainId", [], Quantity));
  if (chain !== site.chain_id) throw new WalletFailure("chain", `the wallet is on chain ${chain}, the cooperative on ${site.chain_id}`);
}

/** The events of a contract in a transaction. */
export function eventsOf<const A extends Abi, E extends ContractEventName<A>>({ logs }: { logs: readonly Pick<Log, "address" | "topics" | "data">[] }, [at, abi]: At<A>, eventName: E): GetEventArgs<A, E, { EnableUnion: false; IndexedOnly: false; Required: true }>[] {
  return logs.flatMap((log) => {
    if (log.address !== at) return [];
    try {
      const decoded = decodeEventLog({ abi: abi as Abi, eventName: eventName as string, topics: log.topics as [Hash], data: log.data });
      // It is decoded by its first topic, whichever name was asked for.
      return (decoded.eventName as string) === eventName ? [decoded.args as never] : [];
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

/** What a contract is told about the allowance: a signed permission, or, where `v` is 0, that there is one already. */
export interface Allowed {
  readonly value: bigint;
  readonly deadline: bigint;
  readonly v: number;
  readonly r: Address;
  readonly s: Address;
}

const ZERO = `0x${"0".repeat(64)}` as const;
const nothing = (value: bigint): Allowed => ({ value, deadline: 0n, v: 0, r: ZERO, s: ZERO });

/** What the token takes in the place of a transaction that allows: `value` at most, by `spender`, until `deadline`. */
async function permit(desk: Desk, spender: Address, value: bigint, tell: Tell): Promise<Allowed> {
  const { account, site } = desk;
  const { usdc } = site.manifest.addresses;
  if (value === 0n) return nothing(value);
  const nonce = await view(desk, [usdc, abis.TestUSDC], "nonces", [account]);
  const deadline = BigInt((await now(desk)) + 3_600);
  const message = { owner: account, spender, value: value.toString(), nonce: nonce.toString(), deadline: deadline.toString() };
  const fields = { EIP712Domain: DOMAIN, Permit: [["owner", "address"], ["spender", "address"], ["value", "uint256"], ["nonce", "uint256"], ["deadline", "uint256"]].map(([name, type]) => ({ name: name as string, type: type as string })) };
  const signature = await sign(desk, { domain: { ...site.manifest.usdc_permit, chainId: site.chain_id, verifyingContract: usdc }, types: fields, primaryType: "Permit", message }, tell);
  if (signature.length !== 132) throw new WalletFailure("strange", "the wallet's account is a contract, whose signature USDC does not take as a permission");
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
