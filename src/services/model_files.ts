import { basename, dirname, join, resolve } from "node:path";
import { sha256OfChunks } from "../runtime/hash.ts";
import { localDisk } from "../runtime/local_disk.ts";
import type { ModelEntry } from "../vision/registry.ts";
import { ModelProblem } from "./inference.ts";
import type { Environment } from "./openai_compatible.ts";

/** The name of the registry file that a folder of models may have, for a person's own models. */
const registryFileName = "models.yaml";

/**
 * The folder of model files: TINTYPE_MODELS (relative to `cwd`), else `tintype/models` in
 * XDG_CACHE_HOME, else in `.cache` of the person's home.
 */
export function modelFolder(env: Environment, cwd: string): string {
  const given = env.get("TINTYPE_MODELS") ?? "";
  if (given !== "") return resolve(cwd, given);
  const cache = env.get("XDG_CACHE_HOME") ?? "";
  if (cache !== "") return resolve(cwd, cache, "tintype", "models");
  const home = env.get("HOME") || env.get("USERPROFILE") || cwd;
  return join(home, ".cache", "tintype", "models");
}

/** The registry file in a folder of models, for a person's own models; it need not be there. */
export function ownRegistryPath(folder: string): string {
  return join(folder, registryFileName);
}

/** Where a model's file is, or would be. */
export function modelPath(folder: string, { file }: ModelEntry): string {
  return join(folder, ...file.split("/"));
}

/** What is known of a model's file. */
export type FileCheck =
  | { readonly status: "fine" }
  | { readonly status: "missing" }
  | { readonly status: "not-a-file" }
  | { readonly status: "wrong-size"; readonly size: number }
  | { readonly status: "wrong-digest"; readonly sha256: string };

interface Digest {
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
  readonly sha256: string;
}

/** By path: a file of 350 MB takes most of a second, and many sessions of a process ask for it. */
const digests = new Map<string, Digest>();

/**
 * Checks a model's file by size, then by sha256; the digest is remembered for this process until
 * size, mtime or inode change. `isRead` false looks at the size only.
 */
export async function checkFile(
  folder: string,
  entry: ModelEntry,
  { isRead = true }: { readonly isRead?: boolean } = {},
): Promise<FileCheck> {
  const path = modelPath(folder, entry);
  const stat = localDisk.stat(path);
  if (stat === undefined) return { status: "missing" };
  if (!stat.isFile) return { status: "not-a-file" };
  const forms = [entry, ...entry.equivalents ?? []].filter(({ bytes }) => bytes === stat.size);
  if (forms.length === 0) return { status: "wrong-size", size: stat.size };
  if (!isRead) return { status: "fine" };
  const sha256 = await digestOf(path, stat);
  return forms.some((form) => form.sha256 === sha256)
    ? { status: "fine" }
    : { status: "wrong-digest", sha256 };
}

async function digestOf(path: string, stat: Omit<Digest, "sha256">): Promise<string> {
  const { size, mtimeMs, inode } = stat;
  const known = digests.get(path);
  if (known?.size === size && known.mtimeMs === mtimeMs && known.inode === inode) {
    return known.sha256;
  }
  const sha256 = await sha256OfFile(path);
  digests.set(path, { size, mtimeMs, inode, sha256 });
  return sha256;
}

/** Reads the whole file, in pieces. */
export async function sha256OfFile(path: string): Promise<string> {
  const file = await Deno.open(path);
  return await sha256OfChunks(file.readable);
}

/** The path of a model's file that is there and right; throws `ModelProblem` with the way out. */
export async function checkedPath(folder: string, entry: ModelEntry): Promise<string> {
  const path = modelPath(folder, entry);
  const check = await checkFile(folder, entry).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    throw new ModelProblem(`Cannot use model "${entry.name}": "${path}": ${words}`, false);
  });
  if (check.status === "fine") return path;
  const what = `its file "${path}" ${checkWords(entry, check)}`;
  const help = wayOut(entry, folder);
  const isMissing = check.status === "missing";
  throw new ModelProblem(`Cannot use model "${entry.name}": ${what} (${help})`, isMissing);
}

/** What is wrong with a file, as the end of a sentence that began with it. */
export function checkWords(
  { bytes, sha256 }: ModelEntry,
  check: Exclude<FileCheck, { readonly status: "fine" }>,
): string {
  switch (check.status) {
    case "missing":
      return "is not there";
    case "not-a-file":
      return "is no file but something else";
    case "wrong-size":
      return `has ${byteWords(check.size)} (${byteWords(bytes)} are wanted)`;
    case "wrong-digest":
      return `is damaged or another one: it has sha256 ${check.sha256} (${sha256} is wanted)`;
  }
}

/** What a person can do about a file that is not there or not right. */
export function wayOut(entry: ModelEntry, folder: string): string {
  return "local" in entry.source ? byHand(entry, folder) : `run: tintype models pull ${entry.name}`;
}

/** Exactly what to put where, for a machine that cannot download it. */
export function byHand(entry: ModelEntry, folder: string): string {
  const path = modelPath(folder, entry);
  return `put the file "${basename(path)}" into the folder "${dirname(path)}": ` +
    `${byteWords(entry.bytes)}, sha256 ${entry.sha256}, from ${sourceWords(entry)}`;
}

/** Where a model comes from, in words. */
export function sourceWords({ source }: ModelEntry): string {
  if ("url" in source) return source.url;
  return "npm" in source ? `"${source.path}" in the npm package ${source.npm}` : source.local;
}

export function byteWords(count: number): string {
  return `${count.toLocaleString("en")} ${count === 1 ? "byte" : "bytes"}`;
}
