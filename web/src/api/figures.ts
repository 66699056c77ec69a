//! Key figures as the gateway shows them.
import * as v from "valibot";
import { readOf } from "./read";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** A number as text, with a point. */
const number = v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?$/));

const Series = v.object({ label: v.string(), values: v.array(v.nullable(number)) });
export const Kpi = v.object({ id: v.string(), group: v.string(), name: v.string(), unit: v.string(), formula: v.string(), source: v.string(), series: v.array(Series) });
export type Kpi = v.InferOutput<typeof Kpi>;
const Cohort = v.object({ month: v.string(), joined: count, stayed: v.array(count) });
export type Cohort = v.InferOutput<typeof Cohort>;
export const Kpis = v.object({ block: count, now: count, first_day: count, days: count, kpis: v.array(Kpi), cohorts: v.array(Cohort) });
export type Kpis = v.InferOutput<typeof Kpis>;

export const readKpis = (days: number) => readOf("/v1/kpis", Kpis, [200], { days });
export const csvOf = (days: number): string => `/v1/kpis.csv?days=${days}`;
