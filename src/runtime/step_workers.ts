import type { CallResult } from "./step_messages.ts";
import { StepWorker, type StepWorkerCall, WorkerEnded } from "./step_worker.ts";
import type { StepProcessOptions } from "./process_options.ts";
import { mayStartDeno, StepProcess } from "./step_process.ts";
import { lookingPlace, type StepModule, type WorkerPlace } from "./worker_place.ts";

/** How long workers that nobody calls may stay, since a process cannot end beside them. */
const idleMs = 1_000;

/** How long a call may go on after it was told that the run is being given up. */
const graceMs = 5_000;

/** How long a module may take to load. */
const loadMs = 30_000;

/** How often a worker is asked whether it can still finish what it is at. */
const pingMs = 1_000;

export interface StepWorkersOptions extends StepModule {
  readonly graceMs?: number;
  readonly loadMs?: number;
  readonly idleMs?: number;
  /** Throws where the files are no longer those that the step was read from. */
  assertUnchanged(): void;
}

/**
 * Loads a module for a look at it, without any permission: in a process of its own, or in a worker where
 * no program may be started. Throws what the worker ends by.
 */
export async function lookAt(
  module: StepModule,
  process: StepProcessOptions,
  limitMs = loadMs,
): Promise<{ readonly worker: StepWorker; readonly loaded: unknown }> {
  const worker = new StepWorker(
    mayStartDeno() ? lookingProcess(module, process) : lookingPlace(module),
  );
  return { worker, loaded: await loadedInTime(worker, limitMs) };
}

/** A process that ends with its only thread. */
function lookingProcess(module: StepModule, options: StepProcessOptions): WorkerPlace {
  const process = new StepProcess(options);
  return { ...process.start(module), end: () => void process.end() };
}

/**
 * The workers of one step file: started when there is work that no idle one can take, each used for many
 * items, and ended when the run ends or a moment after the last call.
 */
export class StepWorkers {
  /** The most workers. */
  size = navigator.hardwareConcurrency;
  /** Where the workers are, and where one is whose call is made on its own. */
  readonly #processes: { all?: StepProcess; alone?: StepProcess } = {};
  readonly #workers = new Set<StepWorker>();
  /** Settles when a worker has loaded its module, and that is still what it was. */
  readonly #ready = new WeakMap<StepWorker, Promise<void>>();
  readonly #watched = new WeakSet<AbortSignal>();
  #alone: Promise<unknown> = Promise.resolve();
  #solo: StepWorker | undefined;
  /** How many calls wait for an answer, in whatever worker and also while they stand in line for one. */
  #underway = 0;
  /** How many items were prepared in a worker and wait for their call there. */
  #held = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly options: StepWorkersOptions, readonly allowed: StepProcessOptions) {}

  /**
   * Calls the step in a worker; what comes back is unchecked. Rejects with `WorkerEnded` where the
   * worker did not live to answer: of calls that it, or its process, was at together, each is tried once
   * more on its own, since only one of them ended it.
   */
  async call(call: StepWorkerCall, signal: AbortSignal | undefined): Promise<CallResult> {
    clearTimeout(this.#idleTimer);
    this.#underway++;
    this.#pingTimer ??= setInterval(() => this.#ping(), pingMs);
    try {
      const worker = this.#free();
      if (signal !== undefined) this.#watch(signal);
      const result = await this.#callIn(worker, call);
      if (result?.type === "prepared") this.#held++;
      return result;
    } catch (error) {
      if (!(error instanceof WorkerEnded) || signal?.aborted) throw error;
      if (error.others === 0 && (error.isAlone || this.#underway === 1)) throw error;
      return await this.#callAlone(call, { signal, ended: error });
    } finally {
      this.#underway--;
      if (call.message.method === "runBatch") this.#letGo(call.message.prepared?.length ?? 0);
      this.#endIdleSoon();
    }
  }

  /** Ends all workers. They start again when they are needed. */
  async release(): Promise<void> {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
    clearInterval(this.#pingTimer);
    this.#pingTimer = undefined;
    this.#held = 0;
    this.#endAll("The run has ended");
    const { all, alone } = this.#processes;
    this.#processes.all = this.#processes.alone = undefined;
    await Promise.all([all?.end(), alone?.end()]);
  }

  #letGo(count: number) {
    this.#held = Math.max(0, this.#held - count);
  }

  #free(): StepWorker {
    for (const worker of this.#workers) if (worker.hasEnded) this.#workers.delete(worker);
    const [least] = [...this.#workers].sort((a, b) => a.load - b.load);
    if (least !== undefined && (least.load === 0 || this.#workers.size >= this.size)) return least;
    const worker = this.#started("all");
    this.#workers.add(worker);
    return worker;
  }

  async #callIn(worker: StepWorker, call: StepWorkerCall): Promise<CallResult> {
    const result = worker.call(call);
    result.catch(() => {}); // where the worker is not even ready, that is what is said
    await this.#ready.get(worker);
    return await result;
  }

  async #callAlone(
    call: StepWorkerCall,
    { signal, ended }: { readonly signal: AbortSignal | undefined; readonly ended: WorkerEnded },
  ): Promise<CallResult> {
    const turn = this.#alone.catch(() => {}).then(async () => {
      if (signal?.aborted) throw ended; // while it stood in line
      const worker = this.#started("alone"); // nobody else's call is to share its fate
      this.#solo = worker;
      try {
        return await this.#callIn(worker, call);
      } finally {
        worker.end("It has answered");
      }
    });
    this.#alone = turn;
    return await turn;
  }

  #started(where: "all" | "alone"): StepWorker {
    this.options.assertUnchanged();
    if (this.#processes[where]?.hasEnded ?? true) {
      this.#processes[where] = new StepProcess(this.allowed);
    }
    const worker = new StepWorker(this.#processes[where]!.start(this.options));
    const ready = loadedInTime(worker, this.options.loadMs ?? loadMs)
      .then(() => this.options.assertUnchanged());
    ready.catch((error: Error) => worker.end(error.message));
    this.#ready.set(worker, ready);
    return worker;
  }

  /** What does not stop when the run does is ended, after a while. */
  #watch(signal: AbortSignal) {
    if (signal.aborted) return this.#abort(); // also what is called after that
    if (this.#watched.has(signal)) return;
    this.#watched.add(signal);
    signal.addEventListener("abort", () => this.#abort(), { once: true });
  }

  #abort() {
    for (const worker of this.#all()) worker.abort();
    const grace = this.options.graceMs ?? graceMs;
    const reason = `It did not stop within ${grace / 1000} s of the run being stopped`;
    this.#graceTimer ??= setTimeout(() => {
      this.#graceTimer = undefined;
      this.#endAll(reason);
    }, grace);
  }

  #ping() {
    for (const worker of this.#all()) if (worker.load > 0) worker.ping();
  }

  #all(): readonly StepWorker[] {
    return this.#solo === undefined ? [...this.#workers] : [...this.#workers, this.#solo];
  }

  #endAll(reason: string) {
    for (const worker of this.#all()) worker.end(reason);
    this.#workers.clear();
  }

  #endIdleSoon() {
    clearTimeout(this.#idleTimer);
    if (this.#underway > 0 || this.#held > 0) return;
    this.#idleTimer = setTimeout(() => void this.release(), this.options.idleMs ?? idleMs);
  }
}

async function loadedInTime(worker: StepWorker, limitMs: number): Promise<unknown> {
  const reason = `it takes longer than ${limitMs / 1000} s to load`;
  const timer = setTimeout(() => worker.end(reason), limitMs);
  try {
    return await worker.loaded;
  } finally {
    clearTimeout(timer);
  }
}
