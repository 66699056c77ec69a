//! A record on its way: sealed here, agreed to, kept, sent, and seen on the chain.
import { ContributionStatus, readContribution } from "../../api/generated";
import { fetchRead, ReadFailure } from "../../api/read";
import { agree } from "./agree";
import type { FromFile } from "./asking";
import { cooperative, member, pinFor } from "./facts";
import { changeThings } from "./locker";
import { type Parcel, put, remove } from "./outbox";
import { mustBeKnown } from "./pinned";
import * as rules from "./rules";
import { confirmed, send } from "./send";
import { keep, type Opened } from "./session";
import { withAdded } from "./things";
import { deliverBlob } from "./uploading";

export type Step = "sealing" | "asking" | "sending" | "recording";
type Tell = (step: Step, part?: number) => void;

/** The dataset of health records. */
const HEALTH_RECORDS = 1;

/** One prompt. What was agreed to is kept on the device and in the locker before anything is sent. */
export async function add(opened: Opened, name: string, record: FromFile, tell: Tell): Promise<void> {
  const { member_id, account, passkey } = opened.things;
  if (member_id === null) throw new Error("no member yet");
  tell("sealing");
  const [directory, before] = await Promise.all([cooperative(), member(member_id)]);
  mustBeKnown(pinFor(), directory);
  const { contribution, blob } = await rules.contribute({ cooperative: directory, member: before, dataset: HEALTH_RECORDS }, record);
  tell("asking");
  const { signed } = await agree(contribution, passkey.credential);
  const { request, cid, quality, bytes } = contribution;
  const { commitment, consent_version } = request;
  const parcel = { commitment, account, member_id, cid, name, at: directory.now, request: signed, blob };
  await put(parcel);
  keep(opened.locker, await changeThings(opened.locker, withAdded({ commitment, name, bytes, quality, at: directory.now, consent_version })));
  await deliver(parcel, tell);
}

/** Also the second time: what is there already is taken as it is. One tab at a time. */
export function deliver(parcel: Parcel, tell: Tell): Promise<void> {
  return navigator.locks.request(`rochdale.parcel.${parcel.commitment}`, async () => {
    tell("sending", 0);
    await deliverBlob(parcel.cid, parcel.blob, (part) => tell("sending", part));
    tell("recording");
    await send("POST", "/v1/contributions", parcel.request, ContributionStatus);
    const { state, reason } = await confirmed(
      () => fetchRead(readContribution(parcel.commitment, parcel.member_id)),
      (seen) => seen.state !== "queued",
    );
    if (state === "refused") throw new ReadFailure("refused", "contribution", reason ?? "", "chain_refused");
    await remove(parcel.commitment);
  });
}

/** One prompt: the same sealed record, where what was agreed to is over. */
export async function addAgain(parcel: Parcel, credential: string, tell: Tell): Promise<void> {
  tell("asking");
  const [directory, before] = await Promise.all([cooperative(), member(parcel.member_id)]);
  const { signed } = await agree(await rules.contributeAgain({ cooperative: directory, member: before, package: parcel.request }), credential);
  const again = { ...parcel, request: signed };
  await put(again);
  await deliver(again, tell);
}
