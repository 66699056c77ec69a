//! The committed module behind the functions that pages call: names, shapes and refusals are what they expect.
import { describe, expect, it, vi } from "vitest";
import { choiceOf } from "./consenting";
import { RulesFailure } from "./refusal";
import * as rules from "./rules";

vi.mock("./asking", () => import("./rules.fixture"));

describe("a code", () => {
  it("is drawn in groups, and read however it was typed", async () => {
    const { recovery_code } = await rules.draw();
    expect(recovery_code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{6}$/);
    expect(await rules.readCode(` ${recovery_code.toLowerCase().replaceAll("-", "  ")} `)).toBe(recovery_code);
  });
  it.each(["", "ABC", "U".repeat(26)])("that is none is refused: %s", async (typed) => {
    await expect(rules.readCode(typed)).rejects.toMatchObject({ name: "RulesFailure", kind: "refused" });
  });
  it("opens its own door and no other", async () => {
    const [one, other] = [await rules.draw(), await rules.draw()];
    expect(await rules.doorOfCode(one.recovery_code)).toBe(await rules.doorOfCode(one.recovery_code));
    expect(await rules.doorOfCode(one.recovery_code)).not.toBe(await rules.doorOfCode(other.recovery_code));
  });
});

describe("a locker", () => {
  it("opens with its secret and version alone", async () => {
    const [{ locker_key }, { locker_key: another }] = [await rules.draw(), await rules.draw()];
    const sealed = await rules.lockerSeal(locker_key, 3, "mine");
    expect(await rules.lockerOpen(locker_key, 3, sealed)).toBe("mine");
    await expect(rules.lockerOpen(locker_key, 2, sealed)).rejects.toBeInstanceOf(RulesFailure);
    await expect(rules.lockerOpen(another, 3, sealed)).rejects.toBeInstanceOf(RulesFailure);
  });
});

describe("a choice", () => {
  it("is what the rules offer first where nothing else is wished", async () => {
    expect(await choiceOf({ purpose: 6, isNotForProfit: false, until: 0 })).toEqual(await rules.healthResearch());
  });
  it("that is wished is one that the rules have words for", async () => {
    const choice = await choiceOf({ purpose: 42, isNotForProfit: true, until: 0 });
    const { text } = await (await import("./rules.fixture")).askRules("words", { choice });
    expect(text).toMatch(/not-for-profit|non-commercial/i);
  });
});

it.each(["en", "de"])("what is consented to is there in %s", async (language) => {
  expect((await rules.notice(language)).length).toBeGreaterThan(500);
});
