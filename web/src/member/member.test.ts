//! What members type, and what failures say.
import { describe, expect, it } from "vitest";
import words from "../i18n/en/member-mine.json";
import { ReadFailure } from "../api/read";
import { RulesFailure } from "./core/refusal";
import { Elsewhere } from "./core/acting";
import { NoDoor } from "./core/coming";
import { PasskeyFailure } from "./core/passkey";
import { NotConfirmed } from "./core/send";
import { forgiving, groups } from "./join/code";
import { shutBy } from "./join/what";
import { isAddress } from "./money";
import { failureOf } from "./parts/act";

describe("a code", () => {
  it("stands in groups", () => expect(groups("ABCDE-FGHJK-MNPQR-STVWX-YZ0123")).toEqual(["ABCDE", "FGHJK", "MNPQR", "STVWX", "YZ0123"]));
  it("is typed back in any way", () => expect(forgiving(" yz-o1 2l")).toBe("YZ0121"));
});

it("an address to be paid at has 40 digits, and is somebody's", () => {
  expect([`0x${"a1".repeat(20)}`, ` 0x${"A1".repeat(20)} `, "0x12", `0x${"00".repeat(20)}`, "me"].map(isAddress)).toEqual([true, true, false, false, false]);
});

it("says that the places of a period are taken where that is why nobody is admitted", () => {
  const told = [[false, 0], [true, 0], [false, 3], [false, null], [true, 3], [true, null]] as const;
  expect(told.map(([open, left]) => shutBy({ open, left }))).toEqual(["full", "full", "closed", "closed", undefined, undefined]);
});

describe("a failure", () => {
  it.each([
    [new PasskeyFailure("cancelled", ""), "cancelled"],
    [new NoDoor("code"), "noCode"],
    [new NoDoor("passkey"), "noDoor"],
    [new RulesFailure("refused", "the code has 25 characters"), "code"],
    [new RulesFailure("refused", "0x5aAe is no address: a checksum"), "address"],
    [new RulesFailure("broken", "no module"), "rules"],
    [new NotConfirmed(""), "unconfirmed"],
    [new ReadFailure("unreachable", "", ""), "unreachable"],
    [new ReadFailure("refused", "", "", "expired"), "late"],
    [new ReadFailure("refused", "", "", "something new"), "strange"],
    [new ReadFailure("refused", "", "", "locker_older"), "older"],
    [new ReadFailure("refused", "", "", "other_cooperative"), "otherCooperative"],
    [new ReadFailure("refused", "", "", "other_stewards"), "otherKeepers"],
    [new Elsewhere(""), "elsewhere"],
    [new Error("x"), "strange"],
  ])("%s is told as %s", (error, sort) => {
    expect(failureOf(error)).toBe(sort);
    expect(Object.keys(words.failed)).toContain(sort);
  });
});
