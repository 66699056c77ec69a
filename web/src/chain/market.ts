//! Licenses at the fixed price.
import * as abis from "./abi";
import { type Desk, type Hash, PriceChanged, SentFailure, type Tell } from "./desk";
import { eventsOf, history, mined, now, pay, type Receipt, timeOfBlock, view } from "./evm";
import type { Address } from "./provider";

export const DAY = 86_400;
export const MONTH = 30 * DAY;

/** What is to be bought. `key`: what answers are sealed to. */
export interface Wanted {
  readonly dataset: number;
  readonly records: number;
  readonly purpose: number;
  readonly category: number;
  readonly months: number;
  readonly key: Address;
}

const orderOf = ({ dataset, records, purpose, category, months, key }: Wanted) => ({ datasetId: dataset, records, purpose, ehdsCategory: category, duration: BigInt(months * MONTH), recipientKey: key });

export const at = ({ site }: Desk) => {
  const { manifest } = site;
  const { market, license, usdc, ethics_registry, dataset_catalog, researcher_bond } = manifest.addresses;
  return {
    market: [market, abis.Market] as const,
    license: [license, abis.License] as const,
    usdc: [usdc, abis.TestUSDC] as const,
    ethics: [ethics_registry, abis.EthicsRegistry] as const,
    catalog: [dataset_catalog, abis.DatasetCatalog] as const,
    bond: [researcher_bond, abis.ResearcherBond] as const,
  };
};

/** What stands between a researcher and a license, whatever its price form. */
export interface Standing {
  readonly now: number;
  readonly approvedUntil: number;
  readonly balance: bigint;
  readonly isOpen: boolean;
  readonly isAuctioned: boolean;
  readonly perThousand: bigint;
}

export async function standing(desk: Desk, dataset: number, purpose: number): Promise<Standing> {
  const { usdc, ethics, catalog } = at(desk);
  const [time, until, balance, set] = await Promise.all([
    now(desk),
    view(desk, ethics, "approvedUntil", [desk.account, purpose]),
    view(desk, usdc, "balanceOf", [desk.account]),
    view(desk, catalog, "datasetOf", [dataset]),
  ]);
  return { now: time, approvedUntil: Number(until), balance, isOpen: set.open, isAuctioned: set.auctioned, perThousand: set.pricePerThousand };
}

export type Quote = Standing & { readonly price: bigint; readonly lacksBond: boolean };

export async function quote(desk: Desk, wanted: Wanted): Promise<Quote> {
  const { market, bond } = at(desk);
  const [stands, isRequired, isBonded] = await Promise.all([standing(desk, wanted.dataset, wanted.purpose), view(desk, market, "bondRequired", []), view(desk, bond, "isBonded", [desk.account])]);
  const price = stands.isOpen && !stands.isAuctioned ? await view(desk, market, "priceOf", [orderOf(wanted)]) : 0n;
  return { ...stands, price, lacksBond: isRequired && !isBonded };
}

export interface Bought {
  readonly license: number;
  readonly hash: Hash;
}

/** Buys what was shown for what was shown, or nothing. */
export async function buy(desk: Desk, wanted: Wanted, shown: bigint, tell: Tell, sent: (hash: Hash) => Promise<void>): Promise<Bought> {
  const { market } = at(desk);
  tell("looking");
  const price = await view(desk, market, "priceOf", [orderOf(wanted)]);
  if (price !== shown) throw new PriceChanged(`${shown} became ${price}`);
  return bought(desk, await pay(desk, market, "buy", (allowed) => [orderOf(wanted), allowed] as const, price, tell, sent));
}

/** The license that a transaction issued. */
export function bought(desk: Desk, receipt: Receipt): Bought {
  const [issued] = eventsOf(receipt, at(desk).license, "LicenseIssued");
  if (!issued) throw new SentFailure(receipt.hash, "the transaction issued no license");
  return { license: Number(issued.licenseId), hash: receipt.hash };
}

export interface Terms {
  readonly license: number;
  readonly holder: Address;
  readonly dataset: number;
  readonly right: number;
  readonly purpose: number;
  readonly category: number;
  readonly records: number;
  readonly issuedAt: number;
  readonly expiry: number;
  readonly key: Address;
}

