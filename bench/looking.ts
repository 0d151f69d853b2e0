import { join } from "node:path";
import { decodeRaster } from "../src/imaging/decode.ts";
import { readHeader } from "../src/imaging/header.ts";
import type { MeasureInput, QualityMeasures } from "../src/quality/quality_worker.ts";
import { WorkerPool } from "../src/services/worker_pool.ts";
import type { Bench, Benchmark } from "./benchmark.ts";
import { photoSize, writePhotos } from "./photos.ts";
import { denoRun, type Measure, tintype } from "./process.ts";
import { inTurn, median, ratio } from "./rounds.ts";
import { barLine, grouped, measureLines, ratioText, seconds } from "./wording.ts";

const decodeLoop = new URL("./peers/decode_loop.ts", import.meta.url);

const ours = "tintype run, inspect.fingerprint";
const theirs = "sharp, decode only";

/** What the hashes cost beside the decode that they need. */
export const fingerprint: Benchmark = {
  name: "fingerprint",
  about: "hashes of 60 photos of 12 megapixels, cold, against a loop that only decodes them",
  async run(bench) {
    const { isQuick, say, folder } = bench;
    const count = isQuick ? 12 : 60;
    const source = join(folder, "photos");
    Deno.mkdirSync(source);
    await writePhotos(source, { count, photographs: corpusPhotos() });
    say(
      `\nfingerprint: ${grouped(count)} photos of ${photoSize.width} × ${photoSize.height}; ` +
        "two at a time, whole processes",
    );
    const recipe = writeRecipe(folder);
    const rounds = isQuick ? 3 : 7;
    const measures = await inTurn([
      { name: ours, rounds, run: () => coldRun(bench, recipe, source) },
      {
        name: theirs,
        rounds,
        run: () => bench.measure({ argv: denoRun(decodeLoop, [source]) }),
      },
    ]);
    measureLines(measures).forEach(say);
    const found = ratio(measures.get(theirs)!, measures.get(ours)!);
    say(barLine({ text: "≥ 0.9 of decoding alone", isMet: found.median >= 0.9 }, ratioText(found)));
  },
};

/** BRISQUE and NIQE of a picture of 512 × 512, in one worker that is warm. */
export const quality: Benchmark = {
  name: "quality",
  about: "BRISQUE and NIQE of a picture of 512 × 512, on one core",
  async run({ folder, isQuick, say }) {
    const source = join(folder, "photos");
    Deno.mkdirSync(source);
    await writePhotos(source, { count: 1, photographs: corpusPhotos() });
    const [{ name }] = [...Deno.readDirSync(source)] as [Deno.DirEntry];
    const bytes = Deno.readFileSync(join(source, name));
    const size = { width: 512, height: 512 };
    const pixels = await decodeRaster(bytes, await readHeader(bytes), { size });
    const pool = new WorkerPool({ size: 1 });
    const elapsed: number[] = [];
    for (let round = 0; round < (isQuick ? 20 : 60); round++) {
      const input: MeasureInput = {
        task: "measure",
        pixels,
        measuresBrisque: true,
        measuresNiqe: true,
      };
      const started = performance.now();
      await pool.call<MeasureInput, QualityMeasures>(qualityWorker, input);
      elapsed.push(performance.now() - started);
    }
    await pool.release();
    const warm = elapsed.slice(elapsed.length / 2);
    say(
      `\nquality: one picture of ${size.width} × ${size.height}, ${warm.length} times, one worker`,
    );
    const found = median(warm);
    const spread = `${seconds(Math.min(...warm))} to ${seconds(Math.max(...warm))}`;
    say(barLine({ text: "≤ 60 ms", isMet: found <= 60 }, `${seconds(found)} (${spread})`));
  },
};

const qualityWorker = new URL("../src/quality/quality_worker.ts", import.meta.url);

/** Where the real photographs are; undefined without TINTYPE_CORPUS. */
function corpusPhotos(): string | undefined {
  const corpus = Deno.env.get("TINTYPE_CORPUS");
  return corpus === undefined ? undefined : join(corpus, "corpus", "photos");
}

function writeRecipe(folder: string): string {
  const path = join(folder, "fingerprint.yaml");
  Deno.writeTextFileSync(
    path,
    `recipe: fingerprint
params:
  source: { type: folder }
steps:
  photos: { use: ingest.scan, with: { folder: $source } }
  prints: { use: inspect.fingerprint, from: photos }
`,
  );
  return path;
}

/** Runs the recipe with an empty workspace. */
async function coldRun(bench: Bench, recipe: string, source: string): Promise<Measure> {
  const round = join(bench.folder, "round");
  Deno.mkdirSync(round);
  const argv = tintype([
    "run",
    recipe,
    "--set",
    `source=${source}`,
    "--workspace",
    join(round, "w"),
  ]);
  const measured = await bench.measure({ argv: [...argv, "--jobs", "2"] });
  await Deno.remove(round, { recursive: true });
  return measured;
}
