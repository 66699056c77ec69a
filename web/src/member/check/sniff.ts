//! What a file is, by its first bytes: names and endings do not matter.

export type Sort = "empty" | "gzip" | "pdf" | "zip" | "xml" | "text";

/** How many bytes `sortOf` looks at. */
export const HEAD = 64;

export function sortOf(head: Uint8Array): Sort {
  if (head.length === 0) return "empty";
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  const start = new TextDecoder("latin1").decode(head).replace(/^\u00ef\u00bb\u00bf/, "").trimStart();
  if (start.startsWith("%PDF")) return "pdf";
  if (start.startsWith("PK\u0003\u0004")) return "zip";
  return start.startsWith("<") ? "xml" : "text";
}
