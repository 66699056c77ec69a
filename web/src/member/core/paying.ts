//! Being paid, and where.
import { Claimed, Mined } from "../../api/generated";
import { agree } from "./agree";
import { cooperative, type Member, member } from "./facts";
import * as rules from "./rules";
import { confirmed, send, settle } from "./send";
import type { Opened, Session } from "./session";
import { type Paid, paidTo } from "./witnessing";

/** What came of asking: amounts in micro-USDC and in parts of 10^18, or why none. */
export type Claim = ({ readonly kind: "paid" } & Paid) | { readonly kind: "later" | "nothing" | "refused" };

/** Milliseconds that a payment may take to be seen whose answer was lost. */
const LOST = 12_000;

/** No prompt: anyone may have a member paid what is due. It is paid where a quorum of the stewards sees more paid than before, whatever the gateway says. */
export async function claim(session: Session, member_id: number): Promise<Claim> {
  const before = await paidTo(session, member_id);
  const look = async () => since(before, await paidTo(session, member_id));
  const isPaid = ({ cash, data, gov }: Paid) => cash + data + gov > 0n;
  let why: Exclude<Claim["kind"], "paid"> | undefined;
  const ask = async () => {
    const { paid, later, skipped } = await send("POST", "/v1/claims", { members: [member_id] }, Claimed);
    const isMine = paid.some((one) => one.member_id === member_id);
    if (!isMine) why = skipped.includes(member_id) ? "refused" : later?.includes(member_id) ? "later" : "nothing";
  };
  const came = await ask().then(
    () => confirmed(look, (seen) => why !== undefined || isPaid(seen)),
    // What did not come back may have arrived, and takes a block or two to be seen.
    (error: unknown) => confirmed(look, isPaid, LOST).catch(() => Promise.reject(error)),
  );
  return isPaid(came) ? { kind: "paid", ...came } : { kind: why ?? "nothing" };
}

const since = (before: Paid, now: Paid): Paid => ({ cash: now.cash - before.cash, data: now.data - before.data, gov: now.gov - before.gov });

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
