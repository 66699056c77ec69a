// What a process and all that it started have computed so far, those included that have ended.
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths. */
const TICKS = 100;

/** Seconds; nothing where there is no /proc. */
export function cpu() {
  try {
    const all = new Map(readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap(timesOf));
    const isOurs = (pid) => pid === process.pid || (all.has(pid) && isOurs(all.get(pid).parent));
    return [...all].filter(([pid]) => isOurs(pid)).reduce((sum, [, { ticks }]) => sum + ticks, 0) / TICKS;
  } catch {
    return undefined;
  }
}

function timesOf(name) {
  try {
    // The name of the program stands in brackets and may hold anything.
    const fields = readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1).split(" ");
    const [parent, ...ticks] = [fields[1], ...fields.slice(11, 15)].map(Number);
    return [[Number(name), { parent, ticks: ticks.reduce((sum, more) => sum + more, 0) }]];
  } catch {
    // It has ended.
    return [];
  }
}
