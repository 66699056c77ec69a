//! What a settled row still brings.

/** What can be had now: the chain sees whole units alone, and what was collected counts. Never less than nothing. */
export function due(earned: string, unit: string, claimed: string): bigint {
  const whole = BigInt(unit) > 0n ? BigInt(earned) - (BigInt(earned) % BigInt(unit)) : BigInt(earned);
  const left = whole - BigInt(claimed);
  return left > 0n ? left : 0n;
}
