/**
 * What notebooks on the Deno kernel show with: tables, charts, thumbnails and a run's progress, and
 * where runs are. A value of these, last in a cell, is what the cell shows:
 *
 * ```ts ignore
 * import { openSession } from "tintype";
 * import { chart, newestRun, table } from "../src/notebook.ts";
 *
 * const { workspace, run } = newestRun("proxy");
 * const catalog = await openSession({ workspace }).openCatalog({ run });
 * table(await catalog.query("SELECT item, width, height FROM items"));
 * ```
 *
 * @module
 */
import { keepLateOutputs } from "./notebook/kernel.ts";

export { chart } from "./notebook/chart.ts";
export type { Display, MimeBundle, Show } from "./notebook/kernel.ts";
export {
  compareEffects,
  effectChart,
  type PolicyDraft,
  policyOf,
  writePolicy,
  type WrittenPolicy,
} from "./notebook/policies.ts";
export { outlierRows } from "./notebook/outliers.ts";
export { progress, type ProgressOptions } from "./notebook/progress.ts";
export {
  baselineOf,
  commandOf,
  comparableRuns,
  findRun,
  type FoundRun,
  graphOf,
  homeOf,
  newestRun,
  projectFolder,
  reasonsOf,
  recommendationOf,
  settingsOf,
  sourceOf,
  summaries,
  weightsOf,
  workspaces,
} from "./notebook/runs.ts";
export { type Row, table, type TableOptions, type TableSource } from "./notebook/table.ts";
export { type Thumbnail, type ThumbnailOptions, thumbnails } from "./notebook/thumbnails.ts";
export { wall } from "./notebook/wall.ts";
export { words } from "./notebook/words.ts";
export { measures } from "./baseline/baseline.ts";
export { barChart } from "./charts/bar.ts";
export { emptyChart } from "./charts/empty.ts";
export { histogramChart } from "./charts/distribution.ts";
export { characteristicTitles, measureWords } from "./charts/measures.ts";
export type { ChartSpec } from "./charts/render.ts";
export { scatterChart } from "./charts/scatter.ts";
export { styled } from "./charts/style.ts";

keepLateOutputs();
