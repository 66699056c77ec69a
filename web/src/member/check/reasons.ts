//! A reason of the scoring rules as one that this page has words for.
import type words from "../../i18n/en/member.json";
import type { Reason } from "./shape";

type Reasons = keyof typeof words.check.reasons;
type Resources = keyof typeof words.check.resources;

/** Checks that have words of their own, by the name that the rules give them. A test holds the list against the words. */
export const REASONS = [
  "present", "binding", "coded", "code", "system", "coding-list", "date", "field-twice", "hollow", "id", "number", "one-form",
  "reference-form", "unit", "reference", "unit-fits", "after-birth", "before-death", "life", "age", "range", "sex", "start-end",
  "written", "size", "counts", "facts", "subject", "future",
] as const satisfies readonly Reasons[];

/** Code systems whose codes are checked each by its own rule, and told of alike. */
const CODE_SYSTEMS = new Set(["loinc", "snomed", "rxnorm", "cvx", "icd10cm"]);

export function reasonOf(check: string): Reasons {
  if (CODE_SYSTEMS.has(check)) return "code";
  return REASONS.find((known) => known === check) ?? "other";
}

export const RESOURCES = [
  "Patient", "Condition", "Observation", "MedicationRequest", "MedicationStatement", "MedicationAdministration", "Medication",
  "Encounter", "Immunization", "Procedure", "AllergyIntolerance", "DiagnosticReport", "DocumentReference", "CarePlan", "CareTeam",
  "Goal", "Bundle",
] as const satisfies readonly Resources[];

/** `Observation.valueQuantity` and `Observation (Heart rate)` are about Observations. */
export function resourceOf(element: string): Resources {
  const [name] = element.split(/[ .(]/);
  return RESOURCES.find((known) => known === name) ?? "other";
}

/** Reasons that are told in the same words. */
export interface Told {
  readonly reason: Reasons;
  readonly resource: Resources;
  readonly lost: number;
  readonly count: number;
  readonly details: Reason[];
}

/** One for each reason and kind of entry, the dearest first: seven missing elements of a person are told once. */
export function told(reasons: readonly Reason[]): Told[] {
  const groups = new Map<string, Reason[]>();
  for (const reason of reasons) {
    const key = `${reasonOf(reason.check)} ${resourceOf(reason.element)}`;
    groups.set(key, [...(groups.get(key) ?? []), reason]);
  }
  return [...groups.values()]
    .map((details) => ({
      reason: reasonOf(details[0]?.check ?? ""),
      resource: resourceOf(details[0]?.element ?? ""),
      lost: details.reduce((sum, { lost }) => sum + lost, 0),
      count: details.reduce((sum, { count }) => sum + count, 0),
      details,
    }))
    .sort((one, other) => other.lost - one.lost);
}
