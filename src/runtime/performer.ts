import pRetry from "p-retry";
import type { ArtifactRef, Kind } from "./artifact.ts";
import { Batcher } from "./batcher.ts";
import type { StoredOutput, StoredResult } from "./cache.ts";
import type { Disk } from "./disk.ts";
import type { RunListener } from "./event.ts";
import type { GraphNode } from "./graph.ts";
import { HandleScope, memberHandle, type MemberPort } from "./handles.ts";
import type { Item } from "./items.ts";
import { keepOutputs } from "./outputs.ts";
import type { Pools } from "./pools.ts";
import { Rejection } from "./rejection.ts";
import { memberItems, type Resolver, type TaskInputs } from "./resolver.ts";
import { isSource } from "./stages.ts";
import {
  type BatchContext,
  type Failed,
  type InputPorts,
  type InputValues,
  isPerItem,
  type Member,
  type Produced,
  type Rejected,
  type ServiceKey,
  type Services,
  type StepContext,
  type StepResult,
  type Waiting,
} from "./step.ts";
import { type ArtifactStore, ChangedFile, LostBlob } from "./store.ts";
import { systemMessage } from "./system_words.ts";
import { refusalOf } from "./workspace_problem.ts";

export interface RetryOptions {
  /** How often a task that says it may help is tried again. */
  readonly retries: number;
  /** The first wait; it doubles, with jitter, up to `maxWaitMs`. */
  readonly minWaitMs: number;
  readonly maxWaitMs: number;
}

export interface PerformerEffects {
  readonly recipe: string;
  readonly nodes: readonly GraphNode[];
  readonly resolver: Resolver;
  readonly store: ArtifactStore;
  readonly disk: Disk;
  readonly services: Services;
  readonly pools: Pools;
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
  readonly emit: RunListener;
}

/** What a step noted beside its result. */
export interface Note {
  readonly type: "warning" | "summary";
  readonly text: string;
}

type Values = Record<string, unknown>;
type Result = StepResult<Values>;

/** How calling a step ended: a result to keep, or one that is not kept. */
export type Performed =
  | {
    readonly type: "stored";
    readonly result: StoredResult;
    /** Members that an `all` step failed on; such a result is not cached. */
    readonly failedMembers: ReadonlyMap<Member, string>;
    /** The step itself says not to cache it. */
    readonly isProvisional?: boolean;
  }
  | {
    readonly type: "unfinished";
    readonly result: Failed | Waiting;
    readonly notes: readonly Note[];
  };

/** Calls steps: gathers their inputs, keeps to limits, retries, and stores what they made. */
export class Performer {
  readonly #batcher = new Batcher();
  #scopes = 0;

  constructor(readonly effects: PerformerEffects) {}

