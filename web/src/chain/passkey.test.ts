import { decodeFunctionData, encodeAbiParameters, encodeErrorResult, encodeEventTopics } from "viem";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as abis from "./abi";
import { failureOf as sentenceOf, wasSent } from "./act";
import { close, commit, reveal, withdraw } from "./auction";
import type { Desk } from "./desk";
import { isAtomic, mined, pay } from "./evm";
import { at } from "./market";
import { owned, passkey } from "./passkey";
import { request, take } from "./passkey-provider";
import { failureOf, type Provider } from "./provider";
import type { Bid } from "./store";

const ADDRESS = `0x${"1".repeat(40)}` as const;
const MARKET = `0x${"2".repeat(40)}` as const;
const HOUSE = `0x${"3".repeat(40)}` as const;
const HASH = `0x${"7".repeat(64)}` as const;
const MINED = { status: "0x1", blockNumber: "0x9", logs: [], transactionHash: HASH };

function deskOf(answers: Record<string, (given: unknown) => unknown>, more: Partial<Desk> = {}) {
  const asked: { method: string; params?: unknown }[] = [];
  const provider: Provider = {
    request: async (one) => {
      asked.push(one);
      const answer = answers[one.method];
      if (!answer) throw { code: -32601, message: "Method not found" };
      return answer(one.params);
    },
  };
  const names = ["license", "usdc", "ethics_registry", "dataset_catalog", "researcher_bond", "steward_committee"];
  const addresses = { ...Object.fromEntries(names.map((name) => [name, ADDRESS])), market: MARKET, auction_house: HOUSE, compute_desk: MARKET };
  const site = { chain_id: 1, now: 0, manifest: { addresses, base: { number: 0 }, usdc_permit: { name: "USDC", version: "1" } } } as unknown as Desk["site"];
  return { desk: { provider, account: ADDRESS, site, ...more } as Desk, asked };
}

const buy = (desk: Desk, sent?: (hash: string) => Promise<void>) => pay(desk, at(desk).market, "renew", (allowed) => [7n, 30n, allowed] as const, 500n, () => undefined, sent);

describe("a wallet that makes several calls at once", () => {
  it("says so for this chain, and one that is asked for more first is none", async () => {
    const told = (status: string, chain = "0x1") => deskOf({ wallet_getCapabilities: () => ({ [chain]: { atomic: { status } } }) }).desk;
    expect(await Promise.all([told("supported"), told("ready"), told("unsupported"), told("supported", "0x5"), deskOf({}).desk].map(isAtomic))).toEqual([true, false, false, false, false]);
  });
  it("is asked once: exactly the price is allowed, and taken without a signed permission", async () => {
    const { desk, asked } = deskOf({ eth_chainId: () => "0x1", wallet_sendCalls: () => ({ id: HASH }), eth_getTransactionReceipt: () => MINED }, { isAtomic: true });
    const told: string[] = [];
    expect((await buy(desk, async (hash) => void told.push(hash))).hash).toBe(HASH);
    expect(told).toEqual([HASH]);
    expect(asked.some(({ method }) => method === "eth_signTypedData_v4")).toBe(false);
    const [batch] = asked.find(({ method }) => method === "wallet_sendCalls")?.params as [{ atomicRequired: boolean; calls: { to: string; data: `0x${string}` }[] }];
    expect([batch.atomicRequired, batch.calls.map(({ to }) => to)]).toEqual([true, [ADDRESS, MARKET]]);
    expect(decodeFunctionData({ abi: abis.TestUSDC, data: batch.calls[0]?.data ?? "0x" })).toEqual({ functionName: "approve", args: [MARKET, 500n] });
    expect(decodeFunctionData({ abi: abis.Market, data: batch.calls[1]?.data ?? "0x" }).args?.[2]).toMatchObject({ value: 500n, deadline: 0n, v: 0 });
  });
  it("may name its calls otherwise than by a transaction", async () => {
    const id = "0x12";
    const { desk } = deskOf({ eth_chainId: () => "0x1", wallet_sendCalls: () => ({ id }), wallet_getCallsStatus: () => ({ status: 200, receipts: [MINED] }) }, { isAtomic: true });
    expect((await buy(desk)).hash).toBe(HASH);
    const refused = deskOf({ eth_chainId: () => "0x1", wallet_sendCalls: () => ({ id }), wallet_getCallsStatus: () => ({ status: 500 }) }, { isAtomic: true });
    expect(sentenceOf((await buy(refused.desk).catch((error: Error) => error)) as Error)).toBe("refusedInBlock");
  });
  it("that says that they failed is believed, also where what carried them went well", async () => {
    for (const status of [400, 500, 600]) {
      const { desk } = deskOf({ eth_chainId: () => "0x1", wallet_sendCalls: () => ({ id: "0x12" }), wallet_getCallsStatus: () => ({ status, receipts: [MINED] }) }, { isAtomic: true });
      const failure = (await buy(desk).catch((error: Error) => error)) as Error;
      expect([sentenceOf(failure), wasSent(failure)]).toEqual(["refusedInBlock", true]);
    }
  });
  it("gives logs without transaction and block, which are the receipt's", async () => {
    const log = { address: MARKET, data: "0x", topics: [HASH] };
    const { desk } = deskOf({ eth_getTransactionReceipt: () => null, wallet_getCallsStatus: () => ({ status: 200, receipts: [{ ...MINED, logs: [log] }] }) });
    expect((await mined(desk, "0x12", 5, 1)).logs).toEqual([{ ...log, transactionHash: HASH, blockNumber: 9n }]);
  });
  it("that tries it first tells what the contract says, and nothing was sent", async () => {
    const data = encodeErrorResult({ abi: abis.TestUSDC, errorName: "ERC20InsufficientBalance", args: [ADDRESS, 1n, 500n] });
    const { desk } = deskOf({ eth_chainId: () => "0x1", wallet_sendCalls: () => Promise.reject({ code: 3, message: "execution reverted", data }) }, { isAtomic: true });
    const failure = (await buy(desk).catch((error: Error) => error)) as Error;
    expect([sentenceOf(failure), wasSent(failure)]).toEqual(["usdc", false]);
  });
});

