//! Purposes by Regulation (EU) 2025/327, Article 53(1), by their code on chain: 1 to 6 for (a) to (f).
export const CATEGORIES = [1, 2, 3, 4, 5, 6] as const;
export type Category = (typeof CATEGORIES)[number];
