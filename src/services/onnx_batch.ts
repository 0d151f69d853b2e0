import type { ModelEntry } from "../vision/registry.ts";
import type { Feeds, Outputs, OutputTensor } from "./inference.ts";
import type { RawTensor, RawTensors } from "./onnx_runner.ts";

type Contract = ModelEntry["inputs"][number];

/** Throws `RangeError` for items that the model's inputs cannot take: a bug of the caller. */
export function checkFeeds(entry: ModelEntry, feeds: Feeds): void {
  for (const { name, dims: [, ...wanted] } of entry.inputs) {
    const given = feeds[name];
    if (given === undefined) {
      throw new RangeError(`Cannot run model "${entry.name}": there is no input "${name}"`);
    }
    const { dims, values } = given;
    const isAlike = dims.length === wanted.length &&
      wanted.every((dim, at) => typeof dim === "string" || dim === dims[at]);
    if (isAlike && values.length === product(dims)) continue;
    const has = `[${dims.join(", ")}] with ${values.length} samples`;
    throw new RangeError(
      `Cannot run model "${entry.name}": input "${name}" is ${has} ([${
        wanted.join(", ")
      }] is wanted)`,
    );
  }
}

/** Numbers of items that can go in one call: those whose inputs have the same shapes. */
export function alikeItems(entry: ModelEntry, items: readonly Feeds[]): readonly number[][] {
  const groups = new Map<string, number[]>();
  items.forEach((item, at) => {
    const shape = entry.inputs.map(({ name }) => item[name]!.dims.join("x")).join(" ");
    const group = groups.get(shape);
    if (group === undefined) groups.set(shape, [at]);
    else group.push(at);
  });
  return [...groups.values()];
}

/** Alike items one after the other in one tensor an input, in the input's own type. */
export function packed(entry: ModelEntry, items: readonly Feeds[]): RawTensors {
  return Object.fromEntries(entry.inputs.map((input) => {
    const { dims } = items[0]![input.name]!;
    const length = product(dims);
    const samples = arrayOf(input.type, items.length * length);
    items.forEach((item, at) => place(samples, item[input.name]!.values, at * length));
    const raw: RawTensor = {
      type: input.type,
      dims: [items.length, ...dims],
      buffer: samples.buffer,
    };
    return [input.name, raw];
  }));
}

type Samples =
  | Float32Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

function arrayOf(type: Contract["type"], length: number): Samples {
  switch (type) {
    case "float32":
      return new Float32Array(length);
    case "float16":
      return new Float16Array(length);
    case "int64":
      return new BigInt64Array(length);
    case "int32":
      return new Int32Array(length);
  }
}

function place(samples: Samples, values: Float32Array | BigInt64Array, at: number) {
  if (samples instanceof BigInt64Array) {
    samples.set(values instanceof BigInt64Array ? values : Array.from(values, toBigInt), at);
  } else {
    samples.set(values instanceof BigInt64Array ? Array.from(values, Number) : values, at);
  }
}

function toBigInt(value: number): bigint {
  return BigInt(Math.round(value));
}

/** Each item's outputs, from those of the batch; throws `RangeError` where they have other shapes. */
export function unpacked(entry: ModelEntry, raw: RawTensors, count: number): readonly Outputs[] {
  const batches = entry.outputs.map((output) =>
    [output.name, batchOf(output, raw, count)] as const
  );
  return Array.from(
    { length: count },
    (_, at) =>
      Object.fromEntries(batches.map(([name, { dims, values }]): [string, OutputTensor] => {
        const length = product(dims);
        // A copy, unless it is all: who keeps one item's output must not keep the others'.
        const own = count === 1 ? values : values.slice(at * length, (at + 1) * length);
        return [name, { dims, values: own }];
      })),
  );
}

function batchOf({ name, dims: wanted }: Contract, raw: RawTensors, count: number): OutputTensor {
  const { type, dims: [batch, ...dims], buffer } = raw[name]!;
  const isAlike = batch === count && dims.length === wanted.length - 1 &&
    dims.every((dim, at) => typeof wanted[at + 1] === "string" || wanted[at + 1] === dim);
  if (!isAlike) {
    const has = [batch, ...dims].join(", ");
    throw new RangeError(
      `output "${name}" came as [${has}] ([${[count, ...wanted.slice(1)].join(", ")}] is wanted)`,
    );
  }
  return { dims, values: widened(type, buffer) };
}

function widened(type: RawTensor["type"], buffer: ArrayBuffer): Float32Array {
  switch (type) {
    case "float32":
      return new Float32Array(buffer);
    case "float16":
      return new Float32Array(new Float16Array(buffer));
    case "int32":
      return new Float32Array(new Int32Array(buffer));
    case "int64":
      return new Float32Array(Array.from(new BigInt64Array(buffer), Number));
  }
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}