  /** The opened artifacts of one item on its way through the nodes. */
  newScope(): HandleScope {
    return new HandleScope((ref) => this.effects.store.read(ref), this.#scopes++);
  }

  /** Runs one item's way; the batcher must know who is under way. */
  async underWay(work: () => Promise<void>): Promise<void> {
    this.#batcher.enter();
    try {
      await work();
    } finally {
      this.#batcher.leave();
    }
  }

  /**
   * Waits for the result of an item's copy. That may itself wait for a batch to fill, which would never
   * begin if the batcher went on counting on this item.
   */
  async aside(twin: Promise<void>): Promise<void> {
    this.#batcher.leave();
    await twin;
    this.#batcher.enter();
  }

  async perform(
    node: GraphNode,
    item: Item | undefined,
    inputs: TaskInputs,
    scope: HandleScope,
  ): Promise<Performed> {
    const notes: Note[] = [];
    const result = await this.#attempt(node, item, inputs, notes, scope);
    if (result.status === "failed" || result.status === "waiting") {
      return { type: "unfinished", result, notes };
    }
    if (result.status === "rejected") return stored(storedResult(result, {}, notes));
    try {
      const memberCount = inputs.gathered?.members.length ?? 0;
      const { store } = this.effects;
      const kept = await keepOutputs(store, node, result.outputs, memberCount);
      const { isProvisional } = result;
      return {
        ...stored(storedResult(result, kept.outputs, notes), kept.failedMembers),
        isProvisional,
      };
    } catch (error) {
      // Where no result can be kept, none should be made: each may cost minutes, or a call.
      if (refusalOf(error) !== undefined) throw error;
      return { type: "unfinished", result: failureOf(error), notes };
    }
  }

  /** The first look at a file from outside, by its kind; what it opens stays open in the scope. */
  async identify(
    kind: Kind,
    ref: ArtifactRef,
    port: string,
    open: () => Promise<unknown>,
  ): Promise<Performed> {
    const notes: Note[] = [];
    const result = await call(async () => {
      const identified = kind.identify === undefined
        ? undefined
        : await kind.identify(await open());
      for (const text of identified?.warnings ?? []) notes.push({ type: "warning", text });
      return { status: "produced", outputs: { facts: identified?.facts } };
    });
    if (result.status === "failed" || result.status === "waiting") {
      return { type: "unfinished", result, notes };
    }
    if (result.status === "rejected") return stored(storedResult(result, {}, notes));
    const facts = result.outputs["facts"] as ArtifactRef["facts"];
    return stored(storedResult(result, { [port]: { one: { ...ref, facts } } }, notes));
  }

  /** Names what a source holds; nothing of it is read yet. */
  async scan(
    node: GraphNode,
    inputs: TaskInputs,
  ): Promise<{ readonly result: Result; readonly notes: readonly Note[] }> {
    const notes: Note[] = [];
    const context = this.context(node, undefined, inputs, notes);
    const result = await call(() => node.step.run!({}, node.params, context));
    return { result, notes };
  }

  /** Whether what a step wrote outside is still as it left it. */
  async isCurrent(node: GraphNode, inputs: TaskInputs): Promise<boolean> {
    if (node.step.isCurrent === undefined) return true;
    const values = this.#inputValues(node, undefined, inputs, this.newScope());
    const context = this.context(node, undefined, inputs, []);
    try {
      return await node.step.isCurrent(values, node.params, context);
    } catch {
      return false; // what cannot be looked at is written again, which says what is in the way
    }
  }

  context(
    node: GraphNode,
    item: Item | undefined,
    inputs: TaskInputs,
    notes: Note[],
  ): StepContext {
    return {
      itemName: node.step.usesItemName ? item?.name ?? "" : "",
      members: memberItems(node, inputs.gathered),
      absent: inputs.gathered?.absent ?? [],
      isComplete: inputs.gathered?.isComplete ?? true,
      signal: this.effects.signal,
      owner: this.effects.resolver.taskNode(node),
      tools: this.effects.resolver.parts(node).tools,
      warn: (text) => void notes.push({ type: "warning", text }),
      remoteCalled: (call) =>
        this.effects.emit({ type: "remote-called", node: node.id, item: item?.name, ...call }),
      summarize: (text) => void notes.push({ type: "summary", text }),
      service: (key) => serviceOf(this.effects.services, node, key),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      disk: this.effects.disk,
    };
  }

  /** Calls the step, again and again with growing waits while it says that this may help. */
  async #attempt(
    node: GraphNode,
    item: Item | undefined,
    inputs: TaskInputs,
    notes: Note[],
    scope: HandleScope,
  ): Promise<Result> {
    let last = await this.#callStep(node, item, inputs, notes, scope);
    const { retry, signal } = this.effects;
    if (!mayHelp(last) || retry.retries === 0) return last;
    let isFirst = true;
    const again = async () => {
      // The first call has been made; what remains is to wait, and to call again.
      if (!isFirst) {
        notes.length = 0;
        last = await this.#callStep(node, item, inputs, notes, scope);
      }
      isFirst = false;
      if (!mayHelp(last)) return last;
      await abortableWait(last.retryAfterMs ?? 0, signal);
      throw new Error(last.reason);
    };
    try {
      return await pRetry(again, {
        retries: retry.retries,
        minTimeout: retry.minWaitMs,
        maxTimeout: retry.maxWaitMs,
        randomize: true,
        signal,
        onFailedAttempt: ({ attemptNumber, retriesLeft, retryDelay }) => {
          if (retriesLeft > 0) this.#reportRetry(node, item, last, attemptNumber, retryDelay);
        },
      });
    } catch {
      return last; // out of retries, or the run is being given up
    }
  }

