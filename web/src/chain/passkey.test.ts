import { decodeFunctionData, encodeErrorResult } from "viem";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as abis from "./abi";
import { failureOf as sentenceOf, wasSent } from "./act";
import type { Desk } from "./desk";
import { isAtomic, pay } from "./evm";
import { at } from "./market";
import { owned, passkey } from "./passkey";
import { request } from "./passkey-provider";
import { failureOf, type Provider } from "./provider";

const ADDRESS = `0x${"1".repeat(40)}` as const;
const MARKET = `0x${"2".repeat(40)}` as const;
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
  const addresses = { ...Object.fromEntries(names.map((name) => [name, ADDRESS])), market: MARKET };
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
  it("that tries it first tells what the contract says, and nothing was sent", async () => {
    const data = encodeErrorResult({ abi: abis.TestUSDC, errorName: "ERC20InsufficientBalance", args: [ADDRESS, 1n, 500n] });
    const { desk } = deskOf({ eth_chainId: () => "0x1", wallet_sendCalls: () => Promise.reject({ code: 3, message: "execution reverted", data }) }, { isAtomic: true });
    const failure = (await buy(desk).catch((error: Error) => error)) as Error;
    expect([sentenceOf(failure), wasSent(failure)]).toEqual(["usdc", false]);
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
  it("is on the cooperative's chain alone", async () => {
    expect(await sentence(request({ method: "wallet_switchEthereumChain", params: [{ chainId: "0x1" }] }))).toBe("unknownChain");
  });
});
