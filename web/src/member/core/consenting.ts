//! A sharing choice, agreed to and seen on the chain.
import * as v from "valibot";
import { agree } from "./agree";
import { cooperative, type Member, member, pinFor } from "./facts";
import { addDoor, changeThings } from "./locker";
import { mustBeKnown } from "./pinned";
import * as rules from "./rules";
import { send, settle } from "./send";
import { keep, type Opened } from "./session";
import { withHolding, withReceipt } from "./things";

/** What the form offers. Anything else that a receipt can say is written with the command. */
export interface Wish {
  /** DUO's number of the purpose. */
  readonly purpose: 6 | 42;
  /** By not-for-profit organisations and for non-commercial ends alone. */
  readonly isNotForProfit: boolean;
  /** Unix seconds; 0 for until it is stopped. */
  readonly until: number;
}

/** The choice that the rules offer first, changed as wished. */
export async function choiceOf({ purpose, isNotForProfit }: Wish): Promise<rules.Choice> {
  const first = await rules.healthResearch();
  const term = `DUO:${String(purpose).padStart(7, "0")}`;
  return {
    ...first,
    permissions: [{ term }],
    modifiers: [...first.modifiers, ...(isNotForProfit ? [{ term: "DUO:0000018" }] : [])],
  };
}

/** What stands on the page, which the receipt keeps word for word. */
export interface Shown {
  readonly language: string;
  readonly notice: string;
  readonly sentences: string[];
}

/** One prompt. The receipt is kept before anything is sent, and is said to hold only when the chain shows it. */
export async function consent(opened: Opened, wish: Wish, shown: Shown): Promise<Member> {
  const { member_id, passkey } = opened.things;
  if (member_id === null) throw new Error("no member yet");
  const [directory, before, choice] = await Promise.all([cooperative(), member(member_id), choiceOf(wish)]);
  mustBeKnown(pinFor(), directory);
  const made = await rules.consent({ cooperative: directory, member: before, choice, until: wish.until, language: shown.language, contact: window.location.origin });
  const { signed, door } = await agree(made, passkey.credential);
  const { version, receipt_commitment: commitment } = made.request;
  if (door) await addDoor(door, opened.locker);
  const receipt = { ...shown, version, given_at: directory.now, until: wish.until, receipt: made.receipt, commitment };
  keep(opened.locker, await changeThings(opened.locker, withReceipt(receipt)));
  const seen = await settle(
    () => send("POST", "/v1/consents", signed, v.looseObject({})),
    () => member(member_id),
    (now) => holds(now, version, commitment),
  );
  keep(opened.locker, await changeThings(opened.locker, withHolding(version, commitment)));
  return seen;
}

/** Another choice that was signed with the same number may have come before this one: it is this one by its commitment alone. */
export const holds = ({ consent, consent_version, consent_commitment }: Pick<Member, "consent" | "consent_version" | "consent_commitment">, version: number, commitment: string): boolean =>
  consent === "granted" && consent_version === version && consent_commitment.toLowerCase() === commitment.toLowerCase();
