import type { Command } from "commander";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { suggestion } from "../runtime/diagnostic.ts";
import { environment } from "../runtime/environment.ts";
import { fromFileUrl } from "../runtime/file_url.ts";
import { localDisk } from "../runtime/local_disk.ts";
import { Session } from "../runtime/session.ts";
import { createServices, type Device } from "../services/mod.ts";
import { catalog } from "../steps/mod.ts";
import { UsageError } from "./usage_error.ts";

/** The folder of this checkout. */
export const projectFolder = fromFileUrl(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/**
 * Where the caller stands: relative paths begin there. `deno task` changes to the project's folder
 * and leaves the caller's in INIT_CWD.
 */
export function callerFolder(): string {
  const folder = Deno.cwd();
  return folder === projectFolder ? environment.get("INIT_CWD") ?? folder : folder;
}

/** The session that a command works in. */
export function sessionOf(command: Command): Session {
  const { workspace, device } = command.optsWithGlobals<
    { readonly workspace: string; readonly device?: Device }
  >();
  const cwd = callerFolder();
  if (localDisk.stat(resolve(cwd, workspace))?.isFile) {
    throw new UsageError(`Cannot use workspace "${workspace}": it is a file (a folder is wanted)`);
  }
  const onNotice = (line: string) => console.error(line);
  const services = createServices(environment, { cwd, device, onNotice });
  return new Session({ catalog, services, cwd, workspace: resolve(cwd, workspace) });
}

/** The same of a workspace that must be there. */
export function knownSessionOf(command: Command): Session {
  const session = sessionOf(command);
  const { workspace } = session.options;
  if (existsSync(workspace)) return session;
  throw new UsageError(
    `There is no workspace "${workspace}" (run a recipe first, or name another with --workspace)`,
  );
}

/** A recipe's path as given, or that of a shipped recipe by its name, such as "proxy". */
export function recipePath(given: string): string {
  if (existsSync(resolve(callerFolder(), given))) return given;
  const shipped = resolve(projectFolder, "pipelines", `${given.replace(/^pipelines\//, "")}`);
  for (const path of [shipped, `${shipped}.yaml`]) {
    if (/^[a-z0-9_]+(\.yaml)?$/.test(given.replace(/^pipelines\//, "")) && existsSync(path)) {
      return path;
    }
  }
  const names = [...Deno.readDirSync(resolve(projectFolder, "pipelines"))]
    .flatMap(({ name }) => name.endsWith(".yaml") ? name.slice(0, -".yaml".length) : []).sort();
  const help = /[./\\]/.test(given) ? undefined : suggestion(given, names, "Recipes");
  const more = help === undefined ? "" : ` (${help})`;
  throw new UsageError(`Cannot read recipe "${given}": there is no such file${more}`);
}
