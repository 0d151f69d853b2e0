import type { Command, Measure } from "./process.ts";

/** One question about speed, answered beside its bar. */
export interface Benchmark {
  readonly name: string;
  /** A sentence for `--help`. */
  readonly about: string;
  run(bench: Bench): Promise<void>;
}

/** What a benchmark is given. */
export interface Bench {
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** Small sizes: the bars are for the full ones. */
  readonly isQuick: boolean;
  readonly say: (line: string) => void;
  /** Runs a whole process to its end. Throws when it fails. */
  readonly measure: (command: Command) => Promise<Measure>;
}
