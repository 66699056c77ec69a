//! The cooperative as a researcher has to know it: its chain and its contracts.
import { useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { readCooperative } from "../api/generated";
import { fetchRead } from "../api/read";
import { Account } from "./provider";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const NAMES = ["auction_house", "compute_desk", "dataset_catalog", "ethics_registry", "license", "market", "researcher_bond", "steward_committee", "usdc"] as const;
type Name = (typeof NAMES)[number];
const addresses = v.looseObject(Object.fromEntries(NAMES.map((name) => [name, Account])) as Record<Name, typeof Account>);

/** Whole, as it came: the rules read more of it than pages do. */
export const Site = v.looseObject({
  chain_id: count,
  now: count,
  manifest: v.looseObject({ addresses, base: v.looseObject({ number: count }), usdc_permit: v.looseObject({ name: v.string(), version: v.string() }) }),
});
export type Site = v.InferOutput<typeof Site>;

/** The same contracts on the same chain. */
export function isSameSite(one: Site, other: Site): boolean {
  const contracts = ({ manifest }: Site) => JSON.stringify(Object.entries(manifest.addresses).map(([name, at]) => [name, String(at).toLowerCase()]).sort());
  return one.chain_id === other.chain_id && contracts(one) === contracts(other);
}

export const readSite = (signal?: AbortSignal): Promise<Site> => fetchRead({ ...readCooperative(), schema: Site }, signal);

// Not under the path: there lies what other pages read of the same answer.
export const useSite = () => useQuery({ queryKey: ["site"], queryFn: ({ signal }) => readSite(signal) });
