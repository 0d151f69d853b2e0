import { type Measures, median, medianMs, peakOf, type Ratio } from "./rounds.ts";

/** One line a contender: median time, CPU time and the most memory. */
export function measureLines(measures: Measures): string[] {
  const width = Math.max(...[...measures.keys()].map((name) => name.length));
  return [...measures].map(([name, each]) => {
    const cpu = each.flatMap((measure) => measure.cpuMs ?? []);
    const parts = [
      `  ${name.padEnd(width)}  ${seconds(medianMs(each)).padStart(8)}`,
      cpu.length === 0 ? "" : `${seconds(median(cpu)).padStart(8)} of CPU`,
      megabytes(peakOf(each)).padStart(8),
      each.length === 1 ? "once" : `median of ${each.length}`,
    ];
    return parts.filter((part) => part !== "").join("  ");
  });
}

/** A bar with what was measured: `≥ 0.92 of the sharp loop: 0.95, met`. */
export function barLine(
  bar: { readonly text: string; readonly isMet: boolean },
  found: string,
): string {
  return `  ${bar.text}: ${found} — ${bar.isMet ? "met" : "MISSED"}`;
}

/** A ratio with its spread: `0.95 (0.93 to 0.97 in the rounds, 0.94 by CPU time)`. */
export function ratioText({ median, lowest, highest, byCpu }: Ratio): string {
  const spread = `${short(lowest)} to ${short(highest)} in the rounds`;
  return `${short(median)} (${spread}${
    byCpu === undefined ? "" : `, ${short(byCpu)} by CPU time`
  })`;
}

/** Two digits after the point, none from 10: `0.95`, `4.21`, `38`. */
export function short(number: number): string {
  return number.toFixed(number < 10 ? 2 : 0);
}

export function seconds(elapsedMs: number): string {
  return elapsedMs < 1000
    ? `${elapsedMs.toFixed(elapsedMs < 10 ? 2 : 0)} ms`
    : `${(elapsedMs / 1000).toFixed(2)} s`;
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${Math.round(bytes / 1e6)} MB`;
}

export function grouped(count: number): string {
  return count.toLocaleString("en");
}
