//! What the gateway says, as it came: the rules read it whole. The directory of the cooperative is kept on the device, so that a member
//! finds the stewards when the gateway does not answer.
import * as v from "valibot";
import { AccountView, Decimal, EpochView, MemberView } from "../../api/generated";
import { fetchRead, ReadFailure, readOf } from "../../api/read";
import { kept } from "./kept";

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
  stewards: v.array(Steward),
});
export type Cooperative = v.InferOutput<typeof Cooperative>;

export const Member = v.looseObject(MemberView.entries);
export type Member = v.InferOutput<typeof Member>;

/** A passkey that is on its way into an account. */
const Recovery = v.object({ qx: v.string(), qy: v.string(), ready_at: count });
export const Account = v.looseObject({ ...AccountView.entries, recovery: v.optional(v.nullable(Recovery)) });
export type Account = v.InferOutput<typeof Account>;

const Admissions = v.object({ open: v.boolean(), left: v.nullable(count), epoch_ends: count });
export type Admissions = v.InferOutput<typeof Admissions>;

const Epoch = v.looseObject({ ...EpochView.entries, header: v.nullish(v.looseObject({ payout: Decimal, sharers: count })) });
export type EpochSeen = v.InferOutput<typeof Epoch>;

const directory = kept(() => localStorage, "rochdale.directory", Cooperative);

export const readCooperativeWhole = () => readOf("/v1/cooperative", Cooperative, [200]);

export async function cooperative(): Promise<Cooperative> {
  const seen = await fetchRead(readCooperativeWhole());
  directory.write(seen);
  return seen;
}

/** The last one that was seen, where the gateway does not say it now. */
export async function cooperativeOrKept(): Promise<{ cooperative: Cooperative; isKept: boolean }> {
  try {
    return { cooperative: await cooperative(), isKept: false };
  } catch (error) {
    const old = directory.read();
    if (!old || (error instanceof ReadFailure && error.kind === "refused" && error.code === "not_found")) throw error;
    return { cooperative: old, isKept: true };
  }
}

export const readMemberWhole = (id: number) => readOf(`/v1/members/${id}`, Member, [200]);
export const readAccountWhole = (account: string) => readOf(`/v1/accounts/${account}`, Account, [200]);
export const readAdmissions = () => readOf("/v1/admissions", Admissions, [200]);
export const readEpochSeen = (epoch: number) => readOf(`/v1/epochs/${epoch}`, Epoch, [200]);

export const member = (id: number): Promise<Member> => fetchRead(readMemberWhole(id));
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
