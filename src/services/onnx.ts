import { loadModule } from "../runtime/load_module.ts";
import type { ModelEntry } from "../vision/registry.ts";
import { type Feeds, type Inference, ModelProblem, type ModelSession } from "./inference.ts";
import { checkedPath, checkFile, ownRegistryPath } from "./model_files.ts";
import type { Models } from "./model_registry.ts";
import { contractFaults, isBatchFree } from "./onnx_contract.ts";
import {
  candidates,
  type Device,
  hasGraphicsDevice,
  providerTitle,
  runtimeWords,
} from "./onnx_providers.ts";
import { type Network, type Provider, type Runner, WorkerRunner } from "./onnx_runner.ts";
import { OnnxSession } from "./onnx_session.ts";

export { type Device, devices } from "./onnx_providers.ts";

export interface OnnxOptions {
  /** Of model files, and of a person's own `models.yaml`. */
  readonly folder: string;
  /** "auto" (the default) takes the best that is there; others fall back to the CPU. */
  readonly device?: Device;
  /** Told once which slower provider is used, and why: one line. */
  readonly onNotice?: (line: string) => void;
  /** What runs networks; onnxruntime-node in a worker when left out. */
  readonly createRunner?: () => Runner;
  /** Whether there is graphics hardware; looked for when left out. */
  readonly hasGraphicsDevice?: () => boolean;
  /** Milliseconds, never going back, by which providers are compared; the system's when left out. */
  readonly now?: () => number;
}

/** Opened on a provider. */
interface Opened {
  readonly provider: Provider;
  readonly network: Network;
}

/**
 * Models of the registry by onnxruntime-node, in one worker for all of them. A session is opened when
 * it is first asked for and stays open until `release`; until then the process has the worker.
 */
export class OnnxInference implements Inference {
  readonly #options: OnnxOptions;
  readonly #sessions = new Map<string, Promise<ModelSession>>();
  /** Providers that could not be used, and why: they are not tried again. */
  readonly #obstacles = new Map<Provider, string>();
  #models: Promise<Models> | undefined;
  #runner: Runner | undefined;
  #hasToldFallback = false;

  constructor(options: OnnxOptions) {
    this.#options = options;
  }

