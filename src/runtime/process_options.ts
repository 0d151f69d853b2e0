import { relative, resolve } from "node:path";
import { sha256 } from "./hash.ts";
import type { ModuleGraph } from "./module_graph.ts";
import type { AskedPermissions } from "./step_permissions.ts";

/** What the process of a step file may reach. */
export interface ProcessOptions {
  /** The step file, absolute. */
  readonly path: string;
  /** Where it is started: the recipe's folder. */
  readonly folder: string;
  /** With absolute paths. */
  readonly permissions: AskedPermissions;
  /** The files of the module graph, which a thread has to read to load them. */
  readonly files: readonly string[];
  /** The hosts of modules from the web, in the same way. */
  readonly importHosts: readonly string[];
  /** The most memory for the objects of a thread; 2 GB when left out. */
  readonly heapMb?: number;
  /** The most memory for the whole process; 4 GB when left out. */
  readonly processMb?: number;
}

/** What the process of a step is started with; `lock` is the text of a lock file, where it is not Tintype's own. */
export interface StepProcessOptions extends ProcessOptions {
  readonly lock?: string;
}

export function processOptions(
  { files, importHosts, lock }: ModuleGraph,
  granted: Pick<ProcessOptions, "path" | "folder" | "permissions">,
): StepProcessOptions {
  return { ...granted, files: files.map(({ path }) => path), importHosts, lock };
}

/** Paths among permissions begin at the recipe. */
export function placed(asked: AskedPermissions, folder: string): AskedPermissions {
  const place = (grant: true | readonly string[] | undefined) =>
    grant === undefined || grant === true ? grant : grant.map((path) => resolve(folder, path));
  const { read, write, ffi, ...others } = asked;
  const places = { read: place(read), write: place(write), ffi: place(ffi) };
  return {
    ...others,
    ...Object.fromEntries(Object.entries(places).filter(([, grant]) => grant !== undefined)),
  };
}

/**
 * The flags by which Deno starts the process with these permissions. A path is given as it is seen from
 * `folder`, since a comma parts paths: what lies above may have one then. Throws `TypeError` where that
 * does not help.
 */
export function permissionFlags(
  { permissions, files, importHosts, folder }: Omit<ProcessOptions, "path">,
  ownFolder: string,
): string[] {
  const { read, write, ffi, ...others } = permissions;
  const place = (grant: true | readonly string[] | undefined) =>
    grant === true ? grant : grant?.map((path) => flagPath(path, folder));
  const asked = {
    read: place(read === true ? read : [...read ?? [], ...files, ownFolder]),
    write: place(write),
    ffi: place(ffi),
    ...others,
  };
  const granted = Object.entries(asked).flatMap(([sort, grant]) =>
    grant === undefined ? [] : [`--allow-${sort}${grant === true ? "" : `=${grant.join()}`}`]
  );
  const imported = importHosts.length === 0
    ? "--deny-import"
    : `--allow-import=${importHosts.join()}`;
  return [...granted, imported];
}

function flagPath(path: string, folder: string): string {
  if (!path.includes(",")) return path;
  const seen = relative(folder, path) || ".";
  if (!seen.includes(",")) return seen;
  throw new TypeError(
    `Cannot give "${path}" to a step: Deno takes a comma for the end of a path (rename it)`,
  );
}

/**
 * Throws `Deno.errors.NotCapable` where this process itself may not do what a step asks for: to be
 * allowed to start programs is not to be allowed to give that away.
 */
export function assertOwnPermissions(permissions: AskedPermissions): void {
  const { net, read, write, env, run, sys, ffi } = permissions;
  const each = (
    grant: true | readonly string[] | undefined,
    descriptor: (name?: string) => Deno.PermissionDescriptor,
  ) => grant === true ? [descriptor()] : (grant ?? []).map((name) => descriptor(name));
  const needed = [
    ...each(net, (host) => ({ name: "net", host })),
    ...each(read, (path) => ({ name: "read", path })),
    ...each(write, (path) => ({ name: "write", path })),
    ...each(env, (variable) => ({ name: "env", variable })),
    ...each(run, (command) => ({ name: "run", command })),
    ...each(sys, (kind) => ({ name: "sys", kind: kind as "hostname" })),
    ...each(ffi, (path) => ({ name: "ffi", path })),
  ];
  const missing = needed.find((each) => Deno.permissions.querySync(each).state !== "granted");
  if (missing !== undefined) {
    throw new Deno.errors.NotCapable(`Tintype has no ${missing.name} access itself`);
  }
}

/**
 * Where Deno's cache is, and where in it: the modules and packages that the process loads lie there, packages
 * by the registry that they came from.
 */
const cacheVariables = [
  ...["DENO_DIR", "HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE"],
  ...["NPM_CONFIG_REGISTRY", "NPM_CONFIG_REPLACE_REGISTRY_HOST", "JSR_URL"],
];

/** Where programs are: one that is found and may not be started is said to be just that. */
const systemVariables = ["PATH", "PATHEXT", "SystemRoot", "TEMP", "TMP"];

/** How the net is reached from here. */
const netVariables = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()])
  .concat("DENO_CERT", "DENO_TLS_CA_STORE", "SSL_CERT_FILE", "SSL_CERT_DIR");

/**
 * The environment of the process: what the step declares, and what Deno itself needs to find its cache,
 * programs and the net, where the step may reach that. The step can read only the former.
 */
export function processEnvironment({ env, net }: AskedPermissions): Record<string, string> {
  const own = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  if (env === true) return { ...Deno.env.toObject(), ...cacheFolder(), ...own };
  const names = [
    ...env ?? [],
    ...cacheVariables,
    ...systemVariables,
    ...net === undefined ? [] : netVariables,
  ];
  const values = names.flatMap((name) => {
    const value = variable(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(values), ...cacheFolder(), ...own };
}

/** Absolute, since the process is started in another folder than this one. */
function cacheFolder(): Record<string, string> {
  const folder = variable("DENO_DIR");
  return folder === undefined || folder === "" ? {} : { DENO_DIR: resolve(folder) };
}

/** Undefined also where this process may not read it. */
function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** A place for what browsers keep by origin, so that one step file's is not another's. */
export function locationOf(path: string): string {
  return `https://${sha256(path).slice(0, 40)}.invalid/`;
}
