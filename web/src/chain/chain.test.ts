import { readFileSync } from "node:fs";
import { encodeErrorResult } from "viem";
import { describe, expect, it, vi } from "vitest";
import { bindings } from "../../scripts/abi.mjs";
import { ReadFailure } from "../api/read";
import * as abis from "./abi";
import { failureOf as sentenceOf, wasSent } from "./act";
import { PriceChanged, Reverted, SentFailure, type Desk } from "./desk";
import { mined, send, sign, view } from "./evm";
import { at } from "./market";
import { failureOf, type Provider, WalletFailure } from "./provider";
import { firstSeen, isSameAs } from "./room";

it("has its interfaces of the contracts from abi/", () => {
  expect(readFileSync(new URL("abi.ts", import.meta.url), "utf8")).toBe(bindings());
});

it("does not make an interface of what a contract does not have", () => {
  expect(() => bindings(() => [])).toThrow("AuctionHouse has no auctionOf");
});

describe("what wallets answer", () => {
  it("is told apart by its code, however deep it lies", () => {
    expect(failureOf({ code: 4001, message: "no" }).kind).toBe("refused");
    expect(failureOf({ code: -32603, message: "Internal", data: { originalError: { code: 4902, message: "unknown chain" } } }).kind).toBe("unknownChain");
    expect(failureOf({ code: -32002, message: "already pending" }).kind).toBe("pending");
    expect(failureOf(new Error("insufficient funds for gas * price + value")).kind).toBe("funds");
    expect(failureOf("a text").kind).toBe("strange");
  });
  it("keeps what a contract said", () => {
    expect(failureOf({ code: 3, message: "execution reverted", data: "0x12345678" }).data).toBe("0x12345678");
    expect(failureOf({ code: -32603, message: "x", data: { code: 3, data: "0xabcdef01" } }).data).toBe("0xabcdef01");
    expect(failureOf({ code: 3, message: "x", data: "Reverted 0x12345678" }).data).toBeUndefined();
  });
});

const ADDRESS = `0x${"1".repeat(40)}` as const;
const deskOf = (request: Provider["request"]): Desk => {
  const addresses = Object.fromEntries(["market", "license", "usdc", "ethics_registry", "dataset_catalog", "researcher_bond", "steward_committee"].map((name) => [name, ADDRESS]));
  return { provider: { request }, account: ADDRESS, site: { chain_id: 1, now: 0, manifest: { addresses, base: { number: 0 }, usdc_permit: { name: "USDC", version: "1" } } } as unknown as Desk["site"] };
};

describe("a contract", () => {
  it("that refuses is named by its own error, with its values", async () => {
    const data = encodeErrorResult({ abi: abis.Market, errorName: "LicenseSale_NotApproved", args: [ADDRESS, 6] });
    const desk = deskOf(() => Promise.reject({ code: 3, message: "execution reverted", data }));
    const refused = await view(desk, at(desk).market, "bondRequired", []).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(Reverted);
    expect((refused as Reverted).reason).toBe("LicenseSale_NotApproved");
    expect(sentenceOf(refused as Error)).toBe("notApproved");
  });
  it("that is not there is no answer", async () => {
    const desk = deskOf(async () => "0x");
    await expect(view(desk, at(desk).market, "bondRequired", [])).rejects.toThrow("there is no contract");
  });
});

it("asks for no signature on another chain", async () => {
  const asked: string[] = [];
  const desk = deskOf(async ({ method }) => {
    asked.push(method);
    return "0x5";
  });
  const typed = (domain: object) => ({ domain, types: {}, primaryType: "Permit", message: {} });
  await expect(sign(desk, typed({ chainId: 1, verifyingContract: ADDRESS }), () => undefined)).rejects.toMatchObject({ kind: "chain" });
  expect(asked).toEqual(["eth_chainId"]);
  // And none that counts elsewhere, whoever prepared it.
  for (const domain of [{ chainId: 5, verifyingContract: ADDRESS }, { chainId: 1, verifyingContract: `0x${"2".repeat(40)}` }, { chainId: 1 }]) await expect(sign(desk, typed(domain), () => undefined)).rejects.toMatchObject({ kind: "strange" });
  expect(asked).toEqual(["eth_chainId"]);
});