/** A license as the chain has it. */
export async function termsOf(desk: Desk, license: number): Promise<Terms> {
  const { license: at_ } = at(desk);
  const [holder, terms] = await Promise.all([view(desk, at_, "ownerOf", [BigInt(license)]), view(desk, at_, "termsOf", [BigInt(license)])]);
  return {
    license,
    holder: holder.toLowerCase() as Address,
    dataset: terms.datasetId,
    right: terms.right,
    purpose: terms.purpose,
    category: terms.ehdsCategory,
    records: terms.records,
    issuedAt: Number(terms.issuedAt),
    expiry: Number(terms.expiry),
    key: terms.recipientKey.toLowerCase() as Address,
  };
}

const renewal = (terms: Terms, months: number): Wanted => ({ dataset: terms.dataset, records: terms.records, purpose: terms.purpose, category: terms.category, months, key: terms.key });

export const quoteRenewal = (desk: Desk, terms: Terms, months: number): Promise<Quote> => quote(desk, renewal(terms, months));

export async function renew(desk: Desk, terms: Terms, months: number, shown: bigint, tell: Tell, sent: (hash: Hash) => Promise<void>): Promise<{ expiry: number; hash: Hash }> {
  const { market } = at(desk);
  tell("looking");
  const price = await view(desk, market, "priceOf", [orderOf(renewal(terms, months))]);
  if (price !== shown) throw new PriceChanged(`${shown} became ${price}`);
  const receipt = await pay(desk, market, "renew", (allowed) => [BigInt(terms.license), BigInt(months * MONTH), allowed] as const, price, tell, sent);
  return { expiry: renewedIn(desk, receipt), hash: receipt.hash };
}

function renewedIn(desk: Desk, receipt: Receipt): number {
  const [renewed] = eventsOf(receipt, at(desk).market, "Renewed");
  if (!renewed) throw new SentFailure(receipt.hash, "the transaction renewed nothing");
  return Number(renewed.expiry);
}

/** One payment for a license: when, how much, to whom, and in which transaction. */
export interface Payment {
  readonly hash: Hash;
  readonly at: number;
  readonly amount: bigint;
  readonly to: Address;
  readonly kind: "issued" | "renewed";
  readonly expiry: number;
}

/** Each payment that the chain shows for a license, oldest first. */
export async function payments(desk: Desk, terms: Terms): Promise<{ payments: Payment[]; isWhole: boolean }> {
  const { license, market } = at(desk);
  const id = BigInt(terms.license);
  const [issued, renewed] = await Promise.all([history(desk, license, "LicenseIssued", { licenseId: id }, (logs) => logs.length > 0), history(desk, market, "Renewed", { licenseId: id })]);
  const one = async (log: (typeof issued.logs)[number], kind: Payment["kind"], expiry: number): Promise<Payment> => {
    const [paid, time] = await Promise.all([paidIn(desk, terms.holder, log.transactionHash), timeOfBlock(desk, log.blockNumber)]);
    return { hash: log.transactionHash, at: time, ...paid, kind, expiry };
  };
  const first = await Promise.all(issued.logs.map((log) => one(log, "issued", Number(eventsOf({ logs: [log] }, license, "LicenseIssued")[0]?.terms.expiry ?? 0n))));
  const later = await Promise.all(renewed.logs.map((log) => one(log, "renewed", Number(eventsOf({ logs: [log] }, market, "Renewed")[0]?.expiry ?? 0n))));
  return { payments: [...first, ...later], isWhole: issued.logs.length > 0 && renewed.isWhole };
}

/** What the holder paid in a transaction, by the token's own events. */
async function paidIn(desk: Desk, holder: Address, hash: Hash): Promise<{ amount: bigint; to: Address }> {
  const receipt = await mined(desk, hash);
  const paid = eventsOf(receipt, at(desk).usdc, "Transfer").filter(({ from }) => from.toLowerCase() === holder);
  return { amount: paid.reduce((sum, { value }) => sum + value, 0n), to: (paid[0]?.to.toLowerCase() ?? "0x") as Address };
}
