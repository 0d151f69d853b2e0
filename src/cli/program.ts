import { isAbsolute, join, relative } from "node:path";
import { environment } from "../runtime/environment.ts";
import { callerFolder, projectFolder } from "./context.ts";
import { shellWord } from "./text.ts";

/** The commands that texts tell people to type. */
export const commandNames = [
  "run",
  "review",
  "plan",
  "check",
  "why",
  "runs",
  "errors",
  "verify",
  "cache",
  "replay",
  "pack",
  "unpack",
  "restore-names",
  "undo",
  "models",
  "query",
  "steps",
  "describe",
  "schema",
  "sample",
] as const;

/** Where a text has a command, and not the name of a file: that is in quotes, or goes on. */
const command = new RegExp(
  `(?<=^\\s*|[(:;,] ?|&& |, or )tintype (?=(?:${commandNames.join("|")})(?![\\w./-]))`,
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

/**
 * A text for the terminal with its commands ("tintype models pull …") so that the caller can paste them, in
 * `folder` or where they stand. What is kept on the disk or printed as JSON has the plain name.
 */
export function pasteable(text: string, folder = callerFolder()): string {
  return text.replace(command, () => `${taskCommand("tintype", folder) ?? "tintype"} `);
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
