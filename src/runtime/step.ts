import type { z } from "zod";
import type { Handle, Kind, MadeOf, ValueOf } from "./artifact.ts";
import type { Disk } from "./disk.ts";
import { permissionsProblem, type StepPermissions } from "./step_permissions.ts";

/**
 * How values pass a port. Inputs: `each` one value an item, `all` every item's value at once (a
 * barrier), `one` a single shared value. Outputs: `each`, `one`, or `many` (new items are born).
 */
export type InputFlow = "each" | "all" | "one";
export type OutputFlow = "each" | "one" | "many";

/** One socket of a step. */
export interface Port<
  K extends Kind = Kind,
  Flow extends string = string,
  Optional extends boolean = boolean,
> {
  readonly kind: K;
  readonly flow: Flow;
  readonly doc: string;
  readonly isOptional: Optional;
}

interface PortOptions<Optional extends boolean> {
  /** The step also runs with nothing wired here. */
  readonly isOptional?: Optional;
}

/** A port with one value an item. */
export function each<K extends Kind, Optional extends boolean = false>(
  kind: K,
  doc: string,
  { isOptional }: PortOptions<Optional> = {},
): Port<K, "each", NoInfer<Optional>> {
  return { kind, flow: "each", doc, isOptional: isOptional ?? false as Optional };
}

/** An input that waits for every item and gets them all at once. */
export function all<K extends Kind, Optional extends boolean = false>(
  kind: K,
  doc: string,
  { isOptional }: PortOptions<Optional> = {},
): Port<K, "all", NoInfer<Optional>> {
  return { kind, flow: "all", doc, isOptional: isOptional ?? false as Optional };
}

/** A port with a single value shared by all items. */
export function one<K extends Kind, Optional extends boolean = false>(
  kind: K,
  doc: string,
  { isOptional }: PortOptions<Optional> = {},
): Port<K, "one", NoInfer<Optional>> {
  return { kind, flow: "one", doc, isOptional: isOptional ?? false as Optional };
}

/** An output where new items are born. */
export function many<K extends Kind>(kind: K, doc: string): Port<K, "many", false> {
  return { kind, flow: "many", doc, isOptional: false };
}

export type InputPorts = Readonly<Record<string, Port<Kind, InputFlow>>>;
export type OutputPorts = Readonly<Record<string, Port<Kind, OutputFlow>>>;

/**
 * What a step reads: a handle for `each` and `one`, a collection for `all`, `undefined` for an optional
 * port that is not wired.
 */
export type InputValues<In extends InputPorts> = {
  readonly [Name in keyof In]: In[Name] extends Port<infer K, infer Flow, infer Optional> ?
      | (Flow extends "all" ? Collection<ValueOf<K>> : Handle<ValueOf<K>>)
      | (Optional extends true ? undefined : never)
    : never;
};

/**
 * The values of an `all` port by member: a number that stands for the same item on every port of the
 * step. Members are in an order of content, unless the step uses item names: then in order of names.
 */
export type Collection<Value = unknown> = ReadonlyMap<Member, Handle<Value>>;

export type Member = number;

/** An item of the collection that an `all` step was given. */
export interface MemberItem {
  readonly member: Member;
  /** The item's name; only steps that declare `usesItemName` may read it (others get ""). */
  readonly name: string;
}

/** Makes a value, or passes a handle of the same kind on without copying anything. */
export type Output<K extends Kind> = MadeOf<K> | Handle<ValueOf<K>>;

/** A file outside, named and measured but not read yet: what a scan gives birth to. */
export interface OutsideFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

/** A new item: its name in the new key space, and its value or the file that holds it. */
export type Born<K extends Kind> =
  | { readonly name: string; readonly value: Output<K> }
  | { readonly name: string; readonly file: OutsideFile };

type HasEach<In extends InputPorts> = "each" extends In[keyof In]["flow"] ? true : false;

/** What an `each` output of an `all` step says of one member. */
export type MemberOutput<K extends Kind> = Output<K> | Rejected | Failed;

export type OutputValues<In extends InputPorts, Out extends OutputPorts> = {
  readonly [Name in keyof Out]: Out[Name] extends Port<infer K, infer Flow>
    ? Flow extends "many" ? readonly Born<K>[]
    : Flow extends "each"
      ? HasEach<In> extends true ? Output<K> : ReadonlyMap<Member, MemberOutput<K>>
    : Output<K>
    : never;
};

/** The step made its outputs. */
export interface Produced<Values> {
  readonly status: "produced";
  readonly outputs: Values;
  /** From a scan: part of what is there could not be read, so nothing counts as removed. */
  readonly isPartial?: boolean;
  /** It may come out better another time (a service did not answer): used now, never cached. */
  readonly isProvisional?: boolean;
}

/** The item is left out, with the reason and the numbers it was judged by. Not an error; cached. */
export interface Rejected {
  readonly status: "rejected";
  readonly reason: string;
  readonly numbers?: Readonly<Record<string, number>>;
}

/** A person has to decide first. */
export interface Waiting {
  readonly status: "waiting";
  readonly reason: string;
}

