import type { ArtifactRef, Column, Facts } from "./artifact.ts";
import type { JsonSchema } from "./json_schema.ts";
import type { AbsentItem, Member, MemberItem, RemoteCall, StepDefinition } from "./step.ts";
import type { StepPermissions } from "./step_permissions.ts";
import type { Issue } from "./zod_issue.ts";

/** A kind of a port, as far as the main process has to know it. */
export interface KindFacts {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly Column[];
  readonly isRow: boolean;
}

export interface PortFacts {
  readonly kind: KindFacts;
  readonly flow: string;
  readonly doc: string;
  readonly isOptional: boolean;
}

/** Methods that a step may have, called by name. */
export type StepMethod = "run" | "prepare" | "runBatch" | "tools" | "forecast" | "isCurrent";

type Told = Pick<
  StepDefinition,
  | "name"
  | "version"
  | "doc"
  | "origin"
  | "world"
  | "pool"
  | "usesItemName"
  | "usesAbsent"
  | "isResult"
>;

/** What a step file says of its step, without its code. */
export interface StepDeclaration extends Told {
  readonly inputs: Readonly<Record<string, PortFacts>>;
  readonly outputs: Readonly<Record<string, PortFacts>>;
  readonly paramsSchema: JsonSchema;
  readonly permissions?: StepPermissions;
  readonly methods: readonly StepMethod[];
  readonly batchSize?: number;
}

/** How the loading of a step file ended. */
export type Loaded =
  | { readonly type: "declared"; readonly declaration: StepDeclaration }
  | { readonly type: "no-step"; readonly problem: string }
  | {
    readonly type: "broken";
    readonly name: string;
    readonly message: string;
    readonly stack: string;
  };

/** What the step's own schema says of parameters as a recipe gives them. */
export type Parsed =
  | { readonly type: "fine"; readonly params: unknown; readonly unusedPorts: readonly string[] }
  | { readonly type: "wrong"; readonly issues: readonly Issue[] }
  | { readonly type: "threw"; readonly message: string };

/** An input in a call: handles by number, whose references go along, and a small one's bytes too. */
export type InputMessage =
  | { readonly handle: number; readonly ref: ArtifactRef; readonly bytes?: Uint8Array }
  | { readonly members: readonly Member[]; readonly from: number; readonly refs: ArtifactRef[] };

export interface ContextMessage {
  readonly itemName: string;
  readonly members: readonly MemberItem[];
  readonly absent: readonly AbsentItem[];
  readonly isComplete: boolean;
  readonly owner: string;
  readonly tools: Readonly<Record<string, string>>;
}

/** What a worker is asked to do. */
export interface CallMessage {
  readonly method: StepMethod;
  readonly inputs: Readonly<Record<string, InputMessage>>;
  readonly params: unknown;
  readonly context?: ContextMessage;
  /**
   * For `prepare` the number of what it prepares, which no other worker of the step gives; for `runBatch` those
   * numbers.
   */
  readonly prepared?: readonly number[];
  /** For `forecast` how many tasks. */
  readonly count?: number;
  /** The kinds that the main process encodes itself, by name. */
  readonly shared: readonly string[];
}

/** An output: a handle passed on, a value that the main process encodes, or encoded bytes. */
export type OutputMessage =
  | { readonly handle: number }
  | { readonly made: unknown }
  | { readonly encoded: { readonly bytes: Uint8Array; readonly facts?: Facts } }
  | { readonly verdict: unknown };

/** What a call ends with: of `run` a result with its outputs as messages. */
export type CallResult =
  | { readonly type: "result"; readonly result: unknown }
  | { readonly type: "results"; readonly results: readonly unknown[] }
  | { readonly type: "prepared"; readonly prepared: number }
  | { readonly type: "value"; readonly value: unknown };

/** From the main process to a worker. */
export type ToWorker =
  | { readonly type: "parse"; readonly id: number; readonly values: unknown }
  | { readonly type: "call"; readonly id: number; readonly call: CallMessage }
  | { readonly type: "reply"; readonly ask: number; readonly reply: Reply }
  | { readonly type: "abort" }
  | { readonly type: "ping" };

/** What a handle answered. */
export type Reply =
  | { readonly value: unknown }
  | { readonly rejection: string; readonly numbers: Readonly<Record<string, number>> }
  | { readonly error: string };

/** From a worker, as it should be; what comes is checked, since a step may send what it likes. */
export type FromWorker =
  | { readonly type: "loaded"; readonly loaded: Loaded }
  | { readonly type: "parsed"; readonly id: number; readonly parsed: Parsed }
  | {
    readonly type: "ask";
    readonly call: number;
    readonly ask: number;
    readonly handle: number;
    /** The bytes, or a question to the opened value. */
    readonly question: { readonly type: "bytes" } | {
      readonly type: "value";
      readonly question: unknown;
    };
  }
  | { readonly type: "note"; readonly call: number; readonly note: NoteMessage }
  | { readonly type: "done"; readonly id: number; readonly result: CallResult }
  /** Something went wrong outside of every call: a promise that nobody waited for. */
  | { readonly type: "fault"; readonly reason: string }
  /** The step has ended its own worker, or can be waited for no longer. */
  | { readonly type: "ending"; readonly how: string };

export type NoteMessage =
  | { readonly type: "warning" | "summary" | "printed"; readonly text: string }
  | { readonly type: "remote"; readonly call: RemoteCall };

/** What the main process tells the process of a step file: to start a thread, or to end one. */
export type ToKeeper =
  | { readonly start: number; readonly entry: string; readonly heapMb: number }
  | { readonly end: number };

/** What it hears: that a thread has ended, or the whole process, and why, where that is known. */
export type FromKeeper =
  | { readonly ended: number; readonly how: string }
  | { readonly gone: string };
