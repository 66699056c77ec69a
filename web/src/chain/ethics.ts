//! What the ethics board says of researchers.
import { recoverTypedDataAddress } from "viem";
import { type Application, type Protocol, protocolOf, type SignedApplication, textOf, wordsOf } from "../ethics/application";
import * as abis from "./abi";
import { type Desk, type Hash, type Tell } from "./desk";
import { digestOf, DOMAIN, eventsOf, history, now, send, sign, view } from "./evm";
import { at } from "./market";
import type { Address } from "./provider";

export interface Approved {
  readonly purpose: number;
  readonly until: number;
}

/** For each purpose, until when the researcher is approved; 0 where never. */
export async function approvals(desk: Desk, researcher: Address, purposes: readonly number[]): Promise<{ now: number; approvals: Approved[] }> {
  const { ethics } = at(desk);
  const [time, ...untils] = await Promise.all([now(desk), ...purposes.map((purpose) => view(desk, ethics, "approvedUntil", [researcher, purpose]))]);
  return { now: time, approvals: purposes.map((purpose, place) => ({ purpose, until: Number(untils[place] ?? 0n) })) };
}

export const boardOf = async (desk: Desk): Promise<Address> => (await view(desk, at(desk).ethics, "ethicsBoard", [])).toLowerCase() as Address;

/** The receipt that a worker in office anchored for an order: the contract takes no other's. */
export async function receiptOf(desk: Desk, order: Hash): Promise<{ digest: Hash; worker: Address } | undefined> {
  const committee = [desk.site.manifest.addresses.steward_committee, abis.StewardCommittee] as const;
  const { logs } = await history(desk, committee, "ReceiptAnchored", { order }, (found) => found.length > 0);
  const [anchored] = eventsOf({ logs }, committee, "ReceiptAnchored");
  return anchored && { digest: anchored.resultDigest, worker: anchored.worker.toLowerCase() as Address };
}

/** What the chain holds of a researcher: each decision of the board, and what was taken of a bond. */
export interface Decided {
  readonly purpose: number;
  readonly until: number;
  readonly protocol: Protocol;
}
export interface Record_ {
  readonly now: number;
  readonly decisions: Decided[];
  readonly slashes: { amount: bigint }[];
  readonly bond: { amount: bigint; isEnough: boolean };
  /** Whether all blocks were looked at. */
  readonly isWhole: boolean;
}

export async function recordOf(desk: Desk, researcher: Address): Promise<Record_> {
  const { ethics, bond } = at(desk);
  const [time, decided, slashed, held, isBonded] = await Promise.all([
    now(desk),
    history(desk, ethics, "ResearcherApproved", { researcher }),
    history(desk, bond, "BondSlashed", { researcher }),
    view(desk, bond, "bondOf", [researcher]),
    view(desk, bond, "isBonded", [researcher]),
  ]);
  const decisions = eventsOf(decided, ethics, "ResearcherApproved").map(({ purpose, until, protocol }) => ({ purpose, until: Number(until), protocol: protocolOf(protocol) }));
  const slashes = eventsOf(slashed, bond, "BondSlashed").map(({ amount }) => ({ amount }));
  return { now: time, decisions, slashes, bond: { amount: held.amount, isEnough: isBonded }, isWhole: decided.isWhole && slashed.isWhole };
}

/** An approval as it is signed, with the signature once there is one. */
export interface Approval {
  readonly researcher: Address;
  readonly purpose: number;
  readonly until: number;
  readonly protocol: string;
  readonly nonce: string;
  readonly deadline: number;
}

const DAY = 86_400;

/** For how long a signature may be handed over before it is sent. */
const HANDED = 14 * DAY;

/** The approval that the contract would take next, for so many days from block time on, to the end of the day. */
export async function draw(desk: Desk, of: { researcher: Address; purpose: number; days: number; protocol: Protocol }): Promise<Approval> {
  const { researcher, purpose, days, protocol } = of;
  const [nonce, time] = await Promise.all([view(desk, at(desk).ethics, "nonceOf", [researcher, purpose]), now(desk)]);
  const until = Math.ceil(time / DAY + days) * DAY;
  return { researcher, purpose, until, protocol: textOf(protocol), nonce: nonce.toString(), deadline: Math.min(until, Math.ceil(time / DAY) * DAY + HANDED) };
}

const FIELDS = ["researcher address", "purpose uint16", "until uint64", "protocol string", "nonce uint256", "deadline uint256"].map((field) => {
  const [name = "", type = ""] = field.split(" ");
  return { name, type };
});

/** What the wallet is asked to sign, word for word. */
export function typedOf({ site }: Pick<Desk, "site">, approval: Approval) {
  const domain = { name: "EthicsRegistry", version: "1", chainId: site.chain_id, verifyingContract: site.manifest.addresses.ethics_registry };
  return { domain, types: { EIP712Domain: DOMAIN, Approval: FIELDS }, primaryType: "Approval", message: { ...approval, until: String(approval.until), deadline: String(approval.deadline) } };
}

export const signApproval = (desk: Desk, approval: Approval, tell: Tell): Promise<Address> => sign(desk, typedOf(desk, approval), tell);

/** An application as its account signs it. It is no approval, and costs nothing. */
function applicationOf({ site }: Pick<Desk, "site">, application: Application) {
  const domain = { name: "Application to the ethics board", version: "1", chainId: site.chain_id, verifyingContract: site.manifest.addresses.ethics_registry };
  return { domain, types: { EIP712Domain: DOMAIN, Application: [{ name: "text", type: "string" }] }, primaryType: "Application", message: { text: wordsOf(application) } };
}

export const signApplication = (desk: Desk, application: Application, tell: Tell): Promise<Address> => sign(desk, applicationOf(desk, application), tell);

/** A key's signature, with its recovery byte, as text. */
const KEYS = 132;

/** Whether the account that an application names signed it: by its key, or as the contract that it is or will be. What counts on curves is loaded for this alone. */
export async function isSigned(desk: Pick<Desk, "site" | "provider">, { signature, ...application }: SignedApplication): Promise<boolean> {
  if (!signature) return false;
  const typed = applicationOf(desk, application);
  if (signature.length !== KEYS) return (await import("./contract-word")).isWordOf(desk.provider, application.researcher, digestOf(JSON.stringify(typed)), signature);
  const { domain, types, primaryType, message } = typed;
  const { Application } = types;
  const signer = await recoverTypedDataAddress({ domain, types: { Application }, primaryType: primaryType as "Application", message, signature }).catch(() => undefined);
  return signer?.toLowerCase() === application.researcher;
}

/** Anybody may send it. */
export async function sendApproval(desk: Desk, approval: Approval, signature: Address, tell: Tell): Promise<Hash> {
  const given = { ...approval, until: BigInt(approval.until), nonce: BigInt(approval.nonce), deadline: BigInt(approval.deadline) };
  return (await send(desk, at(desk).ethics, "approve", [given, signature], tell)).hash;
}
