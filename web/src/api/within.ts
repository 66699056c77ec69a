//! Shapes that the OpenAPI document calls an object and no more. Whatever a page takes out of one is checked here, as at any boundary.
import * as v from "valibot";
import { Decimal, EpochView, PollRecord, PollView, readEpoch, readPollBallots, readPolls, SignedBallot } from "./generated";
import type { Read } from "./read";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What a page tells of a poll. */
export const Poll = v.object({
  author: count,
  question: v.string(),
  options: v.array(v.string()),
  opens_at: count,
  closes_at: count,
});
export type Poll = v.InferOutput<typeof Poll>;

/** `choice` is an option's place, from 0; of a member's ballots the one with the highest number counts. */
const Ballot = v.object({ member: count, choice: count, sequence: count });

/** What a page tells of a settled epoch's header. */
const Header = v.object({ attempt: count, sharers: count, payout: Decimal, cash_allocated: Decimal });

/** What a page tells of the rules of an epoch. */
const Params = v.object({
  epoch_length: count,
  floor_bps: count,
  mix_usage: count,
  mix_data: count,
  mix_early: count,
  smoothing: count,
  min_licenses: count,
  min_datasets: count,
  immediate_bps: count,
  vesting_epochs: count,
  data_unit: Decimal,
  gov_unit: Decimal,
});

/** The polls, with their questions. */
export const readPollsWhole = () => shaped(readPolls(), v.array(v.object({ ...PollView.entries, poll: Poll })));

/** A poll with its ballots. */
export const readPollWhole = (id: string) =>
  shaped(
    readPollBallots(id),
    v.object({ ...PollRecord.entries, poll: Poll, ballots: v.array(v.object({ ...SignedBallot.entries, ballot: Ballot })) }),
  );

/** An epoch, with its rules and, once it is proposed, its totals. */
export const readEpochWhole = (epoch: number) =>
  shaped(readEpoch(epoch), v.object({ ...EpochView.entries, header: v.nullish(Header), params: Params }));

type Of<R> = R extends Read<infer T> ? T : never;
export type Epoch = Of<ReturnType<typeof readEpochWhole>>;
export type PollAnswered = Of<ReturnType<typeof readPollsWhole>>[number];
export type PollCounted = Of<ReturnType<typeof readPollWhole>>;

/** The same question, with more expected of its answer. */
const shaped = <T>(read: Read<unknown>, schema: v.GenericSchema<unknown, T>): Read<T> => ({ ...read, schema });
