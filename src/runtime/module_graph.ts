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
  }[];
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
  },
): Promise<ModuleGraph> {
  const remembered = options.memory.moduleGraph(path);
  if (remembered !== undefined) {
    const graph = JSON.parse(remembered) as ModuleGraph;
    if (graph.files.every(isAsItWas)) return graph;
  }
  const graph = await askDeno(path, options);
  options.memory.putModuleGraph(path, JSON.stringify(graph));
  return graph;
}

interface InfoModule {
  readonly kind?: string;
  readonly specifier: string;
  readonly local?: string;
  readonly error?: string;
}

async function askDeno(
  path: string,
  { ownFolders, config }: { readonly ownFolders: readonly string[]; readonly config: string },
): Promise<ModuleGraph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", "--config", config, path],
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(firstLine(new TextDecoder().decode(stderr)));
  const info = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly modules: readonly InfoModule[];
    readonly npmPackages?: Readonly<Record<string, { name: string; version: string }>>;
  };
  const own = info.modules.filter((module) => isUsers(module, ownFolders));
  const broken = own.find((module) => module.error !== undefined);
  if (broken !== undefined) throw new Error(firstLine(broken.error!));
  const paths = own.flatMap((module) => module.local === undefined ? [] : [module.local]).sort();
  const packages = info.modules.flatMap((module) =>
    module.specifier.startsWith("npm:") ? [module.specifier] : []
  );
  // Names relative to the step file, so that the same code in another folder is the same step.
  const base = path.slice(0, path.lastIndexOf("/") + 1);
  const parts = paths.map((each) => `${relative(base, each)} ${sha256(Deno.readFileSync(each))}`);
  return {
    fingerprint: sha256([...parts, ...packages.sort()].join("\n")),
    files: paths.map((each) => {
      const stat = localDisk.stat(each)!;
      return { path: each, size: stat.size, mtimeMs: stat.mtimeMs, inode: stat.inode };
    }),
  };
}

function isUsers(module: InfoModule, ownFolders: readonly string[]): boolean {
  if (!module.specifier.startsWith("file:")) return false;
  const path = fromFileUrl(module.specifier);
  return !ownFolders.some((folder) => path.startsWith(folder));
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
