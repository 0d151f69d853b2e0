import { join } from "node:path";
import type { Bench, Benchmark } from "./benchmark.ts";
import { denoRun } from "./process.ts";
import { inTurn, type Measures, medianMs, ratio } from "./rounds.ts";
import { barLine, grouped, measureLines, ratioText } from "./wording.ts";

const steps = 3;
const barMs = 0.5;

const engineRun = new URL("./engine_run.ts", import.meta.url);
const bareTasks = new URL("./peers/bare_tasks.ts", import.meta.url);

/** What the engine costs a task when the steps cost nothing. */
export const engine: Benchmark = {
  name: "engine",
  about: "cost a task of trivial steps, cold and again, against a bare loop that keeps a record",
  async run({ isQuick, say, measure, folder }: Bench) {
    const items = isQuick ? 2000 : 20_000;
    const rounds = isQuick ? 2 : 5;
    const sizes = [String(items), String(steps)];
    say(`\nengine: ${grouped(items)} items × ${steps} trivial steps, journal and tables included`);
    let round = 0;
    const run = () => denoRun(engineRun, [join(folder, `workspace-${round}`), ...sizes]);
    const cold = () => {
      round++;
      return measure({ argv: run() });
    };
    const bare = () => {
      const own = join(folder, `bare-${round}`);
      Deno.mkdirSync(own);
      return measure({ argv: denoRun(bareTasks, [own, ...sizes]) });
    };
    const measures = await inTurn([
      { name: "engine, cold", rounds, run: cold },
      { name: "engine, again", rounds, run: () => measure({ argv: run() }) },
      { name: "bare loop", rounds, run: bare },
    ]);
    measureLines(measures).forEach(say);
    results(measures, items * steps).forEach(say);
  },
};

function results(measures: Measures, tasks: number): string[] {
  const [cold, again, bare] = ["engine, cold", "engine, again", "bare loop"].map((name) =>
    measures.get(name)!
  );
  const coldMs = medianMs(cold!) / tasks;
  return [
    `  again: ${(medianMs(again!) / tasks).toFixed(4)} ms a task, start of the process included`,
    `  times a bare loop that hashes, keeps and logs as much: ${ratioText(ratio(cold!, bare!))}`,
    barLine({ text: "≤ 0.5 ms a task, cold", isMet: coldMs <= barMs }, `${coldMs.toFixed(3)} ms`),
  ];
}
