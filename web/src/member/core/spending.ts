//! Services, ordered for DATA.
import { type MemberRewards, Mined, readMemberRewards, type ServiceView } from "../../api/generated";
import { fetchRead } from "../../api/read";
import { agree } from "./agree";
import { hexOf } from "./bytes";
import { account, cooperative } from "./facts";
import { changeThings } from "./locker";
import * as rules from "./rules";
import { send, settle } from "./send";
import { keep, type Opened } from "./session";
import { type Ordered, withOrdered } from "./things";

type Offer = Pick<ServiceView, "service" | "price">;

/** What the account lacks for it, in parts of 10^18. Services are paid from there alone, wherever the member has claims paid. */
export const missing = ({ price }: Offer, { data_of_account }: Pick<MemberRewards, "data_of_account">): bigint => {
  const lacks = BigInt(price) - BigInt(data_of_account);
  return lacks > 0n ? lacks : 0n;
};

/**
 * One prompt: exactly the price is allowed, and the service ordered, together or not at all. What proves the order is kept before it is sent; it is said
 * to be ordered when the chain shows that the batch was carried out and the price is gone.
 */
export async function order(opened: Opened, member_id: number, { service, price }: Offer, request: string): Promise<Ordered> {
  const { things, locker } = opened;
  const look = async () => ({ account: await account(things.account), rewards: await fetchRead(readMemberRewards(member_id)) });
  const [directory, before] = await Promise.all([cooperative(), look()]);
  const blinder = hexOf(crypto.getRandomValues(new Uint8Array(32)));
  const { nonce } = before.account;
  const asked = await rules.accountAct({ cooperative: directory, account: things.account, nonce, act: { kind: "order", service, price, request, blinder } });
  const { signed } = await agree(asked, things.passkey.credential);
  const ordered: Ordered = { service, price, request, blinder, nonce, at: directory.now, done: false };
  keep(locker, await changeThings(locker, withOrdered(ordered)));
  const rest = BigInt(before.rewards.data_of_account) - BigInt(price);
  await settle(
    () => send("POST", "/v1/accounts/execute", signed, Mined),
    look,
    (now) => now.account.nonce > nonce && BigInt(now.rewards.data_of_account) <= rest,
    // Another tab's order with the same number looks like this one.
    true,
  );
  const done = { ...ordered, done: true };
  keep(locker, await changeThings(locker, withOrdered(done)));
  return done;
}

/** What whoever delivers is shown, as a file. */
export const receiptOf = ({ service, price, request, blinder, at }: Ordered, account: string): string =>
  `${JSON.stringify({ kind: "rochdale service order", version: 1, service, price, account, request, blinder, at }, null, 2)}\n`;
