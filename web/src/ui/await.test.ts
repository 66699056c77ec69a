import { expect, it } from "vitest";
import openapi from "../../openapi.json";
import { ReadFailure } from "../api/read";
import { sortOf } from "./await";

const refused = (code: string) => new ReadFailure("refused", "/v1/sizes", "", code);

it("has a sentence of its own for every refusal that a reader can meet", () => {
  const codes = new Set<string>();
  const responses = Object.values(openapi.paths).flatMap((methods) => ("get" in methods ? Object.keys(methods.get.responses) : []));
  // A public GET is answered by these; what each is for stands in the API's problem codes.
  const byStatus: Record<string, string[]> = {
    400: ["bad_request"],
    404: ["not_found"],
    422: ["not_enough"],
    429: ["too_many_requests"],
    503: ["chain_unavailable", "peer_unavailable", "halted"],
  };
  responses.forEach((status) => byStatus[status]?.forEach((code) => codes.add(code)));
  expect([...codes].map((code) => sortOf(refused(code)))).not.toContain("strange");
});

it("tells what came from what did not", () => {
  expect(sortOf(new ReadFailure("unreachable", "/v1/sizes", ""))).toBe("unreachable");
  expect(sortOf(new Error("a page's file did not come"))).toBe("strange");
  expect(sortOf(refused("a_code_of_tomorrow"))).toBe("strange");
});
