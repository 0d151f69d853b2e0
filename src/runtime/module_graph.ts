import { fromFileUrl } from "./file_url.ts";
import { sha256 } from "./hash.ts";
import { localDisk } from "./local_disk.ts";

/** What a step file is made of. */
export interface ModuleGraph {
  /** Over the text of every module and the exact version of every package. */
  readonly fingerprint: string;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly mtimeMs: number;
    readonly inode: number;
    readonly sha256: string;
  }[];
  /** Where modules from the web come from: "jsr.io:443". */
  readonly importHosts: readonly string[];
}

/** Where known graphs are kept between runs, by the path of the step file. */
export interface ModuleGraphMemory {
  moduleGraph(path: string): string | undefined;
  putModuleGraph(path: string, graph: string): void;
}

/**
 * The fingerprint of a module and everything of the user's that it imports, by `deno info`. Tintype's
 * own modules are left out: they have versions of their own. Asking Deno takes about 0.1 s, so the
 * answer is remembered until one of the files changes. Throws with Deno's message when a module
 * cannot be found or read.
 */
export async function moduleGraph(
  path: string,
  options: {
    readonly memory: ModuleGraphMemory;
    readonly ownFolders: readonly string[];
    readonly config: string;
    /** Where data may be imported from: a static import is read by this process, not by the step. */
    readonly dataFolders: readonly string[];
  },
): Promise<ModuleGraph> {
  const remembered = options.memory.moduleGraph(path);
  const known = remembered === undefined ? undefined : JSON.parse(remembered) as ModuleGraph;
  if (known !== undefined && isUnchangedGraph(known)) return known;
  const graph = await askDeno(path, options) ?? withoutDeno(path, known);
  options.memory.putModuleGraph(path, JSON.stringify(graph));
  return graph;
}

/** Whether the files of a graph are those that it was read from, going by their stats. */
export function isUnchangedGraph(graph: ModuleGraph): boolean {
  return graph.files.every(isAsItWas);
}

/**
 * Where no program may be started: the graph that is known, if its files still have their content. A
 * step that changed, or never ran, has results under no key yet.
 */
function withoutDeno(path: string, known: ModuleGraph | undefined): ModuleGraph {
  const isSame = known?.files.every((file) =>
    localDisk.stat(file.path) !== undefined &&
    sha256(Deno.readFileSync(file.path)) === file.sha256
  );
  return isSame ? known! : { fingerprint: `unknown ${sha256(path)}`, files: [], importHosts: [] };
}

interface InfoModule {
  readonly kind?: string;
  readonly specifier: string;
  readonly local?: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly code?: {
      readonly specifier?: string;
      readonly span?: { readonly start: { readonly line: number; readonly character: number } };
    };
  }[];
}

interface GraphOptions {
  readonly ownFolders: readonly string[];
  readonly config: string;
  readonly dataFolders: readonly string[];
}

/** Undefined where this process may not start Deno. */
async function askDeno(
  path: string,
  { ownFolders, config, dataFolders }: GraphOptions,
): Promise<ModuleGraph | undefined> {
  const args = ["info", "--json", "--no-lock", "--config", config, path];
  const { success, stdout, stderr } = await denoOutput(args) ?? {};
  if (stdout === undefined) return undefined;
  if (!success) throw new Error(firstLine(new TextDecoder().decode(stderr)));
  const info = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly modules: readonly InfoModule[];
    readonly npmPackages?: Readonly<Record<string, { name: string; version: string }>>;
  };
  const own = info.modules.filter((module) => isUsers(module, ownFolders));
  const broken = own.find((module) => module.error !== undefined);
  if (broken !== undefined) {
    throw new Error(`${firstLine(broken.error!)}${placeOfImport(broken, info.modules)}`);
  }
  assertNoDataFromElsewhere(own, dataFolders);
  const paths = own.flatMap((module) => isFromWeb(module) ? [] : module.local ?? []).sort();
  const remote = own.flatMap((module) =>
    isFromWeb(module) && module.local !== undefined
      ? [`${module.specifier} ${sha256(Deno.readFileSync(module.local))}`]
      : []
  );
  const packages = info.modules.flatMap((module) =>
    module.specifier.startsWith("npm:") ? [module.specifier] : []
  );
  // Names relative to the step file, so that the same code in another folder is the same step.
  const base = path.slice(0, path.lastIndexOf("/") + 1);
  const parts = paths.map((each) => `${relative(base, each)} ${sha256(Deno.readFileSync(each))}`);
  const hosts = own.filter(isFromWeb).map(({ specifier }) => hostOf(specifier));
  return {
    importHosts: [...new Set(hosts)].sort(),
    fingerprint: sha256([...parts, ...remote.sort(), ...packages.sort()].join("\n")),
    files: paths.map((each) => {
      const stat = localDisk.stat(each)!;
      const { size, mtimeMs, inode } = stat;
      return { path: each, size, mtimeMs, inode, sha256: sha256(Deno.readFileSync(each)) };
    }),
  };
}

