import { type IndexedFile, isUnchanged } from "./cache.ts";
import type { CacheLedger } from "./cache_ledger.ts";
import type { FileStat } from "./disk.ts";
import { sha256OfChunks } from "./hash.ts";
import { localDisk } from "./local_disk.ts";
import type { Finding } from "./verification.ts";

/** What became of the originals that runs have read. */
export interface OriginalCheck {
  /** Read again, and compared with what a run read. */
  readonly files: number;
  readonly bytes: number;
  /** Written to since, so that there is nothing to compare with. */
  readonly changed: number;
  /** Not where a run found them: moved, removed, or on a disk that is not mounted. */
  readonly gone: number;
  readonly findings: readonly Finding[];
}

export interface OriginalCheckEffects {
  readonly ledger: CacheLedger;
  /** Hears how many originals have been read. */
  readonly onProgress?: (count: number) => void;
  readonly signal?: AbortSignal;
}

type Verdict = "whole" | "damaged" | "changed" | "gone" | "unreadable";

/**
 * Reads every original again that runs have read, and compares it with what they found: other bytes under
 * the same size, time and inode are what no program wrote, so its disk or its memory has damaged the file.
 * Originals are never touched; what the stat index knows of a damaged one is forgotten, so that the next
 * run takes the file as it is. To be called with the workspace locked.
 */
export async function checkOriginals(effects: OriginalCheckEffects): Promise<OriginalCheck> {
  const { ledger, signal, onProgress } = effects;
  const counts = { whole: 0, damaged: 0, changed: 0, gone: 0, unreadable: 0 };
  const findings: Finding[] = [];
  const damaged: string[] = [];
  let bytes = 0;
  for (const { path, ...indexed } of ledger.files()) {
    signal?.throwIfAborted();
    const [verdict, problem] = await verdictOf(path, indexed);
    counts[verdict]++;
    if (verdict === "whole" || verdict === "damaged") {
      bytes += indexed.size;
      onProgress?.(counts.whole + counts.damaged);
    }
    if (verdict === "damaged") damaged.push(path);
    if (verdict === "damaged" || verdict === "unreadable") findings.push(finding(path, problem));
  }
  ledger.forgetFiles(damaged);
  const { whole, changed, gone } = counts;
  return { files: whole + damaged.length, bytes, changed, gone, findings };
}

async function verdictOf(
  path: string,
  indexed: IndexedFile,
): Promise<readonly [Verdict, problem?: string]> {
  try {
    const before = localDisk.stat(path);
    if (before === undefined) return ["gone"];
    if (!before.isFile || !isSameFile(indexed, before)) return ["changed"];
    const hash = await sha256OfChunks((await Deno.open(path)).readable);
    if (hash === indexed.hash) return ["whole"];
    // Somebody may be writing to it this moment, or have done so within a step of the clock.
    const isUntouched = isUnchanged(before, indexed) && isSameFile(before, localDisk.stat(path));
    return [isUntouched ? "damaged" : "changed"];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return ["gone"];
    return ["unreadable", error instanceof Error ? error.message : String(error)];
  }
}

type Look = Pick<FileStat, "size" | "mtimeMs" | "inode">;

function isSameFile(before: Look, after: Look | undefined): boolean {
  return after !== undefined && after.size === before.size && after.mtimeMs === before.mtimeMs &&
    after.inode === before.inode;
}

function finding(path: string, problem: string | undefined): Finding {
  return problem === undefined
    ? {
      code: "original-damaged",
      message:
        `Original "${path}" is damaged: it has other bytes, and the size and time that it had ` +
        "when a run read it",
      path,
      keys: [],
      help: "put it back from a copy of yours, and look at that disk; the next run takes the " +
        "file as it is then",
    }
    : {
      code: "original-unreadable",
      message: `Original "${path}" cannot be read: ${problem}`,
      path,
      keys: [],
      help: "look at its rights and at its disk",
    };
}
