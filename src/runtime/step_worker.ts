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

  /** `others` is how many other calls it was at. */
  constructor(reason: string, readonly others: number) {
    super(reason);
  }
}

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
 * A worker of a step file, behind a port. Whatever it sends may be made up: a call is answered only for
 * what it was given, and what comes back is checked by whoever asked.
 */
export class StepWorker {
  readonly #place: WorkerPlace;
  readonly #calls = new Map<number, Underway>();
  readonly #parses = new Map<number, Settling>();
  readonly #loading = Promise.withResolvers<unknown>();
  #ids = 0;
  #end: string | undefined;

  constructor(place: WorkerPlace) {
    this.#place = place;
    place.port.onmessage = ({ data }: MessageEvent<unknown>) => this.#hear(data);
    place.port.onmessageerror = () => this.#ended("it sent what cannot be read");
    place.onEnded((how) => this.#ended(how));
    this.#loading.promise.catch(() => {});
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

  /** What its schema says of parameters, unchecked. */
  async parse(values: unknown): Promise<unknown> {
    const id = ++this.#ids;
    const settling = Promise.withResolvers<unknown>();
    this.#parses.set(id, settling);
    this.#send({ type: "parse", id, values });
    return await settling.promise;
  }

  /** Calls a method of the step; what comes back is unchecked. Rejects with `WorkerEnded`. */
  call(call: StepWorkerCall): Promise<CallResult> {
    const id = ++this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<CallResult>();
    this.#calls.set(id, { call, resolve, reject });
    this.#send({ type: "call", id, call: call.message });
    return promise;
  }

  /** Tells its calls that the run is being given up. */
  abort(): void {
    this.#send({ type: "abort" });
  }

  /** Asks whether it can still finish what it is at; it answers only where it cannot. */
  ping(): void {
    this.#send({ type: "ping" });
  }

  /** Ends it, in whatever it is; calls under way are rejected with the reason. */
  end(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#place.end();
    const calls = [...this.#calls.values()];
    const parses = [...this.#parses.values()];
    this.#calls.clear();
    this.#parses.clear();
    this.#loading.reject(new WorkerEnded(reason, 0));
    for (const { reject } of parses) reject(new WorkerEnded(reason, 0));
    for (const { reject } of calls) reject(new WorkerEnded(reason, calls.length - 1));
  }

  #ended(how: string) {
    this.end(`The step's worker ended: ${how}`);
  }

  #send(message: ToWorker, transfer: readonly Transferable[] = []) {
    if (this.#end === undefined) this.#place.port.postMessage(message, [...transfer]);
  }

  /** Whatever it sends: what it says of itself may be meant to do harm. */
  #hear(data: unknown) {
    try {
      this.#read(data);
    } catch {
      this.#ended("it sent what cannot be read");
    }
  }

  #read(data: unknown) {
    if (this.#end !== undefined || typeof data !== "object" || data === null) return;
    const message = data as FromWorker;
    switch (message.type) {
      case "loaded":
        return this.#loading.resolve(message.loaded);
      case "parsed":
        return this.#settle(this.#parses, message.id)?.resolve(message.parsed);
      case "done":
        return this.#settle(this.#calls, message.id)?.resolve(message.result);
      case "ask":
        return void this.#answer(message).catch(() => this.#ended("it asked what cannot be read"));
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

  async #answer(message: Extract<FromWorker, { readonly type: "ask" }>) {
    const handles = this.#calls.get(message.call)?.call.handles ?? [];
    const found = typeof message.handle === "number" ? handles[message.handle] : undefined;
    if (found === undefined) return; // not one that this call was given
    const { reply, transfer } = await answerOf(found, message.question);
    this.#send({ type: "reply", ask: message.ask, reply }, transfer);
  }
}

type Question = Extract<FromWorker, { readonly type: "ask" }>["question"];

async function answerOf(
  { handle, kind }: StepWorkerCall["handles"][number],
  question: Question,
): Promise<{ readonly reply: Reply; readonly transfer: readonly Transferable[] }> {
  try {
    if (question?.type === "bytes") return moved(await handle.bytes());
    if (kind.afar === undefined) throw new TypeError(`${kind.name} answers no questions`);
    return moved(await kind.afar.answer(await handle.read(), question.question));
  } catch (error) {
    const reply = error instanceof Rejection
      ? { rejection: error.message, numbers: error.numbers }
      : { error: error instanceof Error ? error.message : String(error) };
    return { reply, transfer: [] };
  }
}

/** A copy of a value's bytes goes to the worker, once, without being copied again on its way. */
function moved(value: unknown) {
  const transfer: ArrayBuffer[] = [];
  const copy = (part: unknown) => {
    if (!(part instanceof Uint8Array)) return part;
    const bytes = new Uint8Array(part);
    transfer.push(bytes.buffer);
    return bytes;
  };
  const isPlain = typeof value === "object" && value !== null && !(value instanceof Uint8Array);
  const reply = isPlain
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]))
    : copy(value);
  return { reply: { value: reply }, transfer };
}
