import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { embedding } from "./embedding.ts";
import { engine } from "./engine.ts";
import { inspect, metadata } from "./metadata.ts";
import { fingerprint, quality } from "./looking.ts";
import { noop, noopProxy } from "./noop.ts";
import { plan } from "./plan.ts";
import { ProcessMeter } from "./process.ts";
import { proxy } from "./proxy.ts";
import { search } from "./search.ts";
import { start } from "./start.ts";

const benchmarks: readonly Benchmark[] = [
  proxy,
  metadata,
  inspect,
  fingerprint,
  quality,
  embedding,
  search,
  noop,
  noopProxy,
  plan,
  engine,
  start,
];

const usage = `deno task bench [name…] [--quick]

Each benchmark measures whole processes in turn and prints ratios beside their bars. All together
take half an hour; the machine should have nothing else to do.
  --quick  small sizes, a minute: the bars are for the full ones

${benchmarks.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n")}`;

/** Runs the named benchmarks, or all of them; gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const given = readArgs(args);
  if (given instanceof TypeError) {
    console.error(`${given.message}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = given;
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const unknown = positionals.filter((name) => !benchmarks.some((each) => each.name === name));
  if (unknown.length > 0) {
    console.error(`There is no benchmark "${unknown.join('", "')}"\n\n${usage}`);
    return 2;
  }
  const chosen = benchmarks.filter(({ name }) =>
    positionals.length === 0 || positionals.includes(name)
  );
  return await runAll(chosen, values.quick);
}

/** The names and options, or what is wrong with them. */
function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

async function runAll(chosen: readonly Benchmark[], isQuick: boolean): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "tintype-bench-" });
  const meter = await ProcessMeter.create(folder);
  const interrupt = () => {
    meter.stop();
    removeFolder(folder);
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupt);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", interrupt);
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores${
      isQuick ? "; quick: the bars are for the full sizes" : ""
    }`,
  );
  try {
    for (const benchmark of chosen) {
      const own = join(folder, benchmark.name);
      await Deno.mkdir(own);
      await benchmark.run({
        folder: own,
        isQuick,
        say: (line) => console.log(line),
        measure: (command) => meter.measure(command),
      });
      await Deno.remove(own, { recursive: true });
    }
    return 0;
  } finally {
    removeFolder(folder);
  }
}

/** A process that was just killed may still have put something into it. */
function removeFolder(folder: string) {
  for (let attempt = 1;; attempt++) {
    try {
      return Deno.removeSync(folder, { recursive: true });
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
