import { readFileSync } from "node:fs";
import { encodeErrorResult } from "viem";
import { describe, expect, it } from "vitest";
import { bindings } from "../../scripts/abi.mjs";
import { ReadFailure } from "../api/read";
import * as abis from "./abi";
import { failureOf as sentenceOf } from "./act";
import { PriceChanged, Reverted, type Desk } from "./desk";
import { sign, view } from "./evm";
import { at } from "./market";
import { failureOf, type Provider, WalletFailure } from "./provider";

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
  const addresses = new Proxy({}, { get: () => ADDRESS });
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
  await expect(sign(desk, { domain: {}, types: {}, primaryType: "Permit", message: {} }, () => undefined)).rejects.toMatchObject({ kind: "chain" });
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
