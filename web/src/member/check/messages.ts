//! What page and worker tell each other.

/** Most bytes of a file, unpacked: of one record the module takes 48 MiB. */
export const MOST = 64_000_000;

export type Fault = "empty" | "large" | "pdf" | "zip" | "xml" | "unreadable" | "core";

export type Told =
  | { readonly kind: "read"; readonly part: number }
  | { readonly kind: "scoring" }
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "failed"; readonly why: Fault; readonly detail: string };
