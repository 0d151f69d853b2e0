import { z } from "zod";

/** The entry of a pack that says what the others are; it comes last, so that half a pack has none. */
export const indexName = "index.json";

/** Where the artifact or file of a hash is in a pack. */
export function blobName(hash: string): string {
  return `blobs/${hash}`;
}

/** Every other entry of a pack. */
export const blobPattern = /^blobs\/([0-9a-f]{64})$/;

/** The workspace's folder in an unpacked one. */
export const packedWorkspace = ".tintype";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.int().min(0);
const path = z.string().superRefine((text, context) => {
  const problem = pathProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const fileShape = z.object({
  path,
  sha256: hash,
  bytes,
  /** Milliseconds since 1970, for what is known to be unchanged by its time; null elsewhere. */
  mtime_ms: z.number().min(0).max(8.64e15).nullable(),
});

const indexShape = z.object({
  tintype_pack: z.literal(1),
  run: z.string().regex(/^[0-9-]+$/),
  recipe: z.string(),
  tintype: z.string(),
  /** Below the folder: the recipe's file and the run's lock. */
  recipe_file: path,
  lock_file: path,
  /** Whether the bytes of the originals are in it. */
  has_originals: z.boolean(),
  originals: z.array(fileShape),
  /** Everything else that lies in the folder: what was published, decisions, the run's records. */
  files: z.array(fileShape),
  /** Folders that have to be there, also where nothing is in them. */
  folders: z.array(path),
  /** Results of steps. */
  artifacts: z.array(z.tuple([hash, bytes])),
  /** The rows of the cache, one JSON object a line. */
  tasks: z.object({ sha256: hash, bytes }),
  /** Nodes that have to write their files again: those held paths of the machine they were packed on. */
  pending: z.array(z.string()),
  /** Whether the recipe uses step files, which are code that a rerun executes. */
  has_step_files: z.boolean(),
  /** What the step files import and the pack has not: packages of npm, modules from the web. */
  packages: z.array(z.string()).default([]),
});

export type PackIndex = z.output<typeof indexShape>;
export type PackedFile = z.output<typeof fileShape>;

/** Reads an index; the first thing that is wrong with it as a text. */
export function parseIndex(content: Uint8Array): PackIndex | string {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    return `its ${indexName} is not JSON`;
  }
  const { success, data, error } = indexShape.safeParse(json);
  if (!success) {
    const { path, message } = error.issues[0]!;
    return `its ${indexName} is wrong at ${path.join(".") || "its top"}: ${message}`;
  }
  const taken = new Set<string>();
  for (const { path } of [...data.originals, ...data.files]) {
    if (taken.has(path)) return `its ${indexName} has two files "${path}"`;
    taken.add(path);
  }
  return data;
}

/** One row of the cache, as a pack has it. */
export const packedTaskShape = z.object({
  node: z.string(),
  item: z.string().optional(),
  key: hash,
  inputs: z.record(z.string(), z.string()),
  itemName: z.string().optional(),
  /** As the cache's file has it. */
  result: z.string(),
});

export type PackedTask = z.output<typeof packedTaskShape>;

/** Why a path of a pack may not be written, if it may not: it has to stay in its folder. */
export function pathProblem(text: string): string | undefined {
  const wanted = "(a path in the folder is wanted)";
  if (text === ".") return undefined;
  if (text === "" || text.includes("\0")) return `"${text}" is no path ${wanted}`;
  const parts = text.split("/");
  return parts.some((part) => part === "" || part === "." || part === "..")
    ? `"${text}" leads out of the folder ${wanted}`
    : undefined;
}
