/**
 * Tintype: recipes of typed steps that turn a folder of photos into a dataset, cached by content.
 *
 * Run a recipe from code, and query what it found:
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { openSession } from "tintype";
 *
 * const cwd = await Deno.makeTempDir();
 * await Deno.mkdir(`${cwd}/photos`);
 * const session = openSession({ cwd });
 * const { graph, diagnostics } = await session.checkFile(Deno.cwd() + "/pipelines/proxy.yaml", {
 *   settings: { source: "./photos", out: "./proxies" },
 * });
 * if (graph === undefined) throw new Error(diagnostics.map((each) => each.message).join("\n"));
 * const { status, counts } = await session.run(graph);
 * const catalog = await session.openCatalog();
 * const { rows } = await catalog.query("SELECT status, ran FROM runs");
 * catalog.close();
 * assert.deepEqual(rows, [{ status, ran: counts.ran }]);
 * ```
 *
 * A step of your own, in a file that a recipe names with `use: ./darken.ts`:
 *
 * ```ts
 * import { defineStep, each, image, produced, rejected, rowKind, z } from "tintype";
 *
 * const size = rowKind("size", "how large a picture is", z.object({ megapixels: z.number() }));
 *
 * export default defineStep({
 *   name: "own.size",
 *   version: 1,
 *   doc: "Measures pictures, and leaves out small ones.",
 *   origin: "computed",
 *   inputs: { image: each(image, "the pictures") },
 *   params: z.object({ minimum: z.number().min(0).default(0.1) }),
 *   outputs: { size: each(size, "one row a picture") },
 *   async run({ image }, { minimum }) {
 *     const { width, height } = await (await image.read()).header();
 *     const megapixels = width * height / 1e6;
 *     if (megapixels < minimum) return rejected("it is too small", { megapixels });
 *     return produced({ size: { megapixels } });
 *   },
 * });
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import type { Catalog } from "./runtime/catalog.ts";
import { Session } from "./runtime/session.ts";
import type { Services } from "./runtime/step.ts";
import { createServices } from "./services/mod.ts";
import { normalize } from "./steps/image/normalize.ts";
import { discoverBaseline } from "./steps/baseline/discover.ts";
import { recommend } from "./steps/baseline/recommend.ts";
import { compose } from "./steps/caption/compose.ts";
import { generate } from "./steps/caption/generate.ts";
import { check } from "./steps/dataset/check.ts";
import { dedupeAct } from "./steps/dedupe/act.ts";
import { groupDuplicates } from "./steps/dedupe/group.ts";
import { dedupePreviews } from "./steps/dedupe/previews.ts";
import { dedupeSelect } from "./steps/dedupe/select.ts";
import { reportDedupe } from "./steps/report/dedupe.ts";
import { readDecisions } from "./steps/decisions/read.ts";
import { exportLora } from "./steps/export/lora.ts";
import { cropSubject } from "./steps/image/crop_subject.ts";
import { proxy } from "./steps/image/proxy.ts";
import { scan } from "./steps/ingest/scan.ts";
import { inspectContent } from "./steps/inspect/content.ts";
import { inspectEmbedding } from "./steps/inspect/embedding.ts";
import { inspectFingerprint } from "./steps/inspect/fingerprint.ts";
import { inspectLabels } from "./steps/inspect/labels.ts";
import { inspectObjects } from "./steps/inspect/objects.ts";
import { inspectQuality } from "./steps/inspect/quality.ts";
import { inspectMetadata } from "./steps/inspect/metadata.ts";
import { catalog } from "./steps/mod.ts";
import { choose } from "./steps/policy/choose.ts";
import { files } from "./steps/publish/files.ts";
import { publishMapping } from "./steps/publish/mapping.ts";
import { reportNormalize } from "./steps/report/normalize.ts";
import { savings } from "./steps/report/savings.ts";

export { z } from "zod";
export { jsonKind, type Kind, rowKind, text } from "./runtime/artifact.ts";
export { recipe, type RecipeBuilder } from "./runtime/builder.ts";
export { type CatalogDb, openCatalog, type QueryResult } from "./runtime/catalog_db.ts";
export { type Diagnostic, formatDiagnostic } from "./runtime/diagnostic.ts";
export type { RunEvent } from "./runtime/event.ts";
export { file, folder } from "./runtime/params.ts";
export { type RunReport, type RunSettings, Session } from "./runtime/session.ts";
export {
  all,
  each,
  failed,
  many,
  one,
  produced,
  rejected,
  type StepContext,
  waiting,
} from "./runtime/step.ts";
export { defineStep } from "./runtime/step.ts";
export { image } from "./steps/kinds.ts";
export { catalog };

/** The built-in steps, for recipes in TypeScript. */
export const steps = {
  scan,
  normalize,
  proxy,
  inspectMetadata,
  inspectContent,
  files,
  publishMapping,
  reportNormalize,
  savings,
  discoverBaseline,
  recommend,
  choose,
  cropSubject,
  inspectEmbedding,
  inspectFingerprint,
  inspectLabels,
  inspectObjects,
  inspectQuality,
  checkDataset: check,
  generateCaptions: generate,
  composeCaptions: compose,
  readDecisions,
  exportLora,
  dedupeGroup: groupDuplicates,
  dedupeSelect,
  dedupePreviews,
  dedupeAct,
  reportDedupe,
} as const;

export interface OpenSessionOptions {
  /** The folder for cache, store and runs; ".tintype" where the program stands, when left out. */
  readonly workspace?: string;
  /** Where relative paths begin; the program's current folder when left out. */
  readonly cwd?: string;
  /** The steps there are; the built-in ones when left out. */
  readonly catalog?: Catalog;
  /** What steps may reach beyond this machine; the built-in services when left out. */
  readonly services?: Services;
}

/** Opens a workspace: checks, plans and runs recipes in it, and queries what they found. */
export function openSession(options: OpenSessionOptions = {}): Session {
  const cwd = options.cwd ?? Deno.cwd();
  return new Session({
    catalog: options.catalog ?? catalog,
    services: options.services ?? createServices(Deno.env, { cwd }),
    cwd,
    workspace: resolve(cwd, options.workspace ?? ".tintype"),
  });
}
