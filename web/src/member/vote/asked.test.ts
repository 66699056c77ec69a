import { expect, it } from "vitest";
import { wrongIn } from "./asked";

it("takes a question with two different answers", () => expect(wrongIn(" Join study 12? ", ["yes", "no", ""])).toEqual({}));
it("says what is missing, too long or twice", () => {
  expect(wrongIn("", ["yes", " "])).toEqual({ question: "empty", options: "few" });
  expect(wrongIn("ä".repeat(501), ["yes", "yes "])).toEqual({ question: "long", options: "twice" });
  expect(wrongIn("Why?", ["yes", "x".repeat(201)])).toEqual({ options: "long" });
});
