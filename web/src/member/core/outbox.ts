//! Records that were agreed to and are not recorded yet: sealed, so that the device keeps nothing that could be read. A closed laptop loses none.
import * as v from "valibot";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Parcel = v.object({
  commitment: v.string(),
  account: v.string(),
  member_id: count,
  cid: v.string(),
  name: v.string(),
  at: count,
  request: v.looseObject({}),
  blob: v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array),
});
export type Parcel = v.InferOutput<typeof Parcel>;

const STORE = "parcels";

function database(): Promise<IDBDatabase> {
  const opening = indexedDB.open("rochdale", 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE, { keyPath: "commitment" });
  return answered(opening);
}

const answered = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error ?? new Error("the browser's store does not answer"));
  });

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opened = await database();
  try {
    return await answered(act(opened.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    opened.close();
  }
}

export const put = (parcel: Parcel) => within("readwrite", (store) => store.put(parcel));
export const remove = (commitment: string) => within("readwrite", (store) => store.delete(commitment));

/** Those of an account, oldest first; what cannot be read is passed over. */
export async function waiting(account: string): Promise<Parcel[]> {
  const all: unknown[] = await within("readonly", (store) => store.getAll());
  const mine = all.flatMap((one) => (v.is(Parcel, one) && one.account === account ? [one] : []));
  return mine.sort((one, other) => one.at - other.at);
}
