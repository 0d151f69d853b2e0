import type { z } from "zod";
import { type Diagnostic, inReadingOrder, suggestion } from "../runtime/diagnostic.ts";
import { fromFileUrl } from "../runtime/file_url.ts";
import { childSchemas, type JsonSchema } from "../runtime/json_schema.ts";
import {
  describeLocated,
  type Located,
  type LocatedEntry,
  member,
  parseYaml,
  plainValue,
} from "../runtime/located.ts";
import { paramsSchema, wantedValue } from "../runtime/params.ts";
import { SourceFile, type Span } from "../runtime/source.ts";
import { flatIssues, type Issue } from "../runtime/zod_issue.ts";
import { type ModelEntry, modelShape, type ModelTask } from "../vision/registry.ts";
import { ModelProblem } from "./inference.ts";

/** A registry file that is wrong: all of its faults. */
export class RegistryProblem extends ModelProblem {
  constructor(readonly path: string, readonly diagnostics: readonly Diagnostic[]) {
    const faults = diagnostics.map(({ span, message, help }) =>
      `line ${span.file.position(span.start).line}: ${message}${
        help === undefined ? "" : ` (${help})`
      }`
    );
    super(`Cannot read models "${path}": ${faults.join("; ")}`, false);
  }
}

/** Models by name, in the order of their files. */
export type Models = ReadonlyMap<string, ModelEntry>;

/** What a registry file says. */
export interface ParsedModels {
  /** The models without a fault. */
  readonly models: Models;
  /** In reading order. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The registry that comes with Tintype. */
export const shippedRegistryPath = fromFileUrl(
  new URL("../../models/models.yaml", import.meta.url),
);

/**
 * The shipped models, with those of `ownPath` added or put in their places where that file exists.
 * Throws `RegistryProblem`. Reads nothing else.
 */
export async function loadModels(ownPath: string): Promise<Models> {
  const shipped = await readModels(shippedRegistryPath);
  const own = ownPath === shippedRegistryPath ? undefined : await readModels(ownPath);
  if (shipped === undefined) {
    throw new ModelProblem(`Cannot read models "${shippedRegistryPath}": it is not there`, false);
  }
  const models = new Map([...shipped.models, ...own?.models ?? []]);
  for (const { path, file } of [shipped, ...own === undefined ? [] : [own]]) {
    const faults = unknownCompanions(file, models);
    if (faults.length > 0) throw new RegistryProblem(path, faults);
  }
  return models;
}

/** The entry of a name; throws `ModelProblem` for one that is not there. */
export function modelNamed(models: Models, name: string): ModelEntry {
  const entry = models.get(name);
  if (entry !== undefined) return entry;
  const help = suggestion(name, [...models.keys()], "Models");
  throw new ModelProblem(`Cannot find model "${name}": no models.yaml has it (${help})`, false);
}

async function readModels(path: string) {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    const words = error instanceof Error ? error.message : String(error);
    throw new ModelProblem(`Cannot read models "${path}": ${words}`, false);
  }
  const file = new SourceFile(path, text);
  const { models, diagnostics } = parseModels(file);
  if (diagnostics.length > 0) throw new RegistryProblem(path, diagnostics);
  return { path, file, models };
}

