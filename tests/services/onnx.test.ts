import assert from "node:assert/strict";
import { join } from "node:path";
import { type Feeds, ModelProblem, type Outputs } from "../../src/services/inference.ts";
import { OnnxInference, type OnnxOptions } from "../../src/services/onnx.ts";
import { isOutOfMemory, runtimeWords } from "../../src/services/onnx_providers.ts";
import {
  type Network,
  type OpenRequest,
  type Provider,
  type Runner,
  type RunRequest,
  WorkerRunner,
} from "../../src/services/onnx_runner.ts";
import { ModelRig, tinyKeys, type TinyNetwork, tinyNetwork } from "./model_rig.ts";

const corpus = Deno.env.get("TINTYPE_CORPUS");

function corpusTest(name: string, run: (folder: string) => Promise<void>) {
  const suffix = corpus === undefined ? " (skipped: TINTYPE_CORPUS is not set)" : "";
  const fn = () => run(join(corpus!, "models"));
  Deno.test({ name: name + suffix, ignore: corpus === undefined, fn });
}

/** Passes everything on, and remembers it. */
class SeenRunner implements Runner {
  readonly opened: Provider[] = [];
  readonly batches: number[] = [];
  isClosed = false;

  constructor(readonly inner: Runner = new WorkerRunner()) {}

  backends() {
    return this.inner.backends();
  }
  open(request: OpenRequest): Promise<Network> {
    this.opened.push(request.provider);
    return this.inner.open(request);
  }
  run(request: RunRequest) {
    this.batches.push(Object.values(request.feeds)[0]!.dims[0]!);
    return this.inner.run(request);
  }
  drop(id: number) {
    return this.inner.drop(id);
  }
  async close() {
    this.isClosed = true;
    await this.inner.close();
  }
}

/** Stands in for onnxruntime: gives its only input back as "y". */
class EchoRunner implements Runner {
  readonly dropped: Provider[] = [];
  readonly #providers: Provider[] = [];

  constructor(
    readonly facts: TinyNetwork,
    readonly options: {
      readonly backends?: readonly string[];
      readonly opening?: (provider: Provider) => void;
      readonly running?: (provider: Provider, batch: number) => void;
    } = {},
  ) {}

  backends() {
    return Promise.resolve(this.options.backends ?? ["cpu"]);
  }
  open({ provider }: OpenRequest): Promise<Network> {
    const tensor = { type: "float32", dims: this.facts.dims };
    return attempt(() => {
      this.options.opening?.(provider);
      const id = this.#providers.push(provider) - 1;
      return { id, inputs: [{ name: "x", ...tensor }], outputs: [{ name: "y", ...tensor }] };
    });
  }
  run({ id, feeds }: RunRequest) {
    return attempt(() => {
      this.options.running?.(this.#providers[id]!, feeds["x"]!.dims[0]!);
      return { y: feeds["x"]! };
    });
  }
  drop(id: number) {
    this.dropped.push(this.#providers[id]!);
    return Promise.resolve();
  }
  close() {
    return Promise.resolve();
  }
}

async function attempt<Result>(make: () => Result): Promise<Result> {
  return await Promise.resolve().then(make);
}

/** An inference over the rig's models, released at the end. */
async function using(
  rig: ModelRig,
  options: Partial<OnnxOptions>,
  use: (inference: OnnxInference, notices: readonly string[]) => Promise<void>,
) {
  const notices: string[] = [];
  const onNotice = (line: string) => void notices.push(line);
  const inference = new OnnxInference({ folder: rig.folder, device: "cpu", onNotice, ...options });
  try {
    await use(inference, notices);
  } finally {
    await inference.release();
  }
}

function item(values: readonly number[], dims: readonly number[] = [values.length]): Feeds {
  return { x: { dims, values: new Float32Array(values) } };
}

function valuesOf(outputs: readonly Outputs[], name = "y"): number[][] {
  return outputs.map((output) => [...output[name]!.values]);
}

async function problemOf(promise: Promise<unknown>): Promise<ModelProblem> {
  const error = await promise.then(() => assert.fail("it worked"), (error: unknown) => error);
  assert.ok(error instanceof ModelProblem, String(error));
  assert.ok(!error.message.includes("\n"), error.message);
  assert.ok(!error.message.endsWith("."), error.message);
  return error;
}

const free = { dims: ["n", 3] } as const;

Deno.test("items go through the network in one call where its batch is free", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  const runner = new SeenRunner();
  await using(rig, { createRunner: () => runner }, async (inference) => {
    const session = await inference.open("tiny");
    const given = [item([1, -2, 3]), item([4, 5, -6])];
    const outputs = await session.run(given);
    assert.deepEqual(valuesOf(outputs), [[-1, -2, -3], [-4, -5, -6]]);
    assert.deepEqual(outputs[0]!["y"]!.dims, [3]);
    assert.deepEqual(runner.batches, [2]);
    assert.equal(session.provider, "cpu");
    assert.deepEqual([...given[0]!["x"]!.values], [1, -2, 3], "what was given is not taken away");
    assert.deepEqual(await session.run([]), []);
  });
});

Deno.test("a network whose batch is one gets its items one by one", async () => {
  const facts = { dims: [1, 2] };
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(facts), tinyNetwork(facts));
  const runner = new SeenRunner();
  await using(rig, { createRunner: () => runner }, async (inference) => {
    const session = await inference.open("tiny");
    const outputs = await session.run([item([1, 2]), item([3, 4]), item([5, 6])]);
    assert.deepEqual(valuesOf(outputs), [[-1, -2], [-3, -4], [-5, -6]]);
    assert.deepEqual(runner.batches, [1, 1, 1]);
  });
});

