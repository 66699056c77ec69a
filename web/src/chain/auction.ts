//! Auctions by sealed bids. What was sealed is kept before it is committed: who cannot reveal loses the bond.
import { encodeAbiParameters, keccak256 } from "viem";
import * as abis from "./abi";
import { type Desk, type Hash, SentFailure, type Tell } from "./desk";
import { eventsOf, history, now, pay, type Receipt, send, view } from "./evm";
import { at } from "./market";
import type { Address } from "./provider";
import type { Bid } from "./store";

const house = ({ site }: Desk) => [site.manifest.addresses.auction_house, abis.AuctionHouse] as const;
const NOBODY = `0x${"0".repeat(40)}`;

export type Stage = "bidding" | "revealing" | "over" | "closed";

export interface Auction {
  readonly id: number;
  readonly stage: Stage;
  readonly now: number;
  readonly commitEnd: number;
  readonly revealEnd: number;
  readonly reserve: bigint;
  readonly bond: bigint;
  readonly records: number;
  readonly days: number;
  readonly bids: number;
  readonly hidden: number;
  readonly leader: Address | undefined;
  readonly best: bigint;
  /** The researcher's own: what the chain has of it. */
  readonly own: { seal: Address; isRevealed: boolean } | undefined;
}

export interface Sale {
  readonly now: number;
  readonly isOpen: boolean;
  readonly isAuctioned: boolean;
  readonly terms: { reserve: bigint; bond: bigint; records: number; days: number; commit: number; reveal: number };
  readonly live: Auction | undefined;
  readonly balance: bigint;
  readonly owed: bigint;
  readonly lacksBond: boolean;
}

const DAY = 86_400;

/** How a dataset is auctioned, and the auction that runs, with the researcher's part in it. */
export async function saleOf(desk: Desk, dataset: number, known?: number): Promise<Sale> {
  const { catalog, usdc, bond } = at(desk);
  const [set, terms, id, balance, owed, isRequired, isBonded, time] = await Promise.all([
    view(desk, catalog, "datasetOf", [dataset]),
    view(desk, house(desk), "termsOf", [dataset]),
    view(desk, house(desk), "liveAuction", [dataset]),
    view(desk, usdc, "balanceOf", [desk.account]),
    view(desk, house(desk), "owedTo", [desk.account]),
    view(desk, house(desk), "bondRequired", []),
    view(desk, bond, "isBonded", [desk.account]),
    now(desk),
  ]);
  // One that was closed is no live one any more; who bid in it wants to see how it ended.
  const shown = Number(id) || known;
  return {
    now: time,
    isOpen: set.open,
    isAuctioned: set.auctioned,
    terms: { reserve: terms.reserve, bond: terms.bidBond, records: terms.records, days: Number(terms.duration) / DAY, commit: terms.commitPeriod, reveal: terms.revealPeriod },
    live: shown ? await auctionOf(desk, shown, time) : undefined,
    balance,
    owed,
    lacksBond: isRequired && !isBonded,
  };
}

async function auctionOf(desk: Desk, id: number, time: number): Promise<Auction> {
  const [a, own] = await Promise.all([view(desk, house(desk), "auctionOf", [BigInt(id)]), view(desk, house(desk), "commitmentOf", [BigInt(id), desk.account])]);
  const [commitEnd, revealEnd] = [Number(a.commitEnd), Number(a.revealEnd)];
  const stage = a.closed ? "closed" : time < commitEnd ? "bidding" : a.hidden > 0 && time < revealEnd ? "revealing" : "over";
  return {
    ...{ id, stage, now: time, commitEnd, revealEnd, bids: a.bids, hidden: a.hidden, best: a.bestAmount },
    ...{ reserve: a.terms.reserve, bond: a.terms.bidBond, records: a.terms.records, days: Number(a.terms.duration) / DAY },
    leader: a.bestBidder === NOBODY ? undefined : (a.bestBidder.toLowerCase() as Address),
    own: own.index === 0 ? undefined : { seal: own.seal.toLowerCase() as Address, isRevealed: /^0x0+$/.test(own.seal) },
  };
}

export async function openAuction(desk: Desk, dataset: number, purpose: number, tell: Tell): Promise<number> {
  const receipt = await send(desk, house(desk), "open", [dataset, purpose], tell);
  const [opened] = eventsOf(receipt, house(desk), "AuctionOpened");
  if (!opened) throw new SentFailure(receipt.hash, "the transaction opened no auction");
  return Number(opened.auctionId);
}