  #reportRetry(
    node: GraphNode,
    item: Item | undefined,
    last: Result,
    attempt: number,
    retryDelay: number,
  ) {
    if (last.status !== "failed") return;
    const waitMs = Math.round((last.retryAfterMs ?? 0) + retryDelay);
    this.effects.emit({
      type: "task-retried",
      node: node.id,
      item: item?.name,
      attempt,
      waitMs,
      reason: last.reason,
    });
  }

  async #callStep(
    node: GraphNode,
    item: Item | undefined,
    inputs: TaskInputs,
    notes: Note[],
    scope: HandleScope,
  ): Promise<Result> {
    const { step, params } = node;
    const { pools, services, signal } = this.effects;
    const values = this.#inputValues(node, item, inputs, scope);
    const context = this.context(node, item, inputs, notes);
    const pool = step.pool ?? "cpu";
    if (step.batch === undefined) {
      return await pools.run(
        pool,
        () => {
          if (item !== undefined && signal.aborted) throw new NotBegun();
          return call(() => step.run!(values, params, context));
        },
        scope.rank,
      );
    }
    const { batch } = step;
    let prepared: unknown;
    const preparation = await pools.run("cpu", () =>
      call(async () => {
        prepared = await batch.prepare(values, params, context);
        return { status: "produced", outputs: {} };
      }), scope.rank);
    if (preparation.status !== "produced") return preparation;
    await scope.release();
    const batchContext: BatchContext = { signal, service: (key) => serviceOf(services, node, key) };
    const callBatch = (all: readonly unknown[], begin: () => void) =>
      pools.run(pool, () => {
        begin();
        return batch.run(all, params, batchContext)
          .catch((error: unknown) => all.map(() => failureOf(error)));
      });
    return await this.#batcher.submit(node.id, prepared, { size: batch.size, call: callBatch });
  }

  #inputValues(
    node: GraphNode,
    item: Item | undefined,
    inputs: TaskInputs,
    scope: HandleScope,
  ): InputValues<InputPorts> {
    const values: Record<string, unknown> = {};
    for (const [port, ref] of Object.entries(inputs.refs)) {
      const readBytes = (each: ArtifactRef) => this.#readHealing(node, port, each, item);
      values[port] = scope.handle(ref, node.step.inputs[port].kind, readBytes);
    }
    for (const [port, column] of Object.entries(inputs.gathered?.columns ?? {})) {
      const memberPort: MemberPort<Item | undefined> = {
        kind: node.step.inputs[port].kind,
        readBytes: (ref, owner) => this.#readHealing(node, port, ref, owner),
        writtenFile: (ref) => this.effects.store.writtenFile(ref),
      };
      const collection = new Map<Member, unknown>();
      column.forEach((ref, member) => {
        if (ref === undefined) return;
        collection.set(member, memberHandle(ref, inputs.gathered!.members[member], memberPort));
      });
      values[port] = collection;
    }
    return values as InputValues<InputPorts>;
  }

  /** Reads an artifact; one that turns out lost or corrupt is made again by the node it came from. */
  async #readHealing(
    node: GraphNode,
    port: string,
    ref: ArtifactRef,
    item: Item | undefined,
  ): Promise<Uint8Array> {
    const { store, nodes } = this.effects;
    try {
      return await store.read(ref);
    } catch (error) {
      if (!(error instanceof LostBlob)) throw error;
      const producer = nodes.find((each) => each.id === node.wires[port]!.node)!;
      const owner = isPerItem(producer.step) || isSource(producer) ? item : undefined;
      const { hash, problem } = error;
      this.effects.emit({ type: "blob-lost", node: producer.id, item: owner?.name, hash, problem });
      store.discard(ref);
      await this.#remake(producer, owner);
      return await store.read(ref);
    }
  }

  /** Calls a settled task's step again, only for its artifacts. */
  async #remake(node: GraphNode, item: Item | undefined) {
    const resolution = this.effects.resolver.resolve(node, item);
    if (resolution.type === "blocked") return;
    const scope = this.newScope();
    try {
      await this.perform(node, item, resolution.inputs, scope);
    } finally {
      await scope.release();
    }
  }
}

/** What a session has under a key; throws a `TypeError` where it has nothing. */
export function serviceOf<Service>(
  services: Services,
  node: GraphNode,
  key: ServiceKey<Service>,
): Service {
  const service = services.get(key.name);
  if (service !== undefined) return service as Service;
  throw new TypeError(`Step "${node.step.name}" wants "${key.name}", which this session has not`);
}

/** A task still stood in line for a place when the run was given up: nothing has come of it. */
export class NotBegun extends Error {
  override readonly name = "NotBegun";
}

/** Turns what a step throws into a result: a rejection is expected, anything else is a failure. */
async function call(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Rejection)) return failureOf(error);
    return { status: "rejected", reason: error.message, numbers: error.numbers };
  }
}

/** What goes wrong outside a step's own results. */
export function failureOf(error: unknown): Failed {
  if (error instanceof Deno.errors.PermissionDenied && !("code" in error)) {
    return { status: "failed", reason: `Permission denied (${error.message})` };
  }
  if (error instanceof ChangedFile) return { status: "failed", reason: error.message };
  const reason = error instanceof Error ? systemMessage(error) : String(error);
  return { status: "failed", reason: reason === "" ? "It failed without a message" : reason };
}

function stored(
  result: StoredResult,
  failedMembers: ReadonlyMap<Member, string> = new Map(),
): Extract<Performed, { type: "stored" }> {
  return { type: "stored", result, failedMembers };
}

function storedResult(
  result: Produced<unknown> | Rejected,
  outputs: Readonly<Record<string, StoredOutput>>,
  notes: readonly Note[],
): StoredResult {
  const textsOf = (type: Note["type"]) =>
    notes.filter((note) => note.type === type).map((note) => note.text);
  return {
    status: result.status,
    outputs,
    reason: result.status === "rejected" ? result.reason : undefined,
    numbers: result.status === "rejected" ? result.numbers : undefined,
    warnings: textsOf("warning"),
    summary: textsOf("summary"),
  };
}

function mayHelp(result: Result): result is Failed {
  return result.status === "failed" && (result.isRetriable ?? false);
}

async function abortableWait(waitMs: number, signal: AbortSignal): Promise<void> {
  if (waitMs <= 0 || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, waitMs);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
