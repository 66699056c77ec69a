//! Services, ordered for DATA.
import * as v from "valibot";
import { type MemberRewards, Mined, RpcAnswer, type ServiceView } from "../../api/generated";
import { ReadFailure } from "../../api/read";
import { agree } from "./agree";
import { type Hex, hexOf } from "./bytes";
import { account, type Cooperative, cooperative } from "./facts";
import { changeThings } from "./locker";
import * as rules from "./rules";
import { confirmed, NotConfirmed, send } from "./send";
import { keep, type Opened } from "./session";
import { type Ordered, withOrdered } from "./things";

type Offer = Pick<ServiceView, "service" | "price">;

/** What the account lacks for it, in parts of 10^18. Services are paid from there alone, wherever the member has claims paid. */
export const missing = ({ price }: Offer, { data_of_account }: Pick<MemberRewards, "data_of_account">): bigint => {
  const lacks = BigInt(price) - BigInt(data_of_account);
  return lacks > 0n ? lacks : 0n;
};

export interface Placed {
  readonly ordered: Ordered;
  /** It was sent before, and is on the chain: nothing was ordered now. */
  readonly isEarlier: boolean;
}

/**
 * One prompt: exactly the price is allowed, and the service ordered, together or not at all. What proves the order is kept before it is sent; it is said
 * to be ordered when the chain shows it, by the digest that no other order has. Of one that was sent before, and whose end nobody saw, the chain is asked
 * first. `NotConfirmed`: it may be ordered; any other failure: nothing was.
 */
export async function order(opened: Opened, { service, price }: Offer, request: string, patience?: number, pause?: number): Promise<Placed> {
  const { locker } = opened;
  const [directory, things] = await Promise.all([cooperative(), changeThings(locker, (there) => there)]);
  const desk = deskOf(directory, things.account);
  // The number before the events: an order that used a lower one is among them.
  const { nonce } = await account(things.account);
  const before = things.ordered.filter((one) => isOpen(one) && one.service === service);
  for (const open of before) {
    const state = await stateOf(desk, open, nonce).catch((error: unknown) => Promise.reject(new NotConfirmed(`an order that was sent before: ${String(error)}`)));
    if (state === "done") return { ordered: await noted(locker, { ...open, done: true }), isEarlier: true };
    if (state === "over") await noted(locker, { ...open, lapsed: true });
    if (state === "ahead") throw new NotConfirmed("an order that was sent before may still come");
  }
  const [block, blinder] = [await newest(), hexOf(crypto.getRandomValues(new Uint8Array(32)))];
  // One that was sent before and may still come has this number too: the account takes one of the two.
  const asked = await rules.accountAct({ cooperative: directory, account: things.account, nonce, act: { kind: "order", service, price, request, blinder } });
  const { signed } = await agree(asked, things.passkey.credential);
  const ordered: Ordered = { service, price, request, blinder, nonce, at: directory.now, done: false, block, until: signedOf(asked.request).until, lapsed: false };
  keep(locker, await changeThings(locker, withOrdered(ordered)));
  const isThere = () => isOn(desk, ordered);
  const failure = await send("POST", "/v1/accounts/execute", signed, Mined).then(() => undefined, (error: unknown) => error);
  if (isRefusal(failure)) {
    if (!(await isThere().catch(() => false))) {
      // One that was sent before may have come in the meantime, with this number.
      for (const open of before) {
        const isThat = await isOn(desk, open).catch((error: unknown) => Promise.reject(new NotConfirmed(`an order that was sent before: ${String(error)}`)));
        if (isThat) return { ordered: await noted(locker, { ...open, done: true }), isEarlier: true };
      }
      throw failure;
    }
  } else {
    // Whatever kept a look from being answered: it was sent, and that is all that is known.
    await confirmed(() => isThere().catch(() => false), (is) => is, patience, pause).catch((error: Error) => Promise.reject(failure === undefined ? error : new NotConfirmed(`${error.message}: ${String(failure)}`)));
  }
  // Where it cannot be noted it is looked for once more before the next one.
  return { ordered: await noted(locker, { ...ordered, done: true }).catch(() => ({ ...ordered, done: true })), isEarlier: false };
}

/** Nothing was ordered, and nothing will be of it. */
export const isNothing = (error: Error): boolean => !(error instanceof NotConfirmed);