/** Reads a registry file and finds everything that is wrong with it by itself. */
export function parseModels(file: SourceFile): ParsedModels {
  const { root, diagnostics } = parseYaml(file);
  const reader = new ModelsReader(file, [...diagnostics]);
  if (root !== undefined) reader.read(root);
  else if (diagnostics.length === 0 && /[^\s#]/.test(file.text.replace(/#.*/g, ""))) {
    reader.fault("no-models", "It holds no models", { file, start: 0, end: 1 });
  }
  return { models: reader.models, diagnostics: inReadingOrder(reader.diagnostics) };
}

/** What a model of each task needs beside its file. */
const decodersOf: Readonly<Record<ModelTask, readonly string[]>> = {
  "image-embedding": ["vector", "mean_over_space"],
  "text-embedding": ["vector"],
  "tokenizer": [],
  "object-detection": ["yolox", "detr"],
  "face-detection": ["yunet"],
};

const namePattern = /^[a-z0-9][a-z0-9._-]*$/;

/** Where the schema only says "text". */
const wantedText: Readonly<Record<string, string>> = {
  sha256: "64 hexadecimal digits in small letters",
  file: 'a path below the folder of models such as "clip/vision.onnx"',
  url: "an address",
};

class ModelsReader {
  readonly models = new Map<string, ModelEntry>();
  readonly #schema = paramsSchema(modelShape);

  constructor(readonly file: SourceFile, readonly diagnostics: Diagnostic[]) {}

  fault(code: string, message: string, span: Span, help?: string) {
    this.diagnostics.push({ code, severity: "error", message, span, help });
  }

  read(root: Located) {
    if (root.type !== "map") {
      this.fault("no-models", `Models are a map by name, not ${describeLocated(root)}`, root.span);
      return;
    }
    for (const entry of root.entries) this.#model(entry);
    this.#sharedFiles(root.entries);
  }

  #model(entry: LocatedEntry) {
    const { key: { name, span }, value } = entry;
    const before = this.diagnostics.length;
    if (!namePattern.test(name)) {
      const rule = "small letters, digits, dots, underscores and hyphens";
      this.fault("bad-name", `"${name}" cannot name a model (${rule})`, span);
    }
    if (value.type !== "map") {
      this.fault("no-model", `Model "${name}" is a map, not ${describeLocated(value)}`, span);
      return;
    }
    const parsed = modelShape.safeParse(plainValue(value));
    if (!parsed.success) {
      const issues = flatIssues(parsed.error.issues as readonly Issue[]);
      for (const issue of issues) this.#issue(issue, entry);
      return;
    }
    this.#consistency(parsed.data, entry);
    if (this.diagnostics.length === before) this.models.set(name, { ...parsed.data, name });
  }

  #issue(issue: Issue & { readonly keys?: readonly string[] }, entry: LocatedEntry) {
    const { located, schemas, isMissing } = follow(issue.path, entry, this.#schema);
    const where = [`model "${entry.key.name}"`, ...issue.path].join(".");
    if (issue.code === "unrecognized_keys") {
      const known = schemas.flatMap(({ properties }) => Object.keys(properties ?? {}));
      for (const key of issue.keys ?? []) {
        const span = located.type === "map" ? member(located, key)?.key.span : undefined;
        const help = suggestion(key, known, "Keys");
        this.fault("unknown-key", `There is no ${where}.${key}`, span ?? located.span, help);
      }
      return;
    }
    const last = String(issue.path.at(-1));
    const wanted = Object.hasOwn(wantedText, last) ? wantedText[last] : wantedValue(...schemas);
    const is = isMissing ? "is missing" : `is ${describeLocated(located)}`;
    const span = located === entry.value ? entry.key.span : located.span;
    this.fault("bad-model", `${sentence(where)} ${is} (wanted: ${wanted})`, span);
  }

  /** What the parts of a model say of each other. */
  #consistency(model: z.output<typeof modelShape>, { key: { name, span } }: LocatedEntry) {
    const decoders = decodersOf[model.task];
    if (decoders.length === 0) return;
    const missing = ["inputs", "outputs"].filter((key) =>
      model[key as "inputs" | "outputs"].length === 0
    );
    if (model.decode === undefined) missing.push("decode");
    if (model.preprocess === undefined && model.task !== "text-embedding") {
      missing.push("preprocess");
    }
    for (const key of missing) {
      this.fault("bad-model", `Model "${name}" of task "${model.task}" has no "${key}"`, span);
    }
    if (model.decode !== undefined && !decoders.includes(model.decode.as)) {
      const wanted = decoders.map((each) => `"${each}"`).join(" or ");
      const what = `of task "${model.task}" is decoded as "${model.decode.as}"`;
      this.fault("bad-model", `Model "${name}" ${what} (wanted: ${wanted})`, span);
    }
    const sizes = sizeMismatch(model);
    if (sizes !== undefined) this.fault("bad-model", `Model "${name}" ${sizes}`, span);
  }

  /** One file with two digests can never please both. */
  #sharedFiles(entries: readonly LocatedEntry[]) {
    const digests = new Map<string, ModelEntry>();
    for (const { key } of entries) {
      const model = this.models.get(key.name);
      if (model === undefined) continue;
      const other = digests.get(model.file);
      digests.set(model.file, other ?? model);
      if (other === undefined || other.sha256 === model.sha256) continue;
      const what = `have the same file "${model.file}" and different sha256`;
      this.fault("bad-model", `Models "${other.name}" and "${model.name}" ${what}`, key.span);
    }
  }
}

/** Whether the pictures are made in another size than the first input has. */
function sizeMismatch({ inputs, preprocess }: z.output<typeof modelShape>): string | undefined {
  const dims = inputs[0]?.dims;
  if (preprocess === undefined || dims?.length !== 4) return undefined;
  const [height, width] = preprocess.layout === "nchw" ? dims.slice(2) : dims.slice(1, 3);
  const { size } = preprocess;
  const isAlike = (dim: number | string | undefined, side: number) =>
    typeof dim !== "number" || dim === side;
  if (isAlike(height, size.height) && isAlike(width, size.width)) return undefined;
  return `makes pictures of ${size.width} × ${size.height} for an input of ${width} × ${height}`;
}

/** Where an issue points to, as far as it is written, and the schema of that place. */
function follow(path: Issue["path"], entry: LocatedEntry, root: JsonSchema) {
  let located: Located = entry.value;
  let schemas: readonly JsonSchema[] = [root];
  let isMissing = false;
  for (const part of path) {
    schemas = childSchemas(schemas, part);
    const next: Located | undefined = located.type === "map"
      ? member(located, String(part))?.value
      : located.type === "list"
      ? located.elements[Number(part)]
      : undefined;
    if (next === undefined) isMissing = true;
    else located = next;
  }
  return { located, schemas, isMissing };
}

/** Companions that no registry file has, pointed at in the file that names them. */
function unknownCompanions(file: SourceFile, models: Models): readonly Diagnostic[] {
  const { root } = parseYaml(file);
  if (root?.type !== "map") return [];
  return root.entries.flatMap(({ key, value }) => {
    const companions = value.type === "map" ? member(value, "companions")?.value : undefined;
    if (companions?.type !== "map") return [];
    return companions.entries.flatMap((entry): Diagnostic[] => {
      const name = String(plainValue(entry.value));
      if (models.has(name)) return [];
      const message = `Model "${key.name}" has the companion "${name}", which is no model`;
      const help = suggestion(name, [...models.keys()], "Models");
      const { span } = entry.value;
      return [{ code: "unknown-companion", severity: "error", message, span, help }];
    });
  });
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
