import { inspect, stripVTControlCharacters } from "node:util";
import { resolve } from "node:path";
import type { Handle, Kind } from "./artifact.ts";
import { checkedParsed, foreignParams, foreignPorts, isOpaque } from "./foreign_declaration.ts";
import { checkedResult, checkedText } from "./foreign_result.ts";
import { type BoundStep, noteBound, StepProblem } from "./bound_steps.ts";
import { localDisk } from "./local_disk.ts";
import type { ModuleGraph } from "./module_graph.ts";
import { Rejection } from "./rejection.ts";
import {
  type AnyStep,
  type Collection,
  defineStep,
  type Failed,
  failed,
  type InputPorts,
  type OutputPorts,
  type Port,
  type StepContext,
  type StepResult,
  type ToolContext,
} from "./step.ts";
import type {
  CallMessage,
  CallResult,
  ContextMessage,
  InputMessage,
  NoteMessage,
  Parsed,
  StepDeclaration,
} from "./step_messages.ts";
import {
  type AskedPermissions,
  askedPermissions,
  asksForNothing,
  permissionWords,
} from "./step_permissions.ts";
import { placed, processOptions } from "./process_options.ts";
import { type StepWorker, type StepWorkerCall, WorkerEnded } from "./step_worker.ts";
import { StepWorkers, type StepWorkersOptions } from "./step_workers.ts";

export interface ForeignStepOptions extends StepWorkersOptions {
  readonly path: string;
  readonly use: string;
  /** Where the paths among its permissions begin. */
  readonly folder: string;
  /** Kinds that this process knows, by name. */
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly graph: ModuleGraph;
}

type Result = StepResult<Record<string, unknown>>;

/** Lines of a step that are shown in a run. */
const mostPrints = 50;

/** A step whose code runs in workers, which have the permissions that it declares. */
export class ForeignStep implements BoundStep {
  readonly path: string;
  readonly use: string;
  /** As declared. */
  readonly permissions: AskedPermissions;
  readonly graph: ModuleGraph;
  /** What the rest of the runtime sees: its methods are calls into a worker. */
  readonly step: AnyStep;
  readonly #workers: StepWorkers;
  /** By what was given, what the step's own schema said; a question is undefined until it is put. */
  readonly #parsed = new Map<string, { readonly values: unknown; said?: Parsed }>();
  readonly #shared: readonly string[];
  /** What it gets: with absolute paths. */
  readonly granted: AskedPermissions;
  #isApproved: boolean;
  /** How often it has prepared an item. */
  #prepared = 0;
  /** How often it has printed. */
  #prints = 0;

  /** Throws `TypeError` for a declaration that no step can have. */
  constructor(readonly declaration: StepDeclaration, readonly options: ForeignStepOptions) {
    const { path, use, graph, folder } = options;
    [this.path, this.use, this.graph] = [path, use, graph];
    this.step = this.#defined();
    this.permissions = askedPermissions(declaration.permissions);
    this.granted = placed(this.permissions, folder);
    this.#isApproved = asksForNothing(this.permissions);
    const granted = { path, folder, permissions: this.granted };
    this.#workers = new StepWorkers(options, processOptions(graph, granted));
    if (declaration.batchSize !== undefined) this.#workers.size = 1; // what is prepared stays there
    this.#shared = Object.values({ ...this.step.inputs, ...this.step.outputs } as OutputPorts)
      .flatMap(({ kind }: Port) => isOpaque(kind) ? [] : [kind.name]);
    noteBound(this.step, this);
  }

  /** Lets it have what it asks for. Until then it runs only if that is nothing. */
  approve(): void {
    this.#isApproved = true;
  }

  get isApproved(): boolean {
    return this.#isApproved;
  }

  /** The most workers at the same time. */
  limit(workers: number): void {
    if (this.declaration.batchSize === undefined) this.#workers.size = workers;
  }

  /** Ends its workers; they start again when they are needed. */
  async release(): Promise<void> {
    this.#prints = 0;
    await this.#workers.release();
  }

