import pLimit from "p-limit";
import type { ModelEntry } from "../vision/registry.ts";
import { type Feeds, ModelProblem, type ModelSession, type Outputs } from "./inference.ts";
import { alikeItems, checkFeeds, packed, unpacked } from "./onnx_batch.ts";
import { isOutOfMemory, runtimeWords } from "./onnx_providers.ts";
import type { Network, Provider, Runner } from "./onnx_runner.ts";

/** So many calls wait for the runner: while one is computed, the next is packed. */
const callsAhead = 2;

export interface OnnxSessionOptions {
  readonly entry: ModelEntry;
  readonly provider: Provider;
  readonly runner: Runner;
  readonly network: Network;
  readonly isBatchFree: boolean;
}

/** A network that is open, with what its entry says of it. */
export class OnnxSession implements ModelSession {
  readonly entry: ModelEntry;
  readonly provider: Provider;
  readonly #options: OnnxSessionOptions;
  /** The most items in one call, less once memory did not suffice. */
  #largest: number;

  constructor(options: OnnxSessionOptions) {
    this.entry = options.entry;
    this.provider = options.provider;
    this.#options = options;
    this.#largest = options.isBatchFree ? Infinity : 1;
  }

  async run(items: readonly Feeds[]): Promise<readonly Outputs[]> {
    for (const item of items) checkFeeds(this.entry, item);
    const results = new Array<Outputs>(items.length);
    const limit = pLimit(callsAhead);
    const runGroup = async (numbers: readonly number[]) => {
      const outputs = await this.#runAlike(numbers.map((at) => items[at]!));
      numbers.forEach((at, index) => results[at] = outputs[index]!);
    };
    const groups = this.#options.isBatchFree
      ? alikeItems(this.entry, items)
      : items.map((_, at) => [at]);
    await limit.map(groups, runGroup);
    return results;
  }

  async #runAlike(items: readonly Feeds[]): Promise<readonly Outputs[]> {
    const outputs: Outputs[] = [];
    while (outputs.length < items.length) {
      const part = items.slice(outputs.length, outputs.length + this.#largest);
      try {
        outputs.push(...await this.#call(part));
      } catch (error) {
        if (!isOutOfMemory(error) || part.length === 1) throw this.#problem(error, part.length);
        this.#largest = Math.min(this.#largest, Math.floor(part.length / 2));
      }
    }
    return outputs;
  }

  async #call(items: readonly Feeds[]): Promise<readonly Outputs[]> {
    const { runner, network: { id } } = this.#options;
    const raw = await runner.run({
      id,
      feeds: packed(this.entry, items),
      outputs: this.entry.outputs.map(({ name }) => name),
    });
    return unpacked(this.entry, raw, items.length);
  }

  #problem(error: unknown, count: number): ModelProblem {
    const what = isOutOfMemory(error) ? "memory does not suffice for one item" : "it failed";
    const items = count === 1 ? "" : ` on ${count} items`;
    const words = `${what} (${runtimeWords(error)})`;
    return new ModelProblem(`Cannot run model "${this.entry.name}"${items}: ${words}`, false);
  }
}