/** It did not work this time. Never cached; retried with backoff when it says that it may help. */
export interface Failed {
  readonly status: "failed";
  readonly reason: string;
  readonly isRetriable?: boolean;
  /** How long the other side asked to wait. */
  readonly retryAfterMs?: number;
  /**
   * It would be the same for every other item (no key, no model file), so that the node's remaining
   * tasks are held up with this reason, untried.
   */
  readonly stopsNode?: boolean;
}

export type StepResult<Values> = Produced<Values> | Rejected | Waiting | Failed;

export function produced<const Values>(
  outputs: Values,
  options: { readonly isPartial?: boolean; readonly isProvisional?: boolean } = {},
): Produced<Values> {
  return { status: "produced", outputs, ...options };
}

export function rejected(reason: string, numbers?: Readonly<Record<string, number>>): Rejected {
  return { status: "rejected", reason, numbers };
}

export function waiting(reason: string): Waiting {
  return { status: "waiting", reason };
}

export function failed(
  reason: string,
  options: Pick<Failed, "isRetriable" | "retryAfterMs" | "stopsNode"> = {},
): Failed {
  return { status: "failed", reason, ...options };
}

/** An item that a step's `all` ports have nothing of, and where it ended. */
export interface AbsentItem {
  readonly name: string;
  /** The node that left it out, and the step that it uses. */
  readonly node: string;
  readonly step: string;
  readonly status: "rejected" | "failed" | "waiting";
  readonly reason: string;
}

/** Names a service that a session may have: a model, an object store. */
export interface ServiceKey<Service> {
  readonly name: string;
  /** Only its type counts. */
  readonly example?: Service;
}

export function serviceKey<Service>(name: string): ServiceKey<Service> {
  return { name };
}

/** What is given to a session for its steps, by the names of their keys. */
export type Services = ReadonlyMap<string, unknown>;

/** A service that holds something between calls (a model, a worker), and lets go when a run ends. */
export interface Releasable {
  /** It can be used again afterwards. */
  release(): Promise<void>;
}

/** One call of a remote model, as the journal records it. */
export interface RemoteCall {
  readonly provider: string;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Estimated, in US dollars. */
  readonly cost?: number;
}

/** What the tools of a step are found by. */
export interface ToolContext extends Pick<StepContext, "service"> {
  /** Fires when the run is being given up, where there is one. */
  readonly signal?: AbortSignal;
}

/** What a batch is given besides its items and parameters. */
export type BatchContext = Pick<StepContext, "service" | "signal">;

/** What a step is given besides its inputs and parameters. */
export interface StepContext {
  /** The item's name (a path relative to the scanned folder); "" unless `usesItemName`. */
  readonly itemName: string;
  /** The members of the step's `all` ports. */
  readonly members: readonly MemberItem[];
  /** Items that its `all` ports lack, by name; empty unless `usesAbsent`. */
  readonly absent: readonly AbsentItem[];
  /** Whether an `all` step has everything: false under `--limit`, or when an item failed upstream. */
  readonly isComplete: boolean;
  /** Fires when the run is being given up; a step that waits should stop. */
  readonly signal: AbortSignal;
  /** Who writes: `<recipe>/<node>`, for manifests. */
  readonly owner: string;
  /** What the step's `tools` said before the run, as the task key has it. */
  readonly tools: Readonly<Record<string, string>>;
  /** Records something odd that does not change the outcome; it is cached with the result. */
  warn(message: string): void;
  /** Records a call of a remote model, when it has been answered. */
  remoteCalled(call: RemoteCall): void;
  /** A line for the end of the run, such as a total; it is cached with the result. */
  summarize(line: string): void;
  /** What reaches beyond this machine; throws a `TypeError` where the session does not have it. */
  service<Service>(key: ServiceKey<Service>): Service;
  /** Bytes that nobody can guess, for steps that declare `world: "writes"`. */
  randomBytes(length: number): Uint8Array;
  /** The file system, for steps that declare `world`. */
  readonly disk: Disk;
}

/** A step that works on many items in one call, as model inference does. */
export interface Batch<In extends InputPorts, Params, Out extends OutputPorts, Prepared> {
  /** The most items in one call. */
  readonly size: number;
  /** Reads one item's inputs into what the batch needs; its pixels are released afterwards. */
  prepare(inputs: InputValues<In>, params: Params, context: StepContext): Promise<Prepared>;
  /** One result an item, in the same order. */
  run(
    prepared: readonly Prepared[],
    params: Params,
    context: BatchContext,
  ): Promise<readonly StepResult<OutputValues<In, Out>>[]>;
}

/** A typed operation: from this one definition come the recipe check, the schema and the docs. */
export interface StepDefinition<
  In extends InputPorts = InputPorts,
  Params extends z.ZodObject = z.ZodObject,
  Out extends OutputPorts = OutputPorts,
