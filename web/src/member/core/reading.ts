//! What a page shows of a member's own, with what most stewards say.
import { useQuery } from "@tanstack/react-query";
import { ReadFailure } from "../../api/read";
import * as facts from "./facts";
import type { Held, Opening } from "./rules";
import { endSession, type Session } from "./session";
import { type Answers, held, most, openings, rows } from "./stewards";
import { mostTold, type ToldRow } from "./told";
import { destroyed } from "./witnessing";

export interface Seen<T> {
  /** Nothing where nothing is settled yet. */
  readonly said: T | undefined;
  /** How many stewards say another thing. */
  readonly differ: number;
  readonly away: number[];
}

/** What stewards say of a session that is over. */
const OVER = new Set(["expired", "unauthenticated"]);

export function seenOf<T>({ answers, away }: Answers<T>, one: (said: T[]) => { said: T; differ: number } | undefined = most): Seen<T> {
  const shown = one(answers.map(({ said }) => said));
  const named = away.map(({ steward }) => steward);
  if (shown) return { ...shown, away: named };
  const isNothingYet = away.length > 0 && away.every(({ error }) => error instanceof ReadFailure && error.code === "not_found");
  if (isNothingYet) return { said: undefined, differ: 0, away: [] };
  if (away.some(({ error }) => error instanceof ReadFailure && OVER.has(error.code ?? ""))) endSession();
  throw away[0]?.error ?? new ReadFailure("unreachable", "stewards", "there is no steward");
}

const mine = async (session: Session, member_id: number) => ({ cooperative: await facts.cooperative(), session, member_id });

export const useRow = (session: Session, member_id: number) =>
  useQuery({
    queryKey: ["row", member_id, session.key],
    queryFn: async (): Promise<Seen<ToldRow>> => {
      const of = await mine(session, member_id);
      const all = await rows(of);
      return seenOf<ToldRow>(all, (reports) => mostTold(reports, of.cooperative.quorum, all.answers.map(({ steward }) => steward)));
    },
    networkMode: "always",
  });

export const useHeld = (session: Session, member_id: number) =>
  useQuery({
    queryKey: ["held", member_id, session.key],
    queryFn: async (): Promise<{ cash: Seen<string>; data: Seen<string>; gov: Seen<string>; records: Seen<string> }> => {
      const all = await held(await mine(session, member_id));
      const each = <T>(of: (report: Held) => T): Answers<T> => ({ ...all, answers: all.answers.map(({ steward, said }) => ({ steward, said: of(said) })) });
      const paid = (what: "cash" | "data" | "gov") => seenOf(each(({ claimed }) => claimed[what]));
      return { cash: paid("cash"), data: paid("data"), gov: paid("gov"), records: seenOf(each(({ contributions }) => String(contributions.length))) };
    },
    networkMode: "always",
  });

/** Each steward tells of what it released itself. */
export const useOpenings = (session: Session, member_id: number) =>
  useQuery({
    queryKey: ["openings", member_id, session.key],
    queryFn: async (): Promise<Answers<Opening[]>> => openings(await mine(session, member_id)),
    networkMode: "always",
  });

export const useMember = (member_id: number, every?: number) =>
  useQuery({ queryKey: ["member", member_id], queryFn: () => facts.member(member_id), networkMode: "always", refetchInterval: every ?? false });

/** The cooperative that this member joined, or that the gateway shows another one. */
export const useCooperative = (of: facts.Of) =>
  useQuery({ queryKey: ["cooperative of", of.account], queryFn: () => facts.cooperative(of), networkMode: "always", refetchInterval: 60_000, retry: false });

export const useAccount = (address: string) =>
  useQuery({ queryKey: ["account", address], queryFn: () => facts.account(address), networkMode: "always", refetchInterval: 30_000 });

export const useErasures = (member_id: number, account: string, isErased: boolean) =>
  useQuery({
    queryKey: ["erasures", member_id],
    queryFn: () => destroyed(member_id, account),
    enabled: isErased,
    networkMode: "always",
    refetchInterval: 5_000,
  });
