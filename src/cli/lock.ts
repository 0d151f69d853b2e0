import { resolve } from "node:path";
import { loadModule } from "../runtime/load_module.ts";
import type { Graph } from "../runtime/graph.ts";
import type { RunLock } from "../runtime/records.ts";
import type { RunSettings, Session } from "../runtime/session.ts";
import { parseShard, type Shard } from "../runtime/shard.ts";
import { callerFolder } from "./context.ts";
import { systemWords } from "../runtime/system_words.ts";
import { UsageError } from "./usage_error.ts";

/** The lock of a run. */
export function readLockFile(path: string): RunLock {
  let text: string;
  try {
    text = Deno.readTextFileSync(resolve(callerFolder(), path));
  } catch (error) {
    throw new UsageError(
      `Cannot read lock "${path}": ${systemWords(error)} (the lock.json of a run is wanted)`,
    );
  }
  try {
    const lock = JSON.parse(text) as Partial<RunLock>;
    const isLock = Array.isArray(lock.nodes) && Array.isArray(lock.sources) &&
      typeof lock.recipe === "string" && typeof lock.settings === "object";
    if (isLock) return lock as RunLock;
  } catch {
    // said below
  }
  throw new UsageError(`Cannot read lock "${path}": it is no lock.json of a run`);
}

/** The settings of a run; none where there is no lock. */
export function settingsOfLock(lock: RunLock | undefined): Readonly<Record<string, unknown>> {
  const given = Object.entries(lock?.settings ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries(given);
}

/** The graph as a lock has it, and how it is to be run; unchanged where there is none. */
export async function likeLock(
  session: Session,
  graph: Graph,
  lock: RunLock | undefined,
): Promise<{ readonly graph: Graph } & Pick<RunSettings, "parts" | "limit" | "until" | "shard">> {
  if (lock === undefined) return { graph };
  const { lockedGraph } = await load<typeof import("../runtime/locked.ts")>("locked.ts");
  const { RecordProblem } = await load<typeof import("../runtime/recorded_run.ts")>(
    "recorded_run.ts",
  );
  try {
    const services = session.options.services ?? new Map();
    const locked = await lockedGraph(graph, lock, services);
    const shard = lock.shard === undefined ? {} : { shard: shardOfLock(lock.shard) };
    return { ...locked, limit: lock.limit, until: lock.until, ...shard };
  } catch (error) {
    throw error instanceof RecordProblem ? new UsageError(error.message) : error;
  }
}

async function load<Module>(name: string): Promise<Module> {
  return await loadModule(`../runtime/${name}`, import.meta.url);
}

function shardOfLock(text: string): Shard {
  const shard = parseShard(text);
  if (!("problem" in shard)) return shard;
  throw new UsageError(`Cannot use the lock: ${shard.problem}`);
}
