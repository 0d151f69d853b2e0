import { join } from "node:path";
import type { Disk } from "../../runtime/disk.ts";
import { sha256 } from "../../runtime/hash.ts";
import { type Manifest, type ManifestEntry, manifestName, readManifest } from "./manifest.ts";

/** A published file that is not as it was left. */
export interface PublishedFault {
  /** Path below the folder. */
  readonly file: string;
  /** `<recipe>/<node>` that published it. */
  readonly owner: string;
  /**
   * `damaged`: other bytes, though size and time are those that we left, so that no program wrote them;
   * `changed`: somebody wrote to it.
   */
  readonly problem: "missing" | "damaged" | "changed";
}

/** What became of a published folder. */
export interface PublishedFolder {
  /** Files that the manifest has. */
  readonly files: number;
  /** Of these, versions of a person that a run has found and kept: there is nothing to compare. */
  readonly edited: number;
  readonly faults: readonly PublishedFault[];
  /** Why the manifest says nothing. */
  readonly problem?: string;
}

/**
 * Reads every file that a folder's manifest has and compares it with what was published. Undefined where
 * there is no manifest. Writes nothing.
 */
export async function checkPublished(
  disk: Disk,
  folder: string,
): Promise<PublishedFolder | undefined> {
  if (disk.stat(join(folder, manifestName)) === undefined) return undefined;
  let manifest: Manifest;
  try {
    manifest = await readManifest(disk, folder);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { files: 0, edited: 0, faults: [], problem };
  }
  const entries = Object.entries(manifest);
  const faults: PublishedFault[] = [];
  for (const [file, entry] of entries) {
    const problem = await problemOf(disk, join(folder, ...file.split("/")), entry);
    if (problem !== undefined) faults.push({ file, owner: entry.owner, problem });
  }
  const edited = entries.filter(([, entry]) => entry.is_edited).length;
  return { files: entries.length, edited, faults };
}

async function problemOf(
  disk: Disk,
  path: string,
  { hash, bytes, mtime_ms, is_edited, pending }: ManifestEntry,
): Promise<PublishedFault["problem"] | undefined> {
  const stat = disk.stat(path);
  // A run that was stopped while it wrote: the next one writes it.
  if (pending !== undefined && (stat === undefined || mtime_ms === 0)) return undefined;
  if (stat === undefined) return "missing";
  if (!stat.isFile) return "changed";
  if (is_edited) return undefined;
  if (pending !== undefined && sha256(await disk.read(path)) === pending) return undefined;
  const isUntouched = stat.size === bytes && stat.mtimeMs === mtime_ms;
  if (stat.size === bytes && sha256(await disk.read(path)) === hash) return undefined;
  return isUntouched ? "damaged" : "changed";
}