it("has a sentence for every refusal of a contract that a page can meet", () => {
  const errors = Object.values(abis).flatMap((abi) => (abi as readonly { type: string; name: string }[]).filter(({ type }) => type === "error").map(({ name }) => name));
  const own = errors.filter((name) => /^(LicenseSale|Pausing|EthicsRegistry_(?!ZeroResearcher))/.test(name));
  expect(own.filter((name) => sentenceOf(new Reverted(name, [], undefined)) === "contract")).toEqual([]);
  expect(sentenceOf(new PriceChanged("1 became 2"))).toBe("price");
  expect(sentenceOf(new WalletFailure("strange", ""))).toBe("wallet");
  expect(sentenceOf(new ReadFailure("strange", "", ""))).toBe("strange");
});

describe("what was sent", () => {
  const HASH = `0x${"7".repeat(64)}` as const;
  const MINED = { status: "0x1", blockNumber: "0x9", logs: [] };
  const wallet = (answers: Record<string, () => unknown>) => {
    const asked: { method: string; params?: unknown }[] = [];
    const desk = deskOf(async (one) => {
      asked.push(one);
      return (answers[one.method] ?? (() => "0x1"))();
    });
    return { desk, asked };
  };
  const fail = (error: unknown) => () => {
    throw error;
  };

  it("is waited for where it cannot be kept, and where the node fails for a while", async () => {
    let tries = 0;
    const { desk, asked } = wallet({ eth_sendTransaction: () => HASH, eth_getTransactionReceipt: () => (++tries < 2 ? fail({ code: -32603, message: "no node" })() : MINED) });
    const receipt = await send(desk, at(desk).market, "renew", [1n, 1n, { value: 0n, deadline: 0n, v: 0, r: HASH, s: HASH }], () => undefined, () => Promise.reject(new Error("QuotaExceededError")));
    expect(receipt.hash).toBe(HASH);
    // The wallet may have changed its chain since it was asked.
    expect(asked.find(({ method }) => method === "eth_sendTransaction")?.params).toMatchObject([{ chainId: "0x1" }]);
  });
  it("and was not seen to end is told as that, and never as nothing paid", async () => {
    const { desk } = wallet({ eth_getTransactionReceipt: () => null });
    const failure = await mined(desk, HASH, 5, 1).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(SentFailure);
    expect([sentenceOf(failure as Error), wasSent(failure as Error)]).toEqual(["waiting", true]);
    const refused = await mined(wallet({ eth_getTransactionReceipt: () => ({ ...MINED, status: "0x0" }) }).desk, HASH).catch((error: Error) => error);
    expect([sentenceOf(refused as Error), wasSent(refused as Error)]).toEqual(["refusedInBlock", true]);
  });
  it.each([
    [{ code: 4001, message: "no" }, "refused", false],
    [{ code: -32603, message: "timeout" }, "maybe", true],
  ])("or not: the wallet says %o", async (error, sentence, is) => {
    const { desk } = wallet({ eth_sendTransaction: fail(error) });
    const failure = await send(desk, at(desk).market, "renew", [1n, 1n, { value: 0n, deadline: 0n, v: 0, r: HASH, s: HASH }], () => undefined).catch((one: Error) => one);
    expect([sentenceOf(failure as Error), wasSent(failure as Error)]).toEqual([sentence, is]);
  });
});

it("knows the contracts from the first answer on, and a member's before that", () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, text: string) => kept.set(name, text), removeItem: (name: string) => kept.delete(name) });
  const shown = { chain: 1, addresses: { market: ADDRESS } };
  const others = { chain: 1, addresses: { market: `0x${"2".repeat(40)}` } };
  expect(firstSeen(shown)).toEqual(shown);
  expect(firstSeen(others)).toEqual(shown);
  expect([isSameAs(shown, shown), isSameAs(shown, others), isSameAs(shown, { ...shown, chain: 2 })]).toEqual([true, false, false]);
  kept.clear();
  kept.set("rochdale.joined", JSON.stringify({ [ADDRESS]: { pin: { chain_id: 1, addresses: others.addresses, stewards: [], quorum: 2 } } }));
  expect(isSameAs(firstSeen(shown), shown)).toBe(false);
  vi.unstubAllGlobals();
});