Deno.test("items of different shapes come back in their order", async () => {
  const facts = { dims: ["n", "w"] };
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(facts), tinyNetwork(facts));
  const runner = new SeenRunner();
  await using(rig, { createRunner: () => runner }, async (inference) => {
    const session = await inference.open("tiny");
    const outputs = await session.run([item([1, 2]), item([3]), item([4, 5]), item([6])]);
    assert.deepEqual(valuesOf(outputs), [[-1, -2], [-3], [-4, -5], [-6]]);
    assert.deepEqual(runner.batches.sort(), [2, 2]);
  });
});

Deno.test("float16 and whole numbers are converted on the way", async () => {
  for (const type of ["float16", "int64", "int32"] as const) {
    const facts = { dims: ["n", 2], type };
    using rig = new ModelRig();
    rig.add("tiny", tinyKeys(facts), tinyNetwork(facts));
    await using(rig, {}, async (inference) => {
      const session = await inference.open("tiny");
      const outputs = await session.run([item([1, -2]), item([300, 2000])]);
      assert.deepEqual(valuesOf(outputs), [[-1, -2], [-300, -2000]], type);
      assert.ok(outputs[0]!["y"]!.values instanceof Float32Array);
      const whole: Feeds = { x: { dims: [2], values: new BigInt64Array([-7n, 8n]) } };
      assert.deepEqual(valuesOf(await session.run([whole])), [[-7, -8]], type);
    });
  }
});

Deno.test("a value inside a network can be its output", async () => {
  using rig = new ModelRig();
  const keys = { ...tinyKeys(free), outputs: [{ name: "inner", dims: ["n", 3] }] };
  rig.add("tiny", keys, tinyNetwork(free));
  await using(rig, {}, async (inference) => {
    const session = await inference.open("tiny");
    assert.deepEqual(valuesOf(await session.run([item([1, -2, 3])]), "inner"), [[1, 2, 3]]);
  });
});

Deno.test("a model is opened once for all who ask, and anew after a release", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  const runners: SeenRunner[] = [];
  const createRunner = () => runners[runners.push(new SeenRunner()) - 1]!;
  await using(rig, { createRunner }, async (inference) => {
    const [one, other] = await Promise.all([inference.open("tiny"), inference.open("tiny")]);
    assert.equal(one, other);
    await inference.release();
    await inference.release();
    const again = await inference.open("tiny");
    assert.deepEqual(valuesOf(await again.run([item([1, 2, 3])])), [[-1, -2, -3]]);
    assert.deepEqual(runners.map(({ opened }) => opened), [["cpu"], ["cpu"]]);
    assert.deepEqual(runners.map(({ isClosed }) => isClosed), [true, false]);
    await assert.rejects(one.run([item([1, 2, 3])]), /worker has ended/);
  });
});

const outOfMemory = "Non-zero status code returned while running Conv node. Name:'Conv_3' Status " +
  "Message: bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 643840";