describe("what is in a block", () => {
  const bid = { auction: 4, seal: HASH, amount: "900", purpose: 1, category: 0, key: HASH, salt: HASH } as unknown as Bid;
  const log = (address: string, eventName: "BidCommitted" | "BidRevealed" | "AuctionClosed" | "Withdrawn", args: object, types: string[], values: unknown[]) =>
    ({ address, topics: encodeEventTopics({ abi: abis.AuctionHouse, eventName, args } as never), data: encodeAbiParameters(types.map((type) => ({ type })), values) });
  const own = { auctionId: 4n, bidder: ADDRESS };
  const told = {
    committed: log(HOUSE, "BidCommitted", own, ["uint16", "bytes32"], [1, HASH]),
    revealed: log(HOUSE, "BidRevealed", own, ["uint128"], [900n]),
    closed: log(HOUSE, "AuctionClosed", { auctionId: 4n }, ["uint64", "address", "uint256", "uint256"], [0n, ADDRESS, 0n, 0n]),
    withdrawn: log(HOUSE, "Withdrawn", { account: ADDRESS }, ["uint256"], [9n]),
    refunded: log(MARKET, "Withdrawn", { account: ADDRESS }, ["uint256"], [9n]),
  };
  const acts: [keyof typeof told, (desk: Desk) => Promise<string>][] = [
    ["committed", (desk) => commit(desk, bid, 500n, () => undefined)],
    ["revealed", (desk) => reveal(desk, bid, 500n, () => undefined)],
    ["closed", (desk) => close(desk, 4, () => undefined)],
    ["withdrawn", (desk) => withdraw(desk, "auction", () => undefined)],
    ["refunded", (desk) => withdraw(desk, "compute", () => undefined)],
  ];
  const deskWith = (logs: object[]) =>
    deskOf({ eth_chainId: () => "0x1", eth_call: () => "0x", eth_estimateGas: () => "0x1", eth_sendTransaction: () => HASH, wallet_sendCalls: () => ({ id: HASH }), eth_getTransactionReceipt: () => ({ ...MINED, logs }) }, { isAtomic: true }).desk;

  it.each(acts)("is %s where the contract says so, and else told as sent", async (name, act) => {
    expect(await act(deskWith([told[name]]))).toBe(HASH);
    const others = Object.entries(told).filter(([one]) => one !== name).map(([, one]) => one);
    const failure = (await act(deskWith(others)).catch((error: Error) => error)) as Error;
    expect([sentenceOf(failure), wasSent(failure)]).toEqual(["waiting", true]);
  });
  it("is another's bid, or another bid, and not this one", async () => {
    const other = [log(HOUSE, "BidCommitted", { ...own, bidder: MARKET }, ["uint16", "bytes32"], [1, HASH]), log(HOUSE, "BidCommitted", own, ["uint16", "bytes32"], [1, `0x${"8".repeat(64)}`]), log(HOUSE, "BidCommitted", { ...own, auctionId: 5n }, ["uint16", "bytes32"], [1, HASH])];
    await expect(commit(deskWith(other), bid, 500n, () => undefined)).rejects.toMatchObject({ name: "SentFailure" });
  });
});

