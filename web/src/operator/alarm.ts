//! What a process says is wrong, with the deadline and the command that stand in its words.

export interface Alarm {
  /** The keeper's seat; none: the server. */
  readonly steward: number | undefined;
  readonly text: string;
  /** Unix seconds; none where its words name no deadline. */
  readonly until: number | undefined;
  readonly command: string | undefined;
}

export function alarmOf(text: string, steward?: number): Alarm {
  const [, until] = /\bbefore (\d{9,11})\b/.exec(text) ?? [];
  const [, command] = /`(rochdale [^`]+)`/.exec(text) ?? [];
  return { steward, text, until: until === undefined ? undefined : Number(until), command };
}

/** What has a deadline comes first, the nearest one before all. */
export const bySoonest = (alarms: readonly Alarm[]): Alarm[] => [...alarms].sort((one, other) => (one.until ?? Infinity) - (other.until ?? Infinity) || 0);
