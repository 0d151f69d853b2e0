import { stripVTControlCharacters } from "node:util";
import { fromFileUrl } from "./file_url.ts";
import { type Frame, frameBytes, FrameProblem, FrameReader, stepLimits } from "./frames.ts";
import { localDisk } from "./local_disk.ts";
import { pack, unpack } from "./packing.ts";
import {
  assertOwnPermissions,
  locationOf,
  permissionFlags,
  processEnvironment,
  type StepProcessOptions,
} from "./process_options.ts";
import type { FromKeeper, ToKeeper } from "./step_messages.ts";
import { entryUrl, type PlaceListener, type StepModule, type WorkerPlace } from "./worker_place.ts";

const keeperPath = fromFileUrl(new URL("../guest/keeper.ts", import.meta.url));
const projectFolder = fromFileUrl(new URL("../../", import.meta.url));
const ownFolder = `${projectFolder}src/`;

/** The most memory that the objects of a thread may take; pixels and bytes are not among them. */
const defaultHeapMb = 2048;

/** The most memory that a process may take, whatever its threads keep there. */
const defaultProcessMb = 4096;

/** What a process last wrote to its standard error is kept, in case it ends by that. */
const keptLetters = 4_000;

/**
 * How long a process may go on without an output, and how long what it sent is read after its end: a program
 * that it started may hold the other end open.
 */
const closingMs = 500;

/**
 * A process of a step file's own, which holds the permissions that the step declares, and the threads in
 * it in which the step runs. Whatever becomes of it, this process goes on; and where this process ends, it
 * does too, since its standard input is then at its end.
 */
export class StepProcess {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamBYOBReader;
  readonly #errors: ReadableStreamDefaultReader<Uint8Array>;
  readonly #threads = new Map<number, PlaceListener | undefined>();
  /** A lock file of its own, as long as it is there. */
  #lockPath: string | undefined;
  readonly #ended: Promise<void>;
  #said = "";
  #ids = 0;
  #how: string | undefined;

