//! Wallets that are in this browser, as EIP-6963 has them tell of themselves, and what one of them is asked (EIP-1193).
import * as v from "valibot";

export type Address = `0x${string}`;

export interface Provider {
  request(asked: { method: string; params?: unknown }): Promise<unknown>;
  on?(event: string, heard: (told: unknown) => void): void;
  removeListener?(event: string, heard: (told: unknown) => void): void;
}

/** A wallet that told of itself. */
export interface Announced {
  /** Its own for as long as the page is open. */
  readonly id: string;
  /** Who made it, as it says; by this it is known again after a reload. */
  readonly rdns: string;
  readonly name: string;
  /** A picture that is in the text itself; nothing is fetched for it. */
  readonly icon: string | undefined;
  readonly provider: Provider;
}

const Detail = v.object({
  info: v.object({ uuid: v.string(), rdns: v.string(), name: v.string(), icon: v.optional(v.string(), "") }),
  provider: v.custom<Provider>((value) => typeof (value as Provider | null)?.request === "function"),
});

/** Calls `found` for each wallet that is there, now and later; gives how to stop. */
export function look(found: (wallet: Announced) => void): () => void {
  const hear = (event: Event) => {
    const parsed = v.safeParse(Detail, (event as CustomEvent<unknown>).detail);
    if (!parsed.success) return;
    const { info, provider } = parsed.output;
    found({ id: info.uuid, rdns: info.rdns, name: info.name.slice(0, 60), icon: /^data:image\//.test(info.icon) ? info.icon : undefined, provider });
  };
  window.addEventListener("eip6963:announceProvider", hear);
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  return () => window.removeEventListener("eip6963:announceProvider", hear);
}

/** What a passkey's account answers that no wallet does: numbers of our own, in the place that JSON-RPC leaves for that. */
export const CODES = { unconfirmed: -32_050, noPasskey: -32_051, unpaid: -32_052, often: -32_053, away: -32_054, rules: -32_055, member: -32_056 };

/**
 * Why a wallet did not do it. `refused`: its owner said no. `pending`: it has a question open already. `locked`: it shows no account.
 * `unknownChain`: it does not know the chain. `chain`: it is on another one by now. `gone`: it does not reach its chain. `funds`: the account cannot pay the network's fee.
 * Of a passkey: `unconfirmed`: the device did not confirm. `noPasskey`: it has not that passkey, or none. `unpaid`: the gateway does not send it. `often`: not so often. `away`: the gateway does not answer. `rules`: it could not be prepared. `member`: it is a member's.
 */
export type WalletTrouble = "refused" | "chain" | "pending" | "locked" | "unknownChain" | "gone" | "funds" | "strange" | keyof typeof CODES;

export class WalletFailure extends Error {
  constructor(
    readonly kind: WalletTrouble,
    detail: string,
    /** What a contract answered when it refused, where that is what happened. */
    readonly data?: Address,
  ) {
    super(detail);
    this.name = "WalletFailure";
  }
}

const BY_CODE: Record<number, WalletTrouble> = { 4001: "refused", 4100: "locked", 4900: "gone", 4901: "gone", 4902: "unknownChain", [-32002]: "pending", ...Object.fromEntries(Object.entries(CODES).map(([kind, code]) => [code, kind as WalletTrouble])) };

/** One question to a wallet. */
export async function ask<T>(provider: Provider, method: string, params: unknown, schema: v.GenericSchema<unknown, T>): Promise<T> {
  const told = await provider.request({ method, params }).catch((error: unknown) => Promise.reject(failureOf(error)));
  const parsed = v.safeParse(schema, told);
  if (parsed.success) return parsed.output;
  throw new WalletFailure("strange", `${method}: ${v.getDotPath(parsed.issues[0]) ?? "the answer"}: ${parsed.issues[0].message}`);
}

/** Errors of wallets are nested as each of them likes. */
export function failureOf(error: unknown): WalletFailure {
  const all = layers(error);
  const message = all.map((layer) => layer.message).find((text) => typeof text === "string") ?? String(error);
  const code = all.map((layer) => layer.code).find((one) => typeof one === "number" && one in BY_CODE) as number | undefined;
  const data = all.map((layer) => layer.data).find((one) => typeof one === "string" && /^0x([0-9a-f]{2}){4,}$/i.test(one)) as Address | undefined;
  if (code !== undefined) return new WalletFailure(BY_CODE[code] ?? "strange", message, data);
  return new WalletFailure(/insufficient funds/i.test(message) ? "funds" : "strange", message, data);
}

type Layer = { code?: unknown; message?: string; data?: unknown };

function layers(error: unknown, depth = 0): Layer[] {
  if (typeof error !== "object" || error === null || depth > 4) return [];
  const { data, originalError, cause, error: inner } = error as Record<string, unknown>;
  return [error as Layer, ...[data, originalError, cause, inner].flatMap((one) => layers(one, depth + 1))];
}

export const Account = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{40}$/), v.transform((text) => text.toLowerCase() as Address));
export const Accounts = v.array(Account);
export const Quantity = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]+$/), v.transform((text) => BigInt(text)));
export const Bytes = v.pipe(v.string(), v.regex(/^0x([0-9a-fA-F]{2})*$/), v.transform((text) => text as Address));
