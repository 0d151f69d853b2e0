import { join } from "node:path";
import { z } from "zod";
import type { Disk } from "../../runtime/disk.ts";

/** The file in a published folder that says what is ours. */
export const manifestName = ".tintype-manifest.json";

const entrySchema = z.object({
  /** `<recipe>/<node>` that published it. */
  owner: z.string(),
  item: z.string(),
  /** sha256 of what we published, or would have where a person's version was kept. */
  hash: z.string(),
  /** The file as it was when last looked at. */
  bytes: z.int(),
  mtime_ms: z.number(),
  /** A person changed the file, and it was kept. */
  is_edited: z.boolean().optional(),
});

const manifestSchema = z.object({
  tintype_manifest: z.literal(1),
  files: z.record(z.string(), entrySchema),
});

/** A published file, by what it was when we left it. */
export type ManifestEntry = z.output<typeof entrySchema>;

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
  const sorted = Object.fromEntries(Object.keys(files).sort().map((path) => [path, files[path]]));
  const text = JSON.stringify({ tintype_manifest: 1, files: sorted }, undefined, 1);
  await disk.write(join(folder, manifestName), new TextEncoder().encode(`${text}\n`), {
    sync: true,
  });
}
