import { join, resolve } from "node:path";
import { ActionCache } from "./cache.ts";
import { UnreadableCache } from "./cache_file.ts";
import { CacheLedger, type LedgerRecord, refsOf } from "./cache_ledger.ts";
import type { ArtifactRef } from "./artifact.ts";
import { type ContentHash, sha256 } from "./hash.ts";
import { localDisk } from "./local_disk.ts";
import type { Holder } from "./lock.ts";
import type { Session } from "./session.ts";
import { ArtifactStore, inlineLimit } from "./store.ts";
import { writeResult } from "./stored_result.ts";
import { locked } from "./upkeep.ts";
import { refusalOf, WorkspaceProblem } from "./workspace_problem.ts";

/** What was taken over from another workspace. */
export interface MergeReport {
  /** The workspace as it was given. */
  readonly from: string;
  /** Results that were not known here, and artifacts that were not here. */
  readonly results: number;
  readonly artifacts: number;
  readonly bytes: number;
  /** Results that were known here too. */
  readonly known: number;
  /** Of those, how many are other results than those here, which stay. */
  readonly differing: number;
  /** Results that were left there: damaged, or with an artifact that is missing or damaged. */
  readonly left: number;
}

/** What was named is no workspace to take something from. */
export class MergeProblem extends Error {
  override readonly name = "MergeProblem";
}

/**
 * Takes over the results of another workspace, with their artifacts, as after the shards of a run on
 * other machines. Every artifact is checked by its hash and every result by its key before it is kept;
 * what is here already stays as it is, so a second time nothing happens, and one that was broken off is
 * simply begun again. The other workspace is only read. Its runs are not taken over, nor what it knows
 * of files. Throws `MergeProblem` where there is no other workspace.
 */
export async function mergeWorkspace(
  session: Session,
  from: string,
  options: { readonly onWait?: (holder: Holder | undefined) => void } = {},
): Promise<MergeReport> {
  const { workspace, cwd } = session.options;
  const other = workspaceAt(resolve(cwd, from), from);
  if (localDisk.stat(workspace) !== undefined && isSameFolder(other, workspace)) {
    throw new MergeProblem(`Cannot merge workspace "${from}": it is this workspace itself`);
  }
  try {
    localDisk.makeFolder(join(workspace, "runs"));
    return await locked(
      session,
      "cache merge",
      options.onWait,
      () => merge(workspace, other, from),
    );
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : new WorkspaceProblem(workspace, refusal, error);
  }
}

/** The workspace itself, or the one in a folder where a recipe was run. */
function workspaceAt(path: string, given: string): string {
  const found = [path, join(path, ".tintype")].find((each) =>
    localDisk.stat(join(each, "cache.sqlite"))?.isFile
  );
  if (found !== undefined) return found;
  const what = localDisk.stat(path) === undefined
    ? "it is not there"
    : "there is no cache.sqlite in it (the folder .tintype of another machine is wanted)";
  throw new MergeProblem(`Cannot merge workspace "${given}": ${what}`);
}

function isSameFolder(a: string, b: string): boolean {
  return localDisk.realPath(a) === localDisk.realPath(b);
}

async function merge(workspace: string, other: string, from: string): Promise<MergeReport> {
  using source = openSource(other, from);
  const cache = ActionCache.open(join(workspace, "cache.sqlite"));
  try {
    const store = new ArtifactStore(join(workspace, "store"), cache, localDisk);
    store.sweep();
    return await new Merge({ source, other, cache, store }).run(from);
  } finally {
    cache.close();
  }
}

/** The other cache, to be read; an unreadable one is the user's to see to. */
function openSource(other: string, from: string): CacheLedger & Disposable {
  const path = join(other, "cache.sqlite");
  try {
    ActionCache.open(path, { readOnly: true }).close(); // asks whether the format is ours
    const ledger = CacheLedger.open(path, { readOnly: true });
    return Object.assign(ledger, { [Symbol.dispose]: () => ledger.close() });
  } catch (error) {
    // Its own way out is for the workspace that one is in.
    const found = error instanceof UnreadableCache ? error.cause : error;
    const words = found instanceof Error ? found.message : String(found);
    throw new MergeProblem(`Cannot merge workspace "${from}": ${words}`);
  }
}

interface MergeParts {
  readonly source: CacheLedger;
  readonly other: string;
  readonly cache: ActionCache;
  readonly store: ArtifactStore;
}

class Merge {
  readonly #counts = { results: 0, artifacts: 0, bytes: 0, known: 0, differing: 0, left: 0 };
  /** Artifacts that are here, or need not be. */
  readonly #here = new Set<string>();
  /** Files that were scanned are read where they lie, and are in no store. */
  readonly #originals: ReadonlySet<string>;

  constructor(readonly parts: MergeParts) {
    this.#originals = new Set(parts.source.originals());
  }

  async run(from: string): Promise<MergeReport> {
    const { source } = this.parts;
    this.#counts.left = source.taskCount(); // until it is known to be sound
    for (const record of source.records()) await this.#take(record);
    this.#takeLatest();
    return { from, ...this.#counts };
  }

  /** The artifacts first: a result is never here without what it names. */
  async #take({ key, parts, result }: LedgerRecord) {
    const { cache } = this.parts;
    for (const ref of refsOf(result)) {
      if (!await this.#takeArtifact(ref)) return;
    }
    this.#counts.left--;
    const known = cache.result(key);
    if (known === undefined) {
      cache.adopt(key, parts, result);
      this.#counts.results++;
      return;
    }
    this.#counts.known++;
    if (writeResult(known) !== writeResult(result)) this.#counts.differing++;
  }

  /** Whether an artifact is here now. */
  async #takeArtifact(ref: ArtifactRef): Promise<boolean> {
    const { hash, byteLength } = ref;
    if (this.#here.has(hash)) return true;
    const { cache, store } = this.parts;
    const isHere = byteLength <= inlineLimit ? cache.blob(hash) !== undefined : store.has(ref);
    if (!isHere) {
      const bytes = await this.#bytesThere(hash, byteLength);
      if (bytes !== undefined && sha256(bytes) === hash) {
        await store.put(bytes, hash);
        this.#counts.artifacts++;
        this.#counts.bytes += bytes.length;
      } else if (!this.#originals.has(hash)) return false;
    }
    this.#here.add(hash);
    return true;
  }

  async #bytesThere(hash: ContentHash, byteLength: number): Promise<Uint8Array | undefined> {
    const { source, other } = this.parts;
    if (byteLength <= inlineLimit) return source.blob(hash);
    const path = join(other, "store", hash.slice(0, 2), hash.slice(2));
    if (localDisk.stat(path)?.isFile !== true) return undefined;
    return await localDisk.read(path);
  }

  /** For `why`: what tasks had there, where nothing is known of them here. */
  #takeLatest() {
    const { source, cache } = this.parts;
    for (const task of source.latest()) {
      const isKnown = cache.previous(task.node, task.item) !== undefined;
      if (!isKnown && cache.result(task.key) !== undefined) cache.noteLatest(task);
    }
  }
}
