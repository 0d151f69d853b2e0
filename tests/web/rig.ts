import { join } from "node:path";
import { Catalog } from "../../src/runtime/catalog.ts";
import { Session } from "../../src/runtime/session.ts";
import type { Services } from "../../src/runtime/step.ts";
import { DecisionLog } from "../../src/decisions/log_file.ts";
import { compose } from "../../src/steps/caption/compose.ts";
import { generate } from "../../src/steps/caption/generate.ts";
import { check } from "../../src/steps/dataset/check.ts";
import { readDecisions } from "../../src/steps/decisions/read.ts";
import { exportLora } from "../../src/steps/export/lora.ts";
import { proxy } from "../../src/steps/image/proxy.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { SessionDataset } from "../../src/web/session_dataset.ts";

export const catalog = new Catalog([
  scan,
  proxy,
  check,
  generate,
  readDecisions,
  compose,
  exportLora,
]);

/** The shipped caption recipe without its detector. */
export function recipeText(
  { provider = "draft", trigger = "main_hall", isPrepared = false }: {
    readonly provider?: string;
    readonly trigger?: string;
    /** Whether the export is given upright pictures, as in the shipped recipe. */
    readonly isPrepared?: boolean;
  } = {},
): string {
  return `
recipe: caption
steps:
  photos:    { use: ingest.scan, with: { folder: ./photos } }
  checked:   { use: dataset.check, from: photos, with: { trigger: "${trigger}" } }
  proxies:   { use: image.proxy, from: photos, with: { short_side_px: 64 } }
  captions:  { use: caption.generate, from: { image: proxies, gate: checked.gate }, with: { provider: ${provider} } }
  decisions: { use: decisions.read, with: { file: ./out/decisions.jsonl } }
  final:     { use: caption.compose, from: { image: photos, caption: captions, decisions: decisions }, with: { trigger: "${trigger}" } }
  dataset:   { use: export.lora, from: { image: photos, caption: final, decisions: decisions${
    isPrepared ? ", prepared: upright" : ""
  } }, with: { folder: ./out, trigger: "${trigger}" } }
${
    isPrepared
      ? "  upright: { use: image.proxy, from: photos, with: { short_side_px: 16384, quality: 95 } }"
      : ""
  }`;
}

export interface DatasetSettings {
  readonly text?: string;
  readonly services?: Services;
  readonly signal?: AbortSignal;
}

/** The dataset of a recipe over ./photos in a folder. */
export async function openDataset(
  folder: string,
  { text = recipeText(), services, signal = new AbortController().signal }: DatasetSettings = {},
): Promise<SessionDataset> {
  const session = new Session({
    catalog,
    services,
    cwd: folder,
    workspace: join(folder, ".tintype"),
  });
  const checked = await session.check(
    { path: join(folder, "caption.yaml"), text },
    { needsValues: true },
  );
  if (checked.graph === undefined) {
    throw new Error(checked.diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
  }
  return new SessionDataset({
    session,
    graph: checked.graph,
    openLog: DecisionLog.open,
    now: () => new Date(),
    signal,
  });
}
