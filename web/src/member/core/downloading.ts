//! The member's own record back: the stewards' shares, the sealed blob, and the rules that put them together.
import { ReadFailure } from "../../api/read";
import { cidOf } from "./bytes";
import { cooperative } from "./facts";
import * as rules from "./rules";
import type { Session } from "./session";
import { fetchSigned } from "./signed";
import { held, most } from "./stewards";

export async function download(session: Session, member_id: number, contribution: number, added: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await cooperative();
  const { answers } = await held({ cooperative: directory, session, member_id }, [contribution]);
  const told = answers.flatMap(({ said }) => said.contributions.filter(({ contribution_id }) => contribution_id === contribution));
  const mine = ofOne(told, added);
  const digest = most(mine.flatMap(({ record }) => (record ? [record.blob_digest] : [])))?.said;
  if (!digest) throw new ReadFailure("refused", "stewards", "no steward holds this record", told.some(({ erased }) => erased) ? "erased" : "not_enough");
  const { account, until, signature, key } = session;
  const blob = await fetchSigned({ cooperative: directory, audience: directory.gateway, key, session: { account, until, signature }, path: `/v1/blobs/${cidOf(digest)}` });
  return rules.openRecord({ cooperative: directory, member_id, held: mine.filter(({ record }) => !record || record.blob_digest === digest) }, blob);
}

/** What is said of one record: of the commitment that this member added, else of the one that most name. A steward that names another is left out. */
export function ofOne<T extends { readonly commitment: string }>(told: readonly T[], added: readonly string[]): T[] {
  const named = told.map(({ commitment }) => commitment.toLowerCase());
  const known = named.filter((commitment) => added.some((one) => one.toLowerCase() === commitment));
  const commitment = most(known)?.said ?? most(named)?.said;
  return told.filter((one) => one.commitment.toLowerCase() === commitment);
}
