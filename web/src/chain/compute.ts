//! Computing jobs: paid ahead up to a limit, settled by a receipt, given back where none comes.
import { desks } from "./auction";
import { type Desk, type Hash, PriceChanged, SentFailure, type Tell } from "./desk";
import { eventsOf, now, pay, type Receipt, send, view } from "./evm";
import { at } from "./market";
import type { Address } from "./provider";

export interface Rates {
  readonly now: number;
  readonly base: bigint;
  readonly perUnit: bigint;
  readonly timeout: number;
  readonly balance: bigint;
  readonly approvedUntil: number;
  readonly owed: bigint;
  readonly lacksBond: boolean;
}

export async function rates(desk: Desk, purpose: number): Promise<Rates> {
  const { usdc, ethics, bond } = at(desk);
  const [time, [base, perUnit, timeout], balance, until, owed, isRequired, isBonded] = await Promise.all([
    now(desk),
    view(desk, desks(desk), "prices", []),
    view(desk, usdc, "balanceOf", [desk.account]),
    view(desk, ethics, "approvedUntil", [desk.account, purpose]),
    view(desk, desks(desk), "owedTo", [desk.account]),
    view(desk, desks(desk), "bondRequired", []),
    view(desk, bond, "isBonded", [desk.account]),
  ]);
  return { now: time, base, perUnit, timeout, balance, approvedUntil: Number(until), owed, lacksBond: isRequired && !isBonded };
}

export interface Wish {
  readonly dataset: number;
  readonly purpose: number;
  readonly category: number;
  readonly units: number;
  readonly plan: Address;
  readonly key: Address;
}

export const escrowOf = ({ base, perUnit }: Pick<Rates, "base" | "perUnit">, units: number): bigint => base + perUnit * BigInt(units);

export interface Opened {
  readonly job: number;
  readonly license: number;
  readonly hash: Hash;
}

export async function openJob(desk: Desk, wish: Wish, shown: bigint, tell: Tell, sent: (hash: Hash) => Promise<void>): Promise<Opened> {
  tell("looking");
  const [base, perUnit] = await view(desk, desks(desk), "prices", []);
  const escrow = escrowOf({ base, perUnit }, wish.units);
  if (escrow !== shown) throw new PriceChanged(`${shown} became ${escrow}`);
  const job = { datasetId: wish.dataset, purpose: wish.purpose, ehdsCategory: wish.category, maxUnits: BigInt(wish.units), planDigest: wish.plan, recipientKey: wish.key };
  return openedIn(desk, await pay(desk, desks(desk), "open", (allowed) => [job, allowed] as const, escrow, tell, sent));
}

/** The job that a transaction opened. */
export function openedIn(desk: Desk, receipt: Receipt): Opened {
  const [opened] = eventsOf(receipt, desks(desk), "JobOpened");
  if (!opened) throw new SentFailure(receipt.hash, "the transaction opened no job");
  return { job: Number(opened.jobId), license: Number(opened.licenseId), hash: receipt.hash };
}

export interface Standing {
  readonly stage: "settled" | "underWay" | "refundable";
  readonly refundAt: number;
}

export async function jobOf(desk: Desk, job: number): Promise<Standing> {
  const [held, time] = await Promise.all([view(desk, desks(desk), "jobOf", [BigInt(job)]), now(desk)]);
  const refundAt = Number(held.refundAt);
  return { stage: refundAt === 0 ? "settled" : time < refundAt ? "underWay" : "refundable", refundAt };
}

export async function endJob(desk: Desk, job: number, tell: Tell): Promise<Hash> {
  const receipt = await send(desk, desks(desk), "refund", [BigInt(job)], tell);
  if (!eventsOf(receipt, desks(desk), "JobRefunded").some(({ jobId }) => jobId === BigInt(job))) throw new SentFailure(receipt.hash, "the transaction ended no such job");
  return receipt.hash;
}
