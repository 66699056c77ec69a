/** What the rules refuse, in their own words, which are English; or that they did not start. */
export class RulesFailure extends Error {
  constructor(
    readonly kind: "refused" | "broken",
    detail: string,
  ) {
    super(detail);
    this.name = "RulesFailure";
  }
}
