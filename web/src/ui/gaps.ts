//! Days of a series that have no value.

/** Whether days between two values have none: no line goes through them then. */
export const isSparse = (values: readonly (string | number | null | undefined)[]): boolean => {
  const first = values.findIndex((value) => value != null);
  return first >= 0 && values.slice(first, values.findLastIndex((value) => value != null)).some((value) => value == null);
};
