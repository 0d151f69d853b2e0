/// <reference lib="deno.worker" />
import type { InferenceSession, Tensor } from "onnxruntime-node";
import type {
  Network,
  OpenRequest,
  RawTensor,
  RawTensors,
  RunRequest,
  TensorFacts,
  WorkerAnswer,
  WorkerCall,
} from "./onnx_runner.ts";

// The worker of `WorkerRunner`: holds sessions of onnxruntime-node and runs them.

type Ort = typeof import("onnxruntime-node");

const sessions = new Map<number, InferenceSession>();
let opened = 0;
let loading: Promise<Ort> | undefined;

function runtime(): Promise<Ort> {
  return loading ??= import("onnxruntime-node").then((ort) => {
    // It would print what it also throws.
    ort.env.logLevel = "fatal";
    return ort;
  });
}

/** Calls one after the other: each has the whole machine, and memory is needed once. */
let last: Promise<void> = Promise.resolve();

self.onmessage = ({ data: call }: MessageEvent<WorkerCall>) => {
  last = last.then(() => answerTo(call));
};

async function answerTo(call: WorkerCall): Promise<void> {
  try {
    const value = await valueOf(call);
    const buffers = call.method === "run"
      ? Object.values(value as RawTensors).map(({ buffer }) => buffer)
      : [];
    self.postMessage({ call: call.call, value } satisfies WorkerAnswer, buffers);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    self.postMessage({ call: call.call, problem } satisfies WorkerAnswer);
  }
}

async function valueOf(call: WorkerCall): Promise<unknown> {
  switch (call.method) {
    case "backends":
      return (await runtime()).listSupportedBackends().map(({ name }) => name);
    case "open":
      return await open(call.request);
    case "run":
      return await run(call.request);
    case "drop":
      await sessions.get(call.id)?.release();
      return sessions.delete(call.id);
    case "close":
      for (const session of sessions.values()) await session.release();
      return sessions.clear();
  }
}

async function open({ path, provider, outputs }: OpenRequest): Promise<Network> {
  const ort = await runtime();
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    logSeverityLevel: 4,
    // Threads that wait in a loop for the next piece take the time of the decoder beside them:
    // with sharp decoding on 2 busy cores a YOLOX-nano takes 47 ms an image with loops of 20 µs,
    // 77 ms with the default, 58 ms without any.
    extra: { session: { intra_op: { spin_duration_us: "20" } } },
  };
  let session = await ort.InferenceSession.create(path, options);
  const inner = outputs.filter((name) => !session.outputNames.includes(name));
  if (inner.length > 0) {
    const widened = withOutputs(await Deno.readFile(path), inner);
    // A name that the network does not have: what it has instead is the better answer.
    const other = await ort.InferenceSession.create(widened, options).catch(() => undefined);
    if (other !== undefined) {
      await session.release();
      session = other;
    }
  }
  const id = opened++;
  sessions.set(id, session);
  return { id, inputs: facts(session.inputMetadata), outputs: facts(session.outputMetadata) };
}

function facts(metadata: readonly InferenceSession.ValueMetadata[]): readonly TensorFacts[] {
  return metadata.map((each) =>
    each.isTensor
      ? { name: each.name, type: each.type, dims: [...each.shape] }
      : { name: each.name, type: "no tensor", dims: [] }
  );
}

async function run({ id, feeds, outputs }: RunRequest): Promise<RawTensors> {
  const session = sessions.get(id);
  if (session === undefined) throw new Error("the session is closed");
  const { Tensor } = await runtime();
  const given = Object.entries(feeds).map(([name, raw]) => [name, tensorOf(Tensor, raw)] as const);
  const results = await session.run(Object.fromEntries(given), [...outputs]);
  return Object.fromEntries(outputs.map((name) => [name, rawOf(results[name]!)]));
}

function tensorOf(constructor: Ort["Tensor"], { type, dims, buffer }: RawTensor): Tensor {
  switch (type) {
    case "float32":
      return new constructor(type, new Float32Array(buffer), dims);
    case "int64":
      return new constructor(type, new BigInt64Array(buffer), dims);
    case "int32":
      return new constructor(type, new Int32Array(buffer), dims);
    case "float16":
      return halfTensor(constructor, dims, new Uint16Array(buffer));
  }
}

/**
 * The library makes a Float16Array of the samples where there is such a thing, and its native side
 * finds nothing in one (onnxruntime-node 1.30 in Deno 2.9: "not enough space: expected 301056, got
 * 0"); 16-bit integers it reads.
 */
function halfTensor(constructor: Ort["Tensor"], dims: readonly number[], samples: Uint16Array) {
  const tensor = new constructor("float16", samples, dims);
  Object.defineProperty(tensor, "cpuData", { value: samples });
  return tensor;
}

function rawOf(tensor: Tensor): RawTensor {
  const { buffer, byteOffset, byteLength } = tensor.data as ArrayBufferView<ArrayBuffer>;
  const isWhole = byteOffset === 0 && byteLength === buffer.byteLength;
  return {
    type: tensor.type as RawTensor["type"],
    dims: tensor.dims,
    buffer: isWhole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength),
  };
}

/**
 * A network with more outputs: values inside it, by name. A protocol buffer's message that stands
 * twice is merged (protobuf.dev, "Last One Wins"), so that a second `ModelProto.graph` (field 7) with
 * nothing but `GraphProto.output` (field 12) of `ValueInfoProto.name` (field 1; onnx.proto) adds to
 * the first.
 */
function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
  const outputs = names.flatMap((name) => field(12, field(1, [...new TextEncoder().encode(name)])));
  const added = field(7, outputs);
  const widened = new Uint8Array(model.length + added.length);
  widened.set(model);
  widened.set(added, model.length);
  return widened;
}

/** A length-delimited field (wire type 2) of a protocol buffer. */
function field(number: number, content: readonly number[]): number[] {
  return [number << 3 | 2, ...varint(content.length), ...content];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...varint(value >> 7)];
}
