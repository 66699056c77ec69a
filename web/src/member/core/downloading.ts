//! The member's own record back: the stewards' shares, the sealed blob, and the rules that put them together.
import { ReadFailure } from "../../api/read";
import { cidOf } from "./bytes";
import { cooperative } from "./facts";
import * as rules from "./rules";
import type { Session } from "./session";
import { fetchSigned } from "./signed";
import { held } from "./stewards";

export async function download(session: Session, member_id: number, contribution: number): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await cooperative();
  const { answers } = await held({ cooperative: directory, session, member_id }, [contribution]);
  const mine = answers.flatMap(({ said }) => said.contributions.filter(({ contribution_id }) => contribution_id === contribution));
  const digest = mine.find(({ record }) => record)?.record?.blob_digest;
  if (!digest) throw new ReadFailure("refused", "stewards", "no steward holds this record", mine.some(({ erased }) => erased) ? "erased" : "not_enough");
  const { account, until, signature, key } = session;
  const blob = await fetchSigned({ cooperative: directory, audience: directory.gateway, key, session: { account, until, signature }, path: `/v1/blobs/${cidOf(digest)}` });
  return rules.openRecord({ cooperative: directory, member_id, held: mine }, blob);
}
