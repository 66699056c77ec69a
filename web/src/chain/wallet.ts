//! The wallet that was chosen here, with the account and the chain that it shows. One for all tabs' pages; each tab hears of changes by the wallet itself.
import { useSyncExternalStore } from "react";
import * as v from "valibot";
import { hasPasskeys, passkey } from "./passkey";
import { Accounts, type Address, type Announced, ask, look, type Provider, Quantity, WalletFailure } from "./provider";

export interface Wallets {
  readonly found: readonly Announced[];
  readonly chosen: Announced | undefined;
  readonly account: Address | undefined;
  readonly chain: number | undefined;
  readonly isAtomic?: boolean;
}

const KEPT = "rochdale.wallet";
let state: Wallets = { found: [], chosen: undefined, account: undefined, chain: undefined };
const listeners = new Set<() => void>();
let stopLooking: (() => void) | undefined;
let stopHearing: (() => void) | undefined;

function set(part: Partial<Wallets>): void {
  state = { ...state, ...part };
  listeners.forEach((tell) => tell());
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  if (!stopLooking) {
    stopLooking = look(found);
    if (hasPasskeys() && kept() === passkey.rdns && !state.chosen) void resume(passkey);
  }
  return () => void listeners.delete(tell);
}

export const useWallets = (): Wallets => useSyncExternalStore(subscribe, () => state);

/** Where a page's words are others for who acts by a passkey, or is asked once for several calls: what i18next calls their context. */
export function useBy(): { context?: "passkey" | "atomic" } {
  const { chosen, isAtomic } = useWallets();
  if (chosen === passkey) return { context: "passkey" };
  return isAtomic ? { context: "atomic" } : {};
}

/** Whether the wallet makes several calls with one prompt: what pages say before it is asked depends on it. */
export const knowAtomic = (isAtomic: boolean): void => set({ isAtomic });

function found(wallet: Announced): void {
  const others = state.found.filter(({ id }) => id !== wallet.id);
  set({ found: [...others, wallet] });
  // Who was connected here stays so after a reload; the wallet is asked what it shows anyway, which opens nothing.
  if (!state.chosen && kept() === wallet.rdns) void resume(wallet);
}

async function resume(wallet: Announced): Promise<void> {
  const accounts = await ask(wallet.provider, "eth_accounts", [], Accounts).catch(() => []);
  if (accounts[0] && !state.chosen) await take(wallet, accounts[0]);
}

/** Asks a wallet for its account; its owner says yes or no there. */
export async function connect(wallet: Announced): Promise<void> {
  const accounts = await ask(wallet.provider, "eth_requestAccounts", [], Accounts);
  if (!accounts[0]) throw new WalletFailure("locked", "the wallet shows no account");
  await take(wallet, accounts[0]);
}

async function take(wallet: Announced, account: Address): Promise<void> {
  const chain = Number(await ask(wallet.provider, "eth_chainId", [], Quantity));
  stopHearing?.();
  stopHearing = hear(wallet.provider);
  keep(wallet.rdns);
  set({ chosen: wallet, account, chain });
}

/** This page forgets it. What the wallet lets the page see stays until its owner takes that back there. */
export function disconnect(): void {
  stopHearing?.();
  stopHearing = undefined;
  keep(undefined);
  set({ chosen: undefined, account: undefined, chain: undefined });
}

function hear(provider: Provider): () => void {
  const accounts = (told: unknown) => {
    const [first] = v.is(v.array(v.string()), told) ? v.parse(Accounts, told) : [];
    if (first) set({ account: first });
    else set({ account: undefined, chosen: undefined, chain: undefined });
  };
  const chain = (told: unknown) => v.is(v.string(), told) && set({ chain: Number(told) });
  const gone = () => set({ account: undefined, chosen: undefined, chain: undefined });
  const heard = { accountsChanged: accounts, chainChanged: chain, disconnect: gone };
  for (const [event, listen] of Object.entries(heard)) provider.on?.(event, listen);
  return () => Object.entries(heard).forEach(([event, listen]) => provider.removeListener?.(event, listen));
}

const hexOf = (chain: number) => `0x${chain.toString(16)}`;

/** Has the wallet go to a chain that it knows. */
export async function switchTo({ provider }: Announced, chain: number): Promise<void> {
  await ask(provider, "wallet_switchEthereumChain", [{ chainId: hexOf(chain) }], v.unknown());
  set({ chain: Number(await ask(provider, "eth_chainId", [], Quantity)) });
}

/** Has the wallet learn a chain, by a node of it that the researcher names, and go there. */
export async function addChain(wallet: Announced, chain: number, node: string): Promise<void> {
  const added = { chainId: hexOf(chain), chainName: `Chain ${chain}`, nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 }, rpcUrls: [node] };
  await ask(wallet.provider, "wallet_addEthereumChain", [added], v.unknown());
  await switchTo(wallet, chain);
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(id: string | undefined): void {
  try {
    if (id) localStorage.setItem(KEPT, id);
    else localStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
