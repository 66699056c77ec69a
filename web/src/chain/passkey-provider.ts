//! What a passkey's account is asked, as wallets are. Reads go to the gateway, which is believed about the chain here; calls are signed by the passkey in
//! one batch and sent by the gateway's relayer, which pays. What is signed is made here, of what the page asks.
import * as v from "valibot";
import { AccountCreated, Mined } from "../api/generated";
import { fetchRead, ReadFailure } from "../api/read";
import { agree } from "../member/core/agree";
import { base64url, bytesOfHex, hexOf } from "../member/core/bytes";
import { readAccountWhole } from "../member/core/facts";
import { anyChallenge, ask, create, PasskeyFailure } from "../member/core/passkey";
import * as rules from "../member/core/rules";
import { RulesFailure } from "../member/core/refusal";
import { send } from "../member/core/send";
import { contracts } from "./desk";
import { owned, type Own, use } from "./passkey";
import { type Address, Account, Bytes, CODES, Quantity } from "./provider";
import { readSite, type Site } from "./site";

type Hash = Address;

/** The relayer sends none of the chain's own coin: what asks for some is refused, and not done without it. */
const Nothing = v.optional(v.pipe(Quantity, v.check((value) => value === 0n, "a passkey's account sends none of the chain's own coin")));
const Call = v.object({ to: Account, data: Bytes, value: Nothing });
const Whose = { from: Account, chainId: Quantity };
const One = v.object({ ...Whose, ...Call.entries });
const Batch = v.object({ ...Whose, calls: v.pipe(v.array(Call), v.minLength(1)) });
const params = <T>(schema: v.GenericSchema<unknown, T>, given: unknown): T => v.parse(v.tupleWithRest([schema], v.unknown()), given)[0];

/** As wallets fail: by a code, which pages have sentences for. */
const failed = (code: number, message: string, data?: Address) => Object.assign(new Error(message), { code, data });

const HANDLED: Record<string, (given: unknown) => Promise<unknown>> = {
  eth_accounts: async () => owned().slice(0, 1).map(({ account }) => account),
  eth_requestAccounts: async () => [(owned()[0] ?? (await make())).account],
  eth_signTypedData_v4: async (given) => say(v.parse(v.tuple([Account, v.string()]), given)),
  eth_sendTransaction: async (given) => {
    const { to, data, ...whose } = params(One, given);
    return act(whose, [{ to, data }]);
  },
  wallet_sendCalls: async (given) => {
    const { calls, ...whose } = params(Batch, given);
    return { id: await act(whose, calls) };
  },
  wallet_getCallsStatus: async (given) => status(params(Bytes, given)),
  wallet_getCapabilities: async () => ({ [(await read("eth_chainId", [])) as string]: { atomic: { status: "supported" } } }),
  // The relayer reckons by itself, and pays.
  eth_estimateGas: async () => "0x0",
  // There is no other chain here, and none to add.
  wallet_switchEthereumChain: async () => Promise.reject(failed(4902, "a passkey's account is on the cooperative's chain alone")),
  wallet_addEthereumChain: async () => Promise.reject(failed(4902, "a passkey's account is on the cooperative's chain alone")),
};

export async function request({ method, params: given }: { method: string; params?: unknown }): Promise<unknown> {
  try {
    return await (HANDLED[method]?.(given ?? []) ?? read(method, given ?? []));
  } catch (error) {
    throw told(error);
  }
}

/** What a gateway or a device says, by the codes of wallets. What was refused before it was sent is told from what may have been. */
function told(error: unknown): unknown {
  if (error instanceof PasskeyFailure) return failed(error.kind === "cancelled" ? CODES.unconfirmed : CODES.noPasskey, error.message);
  if (error instanceof RulesFailure || v.isValiError(error)) return failed(CODES.rules, error.message);
  if (!(error instanceof ReadFailure)) return error;
  if (error.kind === "refused") return failed(error.code === "too_many_requests" ? CODES.often : CODES.unpaid, `${error.code ?? "refused"}: ${error.message}`);
  return failed(error instanceof Unseen ? -32_603 : CODES.away, error.message);
}

/** No answer came to what was sent. */
class Unseen extends ReadFailure {}

/** What a node says, of any form, or why a contract refused. */
const Answer = v.object({ result: v.optional(v.unknown()), error: v.nullish(v.object({ code: v.number(), message: v.string(), data: Bytes })) });

async function read(method: string, given: unknown): Promise<unknown> {
  const { result, error } = await send("POST", "/v1/chain", { jsonrpc: "2.0", id: 1, method, params: given }, Answer, PATIENCE);
  if (error) throw failed(error.code, error.message, error.data);
  return result ?? null;
}

/** One prompt: a passkey, whose account is where the contracts say. Nothing is on the chain yet. */
async function make(): Promise<Own> {
  const { credential, qx, qy } = await create("Research");
  const { account } = await rules.ownAccount({ qx, qy });
  const made = { account: v.parse(Account, account), credential, qx, qy };
  use(made);
  return made;
}

/** Takes an account that was made elsewhere, or before this browser forgot it: the device shows that it has its passkey. One prompt. */
export async function take(address: string): Promise<void> {
  const account = v.parse(Account, address);
  const { passkey, member_id } = await fetchRead(readAccountWhole(account)).catch((error: unknown) => Promise.reject(told(error)));
  // Researchers' accounts stand in public registers: everybody would know of the member what it researches, and of the researcher that it is a member.
  if (member_id != null) throw failed(CODES.member, `${account} is the account of a member`);
  const challenge = anyChallenge();
  const { credential, assertion } = await ask(challenge).catch((error: unknown) => Promise.reject(told(error)));
  const { qx, qy } = v.parse(v.object({ qx: Bytes, qy: Bytes }), passkey);
  if (!(await isOf({ qx, qy }, challenge, assertion))) throw failed(CODES.noPasskey, `the passkey that was chosen is not that of ${account}`);
  use({ account, credential, qx, qy });
}