  /**
   * Asks a worker what the step's schema says of parameters that were met since the last time: a check
   * cannot wait, so it is made again with the answers. False where there was nothing to ask.
   */
  async askAboutParams(worker: StepWorker): Promise<boolean> {
    const open = [...this.#parsed.values()].filter(({ said }) => said === undefined);
    for (const question of open) {
      try {
        question.said = checkedParsed(await worker.parse(question.values));
      } catch (error) {
        question.said = { type: "threw", message: (error as Error).message };
      }
    }
    return open.length > 0;
  }

  #defined(): AnyStep {
    const { inputs, outputs, methods, batchSize, paramsSchema: _, ...told } = this.declaration;
    const has = (name: typeof methods[number]) => methods.includes(name);
    const { kinds } = this.options;
    return defineStep({
      ...told,
      inputs: foreignPorts(inputs, kinds) as InputPorts,
      outputs: foreignPorts(outputs, kinds) as OutputPorts,
      params: foreignParams(this.declaration, (values) => this.#parse(values)),
      unusedPorts: (params: unknown) => this.#unusedPorts(params),
      ...has("run") ? { run: this.#run.bind(this) } : {},
      ...has("tools") ? { tools: this.#tools.bind(this) } : {},
      ...has("forecast") ? { forecast: this.#forecast.bind(this) } : {},
      ...has("isCurrent") ? { isCurrent: this.#isCurrent.bind(this) } : {},
      ...batchSize === undefined ? {} : {
        batch: {
          size: batchSize,
          prepare: this.#prepare.bind(this),
          run: this.#runBatch.bind(this),
        },
      },
    } as unknown as AnyStep);
  }

  #parse(values: unknown): Parsed {
    const key = keyOf(values);
    const known = this.#parsed.get(key);
    if (known === undefined) this.#parsed.set(key, { values: sendable(values) });
    // Only until the worker was asked: what is not known yet is not wrong.
    return known?.said ?? { type: "fine", params: {}, unusedPorts: [] };
  }

  /** Places among the parameters are absolute by now, so each of its answers is compared without them. */
  #unusedPorts(params: unknown): readonly string[] {
    const names = Object.keys(params as object).join();
    for (const { said } of this.#parsed.values()) {
      if (said?.type !== "fine" || Object.keys(said.params as object).join() !== names) continue;
      if (isSameBesidesPlaces(said.params, params)) return said.unusedPorts;
    }
    return [];
  }

  async #run(inputs: unknown, params: unknown, context: StepContext): Promise<Result> {
    const message = { method: "run", params, context: contextMessage(context) } as const;
    const call = await this.#call(message, inputs, context);
    const sent = await this.#send(call, context.signal);
    return sent.type === "failure" ? sent.failure : this.#checked(sent.answer, call);
  }

  /** Throws the step's failure, as a step that prepares does. */
  async #prepare(inputs: unknown, params: unknown, context: StepContext): Promise<number> {
    const number = ++this.#prepared;
    const message = {
      ...{ method: "prepare", params, prepared: [number] } as const,
      context: contextMessage(context),
    };
    const call = await this.#call(message, inputs, context);
    const sent = await this.#send(call, context.signal);
    if (sent.type === "failure") throw thrownOf(sent.failure);
    const { answer } = sent;
    if (answer.type === "prepared") return number;
    throw thrownOf(this.#checked(answer, call));
  }

  async #runBatch(
    prepared: readonly number[],
    params: unknown,
    context: Pick<StepContext, "signal">,
  ): Promise<readonly Result[]> {
    const call = await this.#call({ method: "runBatch", params, prepared }, {});
    const sent = await this.#send(call, context.signal);
    if (sent.type === "failure") return prepared.map(() => sent.failure);
    const { answer } = sent;
    const all = answer.type === "results" && Array.isArray(answer.results) ? answer.results : [];
    return prepared.map((_, index) =>
      this.#checked(
        answer.type === "result" ? answer : { type: "result", result: all[index] },
        call,
      )
    );
  }