const isOpen = ({ done, lapsed }: Ordered) => !done && !lapsed;

async function noted(locker: Hex, ordered: Ordered): Promise<Ordered> {
  keep(locker, await changeThings(locker, withOrdered(ordered)));
  return ordered;
}

/** Refusals of the moment: whether it was sent before, they do not say. */
const PASSING = new Set(["chain_unavailable", "internal", "too_slow"]);
const isRefusal = (error: unknown) => error instanceof ReadFailure && error.kind === "refused" && !PASSING.has(error.code ?? "");

const Asked = v.object({ deadline: v.number(), calls: v.array(v.object({ data: v.string() })) });

/** Until when what is signed counts, and the digest in it: the last word of the last call. */
function signedOf(request: object): { until: number; commitment: string } {
  const { deadline, calls } = v.parse(Asked, request);
  return { until: deadline, commitment: `0x${(calls.at(-1)?.data ?? "").slice(-64)}`.toLowerCase() };
}

interface At {
  readonly directory: Cooperative;
  readonly account: string;
  readonly contract: string;
}

function deskOf(directory: Cooperative, account: string): At {
  const contract = directory.manifest.addresses["service_desk"];
  if (!contract) throw new Error("the cooperative has no service desk");
  return { directory, account, contract };
}

/** `ahead`: it is on no block, and may come beside another one. `free`: it may come, and not beside one with the account's next number. */
async function stateOf(desk: At, ordered: Ordered, nonce: number): Promise<"done" | "over" | "ahead" | "free"> {
  if (await isOn(desk, ordered)) return "done";
  if (desk.directory.now > (ordered.until ?? ordered.at + DAY)) return "over";
  return ordered.nonce > nonce ? "ahead" : "free";
}
const DAY = 86_400;

/** `ServiceOrdered(uint32 indexed, address indexed, bytes32, uint256)`. */
export const ORDERED = "0x876ba5fd0140299098750ea3791722c2bc0e45121b6e92a0485506677ecf4d59";
/** Blocks in one request for events, and requests for one order at most. */
const [RANGE, ASKS] = [2_000, 60];
const Height = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]+$/), v.transform(Number));
const Logs = v.array(v.object({ data: v.string() }));
const quantity = (number: number) => `0x${number.toString(16)}`;
const word = (hex: string) => `0x${hex.replace(/^0x/, "").toLowerCase().padStart(64, "0")}`;

/** Whether the chain shows this order and no other. */
async function isOn({ directory, account, contract }: At, { service, price, request, blinder, nonce, block }: Ordered): Promise<boolean> {
  const asked = await rules.accountAct({ cooperative: directory, account, nonce, act: { kind: "order", service, price, request, blinder } });
  const { commitment } = signedOf(asked.request);
  const head = await newest();
  const first = block ?? Math.max(0, head - RANGE * ASKS + 1);
  const last = Math.min(head, first + RANGE * ASKS - 1);
  const topics = [ORDERED, word(service.toString(16)), word(account)];
  for (let from = first; from <= last; from += RANGE) {
    const filter = { address: contract, topics, fromBlock: quantity(from), toBlock: quantity(Math.min(last, from + RANGE - 1)) };
    const logs = await ofNode("eth_getLogs", [filter], Logs);
    if (logs.some(({ data }) => data.slice(0, 66).toLowerCase() === commitment)) return true;
  }
  return false;
}

const newest = () => ofNode("eth_blockNumber", [], Height);

async function ofNode<T>(method: string, params: unknown[], schema: v.GenericSchema<unknown, T>): Promise<T> {
  const { result } = await send("POST", "/v1/chain", { jsonrpc: "2.0", id: 1, method, params }, RpcAnswer, 30_000);
  const parsed = v.safeParse(schema, result);
  if (parsed.success) return parsed.output;
  throw new ReadFailure("strange", "/v1/chain", `${method}: ${parsed.issues[0].message}`);
}

/** What whoever delivers is shown, as a file. */
export const receiptOf = ({ service, price, request, blinder, at }: Ordered, account: string): string =>
  `${JSON.stringify({ kind: "rochdale service order", version: 1, service, price, account, request, blinder, at }, null, 2)}\n`;
