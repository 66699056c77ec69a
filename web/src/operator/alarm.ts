//! What a process says is wrong, with the deadline and the command that stand in its words; and decisions that wait for somebody.
import type { ProposalView } from "../api/generated";

export interface Alarm {
  /** The keeper's seat; none: the server. */
  readonly steward: number | undefined;
  readonly text: string;
  /** Unix seconds; none where its words name no deadline that is still to come. */
  readonly until: number | undefined;
  readonly command: string | undefined;
}

/** Words of the alphabet that the program's own arguments are made of: nothing that a shell reads as more than one command. */
const COMMAND = /^rochdale( [\w.\/:=@-]+)+$/;
/** Of one keeper: so many alarms, of so many letters, are shown at most. Whatever it says, the others' stay in sight. */
const MOST = 5;
const LONGEST = 400;

export function alarmOf(text: string, now: number, steward?: number): Alarm {
  const [, until] = /\bbefore (\d{9,11})\b/.exec(text) ?? [];
  const quoted = [...text.matchAll(/`([^`]+)`/g)].map(([, words = ""]) => words);
  const shown = steward !== undefined && text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return { steward, text: shown, until: until === undefined || Number(until) < now ? undefined : Number(until), command: quoted.find((words) => COMMAND.test(words)) };
}

type Keeper = { readonly steward: number; readonly health: { readonly problems: readonly string[] } | undefined };

/** What is said, the nearest deadline first, and of which keepers there is more than is shown. */
export function alarmsOf(server: readonly string[], keepers: readonly Keeper[], now: number): { alarms: Alarm[]; more: { steward: number; count: number }[] } {
  const own = keepers.map(({ steward, health }) => ({ steward, texts: [...new Set(health?.problems ?? [])] }));
  const alarms = [...[...new Set(server)].map((text) => alarmOf(text, now)), ...own.flatMap(({ steward, texts }) => texts.slice(0, MOST).map((text) => alarmOf(text, now, steward)))];
  return { alarms: bySoonest(alarms), more: own.filter(({ texts }) => texts.length > MOST).map(({ steward, texts }) => ({ steward, count: texts.length - MOST })) };
}

/** What has a deadline comes first, the nearest one before all. */
export const bySoonest = (alarms: readonly Alarm[]): Alarm[] => [...alarms].sort((one, other) => (one.until ?? Infinity) - (other.until ?? Infinity) || 0);

/** What a house accepted and nobody has put in line or in force, in each house by itself: what became of the same words in the other one is no matter. */
export const waitingOf = <P extends Pick<ProposalView, "status">>(proposals: readonly P[]): P[] => proposals.filter(({ status }) => status === "queued" || status === "succeeded");
