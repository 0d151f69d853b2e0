import pLimit from "p-limit";
import type { Handle, Kind } from "./artifact.ts";
import { checkedText } from "./foreign_result.ts";
import { Rejection } from "./rejection.ts";
import type {
  CallMessage,
  CallResult,
  FromWorker,
  NoteMessage,
  Reply,
  ToWorker,
} from "./step_messages.ts";
import type { WorkerPlace } from "./worker_place.ts";

/** A step file's worker is gone, and what it was at with it. */
export class WorkerEnded extends Error {
  override readonly name = "WorkerEnded";

  /**
   * `others` is how many other calls it was at; `isAlone` is false where all other workers of its process
   * ended too.
   */
  constructor(reason: string, readonly others: number, readonly isAlone = true) {
    super(reason);
  }
}

/** How long a step's schema may take to read parameters. */
const parseMs = 10_000;

/** Questions of a worker that are answered at the same time. */
const mostAnswering = 16;

/** Questions of a worker that wait for that. */
const mostAsking = 250_000;

/** A call with what it may ask for while it is under way. */
export interface StepWorkerCall {
  readonly message: CallMessage;
  /** By the numbers that the message has, with the kinds that they are opened as here. */
  readonly handles: readonly { readonly handle: Handle; readonly kind: Kind }[];
  onNote(note: NoteMessage): void;
}

interface Underway {
  readonly call: StepWorkerCall;
  readonly resolve: (result: CallResult) => void;
  readonly reject: (error: Error) => void;
}

interface Settling {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A worker of a step file, wherever it runs. Whatever it sends may be made up: a call is answered only for
 * what it was given, and what comes back is checked by whoever asked.
 */
export class StepWorker {
  readonly #place: WorkerPlace;
  readonly #calls = new Map<number, Underway>();
  readonly #parses = new Map<number, Settling>();
  readonly #answering = pLimit(mostAnswering);
  readonly #loading = Promise.withResolvers<unknown>();
  #ids = 0;
  #end: string | undefined;

  constructor(place: WorkerPlace) {
    this.#place = place;
    this.#loading.promise.catch(() => {});
    place.listen({
      message: (sent) => this.#hear(sent),
      ended: (how, isAlone) => this.#ended(how, isAlone),
    });
  }

  /** What its module declares, unchecked. Rejects with `WorkerEnded`. */
  get loaded(): Promise<unknown> {
    return this.#loading.promise;
  }

  /** How many calls are under way. */
  get load(): number {
    return this.#calls.size;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** What its schema says of parameters, unchecked. Rejects with `WorkerEnded`, also when it takes too long. */
  async parse(values: unknown, limitMs = parseMs): Promise<unknown> {
    if (this.#end !== undefined) throw new WorkerEnded(this.#end, 0);
    const id = ++this.#ids;
    const settling = Promise.withResolvers<unknown>();
    this.#parses.set(id, settling);
    void this.#send({ type: "parse", id, values });
    const reason = `its schema takes longer than ${limitMs / 1000} s to read them`;
    const timer = setTimeout(() => this.end(reason), limitMs);
    try {
      return await settling.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls a method of the step; what comes back is unchecked. Rejects with `WorkerEnded`. */
  call(call: StepWorkerCall): Promise<CallResult> {
    if (this.#end !== undefined) return Promise.reject(new WorkerEnded(this.#end, 0));
    const id = ++this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<CallResult>();
    this.#calls.set(id, { call, resolve, reject });
    void this.#send({ type: "call", id, call: call.message });
    return promise;
  }

  /** Tells its calls that the run is being given up. */
  abort(): void {
    void this.#send({ type: "abort" });
  }

  /** Asks whether it can still finish what it is at; it answers only where it cannot. */
  ping(): void {
    void this.#send({ type: "ping" });
  }

  /** Ends it, in whatever it is; calls under way are rejected with the reason. */
  end(reason: string, isAlone = true): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#place.end();
    const calls = [...this.#calls.values()];
    const parses = [...this.#parses.values()];
    this.#calls.clear();
    this.#parses.clear();
    this.#loading.reject(new WorkerEnded(reason, Math.max(calls.length - 1, 0), isAlone));
    for (const { reject } of parses) reject(new WorkerEnded(reason, 0));
    for (const { reject } of calls) reject(new WorkerEnded(reason, calls.length - 1, isAlone));
  }

  #ended(how: string, isAlone = true) {
    this.end(`The step's worker ended: ${checkedText(how)}`, isAlone);
  }

  async #send(message: ToWorker): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      await this.#place.send(message);
    } catch (error) {
      this.#ended(`what it is to be told cannot be sent (${(error as Error).message})`);
    }
  }

  /** Whatever it sends: what it says of itself may be meant to do harm. */
  #hear(sent: unknown) {
    try {
      this.#read(sent);
    } catch {
      this.#ended("it sent what cannot be read");
    }
  }

  #read(sent: unknown) {
    if (this.#end !== undefined || typeof sent !== "object" || sent === null) return;
    const message = sent as FromWorker;
    switch (message.type) {
      case "loaded":
        return this.#loading.resolve(message.loaded);
      case "parsed":
        return this.#settle(this.#parses, message.id)?.resolve(message.parsed);
      case "done":
        return this.#settle(this.#calls, message.id)?.resolve(message.result);
      case "ask":
        return this.#asked(message);
      case "note":
        return this.#calls.get(message.call)?.call.onNote(message.note);
      case "fault":
        if (this.#calls.size === 0) return;
        return this.#ended(
          `a promise that nobody waits for was rejected (${checkedText(message.reason)})`,
        );
      case "ending":
        return this.#ended(`it ${checkedText(message.how)}`);
    }
  }

  #settle<Waiting>(waiting: Map<number, Waiting>, id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  /** Answers some questions at a time, so that not all that is asked for is in memory at once. */
  #asked(message: Ask) {
    if (this.#answering.pendingCount >= mostAsking) {
      return this.#ended(`it asked for more than ${mostAsking} things at once`);
    }
    this.#answering(() => this.#answer(message))
      .catch(() => this.#ended("it asked what cannot be read"));
  }

  async #answer(message: Ask) {
    const handles = this.#calls.get(message.call)?.call.handles ?? [];
    const found = typeof message.handle === "number" ? handles[message.handle] : undefined;
    if (found === undefined) return; // not one that this call was given
    await this.#send({
      type: "reply",
      ask: message.ask,
      reply: await answerOf(found, message.question),
    });
  }
}

type Ask = Extract<FromWorker, { readonly type: "ask" }>;
type Question = Ask["question"];

async function answerOf(
  { handle, kind }: StepWorkerCall["handles"][number],
  question: Question,
): Promise<Reply> {
  try {
    if (question?.type === "bytes") return { value: await handle.bytes() };
    if (kind.afar === undefined) throw new TypeError(`${kind.name} answers no questions`);
    return { value: await kind.afar.answer(await handle.read(), question.question) };
  } catch (error) {
    return error instanceof Rejection
      ? { rejection: error.message, numbers: error.numbers }
      : { error: error instanceof Error ? error.message : String(error) };
  }
}