/** A step would read, as it is loaded, what it may not read while it runs. */
export class ForeignData extends Error {}

/** Where a module is imported, in the words of Deno's errors; "" where nobody knows. */
function placeOfImport({ specifier }: InfoModule, modules: readonly InfoModule[]): string {
  for (const importer of modules) {
    const found = importer.dependencies?.find(({ code }) => code?.specifier === specifier);
    const start = found?.code?.span?.start;
    if (start === undefined) continue;
    return ` at ${importer.specifier}:${start.line + 1}:${start.character + 1}`;
  }
  return "";
}

/** By its path, or by its name where only that may be started. */
async function denoOutput(args: string[]): Promise<Deno.CommandOutput | undefined> {
  for (const command of [Deno.execPath(), "deno"]) {
    try {
      return await new Deno.Command(command, { args, env: { NO_COLOR: "1" } }).output();
    } catch (error) {
      const isExpected = error instanceof Deno.errors.NotCapable ||
        error instanceof Deno.errors.NotFound;
      if (!isExpected) throw error;
    }
  }
  return undefined;
}

/** A step that may not read could have a file read for it by importing it as text, bytes or JSON. */
function assertNoDataFromElsewhere(modules: readonly InfoModule[], folders: readonly string[]) {
  const allowed = folders.map((folder) => `${realPath(folder)}/`);
  for (const module of modules) {
    const { local } = module;
    if (local === undefined || isFromWeb(module) || isCode(module)) continue;
    if (allowed.some((folder) => realPath(local).startsWith(folder))) continue;
    throw new ForeignData(
      `Import of data "${local}" from elsewhere (a file in the folder of the recipe or the step is wanted)`,
    );
  }
}

/** By its name too: many a file of settings happens to be JavaScript. */
function isCode({ kind, local }: InfoModule): boolean {
  const isImportedAsCode = kind !== "external" && kind !== "asserted";
  return isImportedAsCode && /\.([cm]?[tj]sx?|wasm)$/i.test(realPath(local!));
}

function realPath(path: string): string {
  return localDisk.stat(path) === undefined ? path : localDisk.realPath(path);
}

/** Modules from the web are the user's too: they count by their content. */
function isUsers(module: InfoModule, ownFolders: readonly string[]): boolean {
  if (isFromWeb(module)) return true;
  if (!module.specifier.startsWith("file:")) return false;
  const path = fromFileUrl(module.specifier);
  return !ownFolders.some((folder) => path.startsWith(folder));
}

function isFromWeb({ specifier }: InfoModule): boolean {
  return /^https?:/.test(specifier);
}

function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}

function isAsItWas(file: ModuleGraph["files"][number]): boolean {
  const stat = localDisk.stat(file.path);
  return stat !== undefined && stat.size === file.size && stat.mtimeMs === file.mtimeMs &&
    stat.inode === file.inode;
}

function relative(base: string, path: string): string {
  return path.startsWith(base) ? path.slice(base.length) : path;
}

/** The first line of what Deno says, with the place in the user's code where it says one. */
function firstLine(text: string): string {
  const lines = text.replace(/^error: /, "").split("\n").map((line) => line.trim());
  const first = lines.find((line) => line !== "") ?? "Deno gave no reason";
  const place = lines.slice(1).find((line) => /^at file:\S+:\d+:\d+$/.test(line));
  return place === undefined ? first : `${first} ${place}`;
}
