import { basename, dirname, join, resolve } from "node:path";
import { ActionCache } from "./cache.ts";
import { type Disk, temporaryPrefix } from "./disk.ts";
import type { Outcome } from "./event.ts";
import { localDisk } from "./local_disk.ts";
import { lockedGraph } from "./locked.ts";
import { type PackedTask, packedTaskShape, packedWorkspace } from "./pack_format.ts";
import { PackProblem, PackReader } from "./pack_reader.ts";
import { keyOf } from "./pack_results.ts";
import { isProcessGone } from "./pack_writer.ts";
import { partsOfLock, RecordProblem, settingsOfLock } from "./recorded_run.ts";
import { readLock, type RunLock } from "./records.ts";
import { Session, type SessionOptions } from "./session.ts";
import { ArtifactStore } from "./store.ts";
import { isResultWhole, parseResult } from "./stored_result.ts";
import type { TaskKey } from "./hash.ts";

export interface UnpackOptions {
  /** The folder that is made; the pack's name without its ending when left out. */
  readonly to?: string;
}

/** What was unpacked. */
export interface UnpackReport {
  readonly run: string;
  readonly recipe: string;
  /** Absolute. */
  readonly folder: string;
  /** Below the folder, for `tintype run`. */
  readonly recipeFile: string;
  readonly lockFile: string;
  readonly originals: number;
  readonly tasks: number;
  /** Originals that are not in the pack: where they have to be, and what they have to be. */
  readonly missing: readonly { readonly path: string; readonly sha256: string }[];
  /** Nodes whose files were written here, since they name the folder that they are in. */
  readonly rewritten: readonly string[];
  /** Nodes whose files the first rerun writes. */
  readonly pending: readonly string[];
  readonly hasStepFiles: boolean;
  /** What the step files import and the pack has not: where Deno has not cached it, the network is needed. */
  readonly packages: readonly string[];
}

/**
 * Unpacks a pack into a new folder, in which its recipe reruns with everything cached. Nothing is written
 * outside of that folder, nothing that is there is replaced, and every content is checked by its hash
 * before the folder gets its name. Of what a pack leaves open, files that name the folder they are in are
 * written; step files that came with it are not executed. Throws `PackProblem` for what is no whole pack.
 */
export async function unpackRun(
  options: SessionOptions,
  path: string,
  { to }: UnpackOptions = {},
): Promise<UnpackReport> {
  const file = resolve(options.cwd, path);
  const name = basename(file).replace(/\.tintype$/, "");
  const isOwnName = name === basename(file) && to === undefined;
  const folder = resolve(options.cwd, to ?? (isOwnName ? `${name}-unpacked` : name));
  requireEmpty(folder);
  const tasks = await extract(file, folder);
  using pack = PackReader.open(file);
  const { index } = pack;
  const isSettled = !index.has_step_files && index.has_originals && index.pending.length > 0;
  const { rewritten, pending } = isSettled
    ? await settle(options, folder, index)
    : { rewritten: [], pending: index.pending };
  return {
    run: index.run,
    recipe: index.recipe,
    folder,
    recipeFile: index.recipe_file,
    lockFile: index.lock_file,
    originals: index.has_originals ? index.originals.length : 0,
    tasks,
    missing: index.has_originals ? [] : index.originals,
    rewritten,
    pending,
    hasStepFiles: index.has_step_files,
    packages: index.packages,
  };
}

function requireEmpty(folder: string) {
  const stat = localDisk.stat(folder, { followLinks: false });
  if (stat === undefined || (stat.isFolder && localDisk.list(folder).length === 0)) return;
  throw new RecordProblem(`Cannot unpack to "${folder}": it is there already (--to FOLDER)`);
}

const folderStart = `${temporaryPrefix}unpack-`;

/** Unpacks beside the folder, which gets its name when all of it is there; gives the number of tasks. */
async function extract(path: string, folder: string): Promise<number> {
  using pack = PackReader.open(path);
  const parent = dirname(folder);
  Deno.mkdirSync(parent, { recursive: true });
  requireSpace(pack, parent);
  sweep(parent);
  const temporary = join(parent, `${folderStart}${Deno.pid}-${crypto.randomUUID()}`);
  Deno.mkdirSync(temporary);
  try {
    requirePaths(pack);
    for (const each of pack.index.folders) {
      Deno.mkdirSync(join(temporary, ...each.split("/")), { recursive: true });
    }
    for (const file of pack.files) pack.extract(file, temporary);
    const count = await fillWorkspace(pack, temporary);
    if (localDisk.stat(folder) !== undefined) Deno.removeSync(folder); // an empty one
    Deno.renameSync(temporary, folder);
    return count;
  } catch (error) {
    Deno.removeSync(temporary, { recursive: true });
    throw error;
  }
}

