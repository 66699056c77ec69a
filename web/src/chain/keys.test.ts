import { expect, it, vi } from "vitest";
import * as rules from "../member/core/rules";
import { keyOf } from "./keys";

vi.mock("../member/core/asking", () => import("../member/core/rules.fixture"));

const ACCOUNT = `0x${"1".repeat(40)}` as const;
const file = (key: object) => JSON.stringify({ kind: "rochdale answer key", version: 1, ...key });

it("takes a key whose halves belong together, and no other", async () => {
  const [one, other] = [await rules.replyKey(), await rules.replyKey()];
  const taken = await keyOf(file(one), ACCOUNT);
  expect(taken).toMatchObject({ public: one.public, secret: one.secret, account: ACCOUNT, saved: true });
  const upper = await keyOf(file({ public: one.public.toUpperCase().replace("0X", "0x"), secret: one.secret }), ACCOUNT, one.public);
  expect(upper?.id).toBe(taken?.id);
  expect((await keyOf(file(one), `0x${"2".repeat(40)}`))?.id).not.toBe(taken?.id);
  expect(await keyOf(file({ public: one.public, secret: other.secret }), ACCOUNT)).toBeUndefined();
  expect(await keyOf(file(one), ACCOUNT, other.public)).toBeUndefined();
  for (const content of ["", "{}", JSON.stringify(one)]) expect(await keyOf(content, ACCOUNT)).toBeUndefined();
});