> {
  /** `topic.name`. */
  readonly name: string;
  /** Raised whenever the step's results can change; a part of the task key. */
  readonly version: number;
  readonly doc: string;
  readonly origin: "computed" | "remote" | "human";
  /**
   * A step that reads the world (a scan, a file of decisions) runs each time and counts as cached
   * when it finds what it found before; one that writes to it (a publication) is current only while
   * `isCurrent` says so.
   */
  readonly world?: "reads" | "writes";
  /** The named pool whose limit holds for it; "cpu" when left out. */
  readonly pool?: string;
  /** Its results depend on the item's name, which then is part of the key. */
  readonly usesItemName?: boolean;
  /** Its results depend on which items are missing, and why: they are part of the key. */
  readonly usesAbsent?: boolean;
  /** Its results are looked at as they are (a report, a table), so nothing needs to consume them. */
  readonly isResult?: boolean;
  /**
   * What it may reach, where it is a file that a recipe names: it runs in a process that has these
   * and no others. The steps of the catalogue, and those of a program of one's own, are part of that program.
   */
  readonly permissions?: StepPermissions;
  readonly inputs: In;
  readonly params: Params;
  readonly outputs: Out;
  /** Versions of what can change its results: a library, a model's sha256. */
  tools?(
    params: z.output<Params>,
    context: ToolContext,
  ): Promise<Readonly<Record<string, string>>>;
  run?(
    inputs: InputValues<In>,
    params: z.output<Params>,
    context: StepContext,
  ): StepResult<OutputValues<In, Out>> | Promise<StepResult<OutputValues<In, Out>>>;
  /**
   * Optional inputs that it does not look at with these parameters: they are not wired then, so that
   * they are not part of the key, and what only they need does not run.
   */
  unusedPorts?(params: z.output<Params>): readonly string[];
  /** What so many tasks would cost, in words, for a plan; it must reach for nothing outside. */
  forecast?(
    count: number,
    params: z.output<Params>,
    context: ToolContext,
  ): Promise<string | undefined>;
  readonly batch?: Batch<In, z.output<Params>, Out, unknown>;
  /**
   * For `world: "writes"`: files in its `folder` that no other node may write there, by name or by pattern
   * ("{stem}.{ext}"). `wired` are the inputs that are given. Steps of the user's own files are not asked.
   */
  ownFiles?(params: z.output<Params>, wired: ReadonlySet<string>): readonly string[];
  /** For `world: "writes"`: whether what it wrote last time is still there. Must be cheap. */
  isCurrent?(
    inputs: InputValues<In>,
    params: z.output<Params>,
    context: StepContext,
  ): Promise<boolean>;
}

/** A definition whose types are not known here: what the graph and the engine hold. */
// deno-lint-ignore no-explicit-any
export type AnyStep = StepDefinition<any, any, any>;

/**
 * Defines a step. Name, ports and parameters are checked here, once, so that a mistake is found when
 * the file is loaded.
 */
export function defineStep<
  const In extends InputPorts,
  Params extends z.ZodObject,
  const Out extends OutputPorts,
>(definition: StepDefinition<In, Params, Out>): StepDefinition<In, Params, Out> {
  const problem = problemWith(definition);
  if (problem !== undefined) {
    throw new TypeError(`Cannot define step "${definition.name}": ${problem}`);
  }
  return Object.freeze({ ...definition, [stepMark]: true });
}

const stepMark = Symbol.for("tintype.step");

/** Whether a value came out of `defineStep`, also one of another copy of this module. */
export function isStep(value: unknown): value is AnyStep {
  return typeof value === "object" && value !== null && stepMark in value;
}

/** Whether the step runs once an item rather than once for the whole collection. */
export function isPerItem(step: AnyStep): boolean {
  return Object.values(step.inputs as InputPorts).some((port) => port.flow === "each");
}

const neededKeys = ["name", "inputs", "params", "outputs"] as const;

function problemWith(step: AnyStep): string | undefined {
  const missing = neededKeys.find((key) => step[key] === undefined);
  if (missing !== undefined) return `it has no "${missing}"`;
  if (typeof step.params.safeParse !== "function") {
    return 'its "params" are no z.object({ … }) (write z.object({}) for none)';
  }
  if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/.test(step.name)) {
    return 'its name is not of the form "topic.name" (small letters, digits, underscores)';
  }
  if (!Number.isInteger(step.version) || step.version < 1) {
    return `its version is ${step.version} (a whole number from 1 is wanted)`;
  }
  const ports = [...Object.keys(step.inputs), ...Object.keys(step.outputs)];
  const badPort = ports.find((name) => !/^[a-z][a-z0-9_]*$/.test(name));
  if (badPort !== undefined) return `port "${badPort}" is not a name in small letters`;
  if (Object.keys(step.outputs).length === 0) return "it has no output";
  if ((step.run === undefined) === (step.batch === undefined)) {
    return 'it needs either "run" or "batch"';
  }
  if (step.batch !== undefined && !isPerItem(step)) return '"batch" needs an "each" input';
  if (step.world === "reads" && isPerItem(step)) {
    return 'a step with world "reads" runs once and has no "each" input';
  }
  if (step.usesAbsent && !step.usesItemName) {
    return '"usesAbsent" shows names, so it needs "usesItemName"';
  }
  if (step.isCurrent !== undefined && step.world !== "writes") {
    return '"isCurrent" is for steps with world "writes"';
  }
  return permissionsProblem(step.permissions);
}