/** Removes what killed unpackings left. */
function sweep(parent: string) {
  for (const { name, isFolder } of localDisk.list(parent)) {
    const isOurs = isFolder && name.startsWith(folderStart);
    if (isOurs && isProcessGone(name.slice(folderStart.length))) {
      Deno.removeSync(join(parent, name), { recursive: true });
    }
  }
}

/** On Windows more than "/" leads to other places. */
function requirePaths(pack: PackReader) {
  if (Deno.build.os !== "windows") return;
  const wrong = pack.files.find(({ path }) => /[\\:]/.test(path));
  if (wrong !== undefined) throw new PackProblem(`"${wrong.path}" is no name on Windows`);
}

function requireSpace(pack: PackReader, folder: string) {
  const files = pack.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const needed = pack.index.artifacts.reduce((sum, [, bytes]) => sum + bytes, files);
  const free = localDisk.freeBytes(folder);
  if (free < needed) {
    throw new RecordProblem(
      `Cannot unpack to "${folder}": ${needed} bytes are needed, ${free} are free`,
    );
  }
}

/** The folder is synced as a whole by nobody: a loss of power leaves a folder to unpack again. */
const unsynced: Disk = { ...localDisk, write: (path, bytes) => localDisk.write(path, bytes) };

/** Makes cache and store of what is in the pack. */
async function fillWorkspace(pack: PackReader, folder: string): Promise<number> {
  const workspace = join(folder, packedWorkspace);
  Deno.mkdirSync(workspace, { recursive: true });
  const lock = readLock(join(folder, dirname(pack.index.lock_file)));
  if (lock === undefined) throw new PackProblem(`"${pack.index.lock_file}" is not in it`);
  const cache = ActionCache.open(join(workspace, "cache.sqlite"));
  try {
    const store = new ArtifactStore(join(workspace, "store"), cache, unsynced);
    for (const { hash, bytes } of pack.artifacts()) await store.put(bytes, hash);
    return recordTasks(pack, lock, cache);
  } finally {
    cache.close();
  }
}

/** Writes the results into the cache; a key that is not that of its parts is refused. */
function recordTasks(pack: PackReader, lock: RunLock, cache: ActionCache): number {
  const parts = partsOfLock(lock);
  const lines = new TextDecoder().decode(pack.read(pack.index.tasks.sha256)).split("\n");
  let count = 0;
  for (const line of lines) {
    if (line === "") continue;
    const task = taskOf(line);
    const shared = parts.get(task.node);
    const isSound = shared !== undefined && isResultWhole(task.result) &&
      keyOf(shared, task.inputs, task.itemName) === task.key;
    if (!isSound) {
      throw new PackProblem(`task ${task.key.slice(0, 12)} of "${task.node}" is not sound`);
    }
    const { node, item = "", inputs, itemName } = task;
    const name = { node: `${lock.recipe}/${node}`, item, key: task.key as TaskKey };
    const own = { ...shared, inputs, ...itemName === undefined ? {} : { itemName } };
    cache.record(name, own, parseResult(task.result));
    count++;
  }
  return count;
}

function taskOf(line: string): PackedTask {
  try {
    return packedTaskShape.parse(JSON.parse(line));
  } catch {
    throw new PackProblem("one of its tasks cannot be read");
  }
}

/** Runs the recipe once where something is still to be written, nothing being computed or asked. */
async function settle(
  options: SessionOptions,
  folder: string,
  index: PackReader["index"],
): Promise<Pick<UnpackReport, "rewritten" | "pending">> {
  const session = new Session({
    ...options,
    cwd: folder,
    workspace: join(folder, packedWorkspace),
  });
  const lock = readLock(join(folder, dirname(index.lock_file)))!;
  const { graph } = await session.checkFile(index.recipe_file, {
    settings: settingsOfLock(lock),
    needsValues: true,
  });
  if (graph === undefined) return { rewritten: [], pending: index.pending };
  const outcomes = new Map<string, Set<Outcome>>();
  const locked = await lockedGraph(graph, lock, options.services ?? new Map());
  await session.run(locked.graph, {
    parts: locked.parts,
    limit: lock.limit,
    until: lock.until,
    listener: (event) => {
      if (event.type !== "task-settled") return;
      outcomes.set(event.node, (outcomes.get(event.node) ?? new Set()).add(event.outcome));
    },
  });
  const nodes = index.pending.filter((node) => graph.nodes.some(({ id }) => id === node));
  return {
    rewritten: nodes.filter((node) => outcomes.get(node)?.has("ran")),
    pending: nodes.filter((node) => outcomes.get(node)?.has("failed")),
  };
}
