//! How long the server's coin lasts.

export interface Means {
  readonly gas_balance: string;
  /** Wei for each unit of gas; absent where the chain's node does not tell. */
  readonly gas_price?: string | null | undefined;
  /** Units of gas. */
  readonly gas_per_day?: number | null | undefined;
}

/** Whole days at `used` units of gas a day and the price of now; nothing where one of them is not known or is 0, so that nothing can be said. */
export function daysAt({ gas_balance, gas_price }: Means, used: number | null | undefined): number | undefined {
  if (!used || gas_price == null || BigInt(gas_price) === 0n) return undefined;
  const days = BigInt(gas_balance) / (BigInt(gas_price) * BigInt(Math.ceil(used)));
  return days > 9_999n ? 9_999 : Number(days);
}
