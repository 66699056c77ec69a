//! What a researcher's browser keeps, in IndexedDB: keys that answers are sealed to, what was sent, bids, orders and their answers. Each is written
//! before anything is sent that depends on it.
import * as v from "valibot";
import { Account, Bytes } from "./provider";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const amount = v.pipe(v.string(), v.regex(/^[0-9]+$/));

/** A key that answers are sealed to. `saved`: it lies in a file, too, as far as this page can know. */
export const ReplyKey = v.object({ public: Bytes, secret: Bytes, account: Account, at: count, saved: v.boolean() });
export type ReplyKey = v.InferOutput<typeof ReplyKey>;

/** Something that was sent to the chain, with the words that were shown before. */
export const Sent = v.object({
  hash: Bytes,
  account: Account,
  chain: count,
  kind: v.picklist(["buy", "renew", "bid", "reveal", "job"]),
  at: count,
  amount,
  words: v.array(v.string()),
  license: v.optional(count),
});
export type Sent = v.InferOutput<typeof Sent>;

/** A sealed bid: without it the bond is lost. */
export const Bid = v.object({
  seal: Bytes,
  chain: count,
  house: Account,
  auction: count,
  dataset: count,
  account: Account,
  amount,
  purpose: count,
  category: count,
  key: Bytes,
  salt: Bytes,
  at: count,
  /** When it is to be revealed, as the auction said when it was bid in; a pause makes it later. */
  from: count,
  until: count,
  saved: v.boolean(),
});
export type Bid = v.InferOutput<typeof Bid>;

/** A job that was opened here; the chain forgets one that is settled. */
export const Job = v.object({ id: v.string(), job: count, chain: count, account: Account, license: count, escrow: amount, plan: v.string(), dataset: count, at: count });
export type Job = v.InferOutput<typeof Job>;

/** An order with what became of it. */
export const Order = v.object({
  order: Bytes,
  account: Account,
  license: count,
  key: Bytes,
  digest: v.string(),
  deadline: count,
  at: count,
  query: v.looseObject({}),
  request: v.looseObject({}),
  answer: v.optional(v.looseObject({})),
  refused: v.optional(v.string()),
});
export type Order = v.InferOutput<typeof Order>;

const STORES = { keys: "public", sent: "hash", bids: "seal", jobs: "id", orders: "order" } as const;
type Name = keyof typeof STORES;

function database(): Promise<IDBDatabase> {
  const opening = indexedDB.open("rochdale-research", 1);
  opening.onupgradeneeded = () => Object.entries(STORES).forEach(([name, keyPath]) => void opening.result.createObjectStore(name, { keyPath }));
  return answered(opening);
}

const answered = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error ?? new Error("the browser's store does not answer"));
  });

const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((done, failed) => {
    transaction.oncomplete = () => done();
    transaction.onabort = () => failed(transaction.error ?? new Error("the browser keeps nothing"));
  });

async function within<T>(name: Name, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opened = await database();
  try {
    const transaction = opened.transaction(name, mode, { durability: "strict" });
    const kept = completed(transaction);
    const result = await answered(act(transaction.objectStore(name)));
    // Only then it is on the disk.
    await kept;
    return result;
  } finally {
    opened.close();
  }
}

/** One kind of thing; what cannot be read is passed over. */
const shelf = <T extends { account: string; at: number }>(name: Name, schema: v.GenericSchema<unknown, T>) => ({
  put: async (value: T): Promise<void> => void (await within(name, "readwrite", (store) => store.put(value))),
  remove: async (key: string): Promise<void> => void (await within(name, "readwrite", (store) => store.delete(key))),
  get: async (key: string): Promise<T | undefined> => {
    const parsed = v.safeParse(schema, await within(name, "readonly", (store) => store.get(key) as IDBRequest<unknown>));
    return parsed.success ? parsed.output : undefined;
  },
  /** Those of an account, newest first. */
  of: async (account: string): Promise<T[]> => {
    const all: unknown[] = await within(name, "readonly", (store) => store.getAll());
    const read = all.flatMap((one) => {
      const parsed = v.safeParse(schema, one);
      return parsed.success && parsed.output.account === account ? [parsed.output] : [];
    });
    return read.sort((one, other) => other.at - one.at);
  },
});

export const keys = shelf("keys", ReplyKey);
export const sent = shelf("sent", Sent);
export const bids = shelf("bids", Bid);
export const jobs = shelf("jobs", Job);
export const orders = shelf("orders", Order);