  async entry(name: string): Promise<ModelEntry> {
    // Its schema takes time to make, and most runs ask for no model.
    const { loadModels, modelNamed } = await loadModule<
      typeof import("./model_registry.ts")
    >("./model_registry.ts", import.meta.url);
    const loading = this.#models ??= loadModels(ownRegistryPath(this.#options.folder));
    try {
      return modelNamed(await loading, name);
    } catch (error) {
      if (this.#models === loading) this.#models = undefined;
      throw error;
    }
  }

  async isHere(name: string): Promise<boolean> {
    const check = await checkFile(this.#options.folder, await this.entry(name), { isRead: false });
    return check.status !== "missing";
  }

  open(name: string): Promise<ModelSession> {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const opening = this.#open(name);
    this.#sessions.set(name, opening);
    opening.catch(() => {
      // It may be there another time.
      if (this.#sessions.get(name) === opening) this.#sessions.delete(name);
    });
    return opening;
  }

  async readFile(name: string): Promise<Uint8Array> {
    return await Deno.readFile(await checkedPath(this.#options.folder, await this.entry(name)));
  }

  async release(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    this.#models = undefined;
    this.#sessions.clear();
    await runner?.close();
  }

  async #open(name: string): Promise<ModelSession> {
    const entry = await this.entry(name);
    if (entry.inputs.length === 0) {
      throw new ModelProblem(`Cannot open model "${name}": it is a ${entry.task}`, false);
    }
    const path = await checkedPath(this.#options.folder, entry);
    const runner = this.#runner ??= this.#options.createRunner?.() ?? new WorkerRunner();
    const { provider, network } = await this.#onBestProvider(runner, entry, path);
    const faults = contractFaults(entry, network);
    if (faults.length === 0) return sessionOf(runner, entry, { provider, network });
    await runner.drop(network.id);
    const what = `it is another network than models.yaml says: ${faults.join("; ")}`;
    throw new ModelProblem(`Cannot use model "${name}", "${path}": ${what}`, false);
  }

  async #onBestProvider(runner: Runner, entry: ModelEntry, path: string): Promise<Opened> {
    const { device = "auto" } = this.#options;
    const backends = await this.#backends(runner);
    const hasDevice = this.#options.hasGraphicsDevice ?? hasGraphicsDevice;
    const failures = new Map<Provider, string>();
    for (const { provider, obstacle } of candidates(device, backends, hasDevice)) {
      const known = this.#obstacles.get(provider) ?? obstacle;
      if (known !== undefined) {
        failures.set(provider, known);
        continue;
      }
      try {
        const outputs = entry.outputs.map(({ name }) => name);
        const network = await runner.open({ path, provider, outputs });
        const opened = await this.#notSlower(runner, entry, {
          path,
          opened: { provider, network },
        });
        for (const [name, why] of failures) this.#obstacles.set(name, why);
        if (opened.provider !== provider) failures.set(provider, "it is slower than the CPU here");
        this.#tellFallback(failures, opened.provider);
        return opened;
      } catch (error) {
        failures.set(provider, runtimeWords(error));
      }
    }
    throw unreadable(entry, path, failures.get("cpu")!);
  }

  async #backends(runner: Runner): Promise<readonly string[]> {
    try {
      return await runner.backends();
    } catch (error) {
      const words = runtimeWords(error);
      throw new ModelProblem(`Cannot load onnxruntime-node: ${words}`, false);
    }
  }

  /**
   * "auto" keeps WebGPU where it is faster than the CPU: a driver may be software (Mesa's lavapipe,
   * Windows' WARP), and small networks lose more on the way to the card than they win.
   */
  async #notSlower(
    runner: Runner,
    entry: ModelEntry,
    { path, opened }: { readonly path: string; readonly opened: Opened },
  ): Promise<Opened> {
    const isInDoubt = (this.#options.device ?? "auto") === "auto" && opened.provider === "webgpu";
    if (!isInDoubt || contractFaults(entry, opened.network).length > 0) return opened;
    const outputs = entry.outputs.map(({ name }) => name);
    const network = await runner.open({ path, provider: "cpu", outputs });
    const cpu: Opened = { provider: "cpu", network };
    const now = this.#options.now ?? (() => performance.now());
    const [webgpuMs, cpuMs] = [
      await trialMs(sessionOf(runner, entry, opened), now).catch(() => Infinity),
      await trialMs(sessionOf(runner, entry, cpu), now),
    ];
    const [kept, dropped] = webgpuMs <= cpuMs ? [opened, cpu] : [cpu, opened];
    await runner.drop(dropped.network.id);
    return kept;
  }

  /** Says, once, why a slower provider is used. */
  #tellFallback(failures: ReadonlyMap<Provider, string>, used: Provider) {
    if (failures.size === 0 || this.#hasToldFallback) return;
    this.#hasToldFallback = true;
    const why = [...failures].map(([provider, words]) =>
      `${providerTitle(provider)} cannot be used (${words})`
    );
    this.#options.onNotice?.(`Models run on ${providerTitle(used)}: ${why.join(", ")}`);
  }
}

function sessionOf(runner: Runner, entry: ModelEntry, { provider, network }: Opened): OnnxSession {
  const options = { entry, provider, runner, network };
  return new OnnxSession({ ...options, isBatchFree: isBatchFree(entry, network) });
}

function unreadable(entry: ModelEntry, path: string, words: string): ModelProblem {
  const what = `onnxruntime-node cannot read it as a network (${words}), and it is the file that ` +
    "models.yaml says: its entry there is wrong";
  return new ModelProblem(`Cannot use model "${entry.name}", "${path}": ${what}`, false);
}

/** Milliseconds for one item: the second of two calls, as the first prepares. */
async function trialMs(session: ModelSession, now: () => number): Promise<number> {
  const item = blankItem(session.entry);
  await session.run([item]);
  const started = now();
  await session.run([item]);
  return now() - started;
}

/** An item of ones in the size that pictures are made in. */
function blankItem({ inputs, preprocess }: ModelEntry): Feeds {
  const { width, height } = preprocess?.size ?? { width: 1, height: 1 };
  const isLast = preprocess?.layout === "nhwc";
  return Object.fromEntries(inputs.map(({ name, type, dims: [, ...wanted] }) => {
    const rows = wanted.length - (isLast ? 3 : 2);
    const dims = wanted.map((dim, at) =>
      typeof dim === "number" ? dim : at === rows ? height : at === rows + 1 ? width : 1
    );
    const length = dims.reduce((all, dim) => all * dim, 1);
    const values = type === "int64" || type === "int32"
      ? new BigInt64Array(length).fill(1n)
      : new Float32Array(length).fill(1);
    return [name, { dims, values }];
  }));
}
