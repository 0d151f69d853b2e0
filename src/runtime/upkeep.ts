import { join } from "node:path";
import { cacheProblem } from "./cache_file.ts";
import {
  applyCollection,
  type Collection,
  type CollectionRules,
  planCollection,
  type WorkspaceStats,
  workspaceStats,
} from "./collection.ts";
import { localDisk } from "./local_disk.ts";
import { type Holder, WorkspaceLock } from "./lock.ts";
import type { Session } from "./session.ts";

/** Clears the workspace up; without `apply` says only what it would do. */
export async function collectGarbage(
  session: Session,
  rules: CollectionRules,
  options: {
    readonly apply?: boolean;
    readonly signal?: AbortSignal;
    readonly onWait?: (holder: Holder | undefined) => void;
  } = {},
): Promise<Collection> {
  const { workspace, now } = session.options;
  const signal = options.signal ?? new AbortController().signal;
  const effects = { workspace, disk: localDisk, nowMs: (now?.() ?? new Date()).getTime(), signal };
  try {
    if (!options.apply || !isThere(workspace)) return planCollection(rules, effects);
    return await locked(session, "cache gc", options.onWait, () => applyCollection(rules, effects));
  } catch (error) {
    throw cacheProblem(join(workspace, "cache.sqlite"), error);
  }
}

/** What the workspace holds. */
export function statsOf(session: Session): WorkspaceStats {
  const { workspace, now } = session.options;
  const signal = new AbortController().signal;
  const nowMs = (now?.() ?? new Date()).getTime();
  try {
    return workspaceStats({ workspace, disk: localDisk, nowMs, signal });
  } catch (error) {
    throw cacheProblem(join(workspace, "cache.sqlite"), error);
  }
}

/** Does something while no run is at work in the workspace, waiting for its turn. */
export async function locked<Value>(
  { options: { workspace, now } }: Session,
  what: string,
  onWait: ((holder: Holder | undefined) => void) | undefined,
  work: () => Promise<Value>,
): Promise<Value> {
  const holder = () => ({
    pid: Deno.pid,
    run: what,
    since: (now?.() ?? new Date()).toISOString(),
  });
  const lock = await WorkspaceLock.acquire(join(workspace, "lock"), holder, onWait ?? (() => {}));
  try {
    return await work();
  } finally {
    lock.release();
  }
}

export function isThere(workspace: string): boolean {
  return localDisk.stat(workspace)?.isFolder === true;
}
