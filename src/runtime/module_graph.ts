import { dirname, join } from "node:path";
import { fromFileUrl } from "./file_url.ts";
import { sha256 } from "./hash.ts";
import { localDisk } from "./local_disk.ts";

/** What a step file is made of. */
export interface ModuleGraph {
  /** Over the text of every module and the exact version of every package. */
  readonly fingerprint: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** Where modules from the web come from: "jsr.io:443". */
  readonly importHosts: readonly string[];
  /** The text of a lock file with what it imports from npm and the web, where Tintype's own has not all. */
  readonly lock?: string;
  /** The digest of Tintype's own lock file, by which all else was found. */
  readonly ownLock?: string;
}

/** Where known graphs are kept between runs, by the path of the step file. */
export interface ModuleGraphMemory {
  moduleGraph(path: string): string | undefined;
  putModuleGraph(path: string, graph: string): void;
}

/**
 * The fingerprint of a module and everything of the user's that it imports, by `deno info`. Tintype's
 * own modules are left out: they have versions of their own. Asking Deno takes about 0.1 s, so the
 * answer is remembered until one of the files changes. What the module imports from npm and the web is
 * fetched by that, and pinned with its digests. Throws with Deno's message when a module cannot be found
 * or read.
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
  const ownLock = sha256OfFile(lockBeside(options.config));
  if (known !== undefined && known.ownLock === ownLock && isUnchangedGraph(known)) return known;
  const graph = { ...await askDeno(path, options) ?? withoutDeno(path), ownLock };
  options.memory.putModuleGraph(path, JSON.stringify(graph));
  return graph;
}

/** Whether the files of a graph have the content that it was read from: times can be set back. */
export function isUnchangedGraph(graph: ModuleGraph): boolean {
  return graph.files.every(({ path, sha256: known }) => sha256OfFile(path) === known);
}

function sha256OfFile(path: string): string | undefined {
  return localDisk.stat(path) === undefined ? undefined : sha256(Deno.readFileSync(path));
}

function lockBeside(config: string): string {
  return join(dirname(config), "deno.lock");
}

/** Where no program may be started: a step that changed, or never ran, has results under no key yet. */
function withoutDeno(path: string): ModuleGraph {
  return { fingerprint: `unknown ${sha256(path)}`, files: [], importHosts: [] };
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
  const answer = await infoOf(path, config);
  if (answer === undefined) return undefined;
  const { output: { success, stdout, stderr }, lock } = answer;
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
    files: paths.map((each) => ({ path: each, sha256: sha256(Deno.readFileSync(each)) })),
    lock,
  };
}

/**
 * What Deno says of a module, fetching what is not in its cache. A lock file is used that Deno may add to,
 * since Tintype's own is not the step's to change, and is given where something was added.
 */
async function infoOf(
  path: string,
  config: string,
): Promise<{ readonly output: Deno.CommandOutput; readonly lock?: string } | undefined> {
  const ownLock = lockBeside(config);
  const info = (...lock: string[]) =>
    denoOutput(["info", "--json", ...lock, "--config", config, path]);
  const output = await info("--frozen", "--lock", ownLock);
  if (output === undefined || output.success) return output && { output };
  if (!new TextDecoder().decode(output.stderr).includes("lockfile is out of date")) {
    return { output };
  }
  const lock = Deno.makeTempFileSync({ prefix: "tintype-", suffix: ".lock" });
  try {
    Deno.copyFileSync(ownLock, lock);
    const more = await info("--lock", lock);
    return more && { output: more, lock: Deno.readTextFileSync(lock) };
  } finally {
    Deno.removeSync(lock);
  }
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
      return await new Deno.Command(command, {
        args,
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      }).output();
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
