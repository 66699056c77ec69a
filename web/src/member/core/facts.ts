//! What the gateway says, as it came: the rules read it whole. The directory of the cooperative is kept on the device, so that a member
//! finds the stewards when the gateway does not answer.
import * as v from "valibot";
import { AccountView, Decimal, EpochView, MemberView } from "../../api/generated";
import { fetchRead, ReadFailure, readOf } from "../../api/read";
import { kept } from "./kept";
import { isSame, mustBeSame, Pin, pinOf } from "./pinned";
import { current } from "./session";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Steward = v.looseObject({ steward: count, address: v.string(), url: v.string(), up: v.boolean() });
export type Steward = v.InferOutput<typeof Steward>;

export const Cooperative = v.looseObject({
  chain_id: count,
  gateway: v.string(),
  now: count,
  epoch: count,
  final_epoch: count,
  quorum: count,
  finalized: v.looseObject({ number: count, timestamp: count }),
  stewards: v.array(Steward),
  manifest: v.looseObject({ addresses: v.record(v.string(), v.string()) }),
});
export type Cooperative = v.InferOutput<typeof Cooperative>;

export const Member = v.looseObject(MemberView.entries);
export type Member = v.InferOutput<typeof Member>;

export const Account = v.looseObject(AccountView.entries);
export type Account = v.InferOutput<typeof Account>;

const Admissions = v.object({ open: v.boolean(), left: v.nullable(count), epoch_ends: count });
export type Admissions = v.InferOutput<typeof Admissions>;

const Epoch = v.looseObject({ ...EpochView.entries, header: v.nullish(v.looseObject({ payout: Decimal, sharers: count })) });
export type EpochSeen = v.InferOutput<typeof Epoch>;

/** For each account that was here: the cooperative that it joined, as it was first seen and as it was last seen, and the consent nonce that a quorum showed. */
const Joined = v.object({ pin: Pin, directory: v.optional(Cooperative), nonce: v.optional(count, 0) });
export type Joined = v.InferOutput<typeof Joined>;
const joined = kept(() => localStorage, "rochdale.joined", v.record(v.string(), Joined));

export const joinedBy = (account: string): Joined | undefined => joined.read()?.[account.toLowerCase()];

function keepJoined(account: string, of: Joined): void {
  joined.write({ ...joined.read(), [account.toLowerCase()]: of });
}

/** Nothing of an account's is kept any more. */
export function forgetJoined(account: string): void {
  const { [account.toLowerCase()]: _, ...others } = joined.read() ?? {};
  joined.write(others);
}

export function keepNonce(account: string, nonce: number): void {
  const before = joinedBy(account);
  if (before && nonce > before.nonce) keepJoined(account, { ...before, nonce });
}

/** From now on this is the cooperative, with these stewards. */
export const keepPin = (account: string, pin: Pin): void => keepJoined(account, { nonce: 0, ...joinedBy(account), pin });

export const readCooperativeWhole = () => readOf("/v1/cooperative", Cooperative, [200]);

/** Whose cooperative it has to be. What this device knows goes before what the locker says: who has the recovery code can write there. */
export interface Of {
  readonly account: string;
  readonly pin?: Pin | null | undefined;
}
const opened = (): Of | undefined => current()?.things;

export const pinFor = (of: Of | undefined = opened()): Pin | undefined => of && (joinedBy(of.account)?.pin ?? of.pin ?? undefined);

/** As the gateway shows it; refused where it is not the one that the member joined. */
export async function cooperative(of: Of | undefined = opened(), patience?: number): Promise<Cooperative> {
  const seen = await fetchRead(readCooperativeWhole(), undefined, patience);
  if (!of) return seen;
  const pin = pinFor(of);
  if (pin) mustBeSame(pin, seen);
  keepJoined(of.account, { nonce: joinedBy(of.account)?.nonce ?? 0, pin: pin ?? pinOf(seen), directory: seen });
  return seen;
}

/** The last one that was seen, of the cooperative that the member joined. */
export function lastSeen(account: string): Cooperative | undefined {
  const before = joinedBy(account);
  if (!before?.directory || !isSame(before.pin, before.directory)) return undefined;
  return { ...before.directory, now: timeOf(before.directory, Math.floor(Date.now() / 1_000)) };
}

/** The chain whose time is moved by hand. */
const LOCAL_CHAIN = 31_337;

/** What was seen days ago has no time any more: the device's goes for it, as far as it goes. */
export const timeOf = ({ chain_id, now }: Pick<Cooperative, "chain_id" | "now">, device: number): number => (chain_id === LOCAL_CHAIN ? now : device);

export const readMemberWhole = (id: number) => readOf(`/v1/members/${id}`, Member, [200]);
export const readAccountWhole = (account: string) => readOf(`/v1/accounts/${account}`, Account, [200]);
export const readAdmissions = () => readOf("/v1/admissions", Admissions, [200]);
export const readEpochSeen = (epoch: number) => readOf(`/v1/epochs/${epoch}`, Epoch, [200]);

export const member = (id: number, patience?: number): Promise<Member> => fetchRead(readMemberWhole(id), undefined, patience);
export const account = (address: string): Promise<Account> => fetchRead(readAccountWhole(address));

/** The member who joined with an account; none where nobody did. */
export async function memberOf(address: string): Promise<Member | undefined> {
  try {
    return await fetchRead(readOf(`/v1/members/by-account/${address}`, Member, [200]));
  } catch (error) {
    if (error instanceof ReadFailure && error.code === "not_found") return undefined;
    throw error;
  }
}
