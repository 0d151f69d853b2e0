import { isAbsolute, join, normalize } from "node:path";
import { z } from "zod";
import type { Disk } from "../../runtime/disk.ts";
import { sha256 } from "../../runtime/hash.ts";

/** The file in a published folder that says what is ours. */
export const manifestName = ".tintype-manifest.json";

/** A published file, by what it was when we left it. */
export interface ManifestEntry {
  /** `<recipe>/<node>` that published it. */
  readonly owner: string;
  /** The item's name; "" in a folder whose names are to say nothing of their sources. */
  readonly item: string;
  /** sha256 of what we published, or would have where a person's version was kept. */
  readonly hash: string;
  /** The file as it was when last looked at. */
  readonly bytes: number;
  readonly mtime_ms: number;
  /** Of a file that many pictures went into: the hash of all that it is made of. */
  readonly subject?: string;
  /**
   * sha256 of what a run was about to write, which was stopped before it could say that it had: the file
   * may be this or what it was before.
   */
  readonly pending?: string;
  /** A person changed the file, and it was kept. */
  readonly is_edited?: boolean;
}

/** Checked without making copies: a manifest may have 100,000 entries, read on every rerun. */
const manifestSchema = z.object({
  tintype_manifest: z.literal(1),
  files: z.custom<Manifest>((files) =>
    typeof files === "object" && files !== null && Object.values(files).every(isEntry) &&
    Object.keys(files).every(isBelow)
  ),
});

function isEntry(entry: unknown): boolean {
  if (typeof entry !== "object" || entry === null) return false;
  const { owner, item, hash, bytes, mtime_ms } = entry as Record<string, unknown>;
  return typeof owner === "string" && typeof item === "string" && typeof hash === "string" &&
    typeof bytes === "number" && typeof mtime_ms === "number";
}

/** No file elsewhere is ours to replace or to remove, whoever wrote the manifest. */
function isBelow(path: string): boolean {
  return !isAbsolute(path) && !(path.includes("..") && /^\.\.(?:[/\\]|$)/.test(normalize(path)));
}

/** Published files by their path in the folder, with "/" between the parts. */
export type Manifest = Readonly<Record<string, ManifestEntry>>;

/** The manifest of a folder; empty where there is none. Throws when it cannot be understood. */
export async function readManifest(disk: Disk, folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  if (disk.stat(path) === undefined) return {};
  const problem = (what: string) =>
    new Error(`Cannot read manifest "${path}": ${what}; restore it, or remove it`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await disk.read(path)));
  } catch {
    throw problem("it is not JSON");
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw problem("it is not a manifest of this version");
  return parsed.data.files;
}

/** Writes it sorted by path, under a temporary name first. */
export async function writeManifest(disk: Disk, folder: string, files: Manifest): Promise<void> {
  await writeEntries(disk, folder, Object.keys(files), (path) => files[path]!);
}

/** The same for entries that are made one by one: 100,000 at once, and their text, take 100 MB. */
export async function writeEntries(
  disk: Disk,
  folder: string,
  paths: readonly string[],
  entryOf: (path: string) => ManifestEntry,
): Promise<void> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let lines = ['{\n "tintype_manifest": 1,\n "files": {'];
  const flush = () => {
    parts.push(encoder.encode(lines.join("")));
    lines = [];
  };
  for (const [at, path] of paths.toSorted().entries()) {
    const comma = at === 0 ? "" : ",";
    lines.push(`${comma}\n  ${JSON.stringify(path)}: ${JSON.stringify(entryOf(path))}`);
    if (lines.length === linesAtOnce) flush();
  }
  lines.push("\n }\n}\n");
  flush();
  await disk.write(join(folder, manifestName), concatenated(parts), { sync: true });
}

const linesAtOnce = 1_000;

/** Whether a published file is what it was, going by size and time. */
export function isAsLeft(disk: Disk, path: string, entry: ManifestEntry): boolean {
  const stat = disk.stat(path);
  return stat !== undefined && stat.isFile && stat.size === entry.bytes &&
    stat.mtimeMs === entry.mtime_ms;
}

/** Whether a file that is there holds what we published, or were about to, and no person's work. */
export async function isOurs(disk: Disk, path: string, entry: ManifestEntry): Promise<boolean> {
  if (entry.is_edited) return false;
  return isAsLeft(disk, path, entry) ||
    [entry.hash, entry.pending].includes(sha256(await disk.read(path)));
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
