import { describe, expect, it, vi } from "vitest";
import { deliverBlob, nameOf, PART } from "./uploading";

const sent = vi.hoisted(() => ({ uploads: [] as string[], missing: [] as string[][], fails: 0 }));
vi.mock("./send", () => ({
  send: async () => ({ missing: sent.missing.shift() ?? [] }),
  upload: async (path: string, _bytes: Uint8Array, gone: (part: number) => void) => {
    sent.uploads.push(path);
    gone(1);
  },
}));

describe("a record on its way", () => {
  it("is named as the vault names it", async () => {
    // echo -n hello | ipfs add --cid-version 1 --raw-leaves
    expect(await nameOf(new TextEncoder().encode("hello"))).toBe("bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
  });

  it("goes in one where it is small", async () => {
    sent.uploads = [];
    await deliverBlob("cid", new Uint8Array(PART), () => undefined);
    expect(sent.uploads).toEqual(["/v1/blobs/cid"]);
  });

  it("sends what is missing and nothing twice", async () => {
    const blob = new Uint8Array(2 * PART + 5);
    blob[PART] = 1;
    const names = [await nameOf(blob.slice(0, PART)), await nameOf(blob.slice(PART, 2 * PART)), await nameOf(blob.slice(2 * PART))];
    const [, second = "", third = ""] = names;
    Object.assign(sent, { uploads: [], missing: [[second, third], []] });
    const shares: number[] = [];
    await deliverBlob("cid", blob, (share) => shares.push(share));
    expect(sent.uploads).toEqual([`/v1/blobs/${second}`, `/v1/blobs/${third}`]);
    expect(shares).toEqual([2 / 3, 1]);
  });

  it("does not send what a gateway makes up", async () => {
    Object.assign(sent, { uploads: [], missing: [["bafkreib", "x"]] });
    await expect(deliverBlob("cid", new Uint8Array(PART + 1), () => undefined)).rejects.toThrow("no part of the record");
    expect(sent.uploads).toEqual([]);
  });

  it("does not send for ever to a gateway that keeps nothing", async () => {
    const blob = new Uint8Array(PART + 1);
    const first = await nameOf(blob.slice(0, PART));
    Object.assign(sent, { uploads: [], missing: Array.from({ length: 9 }, () => [first]) });
    await expect(deliverBlob("cid", blob, () => undefined)).rejects.toThrow("does not keep");
    expect(sent.uploads).toHaveLength(3);
  });
});
