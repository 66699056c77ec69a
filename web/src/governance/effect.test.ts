//! What a proposal's page says of its calls: all of them, whatever stands beside them.
import i18next from "i18next";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { beforeAll, describe, expect, it } from "vitest";
import type { CallView } from "../api/generated";
import common from "../i18n/en/common.json";
import effects from "../i18n/en/effects.json";
import { Effects } from "./effect";

beforeAll(() => i18next.use(initReactI18next).init({ lng: "en", resources: { en: { common, effects } }, defaultNS: "common", interpolation: { escapeValue: false } }));

const call = (contract: string, signature: string, more: Partial<CallView> = {}): CallView => ({
  ...{ contract, function: signature, target: `0x${"a".repeat(40)}`, data: "0x12345678", value: "0" },
  ...{ words: `calls ${signature}`, changes: [], warnings: [] },
  ...more,
});
const OPERATION = `0x${"1".repeat(64)}`;
const approve = (operation = OPERATION, warnings = ["this function is not in the table of what proposals do; read its documentation"]) =>
  call("CharterGate", "approve(bytes32)", { data: `0x12345678${operation.slice(2)}`, warnings, changes: [{ what: "operation", new: operation }] });
const spend = call("Treasury", "spend(uint8,address,uint256,bytes32)", { warnings: ["money leaves the cooperative; ask what for"] });
const list = call("GovToken", "setListed(address,bool)");

const pageOf = (calls: CallView[], charter: CallView[], operation?: string) => renderToStaticMarkup(createElement(Effects, { calls, charter, operation }));
const { words, warn } = effects;

describe("of a proposal that approves what it carries", () => {
  it("what is approved is said, without a warning", () => {
    const page = pageOf([approve()], [list]);
    expect(page).toContain(words.GovToken_setListed);
    expect(page).toContain(effects.charter);
    expect(page).not.toContain(warn.CharterGate_approve);
    expect(page).not.toContain(effects.careful);
  });
  it("what stands beside the approval is said too, and that it does", () => {
    for (const calls of [[approve(), spend], [spend, approve()]]) {
      const page = pageOf(calls, [list]);
      expect(page).toContain(words.Treasury_spend);
      expect(page).toContain(warn.Treasury_spend);
      expect(page).toContain(words.GovToken_setListed);
      expect(page).toContain(effects.beside);
      expect(page).toContain(effects.matter.money);
    }
  });
  it("one of two approvals is told by what is carried where its operation is known, and the other is warned of", () => {
    const other = `0x${"2".repeat(64)}`;
    for (const calls of [[approve(), approve(other)], [approve(other), approve()]]) {
      const page = pageOf(calls, [list], OPERATION);
      expect(page).toContain(words.GovToken_setListed);
      expect(page.split(warn.CharterGate_approve)).toHaveLength(2);
      expect(page).toContain(other);
    }
    const unknown = pageOf([approve(), approve(other)], [list]);
    expect(unknown).not.toContain(words.GovToken_setListed);
    expect(unknown.split(warn.CharterGate_approve)).toHaveLength(3);
  });
  it("an approval of another operation than the one that is carried is none of it", () => {
    expect(pageOf([approve(`0x${"3".repeat(64)}`)], [list], OPERATION)).toContain(warn.CharterGate_approve);
  });
  it("money that goes along with it is said", () => {
    const sends = approve(OPERATION, ["this function is not in the table of what proposals do; read its documentation", "it sends 5 wei along"]);
    expect(pageOf([sends], [list])).toContain("it sends 5 wei along");
  });
});

it("of a proposal that approves what it does not carry, warns of that in the page's own words, whether the gateway does or not", () => {
  for (const one of [approve(OPERATION, []), approve(OPERATION, ["this function is not in the table of what proposals do; read its documentation", "the description does not carry the calls behind this operation: what would be approved is not known"])]) {
    const page = pageOf([one], []);
    expect(page).toContain(words.CharterGate_approve);
    expect(page).toContain(warn.CharterGate_approve);
    expect(page).toContain(effects.matter.code);
    expect(page).not.toContain("does not carry the calls");
  }
});

it("says as of when a value was before", () => {
  const seats = call("Membership", "setAdmissionsPerEpoch(uint32)", { changes: [{ what: "admissionsPerEpoch", old: "3", new: "5" }] });
  expect(pageOf([seats], [])).toContain(effects.asOf);
  expect(pageOf([spend], [])).not.toContain(effects.asOf);
});

it("says the warnings of the gateway for which it has no words", () => {
  const page = pageOf([call("Buyback", "drain(address)", { warnings: ["one", "two"] }), { ...spend, warnings: [...spend.warnings, "it sends 7 wei along"] }], []);
  for (const said of ["one", "two", "it sends 7 wei along", warn.Treasury_spend]) expect(page).toContain(said);
});
