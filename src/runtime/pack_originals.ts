import type { CacheLedger } from "./cache_ledger.ts";
import { localDisk } from "./local_disk.ts";
import type { PackedFile } from "./pack_format.ts";
import type { PackSource } from "./pack_source.ts";
import type { PackWriter } from "./pack_writer.ts";
import { itemsOfRecord, tasksOfRecord } from "./recorded_run.ts";
import { isSource } from "./stages.ts";
import type { Born, OutsideFile } from "./step.ts";

/** An original as a scan finds it now. */
export interface Original {
  readonly name: string;
  readonly path: string;
  /** Undefined where the run did not read it. */
  readonly hash: string | undefined;
}

type Found = ReadonlyMap<string, readonly Born<never>[]>;

/**
 * The originals of the run's items, where its scans find them now. Throws `RecordProblem` where one is
 * gone and they are needed.
 */
export async function findOriginals(
  source: PackSource,
  ledger: CacheLedger,
  areNeeded: boolean,
): Promise<Original[]> {
  const hashes = originalHashes(source, ledger);
  const found = await foundNow(source, areNeeded);
  const originals: Original[] = [];
  for (const [node, names] of itemsOfRecord(source.recorded, source.graph.nodes)) {
    const files = new Map<string, OutsideFile>();
    for (const birth of found.get(node) ?? []) {
      if ("file" in birth) files.set(birth.name, birth.file);
    }
    for (const name of names.keys()) {
      const file = files.get(name);
      const hash = hashes.get(`${node}\0${name}`);
      if (file !== undefined) originals.push({ name, path: file.path, hash });
      else if (areNeeded && hash !== undefined) throw lost(source, name);
    }
    originals.push(...oneMore(source, found.get(node) ?? [], names.size));
  }
  return originals;
}

async function foundNow(source: PackSource, areNeeded: boolean): Promise<Found> {
  try {
    return await source.session.scan(source.graph, { parts: source.parts }) as Found;
  } catch (error) {
    if (!areNeeded) return new Map();
    const reason = error instanceof Error ? error.message : String(error);
    throw source.problem(`${reason} (--without-originals packs it without them)`);
  }
}

function lost(source: PackSource, name: string): Error {
  return source.problem(
    `the original "${name}" is not there any more (put it back, or --without-originals)`,
  );
}

/** Under a limit, one picture that the run left out, so that the limit leaves one out there too. */
function oneMore(source: PackSource, found: readonly Born<never>[], count: number): Original[] {
  const { limit } = source.recorded.lock;
  const next = limit === undefined || count < limit ? undefined : found[limit];
  if (next === undefined || !("file" in next)) return [];
  return [{ name: next.name, path: next.file.path, hash: undefined }];
}

/** By source node and item, what the run read: also of what was left out at its first look. */
function originalHashes(source: PackSource, ledger: CacheLedger): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const { node, item, key } of tasksOfRecord(source.recorded.record)) {
    const scan = source.nodes.get(node);
    if (scan === undefined || !isSource(scan) || item === undefined) continue;
    const hash = ledger.task(key)?.inputs["file"];
    if (hash !== undefined) hashes.set(`${node}\0${item}`, hash);
  }
  return hashes;
}

/** Packs an original's bytes, or only what it was. Throws `RecordProblem` where it is another now. */
export function addOriginal(
  source: PackSource,
  { name, path, hash }: Original,
  { pack, isNeeded }: { readonly pack: PackWriter; readonly isNeeded: boolean },
): PackedFile[] {
  const target = source.target(path);
  if (!isNeeded) {
    const bytes = localDisk.stat(path)?.size ?? 0;
    return hash === undefined ? [] : [{ path: target, sha256: hash, bytes, mtime_ms: null }];
  }
  const added = pack.addFile(path, hash);
  if (added !== undefined) return [{ ...added, path: target }];
  throw source.problem(
    `the original "${name}" is not what the run read (run the recipe again and pack that run)`,
  );
}