/** Whether a passkey of this point answered this challenge. */
async function isOf({ qx, qy }: Pick<Own, "qx" | "qy">, challenge: Address, assertion: Awaited<ReturnType<typeof ask>>["assertion"]): Promise<boolean> {
  const [point, client] = [bytesOfHex(`04${qx.slice(2)}${qy.slice(2)}`), new TextEncoder().encode(assertion.client_data_json)];
  const said = v.safeParse(v.pipe(v.string(), v.parseJson(), v.object({ challenge: v.string() })), assertion.client_data_json);
  if (!said.success || said.output.challenge !== base64url(bytesOfHex(challenge).buffer)) return false;
  const key = await crypto.subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  // The rules give r and s first, 32 bytes each, as browsers' own cryptography takes them.
  const signature = bytesOfHex((await rules.signatureOf(assertion)).slice(2, 130));
  const digest = bytesOfHex(hexOf(await crypto.subtle.digest("SHA-256", client)));
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, new Uint8Array([...bytesOfHex(assertion.authenticator_data), ...digest]));
}

function mine(account: Address): Own {
  const known = owned().find((one) => one.account === account);
  if (!known) throw failed(4100, `${account} is not an account of a passkey here`);
  return known;
}

async function isCreated(account: Address): Promise<boolean> {
  return fetchRead(readAccountWhole(account)).then(
    () => true,
    (error: unknown) => (error instanceof ReadFailure && error.code === "not_found" ? false : Promise.reject(error)),
  );
}

/** The cooperative, on the chain that the page means: what is signed counts on no other. */
async function siteOn(chain: bigint): Promise<Site> {
  const site = await readSite();
  if (BigInt(site.chain_id) !== chain) throw failed(CODES.rules, `the gateway shows chain ${site.chain_id}, and the page means ${chain}`);
  return site;
}

/** One prompt: the account says these words (ERC-1271); before it is created, in the form for that (ERC-6492). */
async function say([account, text]: readonly [Address, string]): Promise<Hash> {
  const { credential, qx, qy } = mine(account);
  const { domain } = v.parse(v.pipe(v.string(), v.parseJson(), v.object({ domain: v.object({ chainId: v.union([v.number(), v.string()]) }) })), text);
  const [cooperative, isThere, { digestOf }] = await Promise.all([siteOn(BigInt(domain.chainId)), isCreated(account), contracts()]);
  const { challenge } = await rules.ownWord({ cooperative, account, hash: digestOf(text) });
  const { signed } = await agree({ request: {}, challenge }, credential);
  return isThere ? signed.signature : (await rules.beforeCreation({ qx, qy, signature: signed.signature })).signature;
}

/** One prompt: all of these calls are made, or none. Gives the transaction, once it is mined. */
async function act({ from, chainId }: { from: Address; chainId: bigint }, calls: readonly v.InferOutput<typeof Call>[]): Promise<Hash> {
  const { account, credential, qx, qy } = mine(from);
  if (!(await isCreated(account))) await send("POST", "/v1/accounts", { qx, qy, guardians: [], threshold: 0, delay: 0 }, AccountCreated);
  const [cooperative, { nonce }] = await Promise.all([siteOn(chainId), fetchRead(readAccountWhole(account))]);
  const batch = await rules.ownCalls({ cooperative, account, nonce, calls: calls.map(({ to, data }) => ({ target: to, data })) });
  // The account tries it before the device asks: what a contract refuses is told, and nothing is signed.
  await read("eth_call", [{ from: account, to: account, data: batch.trial }, "latest"]);
  const { signed } = await agree(batch, credential);
  return relay(signed);
}

/** Longer than the gateway waits for its node. */
const PATIENCE = 30_000;

/** How often a batch is sent whose answer does not come: it takes effect once, by its number. */
const TRIES = 3;

async function relay(signed: object): Promise<Hash> {
  for (let tries = 1; ; tries += 1) {
    try {
      return v.parse(Bytes, (await send("POST", "/v1/accounts/execute", signed, Mined)).tx);
    } catch (error) {
      const isRefused = error instanceof ReadFailure && error.kind === "refused" && !PASSING.has(error.code ?? "");
      // Refused after an earlier try got no answer: that one may have taken effect.
      if (isRefused && tries === 1) throw error;
      if (isRefused || tries === TRIES) throw new Unseen("unreachable", "/v1/accounts/execute", String(error));
      await new Promise((go) => setTimeout(go, 2_000));
    }
  }
}

/** Refusals of the moment: whether it was sent before, they do not say. */
const PASSING = new Set(["chain_unavailable", "internal", "too_slow"]);

const Receipt = v.nullable(v.looseObject({ status: v.string() }));

/** A batch is named after its transaction. */
async function status(id: Hash): Promise<unknown> {
  const receipt = v.parse(Receipt, await read("eth_getTransactionReceipt", [id]));
  const told = { version: "2.0.0", id, chainId: await read("eth_chainId", []), atomic: true };
  if (!receipt) return { ...told, status: 100 };
  return { ...told, status: receipt.status === "0x1" ? 200 : 500, receipts: [receipt] };
}
