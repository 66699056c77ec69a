//! About how many members a dataset has for a purpose.
import { useTranslation } from "react-i18next";
import { SIZE_GRID } from "../api/codes";
import type { Sizes } from "../api/generated";
import { useFormat } from "../ui/format";

export interface Pool {
  readonly members: number;
  /** 0 before the first counting. */
  readonly epoch: number;
}

/** As published last; before the first counting, the least that is ever said. */
export const poolOf = (sizes: Sizes, dataset: number, purpose: number): Pool => sizes.sizes.filter((size) => size.dataset === dataset && size.purpose === purpose).sort((one, other) => other.epoch - one.epoch)[0] ?? { members: SIZE_GRID, epoch: 0 };

/** In words that say no more than is known: the least that is published stands for everything below it, for nobody, too. */
export function usePool(): (pool: Pool) => string {
  const { t } = useTranslation("researcher-buy");
  const { number } = useFormat();
  return ({ members, epoch }) => t(epoch === 0 ? "pool.uncounted" : members > SIZE_GRID ? "pool.about" : "pool.few", { size: number(members) });
}
