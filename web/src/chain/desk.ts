//! A researcher before the cooperative's contracts: who acts, by which wallet, with which contracts. Small: what works with contracts comes by `contracts`.
import type { Address, Provider } from "./provider";
import type { Site } from "./site";

export type Hash = Address;

export interface Desk {
  readonly provider: Provider;
  readonly account: Address;
  readonly site: Site;
  /** The wallet makes several calls with one prompt, all or none (EIP-5792). */
  readonly isAtomic?: boolean;
}

/** Where an act stands; a page has a sentence for each. */
export type Step = "looking" | "signing" | "confirming" | "mining" | "counting";
export type Tell = (step: Step) => void;

/** A contract refused, by its error's name and values. `Refused`: in a block, and nobody says why. */
export class Reverted extends Error {
  constructor(
    readonly reason: string,
    readonly values: readonly unknown[],
    readonly hash: Hash | undefined,
  ) {
    super(`${reason}(${values.map(String).join(", ")})${hash ? ` in ${hash}` : ""}`);
    this.name = "Reverted";
  }
}

/** It was sent, or may have been, and nobody here saw how it ended: whoever does it again may pay twice. */
export class SentFailure extends Error {
  override readonly name = "SentFailure";
  constructor(
    readonly hash: Hash | undefined,
    detail: string,
  ) {
    super(hash ? `${hash}: ${detail}` : detail);
  }
}

/** The same question is under way already, perhaps from another tab. */
export class Already extends Error {
  override readonly name = "Already";
}

/** The key that a license names is not in this browser. */
export class NoKey extends Error {
  override readonly name = "NoKey";
}

/** What it costs now is not what was shown. */
export class PriceChanged extends Error {
  override readonly name = "PriceChanged";
}

/** All that works with contracts, and viem with it: loaded with the first wallet. */
export const contracts = () => import("./contracts");
export type Contracts = Awaited<ReturnType<typeof contracts>>;
