import { Catalog } from "../runtime/catalog.ts";
import { loadModule } from "../runtime/load_module.ts";
import { type AnyStep, isStep } from "../runtime/step.ts";

/** Every built-in step, one line each; `image.proxy` is what `image/proxy.ts` exports. */
const names = [
  "baseline.discover",
  "baseline.recommend",
  "caption.compose",
  "caption.generate",
  "dataset.check",
  "decisions.read",
  "dedupe.act",
  "dedupe.group",
  "dedupe.previews",
  "dedupe.select",
  "export.lora",
  "image.crop_subject",
  "image.normalize",
  "image.proxy",
  "ingest.scan",
  "inspect.content",
  "inspect.embedding",
  "inspect.fingerprint",
  "inspect.labels",
  "inspect.metadata",
  "inspect.objects",
  "inspect.quality",
  "policy.choose",
  "publish.files",
  "publish.mapping",
  "report.dedupe",
  "report.normalize",
  "report.savings",
];

/** The built-in steps. */
export const catalog = new Catalog([], { names, load });

async function load(name: string): Promise<AnyStep> {
  const path = `./${name.replace(".", "/")}.ts`;
  const module = await loadModule<Readonly<Record<string, unknown>>>(path, import.meta.url);
  const step = Object.values(module).find((value): value is AnyStep =>
    isStep(value) && value.name === name
  );
  if (step === undefined) throw new Error(`Cannot load step "${name}": its file exports none`);
  return step;
}
