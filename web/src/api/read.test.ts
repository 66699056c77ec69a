import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import { fetchRead, isWorthAnotherTry, ReadFailure, type Read, readOf } from "./read";

let server: Server | undefined;
afterEach(() => server?.close());

async function answering(status: number, body: string): Promise<(statuses: number[]) => Read<{ members: number }>> {
  server = createServer((_, answer) => answer.writeHead(status, { "Content-Type": "application/json" }).end(body));
  await new Promise<void>((ready) => server?.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const schema = v.object({ members: v.number() });
  return (statuses) => readOf(`http://127.0.0.1:${port}/v1/x`, schema, statuses);
}

const failure = async (read: Read<unknown>): Promise<ReadFailure> => {
  const error: unknown = await fetchRead(read).then(() => undefined, (e: unknown) => e);
  expect(error).toBeInstanceOf(ReadFailure);
  return error as ReadFailure;
};

describe("an answer", () => {
  it("is taken where it is what the document says, and nothing else of it", async () => {
    const read = await answering(200, '{"members":3,"more":true}');
    expect(await fetchRead(read([200]))).toEqual({ members: 3 });
  });
  it("is taken from a status that the document gives this body", async () => {
    const read = await answering(503, '{"members":3}');
    expect(await fetchRead(read([200, 503]))).toEqual({ members: 3 });
  });
  it("is strange where a field is of another type, and names the field", async () => {
    const read = await answering(200, '{"members":"3"}');
    expect(await failure(read([200]))).toMatchObject({ kind: "strange", message: expect.stringContaining("members") });
  });
  it("is strange where it is no JSON", async () => {
    const read = await answering(200, "<html>");
    expect((await failure(read([200]))).kind).toBe("strange");
  });
  it("is a refusal with its code where it is a problem document", async () => {
    const read = await answering(503, '{"code":"chain_unavailable","detail":"the RPC is down"}');
    expect(await failure(read([200]))).toMatchObject({ kind: "refused", code: "chain_unavailable", message: "the RPC is down" });
  });
  it("is unreachable where it breaks off, and where it does not come in time", async () => {
    server = createServer((asked, answer) => {
      if (asked.url === "/half") answer.writeHead(200, { "Content-Length": "99" }).write('{"members"', () => answer.destroy());
    });
    await new Promise<void>((ready) => server?.listen(0, "127.0.0.1", ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await failure(readOf(`${url}/half`, v.unknown(), [200]))).kind).toBe("unreachable");
    const error: unknown = await fetchRead(readOf(`${url}/never`, v.unknown(), [200]), undefined, 100).catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: "unreachable" });
    server.closeAllConnections();
  });
  it("is unreachable where nobody answers", async () => {
    const read = await answering(200, "");
    await new Promise((done) => server?.close(done));
    expect((await failure(read([200]))).kind).toBe("unreachable");
  });
});

describe("another try", () => {
  const refused = (code: string) => new ReadFailure("refused", "/v1/x", "", code);
  it("is worth it once where the answer may come in a moment", () => {
    expect(isWorthAnotherTry(0, new ReadFailure("unreachable", "/v1/x", ""))).toBe(true);
    expect(isWorthAnotherTry(0, refused("chain_unavailable"))).toBe(true);
    expect(isWorthAnotherTry(1, refused("chain_unavailable"))).toBe(false);
  });
  it("is not worth it where the gateway said no", () => {
    expect(isWorthAnotherTry(0, refused("not_found"))).toBe(false);
    expect(isWorthAnotherTry(0, new ReadFailure("strange", "/v1/x", ""))).toBe(false);
  });
});

it("names in its address what was given, and no more", () => {
  expect(readOf("/v1/licenses", v.unknown(), [200], { holder: undefined }).path).toBe("/v1/licenses");
  expect(readOf("/v1/licenses", v.unknown(), [200], { holder: "0x1" }).path).toBe("/v1/licenses?holder=0x1");
});
