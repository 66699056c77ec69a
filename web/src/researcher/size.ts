//! About how many members a dataset has for a purpose.
import { SIZE_GRID } from "../api/codes";
import type { Sizes } from "../api/generated";

/** As published last; before the first counting, the least that is ever said. */
export const sizeOf = (sizes: Sizes, dataset: number, purpose: number): number => sizes.sizes.filter((size) => size.dataset === dataset && size.purpose === purpose).sort((one, other) => other.epoch - one.epoch)[0]?.members ?? SIZE_GRID;