Deno.test("where memory does not suffice the batch is halved, and stays so", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  const batches: number[] = [];
  const running = (_: Provider, batch: number) => {
    batches.push(batch);
    if (batch > 2) throw new Error(outOfMemory);
  };
  const createRunner = () => new EchoRunner(free, { running });
  await using(rig, { createRunner }, async (inference) => {
    const session = await inference.open("tiny");
    const items = Array.from({ length: 9 }, (_, at) => item([at, at + 1, at + 2]));
    const wanted = items.map((each) => [...each["x"]!.values as Float32Array]);
    assert.deepEqual(valuesOf(await session.run(items)), wanted);
    assert.deepEqual(batches, [9, 4, 2, 2, 2, 2, 1]);
    batches.length = 0;
    assert.deepEqual(valuesOf(await session.run(items.slice(0, 3))), wanted.slice(0, 3));
    assert.deepEqual(batches, [2, 1]);
  });
});

Deno.test("it fails when memory does not suffice for one item, and at once for other reasons", async () => {
  for (
    const [message, expected, calls] of [
      [outOfMemory, /^Cannot run model "tiny": memory does not suffice for one item \(/, 3],
      ["bad luck", /^Cannot run model "tiny" on 4 items: it failed \(bad luck\)$/, 1],
    ] as const
  ) {
    using rig = new ModelRig();
    rig.add("tiny", tinyKeys(free), tinyNetwork(free));
    let count = 0;
    const running = () => {
      count++;
      throw new Error(message);
    };
    const createRunner = () => new EchoRunner(free, { running });
    await using(rig, { createRunner }, async (inference) => {
      const session = await inference.open("tiny");
      const problem = await problemOf(session.run(Array(4).fill(item([1, 2, 3]))));
      assert.match(problem.message, expected);
      assert.equal(count, calls);
    });
  }
});

Deno.test("out of memory is told from other errors in the words of each runtime", () => {
  for (
    const words of [
      outOfMemory,
      "CUDA failure 2: out of memory ; GPU=0",
      "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
      "std::bad_alloc",
      "bad allocation",
      "Available memory of 5 is smaller than requested bytes of 10",
      "Array buffer allocation failed",
      "E_OUTOFMEMORY",
    ]
  ) assert.ok(isOutOfMemory(new Error(words)), words);
  for (const words of ["not enough space: expected 301056, got 0", "Got invalid dimensions"]) {
    assert.ok(!isOutOfMemory(new Error(words)), words);
  }
});

Deno.test("what onnxruntime says is shown without the place in its source", () => {
  const said = "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 " +
    "onnxruntime::webgpu::WebGpuContext::Initialize(const Config&)::<lambda()> " +
    "adapter_result.status == wgpu::Success was false. Failed to get a WebGPU adapter: none\n";
  const words = runtimeWords(new Error(said));
  assert.ok(words.endsWith("Failed to get a WebGPU adapter: none"), words);
  assert.ok(!words.includes("_src"), words);
  assert.equal(runtimeWords(new Error("x".repeat(500))).length, 200);
});

Deno.test("a provider that is not here falls back to the CPU, with one line for all models", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  rig.add("other", tinyKeys(free), tinyNetwork({ ...free }));
  const runner = new SeenRunner();
  const options = { device: "cuda", createRunner: () => runner } as const;
  await using(rig, options, async (inference, notices) => {
    assert.equal((await inference.open("tiny")).provider, "cpu");
    assert.equal((await inference.open("other")).provider, "cpu");
    assert.equal(notices.length, 1);
    assert.match(notices[0]!, /^Models run on the CPU: CUDA cannot be used \(.+\)$/);
    assert.equal(runner.opened.filter((provider) => provider === "cuda").length <= 1, true);
  });
});

Deno.test("auto takes the best provider that opens", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  const tried: Provider[] = [];
  const opening = (provider: Provider) => {
    tried.push(provider);
    if (provider === "cuda") throw new Error("Failed to load shared library");
  };
  const backends = ["cpu", "webgpu", "coreml", "cuda", "tensorrt"];
  const createRunner = () => new EchoRunner(free, { backends, opening });
  await using(rig, { createRunner, device: "auto" }, async (inference, notices) => {
    assert.equal((await inference.open("tiny")).provider, "coreml");
    assert.deepEqual(tried, ["cuda", "coreml"]);
    assert.deepEqual(notices, [
      "Models run on CoreML: CUDA cannot be used (Failed to load shared library)",
    ]);
  });
});

