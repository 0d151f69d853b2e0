import { join } from "node:path";
import type { Bench, Benchmark } from "./benchmark.ts";
import { writeNinjaBuild } from "./ninja.ts";
import { isInstalled, type Measure, tintype } from "./process.ts";
import { inTurn, medianMs, peakOf, type Ratio, ratio } from "./rounds.ts";
import { tinyPhotoNames, writeTinyPhotos } from "./tiny_photos.ts";
import { barLine, grouped, measureLines, megabytes, ratioText, seconds } from "./wording.ts";

/** Two steps an item behind a scan. */
const twoSteps = `recipe: noop
params:
  source: { type: folder, about: where the pictures are }
steps:
  photos:  { use: ingest.scan, with: { folder: $source } }
  proxies: { use: image.proxy, from: photos }
  facts:   { use: inspect.metadata, from: proxies }
`;

/** How many items, and what a rerun of them may take. */
interface Size {
  readonly items: number;
  readonly rounds: number;
  readonly mostMs: number;
  readonly mostBytes?: number;
  /** Of the first run. */
  readonly mostFirstBytes?: number;
  /** Times ninja's time. */
  readonly mostOfNinja?: number;
}

const fullSizes: readonly Size[] = [
  { items: 10_000, rounds: 7, mostMs: 1000 },
  {
    items: 100_000,
    rounds: 3,
    mostMs: 5000,
    mostBytes: 600e6,
    mostFirstBytes: 700e6,
    mostOfNinja: 2.5,
  },
];
const quickSizes: readonly Size[] = [
  { items: 1000, rounds: 3, mostMs: 1000 },
  { items: 3000, rounds: 3, mostMs: 1000 },
];

interface Job {
  readonly title: string;
  readonly recipe: string;
  /** Given a folder for what is published. */
  readonly settings: (out: string) => readonly string[];
  /** Of each item, its first look included. */
  readonly tasks: number;
  /** Ninja is given a graph of two steps an item. */
  readonly hasPeer: boolean;
}

/** A rerun where nothing changed, two steps an item. */
export const noop: Benchmark = {
  name: "noop",
  about: "rerun where nothing changed, 10,000 and 100,000 items × 2 steps, against ninja",
  async run(bench) {
    const recipe = join(bench.folder, "noop.yaml");
    Deno.writeTextFileSync(recipe, twoSteps);
    const title = "ingest.scan, image.proxy, inspect.metadata";
    await reruns(bench, { title, recipe, settings: () => [], tasks: 3, hasPeer: true });
  },
};

/** The same for the shipped recipe, which also publishes and reports. */
export const noopProxy: Benchmark = {
  name: "noop-proxy",
  about: "the same for the shipped proxy recipe, with its published files and its report",
  async run(bench) {
    const settings = (out: string) => ["--set", `out=${out}`];
    const title = "pipelines/proxy.yaml";
    await reruns(bench, { title, recipe: "proxy", settings, tasks: 2, hasPeer: false });
  },
};

async function reruns(bench: Bench, job: Job): Promise<void> {
  for (const size of bench.isQuick ? quickSizes : fullSizes) {
    bench.say(`\n${grouped(size.items)} items: ${job.title}`);
    const folder = join(bench.folder, String(size.items));
    const source = join(folder, "photos");
    await writeTinyPhotos(source, size.items);
    await rerun({ ...bench, folder }, size, job, source);
    await Deno.remove(folder, { recursive: true });
  }
}

async function rerun(bench: Bench, size: Size, job: Job, source: string): Promise<void> {
  const { say, measure, folder } = bench;
  const workspace = join(folder, "workspace");
  const own = job.settings(join(folder, "published"));
  const settings = [...own, "--set", `source=${source}`, "--workspace", workspace];
  const argv = tintype(["run", job.recipe, ...settings]);
  const first = await measure({ argv });
  const perTask = seconds(first.elapsedMs / (size.items * job.tasks));
  say(
    `  first run: ${seconds(first.elapsedMs)}, ${perTask} a task with the first look at each file`,
  );
  const ninja = job.hasPeer ? await preparedNinja(bench, size, source) : undefined;
  const again = async () => assertCached(await measure({ argv }));
  const measures = await inTurn([
    { name: "tintype run", rounds: size.rounds, run: again },
    ...ninja === undefined ? [] : [{ name: "ninja", rounds: size.rounds, run: ninja }],
  ]);
  measureLines(measures).forEach(say);
  const ours = measures.get("tintype run")!;
  say(`  of the first run's time: ${(medianMs(ours) / first.elapsedMs).toFixed(3)}`);
  if (ninja !== undefined) say(ninjaLine(size, ratio(ours, measures.get("ninja")!)));
  barLines(size, first, ours).forEach(say);
}

function ninjaLine({ mostOfNinja }: Size, found: Ratio): string {
  const text = ratioText(found);
  if (mostOfNinja === undefined) return `  times ninja's time: ${text}`;
  const isMet = found.median <= mostOfNinja;
  return barLine({ text: `≤ ${mostOfNinja} × ninja's time`, isMet }, text);
}

function barLines(
  { mostMs, mostBytes, mostFirstBytes }: Size,
  first: Measure,
  ours: readonly Measure[],
): string[] {
  const elapsedMs = medianMs(ours);
  const time = { text: `≤ ${seconds(mostMs)}`, isMet: elapsedMs <= mostMs };
  const lines = [barLine(time, seconds(elapsedMs))];
  const memory = (most: number | undefined, measures: readonly Measure[], of: string) => {
    const peak = peakOf(measures);
    if (most === undefined || peak === undefined) return [];
    const text = `≤ ${megabytes(most)} at the peak of ${of}`;
    return [barLine({ text, isMet: peak <= most }, megabytes(peak))];
  };
  return [
    ...lines,
    ...memory(mostFirstBytes, [first], "the first run"),
    ...memory(mostBytes, ours, "a rerun"),
  ];
}

/** The run did nothing again: else a wrong thing was measured. */
function assertCached(measure: Measure): Measure {
  const counts = /(\d+) ran, (\d+) cached/.exec(measure.stdout);
  if (counts?.[1] === "0" && counts[2] !== "0") return measure;
  throw new Error(`Cannot take this for a rerun: "${measure.stdout.trim().split("\n").at(-1)}"`);
}

/** Ninja with everything built, so that the next run finds nothing to do. */
async function preparedNinja({ folder, say, measure }: Bench, { items }: Size, source: string) {
  if (!await isInstalled("ninja", ["--version"])) {
    say("  skipped: ninja is not installed (apt install ninja-build)");
    return undefined;
  }
  writeNinjaBuild(folder, source, tinyPhotoNames(items));
  const command = { argv: ["ninja"], cwd: folder };
  const first = await measure(command);
  say(`  ninja's first run: ${seconds(first.elapsedMs)}`);
  return () => measure(command);
}
