//! A license counts once the gateway's finalized head has it: until then stewards refuse its orders.
import { readLicense } from "../api/generated";
import { fetchRead } from "../api/read";

/** Whether the cooperative came to count it while it was waited for, as it was to be seen. */
export async function counted(license: number, isSo: (expiry: number) => boolean = () => true, patience = 90_000): Promise<boolean> {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    const seen = await fetchRead(readLicense(license)).catch(() => undefined);
    if (seen && isSo(seen.expiry)) return true;
    await new Promise((go) => setTimeout(go, 1_000));
  }
  return false;
}
