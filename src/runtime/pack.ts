import { join, resolve } from "node:path";
import { ActionCache } from "./cache.ts";
import { CacheLedger } from "./cache_ledger.ts";
import { localDisk } from "./local_disk.ts";
import { type Holder, WorkspaceLock } from "./lock.ts";
import type { PackIndex } from "./pack_format.ts";
import { addOriginal, findOriginals } from "./pack_originals.ts";
import { addOutside, lookOutside } from "./pack_outside.ts";
import { addRecipe, addRecords, foldersOf, packedRunFolder } from "./pack_records.ts";
import { addArtifacts, tasksOf } from "./pack_results.ts";
import { PackSource } from "./pack_source.ts";
import { PackWriter } from "./pack_writer.ts";
import { graphOfRecord, openRecord, RecordProblem } from "./recorded_run.ts";
import type { Session } from "./session.ts";
import { ArtifactStore } from "./store.ts";
import { version } from "./version.ts";

export interface PackOptions {
  /** Where the pack goes; `<run>.tintype` in the caller's folder when left out. */
  readonly out?: string;
  /** Whether the bytes of the originals go in; true when left out. */
  readonly withOriginals?: boolean;
  /** Hears who is in the way when the workspace is taken. */
  readonly onWait?: (holder: Holder | undefined) => void;
}

/** What is in a pack. */
export interface PackReport {
  readonly run: string;
  readonly path: string;
  readonly bytes: number;
  readonly originals: number;
  readonly tasks: number;
  readonly artifacts: number;
  /** Files that were published, decisions, and what else the steps look at. */
  readonly files: number;
  /** What a rerun will not find in the pack, or what in it names this machine. */
  readonly warnings: readonly string[];
}

/**
 * Packs a run into one file: recipe, lock, journal, tables, the results that a rerun needs with their
 * artifacts, what its steps look at outside, and the originals. No path of this machine is in it, but
 * where a step put one into a result, which a warning says. The file is a tar of blobs named by their
 * sha256, and an index. Throws `RecordProblem` where the run cannot be packed.
 */
export async function packRun(
  session: Session,
  run: string,
  options: PackOptions = {},
): Promise<PackReport> {
  const { workspace, cwd } = session.options;
  const recorded = openRecord(workspace, run, "pack");
  const { id } = recorded.record;
  const out = resolve(cwd, options.out ?? `${id}.tintype`);
  if (localDisk.stat(out) !== undefined) {
    throw new RecordProblem(`Cannot pack run "${id}": "${out}" is there already (--out FILE)`);
  }
  const now = session.options.now ?? (() => new Date());
  // Neither a run nor a clearing up may take away what is being read.
  const lock = await WorkspaceLock.acquire(
    join(workspace, "lock"),
    () => ({ pid: Deno.pid, run: "pack", since: now().toISOString() }),
    options.onWait ?? (() => {}),
  );
  try {
    const graph = await graphOfRecord(session, recorded, "pack");
    return await writePack({ session, recorded, graph }, out, options.withOriginals ?? true);
  } finally {
    lock.release();
  }
}

async function writePack(
  { session, recorded, graph }: Pick<PackSource, "session" | "recorded" | "graph">,
  out: string,
  withOriginals: boolean,
): Promise<PackReport> {
  const path = join(session.options.workspace, "cache.sqlite");
  const ledger = CacheLedger.open(path, { readOnly: true });
  const cache = ActionCache.open(path, { readOnly: true });
  try {
    const source = new PackSource(session, recorded, graph, ledger);
    using pack = new PackWriter(out, localDisk);
    const index = await fill(pack, source, { ledger, cache, withOriginals });
    const { outside, records, taskCount, ...rest } = index;
    await pack.finish({ ...rest, files: [...outside, ...records] });
    return {
      run: index.run,
      path: out,
      bytes: localDisk.stat(out)!.size,
      originals: withOriginals ? index.originals.length : 0,
      tasks: taskCount,
      artifacts: index.artifacts.length,
      files: outside.length,
      warnings: source.warnings,
    };
  } finally {
    ledger.close();
    cache.close();
  }
}

interface Sources {
  readonly ledger: CacheLedger;
  readonly cache: ActionCache;
  readonly withOriginals: boolean;
}

async function fill(pack: PackWriter, source: PackSource, sources: Sources) {
  const { ledger, cache, withOriginals } = sources;
  const { record, lock } = source.recorded;
  const found = await findOriginals(source, ledger, withOriginals);
  const outside = await lookOutside(source, new Set(found.map((each) => each.path)));
  const originals = found.flatMap((each) =>
    addOriginal(source, each, { pack, isNeeded: withOriginals })
  );
  const store = new ArtifactStore(
    join(source.session.options.workspace, "store"),
    cache,
    localDisk,
  );
  const tasks = tasksOf(source, ledger);
  const hashes = new Set(found.map(({ hash }) => hash));
  const artifacts = await addArtifacts(source, tasks, { store, pack, originals: hashes });
  const added = addOutside(source, outside.files, pack);
  const recipe = await addRecipe(source, pack);
  const records = addRecords(source, recipe.path, pack);
  const lines = tasks.map((task) => `${JSON.stringify(task)}\n`).join("");
  const index = {
    tintype_pack: 1,
    run: record.id,
    recipe: lock.recipe,
    tintype: version,
    recipe_file: recipe.path,
    lock_file: `${packedRunFolder(record.id)}/lock.json`,
    has_originals: withOriginals,
    originals,
    folders: foldersOf(source),
    artifacts: [...artifacts],
    tasks: pack.add(new TextEncoder().encode(lines)),
    pending: [...new Set([...outside.pending, ...added.pending])],
    has_step_files: recipe.hasStepFiles,
    packages: [...recipe.packages],
  } satisfies Omit<PackIndex, "files">;
  return {
    ...index,
    outside: added.files,
    records: [...recipe.files, ...records],
    taskCount: tasks.length,
  };
}
