//! A passkey of this device as a wallet, for researchers who have none: it stands in the list with the others and is asked as they are (EIP-1193,
//! EIP-5792). What it does is loaded when it is asked something.
import * as v from "valibot";
import { kept } from "../member/core/kept";
import { Account, type Announced, Bytes } from "./provider";

/** The account, and what it is created of: nothing of it is secret. Without guardians: whoever loses the passkey has lost it. */
export const Own = v.object({ account: Account, credential: v.string(), qx: Bytes, qy: Bytes });
export type Own = v.InferOutput<typeof Own>;

/** Those that this browser knows; the first is in use. */
const known = kept(() => localStorage, "rochdale.research-passkeys", v.array(Own));
export const owned = (): Own[] => known.read() ?? [];
export const use = (one: Own): void => known.write([one, ...owned().filter(({ account }) => account !== one.account)]);

export const passkey: Announced = {
  id: "passkey",
  rdns: "passkey",
  name: "Passkey",
  icon: undefined,
  provider: { request: async (asked) => (await import("./passkey-provider")).request(asked) },
};

/** Whether this browser has passkeys at all. */
export const hasPasskeys = (): boolean => typeof window !== "undefined" && "PublicKeyCredential" in window;
