import v8 from "node:v8";
import vm from "node:vm";

/** Below this much memory the program is left to itself. */
const quietBytes = 430e6;

/** So much has to have been allocated since the last collection to make another worth its time. */
const worthBytes = 170e6;

/**
 * Keeps the garbage of long synchronous passes from piling up: V8 lets a heap of 150 MB live objects
 * grow to 500 MB before it collects, and a run over 100,000 items is to stay below 600 MB. Measured
 * there: 100 MB less at the peak of a rerun, 340 MB of a first run, for 0.6 s more CPU time.
 */
export class MemoryValve {
  #collect: (() => void) | undefined;
  #heapAfter = 0;

  /** Collects garbage if much memory is taken and much of it is new. Costs 20 µs when not. */
  consider(): void {
    const { rss, heapUsed } = Deno.memoryUsage();
    if (rss < quietBytes || heapUsed < this.#heapAfter + worthBytes) return;
    this.#collect ??= collector();
    this.#collect();
    this.#heapAfter = Deno.memoryUsage().heapUsed;
  }
}

/** The documented way to `gc()` without a command-line flag; nothing where the engine refuses. */
function collector(): () => void {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  return typeof collect === "function" ? () => collect() : () => {};
}
