import { join } from "node:path";
import type { Bench, Benchmark } from "./benchmark.ts";
import { photoSize, writePhotos } from "./photos.ts";
import { denoRun, tintype } from "./process.ts";
import { inTurn, ratio } from "./rounds.ts";
import { barLine, grouped, measureLines, ratioText } from "./wording.ts";

const loop = new URL("./peers/embedding_loop.ts", import.meta.url);
const modelFile = "squeezenet_fp16.onnx";

const ours = "tintype run, inspect.embedding";
const theirs = "onnxruntime-node loop";

/** What an embedding costs beside the network, which takes one picture at a time here. */
export const embedding: Benchmark = {
  name: "embedding",
  about: "SqueezeNet embeddings of photos, cold, against a loop over onnxruntime-node",
  async run(bench) {
    const { isQuick, say, folder } = bench;
    const models = Deno.env.get("TINTYPE_MODELS");
    const corpus = Deno.env.get("TINTYPE_CORPUS");
    if (models === undefined) {
      return say("\nembedding: skipped (TINTYPE_MODELS has to name a folder)");
    }
    const count = isQuick ? 12 : 60;
    const source = join(folder, "photos");
    Deno.mkdirSync(source);
    const photographs = corpus === undefined ? undefined : join(corpus, "corpus", "photos");
    await writePhotos(source, { count, photographs });
    const { width, height } = photoSize;
    say(`\nembedding: ${grouped(count)} photos of ${width} × ${height}, whole processes`);
    const rounds = isQuick ? 2 : 5;
    const peer = { argv: denoRun(loop, [source, join(models, modelFile)]) };
    const measures = await inTurn([
      { name: ours, rounds, run: () => coldRun(bench, source, models) },
      { name: theirs, rounds, run: () => bench.measure(peer) },
    ]);
    measureLines(measures).forEach(say);
    const found = ratio(measures.get(theirs)!, measures.get(ours)!);
    say(barLine({ text: "≥ 0.9 of a bare loop", isMet: found.median >= 0.9 }, ratioText(found)));
  },
};

const recipeText = `recipe: embedding
params:
  source: { type: folder }
steps:
  photos:     { use: ingest.scan, with: { folder: $source } }
  embeddings: { use: inspect.embedding, from: photos, with: { model: squeezenet } }
`;

async function coldRun({ folder, measure }: Bench, source: string, models: string) {
  const recipe = join(folder, "embedding.yaml");
  Deno.writeTextFileSync(recipe, recipeText);
  const workspace = join(folder, "workspace");
  const argv = tintype(["run", recipe, "--set", `source=${source}`, "--workspace", workspace]);
  const measured = await measure({ argv, env: { TINTYPE_MODELS: models } });
  await Deno.remove(workspace, { recursive: true });
  return measured;
}