Deno.test("auto takes WebGPU where it is faster than the CPU, and not where it is slower", async () => {
  for (const slow of ["webgpu", "cpu"] as const) {
    using rig = new ModelRig();
    rig.add("tiny", tinyKeys(free), tinyNetwork(free));
    let ms = 0;
    const running = (provider: Provider) => void (ms += provider === slow ? 40 : 1);
    const runner = new EchoRunner(free, { backends: ["cpu", "webgpu"], running });
    const options = { createRunner: () => runner, hasGraphicsDevice: () => true, now: () => ms };
    await using(rig, { ...options, device: "auto" }, async (inference, notices) => {
      const kept = slow === "cpu" ? "webgpu" : "cpu";
      assert.equal((await inference.open("tiny")).provider, kept);
      assert.deepEqual(runner.dropped, [slow]);
      assert.equal(notices.length, slow === "webgpu" ? 1 : 0);
    });
  }
});

Deno.test("auto does not try WebGPU without a graphics device", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  const tried: Provider[] = [];
  const opening = (provider: Provider) => void tried.push(provider);
  const createRunner = () => new EchoRunner(free, { backends: ["cpu", "webgpu"], opening });
  const options = { createRunner, hasGraphicsDevice: () => false, device: "auto" } as const;
  await using(rig, options, async (inference, notices) => {
    assert.equal((await inference.open("tiny")).provider, "cpu");
    assert.deepEqual(tried, ["cpu"]);
    assert.deepEqual(notices, [
      "Models run on the CPU: WebGPU cannot be used (there is no graphics device)",
    ]);
  });
});

