/**
 * Tintype: recipes of typed steps that turn a folder of photos into a dataset, cached by content.
 *
 * Run a recipe from code:
 *
 * ```ts
 * import { openSession } from "tintype";
 *
 * const session = openSession({ workspace: ".tintype" });
 * const { graph, diagnostics } = await session.checkFile("pipelines/proxy.yaml", {
 *   settings: { source: "./photos" },
 * });
 * if (graph === undefined) throw new Error(diagnostics.map((each) => each.message).join("\n"));
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import type { Catalog } from "./runtime/catalog.ts";
import { Session } from "./runtime/session.ts";
import { proxy } from "./steps/image/proxy.ts";
import { scan } from "./steps/ingest/scan.ts";
import { inspectMetadata } from "./steps/inspect/metadata.ts";
import { catalog } from "./steps/mod.ts";
import { files } from "./steps/publish/files.ts";
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
export const steps = { scan, proxy, inspectMetadata, files, savings } as const;

export interface OpenSessionOptions {
  /** The folder for cache, store and runs; ".tintype" where the program stands, when left out. */
  readonly workspace?: string;
  /** Where relative paths begin; the program's current folder when left out. */
  readonly cwd?: string;
  /** The steps there are; the built-in ones when left out. */
  readonly catalog?: Catalog;
}

/** Opens a workspace: checks, plans and runs recipes in it, and queries what they found. */
export function openSession(options: OpenSessionOptions = {}): Session {
  const cwd = options.cwd ?? Deno.cwd();
  return new Session({
    catalog: options.catalog ?? catalog,
    cwd,
    workspace: resolve(cwd, options.workspace ?? ".tintype"),
  });
}
