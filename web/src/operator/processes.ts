//! What each process says of itself, asked side by side: the server, and each keeper at its own place.
import { useQueries } from "@tanstack/react-query";
import * as v from "valibot";
import { type Cooperative, Health } from "../api/generated";
import { fetchRead, readOf } from "../api/read";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** What a keeper says of settling. */
const Settlement = v.looseObject({ settled: count, waiting_for: v.nullish(v.string()) });

export interface Process {
  readonly steward: number;
  readonly url: string;
  readonly isAsked: boolean;
  readonly health: Health | undefined;
  readonly settled: number | undefined;
  readonly waiting: string | undefined;
}

/** Milliseconds that a process may take before it counts as not answering, and between two looks. */
const PATIENCE = 5_000;
const EVERY = 10_000;

async function ask(url: string): Promise<{ health: Health; settled: number | undefined; waiting: string | undefined }> {
  const at = url.replace(/\/$/, "");
  const health = await fetchRead(readOf(`${at}/v1/health`, Health, [200, 503]), undefined, PATIENCE);
  const settlement = await fetchRead(readOf(`${at}/v1/settlement`, Settlement, [200]), undefined, PATIENCE).catch(() => undefined);
  return { health, settled: settlement?.settled, waiting: settlement?.waiting_for ?? undefined };
}

export function useKeepers(stewards: Cooperative["stewards"]): Process[] {
  const looks = useQueries({
    queries: stewards.map(({ url }) => ({ queryKey: ["process", url], queryFn: () => ask(url), refetchInterval: EVERY, retry: false, networkMode: "always" as const })),
  });
  return stewards.map(({ steward, url }, at) => {
    const look = looks[at];
    const said = look?.isError ? undefined : look?.data;
    return { steward, url, isAsked: Boolean(look && !look.isPending), health: said?.health, settled: said?.settled, waiting: said?.waiting };
  });
}

export type State = "asking" | "up" | "some" | "bad" | "away";

/** In a word: it does not answer, cannot work, works with something wrong, or works. */
export function stateOf({ isAsked, health }: Pick<Process, "isAsked" | "health">): State {
  if (!isAsked) return "asking";
  if (!health) return "away";
  if (!health.ok) return "bad";
  return health.problems.length > 0 ? "some" : "up";
}

/** Keepers that answer and have settled less than the last final period: they have something to catch up with. */
export const behind = (keepers: readonly Process[], final_epoch: number): Process[] => keepers.filter(({ settled }) => settled !== undefined && settled < final_epoch);
