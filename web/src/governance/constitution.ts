//! What is missing before a cooperative is constituted.
import type { ConstitutionView } from "../api/generated";

export type Lacking = "members" | "age";

export function lackingOf({ min_members, seasoned_members, min_age, first_joined_at }: Pick<ConstitutionView, "min_members" | "seasoned_members" | "min_age" | "first_joined_at">, now: number): Lacking[] {
  const isOld = first_joined_at != null && first_joined_at + min_age <= now;
  return [...(seasoned_members < min_members ? (["members"] as const) : []), ...(isOld ? [] : (["age"] as const))];
}