Deno.test("a network of other inputs or outputs than its entry's is refused, with both", async () => {
  using rig = new ModelRig();
  const network = tinyNetwork(free);
  rig.add("names", tinyKeys({ ...free, input: "images" }), network);
  rig.add("type", tinyKeys({ ...free, type: "float16" }), network);
  rig.add("dims", tinyKeys({ dims: ["n", 4] }), network);
  rig.add("rank", tinyKeys({ dims: ["n", 3, 1] }), network);
  rig.add("size", tinyKeys({ dims: ["n", "w"] }), network);
  rig.add("outputs", tinyKeys({ ...free, output: "boxes" }), network);
  await using(rig, {}, async (inference) => {
    const says = async (name: string) => (await problemOf(inference.open(name))).message;
    assert.match(
      await says("names"),
      /^Cannot use model "names", ".+names\.onnx": it is another network than models\.yaml says: it has no input "images" \(float32, \[n, 3\]\) \(its inputs: "x" \(float32, \[n, 3\]\)\)/,
    );
    assert.match(await says("names"), /its input "x" \(.+\) is not in models\.yaml$/);
    assert.match(await says("type"), /input "x" \(float32, .+ is wanted as "x" \(float16,/);
    assert.match(await says("dims"), /input "x" \(float32, \[n, 3\]\) is wanted as .+\[n, 4\]/);
    assert.match(await says("rank"), /is wanted as "x" \(float32, \[n, 3, 1\]\)/);
    assert.match(await says("size"), /input "x" \(float32, \[n, 3\]\) is wanted as .+\[n, w\]/);
    assert.match(await says("outputs"), /no output "boxes" .+ \(its outputs: "y" \(float32, \[n/);
  });
});

Deno.test("a file that is missing, cut off, damaged or no network says the way out", async () => {
  using rig = new ModelRig();
  const network = tinyNetwork(free);
  rig.add("cut", tinyKeys(free), network);
  rig.write("cut.onnx", network.subarray(0, 20));
  rig.add("damaged", tinyKeys(free), network);
  rig.write("damaged.onnx", network.map((byte, at) => at === 9 ? byte ^ 1 : byte));
  rig.add("page", tinyKeys(free), new TextEncoder().encode("<!doctype html><p>Not found"));
  rig.add("missing", tinyKeys(free));
  rig.add("local", { ...tinyKeys(free), source: { local: "the archive of the test" } });
  rig.add("words", {}, new TextEncoder().encode("{}"));
  await using(rig, {}, async (inference) => {
    const says = async (name: string) => await problemOf(inference.open(name));
    const missing = await says("missing");
    assert.equal(missing.isMissing, true);
    assert.match(
      missing.message,
      /its file ".+missing\.onnx" is not there \(run: tintype models pull mi/,
    );
    const cut = await says("cut");
    assert.equal(cut.isMissing, false);
    assert.match(
      cut.message,
      /cut\.onnx" has 20 bytes \(\d+ bytes are wanted\) \(run: .+ models pull cut/,
    );
    const damaged = (await says("damaged")).message;
    assert.match(
      damaged,
      /sha256 [0-9a-f]{64} \([0-9a-f]{64} is wanted\) \(run: .+ pull damaged\)$/,
    );
    assert.match(
      (await says("page")).message,
      /read it as a network \(.*Protobuf.+its entry there is wrong$/,
    );
    assert.match((await says("local")).message, /put the file "local\.onnx" into .+ of the test/);
    assert.match((await says("words")).message, /^Cannot open model "words": it is a tokenizer$/);
    assert.match((await says("wrods")).message, /no models\.yaml has it .+"words"/);
    assert.equal(new TextDecoder().decode(await inference.readFile("words")), "{}");
    await problemOf(inference.readFile("missing"));
  });
});

Deno.test("a model that was missing can be opened when it has come", async () => {
  using rig = new ModelRig();
  const network = tinyNetwork(free);
  rig.add("tiny", tinyKeys(free), network);
  Deno.removeSync(join(rig.folder, "tiny.onnx"));
  await using(rig, {}, async (inference) => {
    assert.equal((await problemOf(inference.open("tiny"))).isMissing, true);
    rig.write("tiny.onnx", network);
    assert.equal((await inference.open("tiny")).entry.name, "tiny");
  });
});

Deno.test("items of another shape than the input's are a bug of the caller", async () => {
  using rig = new ModelRig();
  rig.add("tiny", tinyKeys(free), tinyNetwork(free));
  await using(rig, {}, async (inference) => {
    const session = await inference.open("tiny");
    await assert.rejects(session.run([item([1, 2])]), RangeError);
    await assert.rejects(session.run([item([1, 2], [3])]), RangeError);
    await assert.rejects(session.run([{}]), RangeError);
  });
});

Deno.test("an entry is read without any file of weights, and without a worker", async () => {
  using rig = new ModelRig();
  rig.add("own", {});
  const createRunner = () => assert.fail("a runner was made");
  await using(rig, { createRunner }, async (inference) => {
    assert.equal((await inference.entry("own")).bytes, 4);
    assert.equal((await inference.entry("clip-vit-b32")).outputs[0]!.name, "image_embeds");
  });
});

corpusTest("the real models open by their entries and give what these say", async (folder) => {
  const inference = new OnnxInference({ folder, device: "cpu" });
  try {
    for (const name of ["squeezenet", "yolox-nano", "yunet-640"]) {
      const session = await inference.open(name);
      const [{ name: input, dims: [, ...dims] }] = session.entry.inputs as [
        (typeof session.entry.inputs)[number],
      ];
      const length = dims.reduce((all: number, dim) => all * Number(dim), 1);
      const values = new Float32Array(length).map((_, at) => at % 200);
      const [one, two] = await session.run(
        Array(2).fill({ [input]: { dims: dims as number[], values } }),
      );
      for (const wanted of session.entry.outputs) {
        const output = one![wanted.name]!;
        assert.deepEqual(output.dims, wanted.dims.slice(1), `${name} ${wanted.name}`);
        assert.ok(output.values.every(Number.isFinite));
        assert.ok(new Set(output.values).size > 50, "it computed something");
        assert.deepEqual(output.values, two![wanted.name]!.values);
      }
    }
    const tokenizer = JSON.parse(
      new TextDecoder().decode(await inference.readFile("clip-vit-b32-tokenizer")),
    );
    assert.equal(Object.keys(tokenizer.model.vocab).length, 49_408);
  } finally {
    await inference.release();
  }
});

corpusTest("while a network computes the main thread goes on", async (folder) => {
  const inference = new OnnxInference({ folder, device: "cpu" });
  try {
    const session = await inference.open("yolox-nano");
    const feeds = { images: { dims: [3, 416, 416], values: new Float32Array(3 * 416 * 416) } };
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await session.run(Array(5).fill(feeds));
    clearInterval(timer);
    assert.ok(ticks > 10, `${ticks} ticks`);
  } finally {
    await inference.release();
  }
});

corpusTest("the file of one real network is refused as another", async (folder) => {
  using rig = new ModelRig();
  const bytes = Deno.readFileSync(join(folder, "squeezenet_fp16.onnx"));
  const own = new OnnxInference({ folder, device: "cpu" });
  const { name: _, ...keys } = await own.entry("yolox-nano");
  const { sha256: __, bytes: ___, ...rest } = keys;
  rig.add("yolox-nano", rest, bytes);
  await using(rig, {}, async (inference) => {
    const { message } = await problemOf(inference.open("yolox-nano"));
    assert.match(message, /has no input "images" \(float32, \[1, 3, 416, 416\]\)/);
    assert.match(message, /its inputs: "data_0" \(float16, \[1, 3, 224, 224\]\)/);
  });
});