  async #isCurrent(inputs: unknown, params: unknown, context: StepContext): Promise<boolean> {
    const message = { method: "isCurrent", params, context: contextMessage(context) } as const;
    return await this.#value(await this.#call(message, inputs, context), context.signal) === true;
  }

  /** Before it is approved nothing of its code runs, and what it would say cannot be part of a key. */
  async #tools(
    params: unknown,
    { signal }: ToolContext,
  ): Promise<Readonly<Record<string, string>>> {
    if (!this.#isApproved) return {};
    const call = await this.#call({ method: "tools", params }, {});
    const value = await this.#value(call, signal).catch((error: Error) => {
      throw new StepProblem(`Cannot ask ${this.use} for its tools: ${error.message}`);
    });
    return Object.fromEntries(
      Object.entries(value ?? {}).map(([name, version]) => [name, checkedText(version)]),
    );
  }

  async #forecast(
    count: number,
    params: unknown,
    { signal }: ToolContext,
  ): Promise<string | undefined> {
    if (!this.#isApproved) return undefined;
    const call = await this.#call({ method: "forecast", params, count }, {});
    const value = await this.#value(call, signal).catch((error: Error) => {
      throw new StepProblem(`Cannot ask ${this.use} for a forecast: ${error.message}`);
    });
    return value === undefined ? undefined : checkedText(value);
  }

  async #value(call: StepWorkerCall, signal?: AbortSignal): Promise<unknown> {
    const sent = await this.#send(call, signal);
    if (sent.type === "failure") throw thrownOf(sent.failure);
    const { answer } = sent;
    if (answer.type === "value") return answer.value;
    throw thrownOf(this.#checked(answer, call));
  }

  async #send(call: StepWorkerCall, signal?: AbortSignal): Promise<Sent> {
    try {
      return { type: "answer", answer: await this.#sent(call, signal) };
    } catch (error) {
      if (error instanceof NotSent) return { type: "failure", failure: error.failure };
      throw error;
    }
  }

  async #sent(call: StepWorkerCall, signal?: AbortSignal): Promise<CallResult> {
    if (!this.#isApproved) {
      const words = `${this.use} asks for ${permissionWords(this.permissions)}`;
      throw new NotSent(`${words}, and nobody has allowed that (run it with --allow-steps)`, true);
    }
    if (this.graph.files.length === 0) {
      throw new NotSent(
        `The modules of ${this.use} cannot be listed, since Tintype may not start Deno ` +
          `(start it with --allow-run)`,
        true,
      );
    }
    try {
      const answer: unknown = await this.#workers.call(call, signal);
      if (typeof answer === "object" && answer !== null && "type" in answer) {
        return answer as CallResult;
      }
      throw new NotSent("The step's worker sent no result");
    } catch (error) {
      if (error instanceof WorkerEnded) throw new NotSent(checkedText(error.message));
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new NotSent(
        `${this.use} asks for ${permissionWords(this.permissions)}, which Tintype itself was not ` +
          `started with (start it with the same, such as --allow-net)`,
        true,
      );
    }
  }

  /** What it prints is shown, as far as somebody would read it. */
  #printed(text: unknown, context: StepContext) {
    const line = stripVTControlCharacters(checkedText(text)).trim();
    if (line === "" || ++this.#prints > mostPrints) return;
    context.warn(
      this.#prints < mostPrints ? `It printed: ${line}` : "It printed more, which is not shown",
    );
  }

  #checked(answer: CallResult, call: StepWorkerCall): Result {
    try {
      const sent = answer.type === "result" ? answer.result : undefined;
      const given = {
        step: this.step,
        handles: call.handles,
        permissions: this.granted,
        realPath: localDisk.realPath,
      };
      return checkedResult(sent, given);
    } catch (error) {
      return failed(checkedText((error as Error).message));
    }
  }

  async #call(
    message: Omit<CallMessage, "inputs" | "shared">,
    inputs: unknown,
    context?: StepContext,
  ): Promise<StepWorkerCall> {
    const handles: { readonly handle: Handle; readonly kind: Kind }[] = [];
    const ports = this.step.inputs as InputPorts;
    const messages = await Promise.all(
      Object.entries(inputs as Record<string, Handle | Collection>).map(async ([port, input]) =>
        [port, await inputMessage(input, ports[port]!.kind, handles)] as const
      ),
    );
    return {
      message: { ...message, inputs: Object.fromEntries(messages), shared: this.#shared },
      handles,
      onNote: (note) => {
        if (context === undefined) return;
        if (note?.type === "printed") this.#printed(note.text, context);
        else heard(note, context);
      },
    };
  }
}

