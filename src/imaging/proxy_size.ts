/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The size of a proxy: the short side exactly `short_side_px`, the long side in proportion, rounded
 * half up. A picture whose short side is no longer than that keeps its size.
 *
 * Whole numbers throughout: `int(side * (896 / side))` in floating point gives 895 for 627 of the
 * short sides from 897 to 8000. The products stay below 2^53 for any picture that can be decoded.
 *
 * ```ts
 * proxySize(4000, 3000, 896); // { width: 1195, height: 896 }
 * ```
 */
export function proxySize(width: number, height: number, short_side_px: number): Size {
  const short = Math.min(width, height);
  if (short <= short_side_px) return { width, height };
  return {
    width: scaledSide(width, short_side_px, short),
    height: scaledSide(height, short_side_px, short),
  };
}

/**
 * The size with no side longer than `max_side_px`, in proportion, rounded half up, each side at least
 * 1 px. A picture that is no larger keeps its size.
 */
export function fittedSize(width: number, height: number, max_side_px: number): Size {
  const long = Math.max(width, height);
  if (long <= max_side_px) return { width, height };
  return {
    width: scaledSide(width, max_side_px, long),
    height: scaledSide(height, max_side_px, long),
  };
}

/** round(side × numerator / denominator), half up, in whole numbers; at least 1. */
function scaledSide(side: number, numerator: number, denominator: number): number {
  const doubled = 2 * side * numerator + denominator;
  return Math.max(1, (doubled - doubled % (2 * denominator)) / (2 * denominator));
}
