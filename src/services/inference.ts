import { type Releasable, serviceKey } from "../runtime/step.ts";
import type { ModelEntry } from "../vision/registry.ts";

/** A model that a step names is not in the registry, is of another task, or cannot be used. */
export class ModelProblem extends Error {
  override readonly name = "ModelProblem";

  constructor(
    message: string,
    /** Its file is not there: `tintype models pull` may help. */
    readonly isMissing: boolean,
  ) {
    super(message);
  }
}

/** The samples of one output for one item, and its shape without the batch. */
export interface OutputTensor {
  readonly dims: readonly number[];
  /** Row-major. float16 outputs are widened. */
  readonly values: Float32Array;
}

/** By output name. */
export type Outputs = Readonly<Record<string, OutputTensor>>;

/** Samples of one item by input name, row-major, without the batch dimension. */
export type Feeds = Readonly<
  Record<
    string,
    { readonly dims: readonly number[]; readonly values: Float32Array | BigInt64Array }
  >
>;

/** A model that is open for use. */
export interface ModelSession {
  readonly entry: ModelEntry;
  /** "cpu", "webgpu", "cuda", "coreml" or "dml". */
  readonly provider: string;
  /**
   * Runs the model on some items and gives each item's outputs, in their order. Items that are alike in
   * shape go in one call where the model's batch is free, else one by one; out of memory, the batch
   * is halved and it goes on.
   */
  run(items: readonly Feeds[]): Promise<readonly Outputs[]>;
}

/** The models of the registry, and the files of those that are here. */
export interface Inference extends Releasable {
  /** The registry's entry; throws `ModelProblem` for a name it does not have. Reads no weights. */
  entry(name: string): Promise<ModelEntry>;
  /** Whether its file is on this machine, right or not. Throws as `entry` does. */
  isHere(name: string): Promise<boolean>;
  /**
   * Opens a model, once for all who ask: its file is checked against size and sha256, and its inputs
   * and outputs against the entry. Throws `ModelProblem` with what to do.
   */
  open(name: string): Promise<ModelSession>;
  /** The bytes of a file of the registry that is not a network (a tokenizer), checked likewise. */
  readFile(name: string): Promise<Uint8Array>;
}

/** For `context.service(inference)`. */
export const inference = serviceKey<Inference>("inference");