/**
 * What a worker sent, unchecked, or why it was not asked or did not answer. Told apart here and not by
 * what it sent: that may look like anything.
 */
type Sent =
  | { readonly type: "answer"; readonly answer: CallResult }
  | { readonly type: "failure"; readonly failure: Failed };

class NotSent extends Error {
  readonly failure: Failed;

  constructor(reason: string, stopsNode = false) {
    super(reason);
    this.failure = failed(reason, { stopsNode });
  }
}

/** What a step throws where it cannot return that result. */
function thrownOf(result: Result): Error {
  if (result.status === "rejected") return new Rejection(result.reason, result.numbers);
  return new Error("reason" in result ? result.reason : "It returned what was not asked for");
}

/** Bytes of an input up to this many are sent with a call, rather than when the step asks for them. */
const mostSentBytes = 16_384;

async function inputMessage(
  input: Handle | Collection,
  kind: Kind,
  handles: { readonly handle: Handle; readonly kind: Kind }[],
): Promise<InputMessage> {
  const from = handles.length;
  if (!(input instanceof Map)) {
    const handle = input as Handle;
    handles.push({ handle, kind });
    const isSmall = kind.afar === undefined && handle.ref.byteLength <= mostSentBytes;
    // What cannot be read is the step's to hear of, if it asks.
    const bytes = isSmall ? await handle.bytes().catch(() => undefined) : undefined;
    return { handle: from, ref: handle.ref, ...bytes === undefined ? {} : { bytes } };
  }
  const collection: Collection = input;
  for (const handle of collection.values()) handles.push({ handle, kind });
  const refs = Array.from(collection.values(), ({ ref }) => ref);
  return { members: [...collection.keys()], from, refs };
}

function contextMessage(context: StepContext): ContextMessage {
  const { itemName, members, absent, isComplete, owner, tools } = context;
  return { itemName, members, absent, isComplete, owner, tools };
}

/** What a step notes on its way, as its worker sent it. */
function heard(note: NoteMessage, context: StepContext): void {
  if (note?.type === "warning") context.warn(checkedText(note.text));
  else if (note?.type === "summary") context.summarize(checkedText(note.text));
  else if (note?.type === "remote") {
    const { provider, model, inputTokens, outputTokens, cost } = note.call ?? {};
    const number = (sent: unknown) =>
      typeof sent === "number" && Number.isFinite(sent) ? sent : undefined;
    context.remoteCalled({
      provider: checkedText(provider),
      model: checkedText(model),
      inputTokens: number(inputTokens),
      outputTokens: number(outputTokens),
      cost: number(cost),
    });
  }
}

/** Every value that a recipe can give, told apart, with what JSON has no words for. */
function keyOf(values: unknown): string {
  return inspect(values, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity });
}

/** A symbol stands for a value that is not known yet, and cannot be sent: a `Map` goes in its place. */
function sendable(value: unknown): unknown {
  if (typeof value === "symbol") return new Map();
  if (Array.isArray(value)) return value.map(sendable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sendable(each)]));
}

function isSameBesidesPlaces(said: unknown, params: unknown): boolean {
  const [before, after] = [said, params] as [Record<string, unknown>, Record<string, unknown>];
  return Object.keys(before).every((name) =>
    keyOf(before[name]) === keyOf(after[name]) ||
    (typeof before[name] === "string" && typeof after[name] === "string" &&
      resolve(after[name]) === after[name])
  );
}
