//! What the browser keeps: for the tab, and for this device. A browser that keeps nothing asks again.
import * as v from "valibot";

/** One value of a storage, checked when it is read. */
export function kept<T>(storage: () => Storage, name: string, schema: v.GenericSchema<unknown, T>) {
  const parse = v.safeParser(v.pipe(v.string(), v.parseJson(), schema));
  return {
    name,
    read(): T | undefined {
      const text = quietly(() => storage().getItem(name));
      const parsed = parse(text);
      return parsed.success ? parsed.output : undefined;
    },
    write: (value: T) => void quietly(() => storage().setItem(name, JSON.stringify(value))),
    forget: () => void quietly(() => storage().removeItem(name)),
  };
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
