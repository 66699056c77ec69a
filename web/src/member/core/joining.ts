//! Joining, step by step. Each step keeps what it made before the next begins, so that a reload goes on where it was.
import * as v from "valibot";
import { AccountCreated, Joined } from "../../api/generated";
import type { Hex } from "./bytes";
import { cooperative, keepPin, memberOf } from "./facts";
import { kept } from "./kept";
import { addDoor, changeThings, start } from "./locker";
import { create, type Passkey } from "./passkey";
import { type Pin, pinOf, witnesses } from "./pinned";
import * as rules from "./rules";
import { confirmed, send } from "./send";
import { DRAFT, keep, open, type Opened } from "./session";
import { type Answers, own, type Standing, standings } from "./stewards";

const hex = v.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value));
const Made = v.object({ credential: v.string(), qx: hex, qy: hex, opens: v.boolean() });

/** What there is before there is a locker; for this tab alone. */
const Draft = v.object({
  invitation: v.string(),
  drawn: v.optional(v.object({ row_key: hex, locker_key: hex, recovery_code: v.string() })),
  isSaved: v.optional(v.boolean(), false),
  passkey: v.optional(Made),
});
export type Draft = v.InferOutput<typeof Draft>;
export const draft = kept(() => sessionStorage, DRAFT, Draft);

/** The invitation of a link, `#…`: normalized, or what is wrong with it is thrown. */
export const invitationOf = (hash: string): Promise<string> => rules.readCode(fragment(hash));

/** What stands behind `#`, as it was typed where it is not escaped as it should be. */
export function fragment(hash: string): string {
  const text = hash.replace(/^#/, "");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a link brought, for this tab: it does not stay in the address. */
export const invited = kept(() => sessionStorage, "rochdale.invited", v.string());

export async function begin(invitation: string): Promise<Draft> {
  invited.forget();
  return keepDraft({ invitation, drawn: await rules.draw(), isSaved: false });
}

export function keepDraft(next: Draft): Draft {
  draft.write(next);
  return next;
}

/** One prompt. The locker and the door of the code come next: from then on the code goes on where this tab does not. */
export async function makePasskey(of: Draft, name: string, made: (draft: Draft) => void): Promise<void> {
  if (!of.drawn) throw new Error("no keys are drawn");
  const passkey = of.passkey ?? (await create(name));
  made(keepDraft({ ...of, passkey }));
  const { row_key, locker_key, recovery_code } = of.drawn;
  const things = await firstThings(of.invitation, row_key, recovery_code, passkey);
  await start(locker_key, things);
  const there = await addDoor(await rules.doorOfCode(recovery_code), locker_key);
  open({ locker: locker_key, things: there, session: null });
  draft.forget();
}

async function firstThings(invitation: string, row_key: Hex, recovery_code: string, passkey: Passkey) {
  const of = await rules.accountOf({ qx: passkey.qx, qy: passkey.qy, recovery_code });
  return { form: 1 as const, ...of, passkey, row_key, invitation, member_id: null, receipts: [], added: [], ordered: [], pin: null, doors: [] };
}

export type Step = "admission" | "membership" | "account";

/** Whoever comes here a second time goes on behind what the chain shows. */
export async function becomeMember({ locker, things }: Opened, tell: (step: Step) => void): Promise<void> {
  const { account, invitation, row_key, passkey, guardians, threshold, delay } = things;
  let id = (await memberOf(account))?.member_id;
  if (id === undefined) {
    tell("admission");
    const application = await rules.apply({ cooperative: await cooperative(), code: invitation ?? "", account, row_key });
    const admitted = await send("POST", "/v1/admissions", application, v.looseObject({}));
    tell("membership");
    id = (await send("POST", "/v1/members", admitted, Joined)).member_id;
  }
  tell("account");
  const { qx, qy } = passkey;
  await send("POST", "/v1/accounts", { qx, qy, guardians, threshold, delay }, AccountCreated);
  const pin = await seenByStewards(account, id);
  keepPin(account, pin);
  const member_id = id;
  keep(locker, await changeThings(locker, (there) => ({ ...there, member_id, invitation: null, pin })));
}

/** The invitation is not dropped on the gateway's word: a quorum of the stewards has to know the member by this account. */
async function seenByStewards(account: string, member_id: number): Promise<Pin> {
  const directory = await cooperative();
  const pin = pinOf(directory);
  await confirmed(
    () => standings(directory, member_id),
    (seen) => isKnown(seen, { account, member_id }, pin),
    45_000,
  );
  return pin;
}

export function isKnown(seen: Answers<Standing>, who: { account: string; member_id: number }, pin: Pin): boolean {
  const { addresses, quorum } = witnesses(pin);
  return own(seen, who, addresses).filter(({ said }) => said.active).length >= quorum;
}
