//! Stopping and deleting. What one steward takes, it obeys at once; what the gateway does not bring to the chain, or only says that it did, is
//! handed to the stewards.
import * as v from "valibot";
import { ReadFailure } from "../../api/read";
import { agree } from "./agree";
import type { Hex } from "./bytes";
import { agreed, blockTime, isDone, type Kind, numbers } from "./deciding";
import { cooperative, type Cooperative, joinedBy, keepNonce, lastSeen, member, pinFor, type Steward } from "./facts";
import { forgetRecords } from "./forgetting";
import { everyone, pinOf, witnesses } from "./pinned";
import * as rules from "./rules";
import { NotConfirmed, send } from "./send";
import type { Known } from "./session";
import { handOver, own, type Standing, standings } from "./stewards";

export interface Outcome {
  /** Stewards that obey it, and how many there are. */
  readonly obeying: number;
  readonly of: number;
  /** Whether more than half of them see it on the chain. */
  readonly isOnChain: boolean;
  /** Those that did not say. */
  readonly away: number[];
}

/** Milliseconds: how long the gateway may take for each, and the stewards to see what it says that it did. */
const GATEWAY = 7_000;
const SEEN = 4_000;

/** Who withdraws what, and who is asked about it. */
interface Withdrawal {
  readonly who: Known;
  readonly id: number;
  readonly kind: Kind;
  readonly directory: Cooperative;
  readonly stewards: Steward[];
  readonly witnesses: { readonly addresses: Set<string>; readonly quorum: number };
  readonly isGatewayThere: boolean;
}

/** One prompt where the stewards agree on the number. Gives what they say of it, whichever way it went. */
export async function withdraw(who: Known, kind: Kind, tell: (step: "gateway" | "stewards") => void): Promise<Outcome> {
  const of = await prepared(who, kind);
  const plan = await planned(of);
  if (plan.isErased) return standing(of);
  let refused: unknown;
  for (const nonce of plan.numbers) {
    const request = await rules.withdraw({ cooperative: of.directory, member: plan.member, kind, nonce, now: plan.now });
    const { signed, door } = await agree(request, who.credential);
    const done = () => afterwards(of, door);
    tell("gateway");
    if (of.isGatewayThere && (await byGateway(of, signed))) return done();
    tell("stewards");
    const { answers, away } = await handOver(of.directory, kind, signed, of.stewards);
    if (answers.length > 0 || (await look(of)).isOnChain) return done();
    refused = away.map(({ error }) => error).find((error) => error instanceof ReadFailure && error.kind === "refused") ?? away[0]?.error;
  }
  throw refused ?? new ReadFailure("unreachable", "stewards", "no steward answers");
}

/** What they say; what is on the chain as erased is forgotten here too. Where that fails, the erasure is as good as before. */
async function afterwards(of: Withdrawal, door: Hex | undefined): Promise<Outcome> {
  const outcome = await standing(of);
  if (of.kind === "erase" && outcome.isOnChain) await forgetRecords(of.who, door).catch(() => undefined);
  return outcome;
}

/** As the gateway shows it where it is the one that the member joined; else as it was seen last. Both with the stewards that were known. */
async function prepared(who: Known, kind: Kind): Promise<Withdrawal> {
  if (who.member_id === null) throw new Error("no member yet");
  const pin = pinFor(who);
  const before = lastSeen(who.account);
  const shown = await cooperative(who, GATEWAY).catch((error: unknown) => (before ? undefined : Promise.reject(error)));
  const directory = shown ?? before;
  if (!directory) throw new ReadFailure("unreachable", "/v1/cooperative", "the gateway shows no cooperative");
  return { who, id: who.member_id, kind, directory, stewards: everyone(pin, directory), witnesses: witnesses(pin ?? pinOf(directory)), isGatewayThere: shown !== undefined };
}

/** With which numbers, and which time. The gateway's word only where no steward answers. */
async function planned({ who, id, directory, stewards, witnesses, isGatewayThere }: Withdrawal) {
  const heard = own(await standings(directory, id, stewards), who, witnesses.addresses).map(({ said }) => said);
  const [first] = heard;
  if (first) {
    const alike = agreed(heard, witnesses.quorum);
    if (alike) keepNonce(who.account, alike.consent_nonce);
    const known = joinedBy(who.account)?.nonce ?? 0;
    return { numbers: numbers(heard, witnesses.quorum, known), now: blockTime(heard) ?? directory.now, member: memberOf(alike ?? first), isErased: alike?.consent === "erased" };
  }
  if (!isGatewayThere) throw new ReadFailure("unreachable", "stewards", "no steward answers");
  const seen = await member(id, GATEWAY);
  return { numbers: [seen.consent_nonce], now: directory.now, member: seen, isErased: false };
}

/** A member as far as a steward tells of it. */
const memberOf = ({ member_id, account, active, consent, consent_version, consent_nonce }: Standing) => ({
  ...{ member_id, account, active, consent, consent_version, consent_nonce },
  ...{ payout: account, consent_expiry: 0, contributions: 0, contribution_nonce: 0, membership_nonce: 0, consent_commitment: `0x${"00".repeat(32)}` },
});

/** What the gateway says that it did counts where a quorum of the stewards sees it. */
async function byGateway(of: Withdrawal, signed: object): Promise<boolean> {
  const isSent = await send("POST", `/v1/consents/${of.kind}`, signed, v.looseObject({}), GATEWAY).then(() => true, () => false);
  for (const end = Date.now() + SEEN; isSent; ) {
    const seen = own(await standings(of.directory, of.id, of.stewards), of.who, of.witnesses.addresses);
    if (seen.filter(({ said }) => isDone(of.kind, said.consent)).length >= of.witnesses.quorum) return true;
    if (Date.now() > end) break;
    await new Promise((go) => setTimeout(go, 200));
  }
  return false;
}

async function look({ who, id, kind, directory, stewards, witnesses: { addresses } }: Withdrawal): Promise<Outcome> {
  const all = await standings(directory, id, stewards);
  const answers = own(all, who, addresses);
  const there = new Set(answers.map(({ steward }) => steward));
  const away = [...new Set(all.away.map(({ steward }) => steward))].filter((steward) => !there.has(steward) && steward > 0);
  return outcomeOf(kind, addresses.size, answers.map(({ said }) => said), away);
}

/** Looks at the stewards until more than half of them obey. */
async function standing(of: Withdrawal): Promise<Outcome> {
  for (const end = Date.now() + 60_000; ; ) {
    const outcome = await look(of);
    if (outcome.isOnChain || (outcome.obeying * 2 > outcome.of && Date.now() + 45_000 >= end)) return outcome;
    if (Date.now() >= end) throw new NotConfirmed(`${outcome.obeying} of ${outcome.of} keepers obey it`);
    await new Promise((go) => setTimeout(go, 1_000));
  }
}

export function outcomeOf(kind: Kind, of: number, seen: readonly Standing[], away: number[]): Outcome {
  const onChain = seen.filter(({ consent }) => isDone(kind, consent)).length;
  const held = seen.filter(({ consent, withdrawals }) => !isDone(kind, consent) && withdrawals.some(({ erases }) => erases || kind === "revoke")).length;
  return { obeying: onChain + held, of, isOnChain: onChain * 2 > of, away };
}
