//! What the log's acts are about.
import type { LogEntry } from "../api/generated";

/** The treasury's pots by the number that its contract gives them. */
export const POTS = ["contributors", "buyback", "operations", "compliance", "reserve"] as const;

/** What is in a log's page, each by itself: one transaction may do the same twice. */
export const keyOf = ({ block, tx }: Pick<LogEntry, "block" | "tx">, at: number): string => `${block} ${tx} ${at}`;

/** Which of the cooperative's contracts lies at an address, by its name in the code. */
export function nameOfAddress(manifest: Record<string, unknown>, address: string): string | undefined {
  const addresses = Object.entries((manifest as { addresses?: Record<string, unknown> }).addresses ?? {});
  const [name] = addresses.find(([, at]) => String(at).toLowerCase() === address.toLowerCase()) ?? [];
  return name && name.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
