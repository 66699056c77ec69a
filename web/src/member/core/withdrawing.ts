//! Stopping and deleting. What one steward takes, it obeys at once; where the gateway does not answer they bring it to the chain.
import * as v from "valibot";
import { ReadFailure } from "../../api/read";
import { agree } from "./agree";
import { cooperativeOrKept, type Cooperative, member } from "./facts";
import * as rules from "./rules";
import { NotConfirmed, send } from "./send";
import type { Known } from "./session";
import { handOver, type Standing, standings } from "./stewards";

export interface Outcome {
  /** Stewards that obey it, and how many there are. */
  readonly obeying: number;
  readonly of: number;
  /** Whether more than half of them see it on the chain. */
  readonly isOnChain: boolean;
  /** Those that did not say. */
  readonly away: number[];
}

/** One prompt. Gives what the stewards say of it, whichever way it went. */
export async function withdraw(who: Known, kind: "revoke" | "erase", tell: (step: "gateway" | "stewards") => void): Promise<Outcome> {
  const { cooperative } = await cooperativeOrKept();
  const { request, isGatewayAway } = await prepared(cooperative, who, kind);
  const { signed } = await agree(request, who.credential);
  tell("gateway");
  const refused = isGatewayAway ? undefined : await send("POST", `/v1/consents/${kind}`, signed, v.looseObject({})).then(() => undefined, (error: unknown) => error);
  if (isGatewayAway || refused !== undefined) {
    tell("stewards");
    const { answers } = await handOver(cooperative, kind, signed);
    if (answers.length === 0) throw refused ?? new ReadFailure("unreachable", "stewards", "no steward answers");
  }
  tell("stewards");
  return standing(cooperative, who, kind);
}

async function prepared(cooperative: Cooperative, { member_id }: Known, kind: "revoke" | "erase") {
  if (member_id === null) throw new Error("no member yet");
  try {
    return { request: await rules.withdraw({ cooperative, member: await member(member_id), kind }), isGatewayAway: false };
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error;
    const { answers } = await standings(cooperative, member_id);
    // The newest of what they see: a number that the chain has passed would be refused.
    const [newest] = answers.map(({ said }) => said).sort((one, other) => other.consent_nonce - one.consent_nonce || other.now - one.now);
    if (!newest) throw error;
    const { consent_nonce: nonce, now } = newest;
    return { request: await rules.withdraw({ cooperative, member: memberOf(newest), kind, nonce, now }), isGatewayAway: true };
  }
}

/** A member as far as a steward tells of it. */
const memberOf = ({ member_id, account, active, consent, consent_version, consent_nonce }: Standing) => ({
  ...{ member_id, account, active, consent, consent_version, consent_nonce },
  ...{ payout: account, consent_expiry: 0, contributions: 0, contribution_nonce: 0, membership_nonce: 0 },
});

/** Looks at the stewards until more than half of them obey. */
async function standing(cooperative: Cooperative, { member_id }: Known, kind: "revoke" | "erase"): Promise<Outcome> {
  for (const end = Date.now() + 60_000; ; ) {
    const { answers, away } = await standings(cooperative, member_id ?? 0);
    const outcome = outcomeOf(kind, cooperative.stewards.length, answers.map(({ said }) => said), away.map(({ steward }) => steward));
    if (outcome.isOnChain || (outcome.obeying * 2 > outcome.of && Date.now() + 45_000 >= end)) return outcome;
    if (Date.now() >= end) throw new NotConfirmed(`${outcome.obeying} of ${outcome.of} keepers obey it`);
    await new Promise((go) => setTimeout(go, 1_000));
  }
}

export function outcomeOf(kind: "revoke" | "erase", of: number, seen: readonly Standing[], away: number[]): Outcome {
  const onChain = seen.filter(({ consent }) => consent === "erased" || (kind === "revoke" && consent === "revoked")).length;
  const held = seen.filter(({ consent, withdrawals }) => consent !== "erased" && !(kind === "revoke" && consent === "revoked") && withdrawals.some(({ erases }) => erases || kind === "revoke")).length;
  return { obeying: onChain + held, of, isOnChain: onChain * 2 > of, away };
}