/** Seals a bid, here: a node that is asked for the seal would learn the bid. */
export function sealed(desk: Desk, of: { auction: Auction; dataset: number; amount: bigint; purpose: number; category: number; key: Address; salt: Address }): Bid {
  const { account, site } = desk;
  const [contract] = house(desk);
  const types = ["uint256", "address", "uint64", "address", "uint128", "uint256", "bytes32", "bytes32"].map((type) => ({ type }));
  const values = [BigInt(site.chain_id), contract, BigInt(of.auction.id), account, of.amount, BigInt(of.category), of.key, of.salt];
  const seal = keccak256(encodeAbiParameters(types, values));
  const { id, commitEnd, revealEnd } = of.auction;
  return { seal, chain: site.chain_id, house: contract, auction: id, dataset: of.dataset, account, amount: of.amount.toString(), purpose: of.purpose, category: of.category, key: of.key, salt: of.salt, at: Math.floor(Date.now() / 1000), from: commitEnd, until: revealEnd, saved: false };
}

export async function commit(desk: Desk, bid: Bid, bond: bigint, tell: Tell): Promise<Hash> {
  tell("looking");
  const receipt = await pay(desk, house(desk), "commit", (allowed) => [BigInt(bid.auction), bid.seal, bid.purpose, allowed] as const, bond, tell);
  const isIn = eventsOf(receipt, house(desk), "BidCommitted").some(({ auctionId, bidder, sealedBid }) => auctionId === BigInt(bid.auction) && isSame(bidder, desk.account) && isSame(sealedBid, bid.seal));
  return shown(receipt, isIn, "the transaction put no such bid in");
}

export async function reveal(desk: Desk, bid: Bid, bond: bigint, tell: Tell): Promise<Hash> {
  tell("looking");
  const amount = BigInt(bid.amount);
  const opened = { amount, ehdsCategory: bid.category, recipientKey: bid.key, salt: bid.salt };
  const receipt = await pay(desk, house(desk), "reveal", (allowed) => [BigInt(bid.auction), opened, allowed] as const, amount > bond ? amount - bond : 0n, tell);
  const isOpen = eventsOf(receipt, house(desk), "BidRevealed").some((told) => told.auctionId === BigInt(bid.auction) && isSame(told.bidder, desk.account) && told.amount === amount);
  return shown(receipt, isOpen, "the transaction revealed no such bid");
}

export async function close(desk: Desk, auction: number, tell: Tell): Promise<Hash> {
  const receipt = await send(desk, house(desk), "close", [BigInt(auction)], tell);
  return shown(receipt, eventsOf(receipt, house(desk), "AuctionClosed").some(({ auctionId }) => auctionId === BigInt(auction)), "the transaction closed no such auction");
}

/** What is in a block and did not do it is told as sent: nobody may say that it is done, nor that nothing was paid. */
function shown({ hash }: Receipt, isSo: boolean, otherwise: string): Hash {
  if (!isSo) throw new SentFailure(hash, otherwise);
  return hash;
}

const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** How an auction ended. */
export async function closing(desk: Desk, auction: number): Promise<{ license: number; winner: Address; price: bigint } | undefined> {
  const { logs } = await history(desk, house(desk), "AuctionClosed", { auctionId: BigInt(auction) }, (found) => found.length > 0);
  const [closed] = eventsOf({ logs }, house(desk), "AuctionClosed");
  return closed && { license: Number(closed.licenseId), winner: closed.winner.toLowerCase() as Address, price: closed.price };
}

/** What an escrowed sale owes the account, from all its auctions or jobs. */
export const owed = (desk: Desk, from: "auction" | "compute"): Promise<bigint> => (from === "auction" ? view(desk, house(desk), "owedTo", [desk.account]) : view(desk, desks(desk), "owedTo", [desk.account]));

export async function withdraw(desk: Desk, from: "auction" | "compute", tell: Tell): Promise<Hash> {
  const isOwn = ({ account }: { account: string }) => isSame(account, desk.account);
  const receipt = from === "auction" ? await send(desk, house(desk), "withdraw", [desk.account], tell) : await send(desk, desks(desk), "withdraw", [desk.account], tell);
  const paid = from === "auction" ? eventsOf(receipt, house(desk), "Withdrawn") : eventsOf(receipt, desks(desk), "Withdrawn");
  return shown(receipt, paid.some(isOwn), "the transaction paid nothing back");
}

export const desks = ({ site }: Desk) => [site.manifest.addresses.compute_desk, abis.ComputeDesk] as const;
