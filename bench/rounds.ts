import type { Measure } from "./process.ts";

/** One of those that are measured against each other. */
export interface Contender {
  readonly name: string;
  /** In how many of the rounds it takes part: the first ones. */
  readonly rounds: number;
  readonly run: () => Promise<Measure>;
}

/** A contender's measures, one a round. */
export type Measures = ReadonlyMap<string, readonly Measure[]>;

/** Lets contenders run in turn, A B A B, so that what else the machine does hits all alike. */
export async function inTurn(contenders: readonly Contender[]): Promise<Measures> {
  const measures = new Map<string, Measure[]>(contenders.map(({ name }) => [name, []]));
  const rounds = Math.max(...contenders.map((contender) => contender.rounds));
  for (let round = 0; round < rounds; round++) {
    for (const { name, rounds, run } of contenders) {
      if (round < rounds) measures.get(name)!.push(await run());
    }
  }
  return measures;
}

/** How many times as long others took as ours, in the rounds that they shared. */
export interface Ratio {
  /** The median over the rounds. */
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** The same by CPU time, which other processes disturb less. */
  readonly byCpu?: number;
}

export function ratio(others: readonly Measure[], ours: readonly Measure[]): Ratio {
  const rounds = Math.min(others.length, ours.length);
  const pairs = Array.from(
    { length: rounds },
    (_, round) => [others[round]!, ours[round]!] as const,
  );
  const byTime = pairs.map(([other, own]) => other.elapsedMs / own.elapsedMs);
  const byCpu = pairs.flatMap(([{ cpuMs: other }, { cpuMs: own }]) =>
    other === undefined || !own ? [] : [other / own]
  );
  return {
    median: median(byTime),
    lowest: Math.min(...byTime),
    highest: Math.max(...byTime),
    byCpu: byCpu.length === 0 ? undefined : median(byCpu),
  };
}

/** The middle of some numbers; between two, their mean. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function medianMs(measures: readonly Measure[]): number {
  return median(measures.map((measure) => measure.elapsedMs));
}

/** The most memory that any of them held. */
export function peakOf(measures: readonly Measure[]): number | undefined {
  const peaks = measures.flatMap((measure) => measure.peakBytes ?? []);
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}
