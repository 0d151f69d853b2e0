import type { Bench, Benchmark } from "./benchmark.ts";
import { tintype } from "./process.ts";
import { inTurn, medianMs, ratio } from "./rounds.ts";
import { fileURLToPath } from "node:url";
import { barLine, measureLines, ratioText, seconds } from "./wording.ts";

const recipe = fileURLToPath(new URL("../pipelines/proxy.yaml", import.meta.url));
const barMs = 400;

/** How long the command line takes to say anything at all. */
export const start: Benchmark = {
  name: "start",
  about: "`tintype check` from a cold start, against `deno eval 0`",
  async run({ isQuick, say, measure, folder }: Bench) {
    const rounds = isQuick ? 3 : 10;
    say(`\nstart: tintype check pipelines/proxy.yaml, ${rounds} times`);
    const check = tintype(["check", recipe, "--workspace", `${folder}/workspace`]);
    const nothing = [Deno.execPath(), "eval", "0"];
    await measure({ argv: check }); // compiled code is cached from here on
    const measures = await inTurn([
      { name: "tintype check", rounds, run: () => measure({ argv: check }) },
      { name: "deno eval 0", rounds, run: () => measure({ argv: nothing }) },
    ]);
    measureLines(measures).forEach(say);
    const ours = measures.get("tintype check")!;
    const found = ratio(ours, measures.get("deno eval 0")!);
    say(`  times \`deno eval 0\`: ${ratioText(found)}`);
    const elapsedMs = medianMs(ours);
    say(barLine({ text: "≤ 0.4 s", isMet: elapsedMs <= barMs }, seconds(elapsedMs)));
  },
};
