import type { Measure, OutlierRule } from "../baseline/baseline.ts";
import type { Row } from "./table.ts";

/** Least and greatest values that a measure can have; 0 and no end for those that are not here. */
const ranges: ReadonlyMap<string, readonly [number, number]> = new Map<
  Measure,
  readonly [number, number]
>([
  ["aspect_ratio", [1, Infinity]],
  ["jpeg_quality", [1, 100]],
  ["brightness", [0, 1]],
  ["contrast", [0, 0.5]],
  ["entropy", [0, 8]],
  ["clipped_dark", [0, 1]],
  ["clipped_bright", [0, 1]],
  ["clipped", [0, 1]],
]);

/** The rules that found outliers, a row each; a bound that no picture can be beyond is null. */
export function outlierRows(rules: readonly OutlierRule[]): Row[] {
  return rules.filter(({ below, above }) => below + above > 0).map((rule) => {
    const { measure, median, low, high, below, above } = rule;
    const [least, most] = ranges.get(measure) ?? [0, Infinity];
    return {
      measure,
      median,
      low: low !== null && low > least ? low : null,
      high: high !== null && high < most ? high : null,
      below,
      above,
    };
  });
}
