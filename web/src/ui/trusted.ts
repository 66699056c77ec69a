//! The page's one Trusted Types policy: a worker's script may come from the page's own origin, and nothing else becomes script.

interface Policy {
  createScriptURL(url: string): string;
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy;
}

export function ownScript(url: string, origin: string): string {
  const { href } = new URL(url, origin);
  // Not by its `origin`: that of a blob: is the page's, whatever is in it.
  if (!href.startsWith(`${origin}/`)) throw new TypeError(`${href} is not of ${origin}: a worker is this page's own`);
  return href;
}

let policy: Policy | undefined;

/** Browsers without Trusted Types take the text as it is. */
export function scriptUrl(url: string): string {
  const rules = { createScriptURL: (asked: string) => ownScript(asked, window.location.origin) };
  policy ??= (window as { trustedTypes?: Factory }).trustedTypes?.createPolicy("rochdale", rules) ?? rules;
  return policy.createScriptURL(url);
}
