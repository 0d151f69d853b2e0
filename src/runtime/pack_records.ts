import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { isUserStep } from "./check.ts";
import type { Json } from "./hash.ts";
import { localDisk } from "./local_disk.ts";
import { type PackedFile, packedWorkspace } from "./pack_format.ts";
import { isInside } from "./pack_layout.ts";
import { packagesOfSteps } from "./pack_packages.ts";
import type { PackSource } from "./pack_source.ts";
import type { PackWriter } from "./pack_writer.ts";
import { parseRecipe } from "./recipe.ts";
import type { RunLock } from "./records.ts";
import { textOf } from "./run_lock.ts";
import { SourceFile } from "./source.ts";
import { tablesOf } from "./tables.ts";
import { stepModules } from "./user_steps.ts";

/** A run's folder in an unpacked one. */
export function packedRunFolder(run: string): string {
  return `${packedWorkspace}/runs/${run}`;
}

/** The recipe as it lies in the unpacked folder. */
export interface PackedRecipe {
  readonly path: string;
  readonly files: readonly PackedFile[];
  readonly hasStepFiles: boolean;
  /** What the step files import and the pack has not. */
  readonly packages: readonly string[];
}

/** Packs the recipe, and the step files that it names, beside each other as they are. */
export async function addRecipe(source: PackSource, pack: PackWriter): Promise<PackedRecipe> {
  const { lock, text } = source.recorded;
  const content = pack.add(new TextEncoder().encode(source.layout.rewrite(text)));
  const { recipe } = parseRecipe(new SourceFile(lock.path, text));
  const uses = recipe!.nodes.flatMap(({ use }) => use === undefined ? [] : [use.text]);
  const steps = uses.filter(isUserStep);
  if (steps.length === 0) {
    const path = basename(lock.path);
    const files = [{ ...content, path, mtime_ms: null }];
    return { path, files, hasStepFiles: false, packages: [] };
  }
  const fixed = steps.find((use) => !use.startsWith("."));
  if (fixed !== undefined) {
    throw source.problem(
      `its recipe uses "${fixed}" (step files are packed where it names them beside itself, ./…)`,
    );
  }
  const modules = await stepModules(recipe!, lock.path);
  const top = commonFolder([lock.path, ...modules]);
  const place = (path: string) => `recipe/${relative(top, path).split(sep).join("/")}`;
  const files = modules.map((path) => ({ ...pack.addFile(path)!, path: place(path) }));
  const path = place(lock.path);
  const packages = await packagesOfSteps(recipe!, lock.path);
  if (packages.length > 0) {
    source.warnings.push(
      `its step files import ${
        packages.join(", ")
      }, which no pack has: a machine whose Deno has not ` +
        "cached that needs the network once before a rerun",
    );
  }
  const all = [...files, { ...content, path, mtime_ms: null }];
  return { path, files: all, hasStepFiles: true, packages };
}

/** The deepest folder that holds all files. */
function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0]!);
  while (!paths.every((path) => isInside(path, folder))) folder = dirname(folder);
  return folder;
}

/** Packs the run's records: recipe, lock, journal and tables, without places of this machine. */
export function addRecords(source: PackSource, recipeFile: string, pack: PackWriter): PackedFile[] {
  const { record, text } = source.recorded;
  const folder = packedRunFolder(record.id);
  const add = (name: string, content: string): PackedFile => ({
    ...pack.add(new TextEncoder().encode(content)),
    path: `${folder}/${name}`,
    mtime_ms: null,
  });
  const journal = Deno.readTextFileSync(join(record.folder, "journal.jsonl"));
  return [
    add("recipe.yaml", source.layout.rewrite(text)),
    add("lock.json", textOf(movedLock(source, recipeFile))),
    add("journal.jsonl", source.layout.rewrite(journal)),
    ...addTables(source, folder, pack),
  ];
}

/** The lock as it holds in the unpacked folder. */
function movedLock({ recorded: { lock }, layout, movedParts }: PackSource, path: string): RunLock {
  return {
    ...lock,
    cwd: ".",
    path,
    settings: layout.rewriteJson(lock.settings as Json) as RunLock["settings"],
    nodes: lock.nodes.map(({ id }) => ({ id, ...movedParts.get(id)! })),
  };
}

/**
 * The run's tables. A Parquet file cannot be searched for paths, so where the reasons beside it name some
 * it stays out; the hashes of its rows are there in any case.
 */
function addTables(source: PackSource, folder: string, pack: PackWriter): PackedFile[] {
  const tables = join(source.recorded.record.folder, "tables");
  const files: PackedFile[] = [];
  const addFile = (name: string) => {
    const added = pack.addFile(join(tables, name));
    if (added !== undefined) {
      files.push({ ...added, path: `${folder}/tables/${name}`, mtime_ms: null });
    }
  };
  addFile("index.json");
  for (const { name } of source.graph.nodes.flatMap(tablesOf)) {
    const hashes = `${name}.hashes`;
    const text = Deno.readTextFileSync(join(tables, hashes));
    const clean = source.layout.rewrite(text);
    const added = pack.add(new TextEncoder().encode(clean));
    files.push({ ...added, path: `${folder}/tables/${hashes}`, mtime_ms: null });
    addFile(`${name}.columns.json`);
    if (clean === text) addFile(`${name}.parquet`);
  }
  return files;
}

/** The folders of the recipe that are there, also where nothing is in them. */
export function foldersOf(source: PackSource): string[] {
  const { cwd } = source.recorded.lock;
  const folders = source.places.filter(({ kind, path }) =>
    kind === "folder" && localDisk.stat(resolve(cwd, path))?.isFolder === true
  );
  return [...new Set(folders.map(({ path }) => source.target(path)))];
}
