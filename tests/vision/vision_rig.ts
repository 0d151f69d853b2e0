import { join } from "node:path";
import { Catalog } from "../../src/runtime/catalog.ts";
import { Session } from "../../src/runtime/session.ts";
import { inference } from "../../src/services/inference.ts";
import { OnnxInference } from "../../src/services/onnx.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { inspectEmbedding } from "../../src/steps/inspect/embedding.ts";
import { inspectLabels } from "../../src/steps/inspect/labels.ts";
import { inspectObjects } from "../../src/steps/inspect/objects.ts";
import { PictureRig } from "../picture_rig.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");

/** Runs with the corpus (`photos`, `models` in it), or is skipped and says so. */
export function corpusTest(name: string, run: (corpus: string) => Promise<void>) {
  const suffix = corpus === undefined ? " (skipped: TINTYPE_CORPUS is not set)" : "";
  Deno.test({ name: name + suffix, ignore: corpus === undefined, fn: () => run(corpus!) });
}

/** Pictures, a folder of models, and the steps that look with them. */
export class VisionRig extends PictureRig {
  readonly models: OnnxInference;
  override readonly session: Session;

  constructor(modelFolder: string) {
    super();
    this.models = new OnnxInference({ folder: modelFolder, device: "cpu" });
    this.session = new Session({
      catalog: new Catalog([scan, inspectEmbedding, inspectLabels, inspectObjects]),
      cwd: this.folder,
      workspace: join(this.folder, ".tintype"),
      services: new Map([[inference.name, this.models]]),
    });
  }
}
