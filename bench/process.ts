import { join } from "node:path";

/** A program with its arguments, as a whole process. */
export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it stands; the bench's own folder when left out. */
  readonly cwd?: string;
  readonly stdin?: string;
}

/** What a process took, with its children. */
export interface Measure {
  readonly elapsedMs: number;
  /** User and system time; undefined where GNU time is not installed. */
  readonly cpuMs?: number;
  /** The most memory that one process held, resident. */
  readonly peakBytes?: number;
  readonly stdout: string;
}

/** Deno running one of this project's files, as its own process. */
export function denoRun(file: URL, args: readonly string[]): readonly string[] {
  return [Deno.execPath(), "run", "-A", file.href, ...args];
}

const tintypeMain = new URL("../src/cli/main.ts", import.meta.url);

/** The command line of `deno task tintype …`, without the task runner. */
export function tintype(args: readonly string[]): readonly string[] {
  return denoRun(tintypeMain, args);
}

/** Whether a program starts and says that it is there. */
export async function isInstalled(program: string, args: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const gnuTime = "/usr/bin/time";

/** How often a process's memory is looked at where GNU time is not there to tell it. */
const pollMs = 20;

/** Runs processes one after another and measures them. */
export class ProcessMeter {
  #child: Deno.ChildProcess | undefined;

  private constructor(readonly folder: string, readonly hasGnuTime: boolean) {}

  /** `folder` takes the reports of GNU time. */
  static async create(folder: string): Promise<ProcessMeter> {
    return new ProcessMeter(
      folder,
      await isInstalled(gnuTime, ["-f", "%M", "-o", "/dev/null", "true"]),
    );
  }

  async measure({ argv, env, cwd, stdin }: Command): Promise<Measure> {
    const report = join(this.folder, "time.txt");
    const wrapper = this.hasGnuTime ? [gnuTime, "-f", "%U %S %M", "-o", report, "--"] : [];
    const [program, ...args] = [...wrapper, ...argv];
    const started = performance.now();
    const child = new Deno.Command(program!, {
      args,
      env: { ...env },
      cwd,
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    const poll = this.hasGnuTime ? undefined : pollMemory(child.pid);
    if (stdin !== undefined) await feed(child, stdin);
    const { code, stdout, stderr } = await child.output();
    const elapsedMs = performance.now() - started;
    const polledBytes = poll?.stop();
    this.#child = undefined;
    if (code !== 0) throw new Error(failure(argv, code, stderr));
    return {
      elapsedMs,
      stdout: new TextDecoder().decode(stdout),
      ...this.hasGnuTime ? readReport(report) : { peakBytes: polledBytes },
    };
  }

  /** Ends the process that is being measured, with all that it started. */
  stop(): void {
    if (this.#child === undefined) return;
    for (const pid of familyOf(this.#child.pid)) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
  }
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

function failure(argv: readonly string[], code: number, stderr: Uint8Array): string {
  const said = new TextDecoder().decode(stderr).trim().split("\n").slice(-20).join("\n");
  return `Cannot measure "${argv.join(" ")}": it exits with ${code}\n${said}`;
}

function readReport(path: string): Pick<Measure, "cpuMs" | "peakBytes"> {
  const [user, system, kibibytes] = Deno.readTextFileSync(path).trim().split(" ").map(Number);
  return { cpuMs: (user! + system!) * 1000, peakBytes: kibibytes! * 1024 };
}

/** The largest resident size that Linux has noted for a process, asked until it is gone. */
function pollMemory(pid: number): { stop(): number | undefined } {
  let peakBytes: number | undefined;
  const look = () => {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readOr(`/proc/${pid}/status`, ""));
    if (line !== null) peakBytes = Number(line[1]) * 1024;
  };
  const timer = setInterval(look, pollMs);
  return {
    stop() {
      clearInterval(timer);
      return peakBytes;
    },
  };
}

/** A process and its descendants, children first. */
function familyOf(pid: number): number[] {
  const children = readOr(`/proc/${pid}/task/${pid}/children`, "").split(" ").filter(Boolean);
  return [...children.flatMap((child) => familyOf(Number(child))), pid];
}

function readOr(path: string, other: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return other;
  }
}
