//! The cooperative that a member joined: its contracts, and its stewards with their places. The gateway may be asked for all else, not for who it is.
import * as v from "valibot";
import { ReadFailure } from "../../api/read";
import type { Cooperative, Steward } from "./facts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const Pin = v.object({
  chain_id: count,
  addresses: v.record(v.string(), v.string()),
  /** Address and place of each. */
  stewards: v.array(v.tuple([v.string(), v.string()])),
  quorum: count,
});
export type Pin = v.InferOutput<typeof Pin>;

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

export const pinOf = ({ chain_id, manifest, stewards, quorum }: Cooperative): Pin => ({
  ...{ chain_id, addresses: manifest.addresses, quorum },
  stewards: stewards.map(({ address, url }) => [address, url]),
});

/** The same contracts on the same chain. */
export function isSame(pin: Pin, shown: Pick<Cooperative, "chain_id" | "manifest">): boolean {
  const contracts = (of: Record<string, string>) => JSON.stringify(Object.entries(of).map(([name, address]) => [name, address.toLowerCase()]).sort());
  return pin.chain_id === shown.chain_id && contracts(pin.addresses) === contracts(shown.manifest.addresses);
}

/** Refuses a cooperative that is not the one of the pin. */
export function mustBeSame(pin: Pin, shown: Cooperative): void {
  if (!isSame(pin, shown)) throw new ReadFailure("refused", "/v1/cooperative", "the gateway shows other contracts than those that this member joined", "other_cooperative");
}

/** Stewards that the member does not know. */
export const strangers = (pin: Pin, { stewards }: Pick<Cooperative, "stewards">): Steward[] => stewards.filter(({ address }) => !pin.stewards.some(([known]) => same(known, address)));

/** Refuses to seal anything to stewards that the member does not know. */
export function mustBeKnown(pin: Pin | undefined, shown: Cooperative): void {
  const [stranger] = pin ? strangers(pin, shown) : [];
  if (stranger) throw new ReadFailure("refused", "/v1/cooperative", `steward ${stranger.steward} has another address, ${stranger.address}`, "other_stewards");
}

/** Where to ask: the stewards that were known before beside those shown, also one that is said to have another place now: that may be a lie. */
export function everyone(pin: Pin | undefined, { stewards }: Pick<Cooperative, "stewards">): Steward[] {
  const isShown = ([address, url]: readonly [string, string]) => stewards.some((one) => same(one.address, address) && one.url === url);
  const before = (pin?.stewards ?? []).filter((one) => !isShown(one));
  const seat = (address: string) => stewards.find((one) => same(one.address, address))?.steward ?? 0;
  return [...stewards, ...before.map(([address, url]) => ({ steward: seat(address), address, url, up: false }))];
}

/** Whose word counts: the stewards that the member knew before the gateway was asked. */
export function witnesses(pin: Pin): { addresses: Set<string>; quorum: number } {
  return { addresses: new Set(pin.stewards.map(([address]) => address.toLowerCase())), quorum: Math.max(1, pin.quorum) };
}
