import { describe, expect, it } from "vitest";
import { dollarsForDrawing, exactly, formatOf, localeOf, money, permille, permilleUp, units } from "./format";

const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u202f", " ");

describe("money", () => {
  it("is cut to whole cents and never rounded up", () => {
    expect(money("4999999", "en-US")).toBe("$4.99");
    expect(money("9999", "en-US")).toBe("$0.00");
    expect(money("10000", "en-US")).toBe("$0.01");
    expect(money(-10_000n, "en-US")).toBe("-$0.01");
  });
  it("keeps every digit of an amount that a float would not", () => {
    expect(money("90071992547409931234567", "en-US")).toBe("$90,071,992,547,409,931.23");
  });
  it("is written as the locale writes it", () => {
    expect(plain(money("1234567890", "de-DE"))).toBe("1.234,56 $");
  });
  it("that may be taken is told to the last digit", () => {
    expect(exactly("1000000000", "en-US")).toBe("$1,000.00");
    expect(exactly("4999999", "en-US")).toBe("$4.999999");
    expect(exactly("10050000", "en-US")).toBe("$10.05");
    expect(exactly(1n, "en-US")).toBe("$0.000001");
  });
  it("draws what it shows", () => {
    expect(dollarsForDrawing("288469999")).toBe(288.46);
  });
});

describe("points of 10^18 parts", () => {
  it("are cut to hundredths, and show no more of them than there are", () => {
    expect(units("1999999999999999999", "en-GB")).toBe("1.99");
    expect(units("5000000000000000000", "en-GB")).toBe("5");
    expect(units("9999999999999999", "en-GB")).toBe("0");
    expect(units("9007199254740993250000000000000000", "de-DE")).toBe("9.007.199.254.740.993,25");
  });
});

describe("shares and points", () => {
  it("are rounded down, and of nothing they are nothing", () => {
    expect(permille(1_999n, 2_000n)).toBe(999);
    expect(permille(5n, 0n)).toBe(0);
  });
  it("of what was used up are rounded up, and exact where they are", () => {
    expect([permilleUp(300n, 1_000n), permilleUp(3_001n, 10_000n), permilleUp(1n, 10_000n), permilleUp(0n, 5n)]).toEqual([300, 301, 1, 0]);
  });
  it("show a tenth where there is one", () => {
    const { points, bytes } = formatOf("en-GB");
    expect([points(8_400), points(9_890), points(99)]).toEqual(["84", "98.9", "1"]);
    expect([bytes(130_400), bytes(64_000_000)]).toEqual(["130.4 kB", "64 MB"]);
  });
});

it("takes the browser's own variant of the language that is spoken", () => {
  expect(localeOf("de", ["en-US", "de-AT"])).toBe("de-AT");
  expect(localeOf("de", ["en-US"])).toBe("de");
});

it("tells spans to the last unit that is there", () => {
  const { span } = formatOf("en-GB");
  expect([span(86_400), span(432_000), span(93_660), span(7_200), span(0)]).toEqual(["1 day", "5 days", "1 day, 2 hours and 1 minute", "2 hours", "0 seconds"]);
  expect(formatOf("de-DE").span(176_400)).toBe("2 Tage und 1 Stunde");
});

it("shows no more of the chain's coin than there is", () => {
  const { coins } = formatOf("en-GB");
  expect([coins("999999999257116819249"), coins("4000000000000000"), coins("999999999999"), coins("0")]).toEqual(["999.999999", "0.004", "0", "0"]);
});
