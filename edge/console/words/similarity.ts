/** How alike two faces are, `0.83`. Below 0 is no less alike than 0. */
export const formatSimilarity = (score: number): string => Math.max(0, score).toFixed(2);