describe("a passkey", () => {
  const answers = (status: number, body: unknown) => vi.stubGlobal("fetch", async () => new Response(JSON.stringify(body), { status }));
  const sentence = async (act: Promise<unknown>) => sentenceOf(failureOf(await act.catch((error: unknown) => error)));
  afterEach(() => vi.unstubAllGlobals());

  it("has no account before one is made", async () => {
    expect([owned(), await passkey.provider.request({ method: "eth_accounts" })]).toEqual([[], []]);
    await expect(request({ method: "wallet_sendCalls", params: [{ from: ADDRESS, chainId: "0x1", calls: [{ to: ADDRESS, data: "0x" }] }] })).rejects.toMatchObject({ code: 4100 });
  });
  it("reads the chain as the gateway shows it, and hands on what a contract says", async () => {
    answers(200, { jsonrpc: "2.0", id: 1, result: "0x7a69" });
    expect(await request({ method: "eth_chainId" })).toBe("0x7a69");
    answers(200, { jsonrpc: "2.0", id: 1, error: { code: 3, message: "execution reverted", data: "0x12345678" } });
    await expect(request({ method: "eth_call", params: [] })).rejects.toMatchObject({ code: 3, data: "0x12345678" });
  });
  it("tells a gateway that refuses from one that is away", async () => {
    answers(403, { code: "forbidden", detail: "the ethics board approves it for no purpose" });
    expect(await sentence(request({ method: "eth_call" }))).toBe("unpaid");
    answers(429, { code: "too_many_requests", detail: "more than 600 times" });
    expect(await sentence(request({ method: "eth_call" }))).toBe("often");
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await sentence(request({ method: "eth_call" }))).toBe("away");
  });
  it("sends none of the chain's own coin, and does nothing without it", async () => {
    const asked = (value: string | undefined) => [
      request({ method: "wallet_sendCalls", params: [{ from: ADDRESS, chainId: "0x1", calls: [{ to: ADDRESS, data: "0x" }, { to: ADDRESS, data: "0x", value }] }] }),
      request({ method: "eth_sendTransaction", params: [{ from: ADDRESS, chainId: "0x1", to: ADDRESS, data: "0x", value }] }),
    ];
    for (const value of ["0x1", "1", "0xde0b6b3a7640000"]) for (const one of asked(value)) expect(await sentence(one)).toBe("rules");
    // There is no account here: that is what stops these.
    for (const value of ["0x0", undefined]) for (const one of asked(value)) expect(await sentence(one)).toBe("locked");
  });
  it("is not taken from a member", async () => {
    const account = { account: ADDRESS, member_id: 7, nonce: 0, passkey: { qx: HASH, qy: HASH }, recovery_hash: HASH, recovery_round: 0 };
    answers(200, account);
    expect(await sentence(take(ADDRESS))).toBe("member");
    answers(200, { ...account, member_id: null });
    expect(await sentence(take(ADDRESS))).not.toBe("member");
  });
  it("is on the cooperative's chain alone", async () => {
    expect(await sentence(request({ method: "wallet_switchEthereumChain", params: [{ chainId: "0x1" }] }))).toBe("unknownChain");
  });
});
