import type { ArtifactRef } from "./artifact.ts";
import type { Json, TaskKey } from "./hash.ts";
import type { Reason } from "./task_key.ts";

/** How a task ended. */
export type Outcome = "ran" | "cached" | "rejected" | "skipped" | "failed" | "waiting";

export type Counts = Readonly<Record<Outcome, number>>;

export const outcomes: readonly Outcome[] = [
  "ran",
  "cached",
  "rejected",
  "skipped",
  "failed",
  "waiting",
];

/** How many different items ended so at some node, or at several. */
export type ItemCounts = Readonly<Record<"rejected" | "failed" | "waiting", number>>;

/** The outputs of a settled task by port; an `all` step's `each` port has one entry an item. */
export type SettledOutputs = Readonly<
  Record<string, ArtifactRef | Readonly<Record<string, ArtifactRef>>>
>;

/**
 * What happens in a run, in order. Each is one line of `journal.jsonl`, with the time in front
 * (`at`, ISO 8601, UTC). `item` is absent for a task on the whole collection.
 */
export type RunEvent =
  | {
    readonly type: "run-started";
    readonly run: string;
    readonly recipe: string;
    /** The recipe's file as given, for people. */
    readonly path: string;
    readonly settings: Readonly<Record<string, Json>>;
    /** Node ids with the step each uses, in graph order. */
    readonly nodes: Readonly<Record<string, string>>;
    /** Which part of the items it did, such as `2/4`; all when left out. */
    readonly shard?: string;
    /** Nodes that no shard can do. */
    readonly held?: readonly string[];
    readonly tintype: string;
    readonly pid: number;
  }
  | {
    /** A step gave birth to items: a scan found files. */
    readonly type: "items-found";
    readonly node: string;
    readonly count: number;
    /** Tasks on these items that this run will settle, so that progress has an end. */
    readonly tasks: number;
  }
  | {
    readonly type: "task-started";
    readonly node: string;
    readonly item?: string;
    readonly key: TaskKey;
    readonly why: Reason;
  }
  | {
    readonly type: "task-retried";
    readonly node: string;
    readonly item?: string;
    readonly attempt: number;
    readonly waitMs: number;
    readonly reason: string;
  }
  | {
    readonly type: "task-waiting";
    readonly node: string;
    readonly item?: string;
    readonly reason: string;
  }
  | {
    readonly type: "task-settled";
    readonly node: string;
    readonly item?: string;
    readonly outcome: Outcome;
    /** Absent where the task had no key: its inputs never came. */
    readonly key?: TaskKey;
    /** Whether a rejection came from the cache. */
    readonly fromCache?: boolean;
    /** What it took, without what it waited for a place among others: a core, memory, a batch. */
    readonly elapsedMs?: number;
    /** What stands behind the reason of what failed, waits or is left out: see `causeOf`. */
    readonly code?: string;
    readonly reason?: string;
    readonly numbers?: Readonly<Record<string, number>>;
    /** Given for `ran`; for `cached` the cache has them under the key. */
    readonly outputs?: SettledOutputs;
  }
  | {
    readonly type: "warning";
    readonly node?: string;
    readonly item?: string;
    readonly message: string;
  }
  | {
    /** A stored artifact was missing or corrupt and is made again. */
    readonly type: "blob-lost";
    readonly node: string;
    readonly item?: string;
    readonly hash: string;
    readonly problem: "missing" | "corrupt";
  }
  | { readonly type: "stage-sealed"; readonly node: string; readonly rows: number }
  | { readonly type: "summary"; readonly node: string; readonly line: string }
  | {
    readonly type: "remote-called";
    readonly node: string;
    readonly item?: string;
    readonly provider: string;
    readonly model: string;
    readonly inputTokens?: number;
    readonly outputTokens?: number;
    /** Estimated, in US dollars. */
    readonly cost?: number;
  }
  | {
    readonly type: "run-finished";
    readonly run: string;
    readonly status: "complete" | "failed" | "waiting" | "interrupted";
    readonly counts: Counts;
    /** Not in the journals of earlier versions. */
    readonly items?: ItemCounts;
    readonly elapsedMs: number;
  };

export type RunEventType = RunEvent["type"];

/** Gets every event of a run, in order. */
export type RunListener = (event: RunEvent) => void;
