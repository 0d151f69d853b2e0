import { join } from "node:path";
import { sha256 } from "../../src/runtime/hash.ts";
import { SourceFile } from "../../src/runtime/source.ts";
import { ownRegistryPath } from "../../src/services/model_files.ts";
import { parseModels } from "../../src/services/model_registry.ts";
import type { ModelEntry } from "../../src/vision/registry.ts";

/** Keys of an entry as `models.yaml` has them. */
export type Written = Readonly<Record<string, unknown>>;

const unknownFile = { bytes: 4, sha256: sha256("none") };

/** A folder of models of its own, with a `models.yaml` that is written as models are added. */
export class ModelRig implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "tintype-models-" });
  readonly #written: Record<string, Written> = {};

  /** Adds an entry, and its file where there are bytes; the digest is that of the bytes. */
  add(name: string, keys: Written, bytes?: Uint8Array): ModelEntry {
    const file = `${name}.onnx`;
    const found = bytes === undefined
      ? unknownFile
      : { bytes: bytes.length, sha256: sha256(bytes) };
    this.#written[name] = {
      task: "tokenizer",
      about: "a test",
      licence: "MIT",
      source: { url: `http://127.0.0.1:9/${file}` },
      file,
      ...found,
      ...keys,
    };
    if (bytes !== undefined) this.write(String(this.#written[name]!["file"]), bytes);
    return this.#save(name);
  }

  write(file: string, bytes: Uint8Array | string) {
    const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    Deno.writeFileSync(join(this.folder, file), content);
  }

  /** The file's text, or undefined where there is none. */
  read(file: string): string | undefined {
    try {
      return Deno.readTextFileSync(join(this.folder, file));
    } catch {
      return undefined;
    }
  }

  #save(name: string): ModelEntry {
    // JSON is YAML.
    const text = JSON.stringify(this.#written, undefined, 2);
    this.write("models.yaml", text);
    const path = ownRegistryPath(this.folder);
    const entry = parseModels(new SourceFile(path, text)).models.get(name);
    if (entry === undefined) throw new Error(`entry "${name}" is wrong:\n${text}`);
    return entry;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Numbers of ONNX for types of samples (onnx.proto, `TensorProto.DataType`). */
const typeNumbers = { float32: 1, int32: 6, int64: 7, float16: 10 } as const;

export interface TinyNetwork {
  readonly type?: keyof typeof typeNumbers;
  readonly dims: readonly (number | string)[];
  readonly input?: string;
  readonly output?: string;
}

/** An ONNX network of two nodes: "inner" is the input's absolute value, the output is −"inner". */
export function tinyNetwork(
  { type = "float32", dims, input = "x", output = "y" }: TinyNetwork,
): Uint8Array {
  const shape = dims.flatMap((dim) =>
    message(1, typeof dim === "number" ? number(1, dim) : text(2, dim))
  );
  const tensor = message(1, [...number(1, typeNumbers[type]), ...message(2, shape)]);
  const value = (name: string) => [...text(1, name), ...message(2, tensor)];
  const node = (from: string, to: string, operator: string) =>
    message(1, [...text(1, from), ...text(2, to), ...text(4, operator)]);
  const graph = [
    ...node(input, "inner", "Abs"),
    ...node("inner", output, "Neg"),
    ...text(2, "tiny"),
    ...message(11, value(input)),
    ...message(12, value(output)),
  ];
  const operators = message(8, [...text(1, ""), ...number(2, 13)]);
  return new Uint8Array([...number(1, 8), ...message(7, graph), ...operators]);
}

/** The entry of a `tinyNetwork`: any picture model will do. */
export function tinyKeys({ type = "float32", dims, input = "x", output = "y" }: TinyNetwork) {
  return {
    task: "text-embedding",
    inputs: [{ name: input, type, dims }],
    outputs: [{ name: output, type, dims }],
    decode: { as: "vector" },
  };
}

function number(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function message(field: number, content: readonly number[]): number[] {
  return [...varint(field << 3 | 2), ...varint(content.length), ...content];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...varint(value >> 7)];
}
