//! Being paid, and where.
import { Claimed, Mined } from "../../api/generated";
import { agree } from "./agree";
import { cooperative, type Member, member } from "./facts";
import * as rules from "./rules";
import { send, settle } from "./send";
import type { Opened } from "./session";

/** What came of asking: amounts in micro-USDC and in parts of 10^18, or why none. */
export type Claim = { readonly kind: "paid"; readonly cash: string; readonly data: string; readonly gov: string } | { readonly kind: "later" | "nothing" | "refused" };

/** No prompt: anyone may have a member paid what is due. */
export async function claim(member_id: number): Promise<Claim> {
  const { paid, later, skipped } = await send("POST", "/v1/claims", { members: [member_id] }, Claimed);
  const mine = paid.find((one) => one.member_id === member_id);
  if (mine) return { kind: "paid", cash: mine.cash, data: mine.data, gov: mine.gov };
  if (skipped.includes(member_id)) return { kind: "refused" };
  return { kind: later?.includes(member_id) ? "later" : "nothing" };
}

/** One prompt. */
export async function payTo({ things }: Opened, payout: string): Promise<Member> {
  const { member_id, passkey } = things;
  if (member_id === null) throw new Error("no member yet");
  const [directory, before] = await Promise.all([cooperative(), member(member_id)]);
  const { signed } = await agree(await rules.payTo({ cooperative: directory, member: before, payout }), passkey.credential);
  return settle(
    () => send("POST", "/v1/members/payout", signed, Mined),
    () => member(member_id),
    (seen) => seen.payout.toLowerCase() === payout.toLowerCase(),
  );
}
