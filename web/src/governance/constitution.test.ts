import { expect, it } from "vitest";
import { lackingOf } from "./constitution";

const rules = { min_members: 3, min_age: 100, seasoned_members: 3, first_joined_at: 1_000 };

it("names what is missing before members can decide about everything", () => {
  expect(lackingOf(rules, 1_100)).toEqual([]);
  expect(lackingOf(rules, 1_099)).toEqual(["age"]);
  expect(lackingOf({ ...rules, seasoned_members: 2 }, 1_100)).toEqual(["members"]);
  expect(lackingOf({ ...rules, seasoned_members: 0, first_joined_at: null }, 9_999)).toEqual(["members", "age"]);
});
