import { isAbsolute, join, relative, resolve } from "node:path";
import { environment } from "../runtime/environment.ts";
import { callerFolder, projectFolder } from "./context.ts";
import { shellWord } from "./text.ts";

/** The commands, and whether they work in a workspace. */
const worksInWorkspace: Readonly<Record<string, boolean>> = {
  run: true,
  review: true,
  plan: true,
  check: false,
  why: true,
  runs: true,
  errors: true,
  verify: true,
  cache: true,
  replay: true,
  pack: true,
  unpack: false,
  "restore-names": false,
  undo: false,
  models: false,
  query: true,
  steps: false,
  describe: false,
  schema: false,
  sample: false,
};

/** The commands that texts tell people to type. */
export const commandNames: readonly string[] = Object.keys(worksInWorkspace);

/** The folder where cache, store and runs are, where none is named. */
export const usualWorkspace = ".tintype";

/** Where a text has a command, and not the name of a file: that is in quotes, or goes on. */
const command = new RegExp(
  `(?<=^\\s*|[(:;,] ?|&& |, or )tintype (?=(--help|${commandNames.join("|")})(?![\\w./-]))`,
  "gu",
);

/** How this process was started. */
export interface Start {
  /** What `deno task` leaves of where the caller stood; undefined where it was no task. */
  readonly initialFolder: string | undefined;
  readonly currentFolder: string;
  /** The path of Deno itself, and its version. */
  readonly deno: string;
  readonly denoVersion: string;
}

/**
 * What a person types to start a task of this project, standing in `folder`; undefined where this process
 * was not started by one, but as a program that is installed.
 */
export function taskCommand(
  task: "tintype" | "demo",
  folder: string,
  start = thisStart(),
): string | undefined {
  const { initialFolder, currentFolder, deno, denoVersion } = start;
  if (initialFolder === undefined || currentFolder !== projectFolder) return undefined;
  const program = /[/\\]_npx[/\\]/.test(deno) ? `npx -y deno@${denoVersion}` : "deno";
  const config = isWithin(folder, projectFolder)
    ? ""
    : ` --config ${shellWord(join(projectFolder, "deno.json"))}`;
  return `${program} task${config} ${task}`;
}

/** Makes the commands of a text such that a person can paste them. */
export type Hint = (text: string) => string;

/** Where commands are to be pasted. */
export interface HintPlace {
  /** Where the caller stands when left out. */
  readonly folder?: string;
  /** Absolute; the one of that folder when left out. */
  readonly workspace?: string;
}

/**
 * A text for the terminal with its commands ("tintype models pull …") so that the caller can paste them. What
 * is kept on the disk or printed as JSON has the plain name.
 */
export function pasteable(
  text: string,
  { folder = callerFolder(), workspace }: HintPlace = {},
): string {
  const program = taskCommand("tintype", folder) ?? "tintype";
  const flag = workspace === undefined ? "" : workspaceFlag(workspace, folder);
  return text.replace(
    command,
    (_, name: string) => `${program} ${worksInWorkspace[name] ? flag : ""}`,
  );
}

/** The same of all texts about a workspace. */
export function pasteableIn(workspace: string): Hint {
  return (text) => pasteable(text, { workspace });
}

/** "" for the workspace that commands take by themselves. */
function workspaceFlag(workspace: string, folder: string): string {
  if (workspace === resolve(folder, usualWorkspace)) return "";
  const path = isWithin(workspace, folder) ? relative(folder, workspace) || "." : workspace;
  return `--workspace ${shellWord(path)} `;
}

function thisStart(): Start {
  return {
    initialFolder: environment.get("INIT_CWD"),
    currentFolder: Deno.cwd(),
    deno: denoPath(),
    denoVersion: Deno.version.deno,
  };
}

/** "" where its path may not be known. */
function denoPath(): string {
  try {
    return Deno.execPath();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "";
    throw error;
  }
}

function isWithin(folder: string, other: string): boolean {
  const way = relative(other, folder);
  return way !== ".." && !/^\.\.[/\\]/.test(way) && !isAbsolute(way);
}