  /**
   * Throws `Deno.errors.NotCapable` where this process may start no other or may not itself do what the
   * step asks for.
   */
  constructor(readonly options: StepProcessOptions) {
    assertOwnPermissions(options.permissions);
    this.#lockPath = options.lock === undefined ? undefined : temporaryLock(options.lock);
    try {
      this.#child = started(options, this.#lockPath ?? `${projectFolder}deno.lock`);
    } catch (error) {
      this.#removeLock();
      throw error;
    }
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {}); // its end is heard of elsewhere
    this.#output = this.#child.stdout.getReader({ mode: "byob" });
    this.#errors = this.#child.stderr.getReader();
    void this.#listen();
    this.#ended = this.#watch(this.#hear());
  }

  get hasEnded(): boolean {
    return this.#how !== undefined;
  }

  /** Starts a thread, which loads the module. */
  start(module: StepModule): WorkerPlace {
    const thread = ++this.#ids;
    this.#threads.set(thread, undefined);
    const { heapMb = defaultHeapMb } = this.options;
    void this.#tell({ start: thread, entry: entryUrl(module, "thread"), heapMb });
    return {
      send: (message) => this.#send({ thread, packed: pack(message) }),
      listen: (listener) => {
        this.#threads.set(thread, listener);
        if (this.#how !== undefined) listener.ended(this.#how, false);
      },
      end: () => {
        this.#threads.delete(thread);
        void this.#tell({ end: thread });
      },
    };
  }

  /** Ends it, in whatever it is. */
  async end(): Promise<void> {
    this.#gone("it is not needed any more");
    await this.#ended;
  }

  #tell(message: ToKeeper): Promise<void> {
    return this.#send({ thread: 0, packed: pack(message) });
  }

  async #send(frame: Frame): Promise<void> {
    if (this.#how !== undefined) return;
    const chunks = frameBytes(frame) as Uint8Array<ArrayBuffer>[];
    // All at once, so that no other frame comes between them.
    const writing = chunks.map((chunk) => this.#input.write(chunk));
    await Promise.all(writing).catch(() => {}); // it is gone, which `#hear` finds out
  }

  /** Says how it ended, after what it sent before. */
  async #watch(hearing: Promise<void>) {
    const { code, signal } = await this.#child.status;
    await withinTime(hearing, closingMs);
    this.#gone(this.#wayItEnded(code, signal));
    this.#removeLock();
  }

  /** Hears what its threads send, until it ends. */
  async #hear() {
    const frames = new FrameReader(async (view) => {
      const { value } = await this.#output.read(view);
      return value === undefined || value.length === 0 ? undefined : value;
    }, stepLimits);
    try {
      for (let frame = await frames.next(); frame !== undefined; frame = await frames.next()) {
        this.#removeLock(); // read by now
        this.#read(frame);
      }
    } catch (error) {
      this.#gone(error instanceof FrameProblem ? error.message : "it sent what cannot be read");
    }
    await withinTime(this.#child.status, closingMs);
    this.#kill();
  }

  /** What it sends may be made up: whoever listens checks it. */
  #read({ thread, packed }: Frame): void {
    if (this.#how !== undefined) return;
    const sent = unpack(packed);
    if (thread !== 0) return this.#threads.get(thread)?.message(sent);
    const said = sent as FromKeeper;
    if ("gone" in said) return this.#gone(said.gone);
    const listener = this.#threads.get(said.ended);
    this.#threads.delete(said.ended);
    listener?.ended(said.how, true);
  }

  #wayItEnded(code: number, signal: Deno.Signal | null): string {
    if (code === 0) return "its process ended";
    const how = signal === null ? `its process ended with ${code}` : `its process got ${signal}`;
    const said = this.#said.split("\n").find((line) => /\b(fatal|panicked|error)\b/i.test(line));
    return said === undefined ? how : `${how}, having said: ${said.trim()}`;
  }

  /** Keeps the end of what it writes to standard error, where nothing that it sends goes. */
  async #listen() {
    const decoder = new TextDecoder();
    for (;;) {
      const { value } = await this.#errors.read().catch(() => ({ value: undefined }));
      if (value === undefined) return;
      const text = stripVTControlCharacters(decoder.decode(value, { stream: true }));
      this.#said = (this.#said + text).slice(-keptLetters);
    }
  }

  #gone(how: string) {
    if (this.#how !== undefined) return;
    this.#how = how;
    this.#kill();
    for (const stream of [this.#output, this.#errors]) void stream.cancel().catch(() => {});
    void this.#input.abort().catch(() => {});
    const listeners = [...this.#threads.values()];
    this.#threads.clear();
    for (const listener of listeners) listener?.ended(how, false);
  }

  #kill() {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  #removeLock() {
    const path = this.#lockPath;
    this.#lockPath = undefined;
    if (path !== undefined) localDisk.remove(path);
  }
}

/** Settles with the promise, or after that time. */
async function withinTime(promise: Promise<unknown>, mostMs: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, mostMs);
  await Promise.race([promise, late.promise]).catch(() => {});
  clearTimeout(timer);
}

/** Whether this process may start Deno, and so have a process for a step file. */
export function mayStartDeno(): boolean {
  return [Deno.execPath(), "deno"].some((command) =>
    Deno.permissions.querySync({ name: "run", command }).state === "granted"
  );
}

function started(options: StepProcessOptions, lock: string): Deno.ChildProcess {
  const { permissions, path, folder, processMb = defaultProcessMb } = options;
  const command = new Deno.Command(
    Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state === "granted"
      ? Deno.execPath()
      : "deno",
    {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-check", "--cached-only", "--frozen"],
        ...["--config", `${projectFolder}deno.json`, "--lock", lock],
        ...["--location", locationOf(path), ...permissionFlags(options, ownFolder)],
        ...[keeperPath, String(processMb)],
      ],
      cwd: folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: processEnvironment(permissions),
      // Ctrl-C is for this process, which tells the step.
      detached: true,
    },
  );
  return command.spawn();
}

/** Deno adds to a lock file that lies beside its configuration, but not to one of its own. */
function temporaryLock(text: string): string {
  const path = Deno.makeTempFileSync({ prefix: "tintype-", suffix: ".lock" });
  Deno.writeTextFileSync(path, text);
  return path;
}
