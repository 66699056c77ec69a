//! What those stewards say that the member knew before the gateway was asked, each in its own word.
import { ReadFailure } from "../../api/read";
import { cooperative, type Cooperative, lastSeen, pinFor } from "./facts";
import { everyone, type Pin, pinOf, witnesses } from "./pinned";
import type { Held } from "./rules";
import type { Session } from "./session";
import { type Answers, counted, erasures, held, standings } from "./stewards";

interface Witnesses {
  readonly directory: Cooperative;
  readonly pin: Pin | undefined;
  readonly addresses: Set<string>;
  readonly quorum: number;
}

const witnessesIn = (directory: Cooperative, pin: Pin | undefined): Witnesses => ({ directory, pin, ...witnesses(pin ?? pinOf(directory)) });

/** How many of them destroyed what they held of a member, also where the gateway does not answer. */
export async function destroyed(member_id: number, account: string): Promise<{ confirmed: number; complete: number; of: number }> {
  const before = lastSeen(account);
  const directory = await cooperative({ account }).catch((error: unknown) => before ?? Promise.reject(error));
  const { pin, addresses } = witnessesIn(directory, pinFor({ account }));
  const all = counted(await erasures(directory, member_id, everyone(pin, directory)), addresses).filter(({ said }) => said.member_id === member_id);
  return { confirmed: all.length, complete: all.filter(({ said }) => said.complete).length, of: addresses.size };
}

export interface Whose {
  readonly account: string;
  readonly active: boolean;
}

/** Whose account a member's number stands for, as a quorum sees it; nothing where there is no such member. */
export async function whose(member_id: number): Promise<Whose | undefined> {
  const { directory, pin, addresses, quorum } = witnessesIn(await cooperative(), pinFor());
  const all = await standings(directory, member_id, everyone(pin, directory));
  const words = counted(all, addresses).filter(({ said }) => said.member_id === member_id);
  const seen = words.map(({ said: { account, active } }) => ({ account: account.toLowerCase(), active }));
  const alike = seen.find((one) => seen.filter((other) => other.account === one.account && other.active === one.active).length >= quorum);
  if (alike) return alike;
  const unknown = all.away.filter(({ error }) => error instanceof ReadFailure && error.code === "not_found");
  if (words.length === 0 && unknown.length >= quorum) return undefined;
  throw new ReadFailure("unreachable", "stewards", `${words.length} keepers say who member ${member_id} is, and ${quorum} have to say the same`);
}

export type Paid = Record<"cash" | "data" | "gov", bigint>;
const KINDS = ["cash", "data", "gov"] as const;

/** What was paid to the member at least: as much as a quorum has seen. Nothing where too few answer. */
export function paidAtLeast(all: Answers<Pick<Held, "claimed">>, addresses: ReadonlySet<string>, quorum: number): Paid | undefined {
  const words = counted(all, addresses).map(({ said }) => said.claimed);
  if (words.length < quorum) return undefined;
  const seen = (kind: (typeof KINDS)[number]) => words.map((claimed) => BigInt(claimed[kind])).sort((one, other) => (one < other ? 1 : -1))[quorum - 1] ?? 0n;
  return { cash: seen("cash"), data: seen("data"), gov: seen("gov") };
}

export async function paidTo(session: Session, member_id: number): Promise<Paid> {
  const directory = await cooperative();
  const { addresses, quorum } = witnessesIn(directory, pinFor());
  const all = await held({ cooperative: directory, session, member_id });
  const paid = paidAtLeast(all, addresses, quorum);
  if (!paid) throw all.away[0]?.error ?? new ReadFailure("unreachable", "stewards", "too few keepers say what was paid");
  return paid;
}
