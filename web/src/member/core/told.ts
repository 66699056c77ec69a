//! What stewards tell of a row, as one report.
import type { Row, Use } from "./rules";

/** `alone`: the only one of several stewards that tells of it. */
export type ToldUse = Use & { readonly alone?: number | undefined };
export type ToldRow = Omit<Row, "uses"> & { readonly uses: ToldUse[] };

const alike = <T>(all: readonly T[], one: T, plain: (of: T) => unknown): number => {
  const text = JSON.stringify(plain(one));
  return all.filter((other) => JSON.stringify(plain(other)) === text).length;
};

function mostAlike<T>(all: readonly T[], plain: (of: T) => unknown): T | undefined {
  return [...all].sort((one, other) => alike(all, other, plain) - alike(all, one, plain))[0];
}

/**
 * Of the newest period that a quorum has come to, the row that most show, and how many show another one of it. Reasons of a score are kept by
 * those who scored: what one lacks, another's answer fills in. Uses belong to no period: whoever answers tells its own.
 */
export function mostTold(reports: readonly Row[], quorum: number, stewards: readonly number[] = []): { said: ToldRow; differ: number } | undefined {
  const epochs = reports.map(({ epoch }) => epoch).sort((one, other) => other - one);
  const newest = epochs[Math.min(quorum, epochs.length) - 1];
  const ofIt = reports.filter(({ epoch }) => epoch === newest);
  const best = mostAlike(ofIt, ({ row }) => row);
  if (!best) return undefined;
  const reasonsOf = (id: number) => ofIt.flatMap(({ contributions }) => contributions.filter(({ contribution_id }) => contribution_id === id).map(({ reasons }) => reasons));
  const contributions = best.contributions.map((one) => ({ ...one, reasons: reasonsOf(one.contribution_id).sort((a, b) => b.length - a.length)[0] ?? [] }));
  return { said: { ...best, contributions, uses: allUses(reports, stewards) }, differ: ofIt.length - alike(ofIt, best, ({ row }) => row) };
}

/** Each that any steward tells, once and as most tell it: one that lags or conceals one keeps none from its member. */
function allUses(reports: readonly Row[], stewards: readonly number[]): ToldUse[] {
  const told = reports.flatMap(({ uses }) => uses);
  const debits = [...new Set(told.map(({ debit }) => debit))];
  return debits.flatMap((debit) => {
    const same = told.filter((one) => one.debit === debit);
    const best = mostAlike(same, (one) => ({ ...one, query: null }));
    // What was asked is kept by those who agreed to it: others do not know it.
    const query = mostAlike(same.filter((one) => one.query), (one) => one.query)?.query;
    const tellers = stewards.filter((_, at) => reports[at]?.uses.some((one) => one.debit === debit));
    const alone = stewards.length > 1 && tellers.length === 1 ? tellers[0] : undefined;
    return best ? [{ ...best, query, alone }] : [];
  });
}
