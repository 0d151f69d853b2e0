/**
 * The thread of a step file's process that reads what the main process sends, and passes it on: to the
 * threads of the step, and to the keeper what is for none of them. It can wait for more without keeping
 * anybody waiting.
 */
import { workerData } from "node:worker_threads";
import { type Frame, FrameReader, noLimits } from "../runtime/frames.ts";
import { post, unpack } from "../runtime/packing.ts";
import type { ToKeeper } from "../runtime/step_messages.ts";

/** What the keeper is told, with the port that a new thread hears by; "end": nothing more will come. */
export type FromInput =
  | Extract<ToKeeper, { start: number }> & { readonly hears: MessagePort }
  | Extract<ToKeeper, { end: number }>
  | "end";

const keeper = workerData as MessagePort;

/** By the number of a thread, what it hears by. */
const ports = new Map<number, MessagePort>();

function passOn({ thread, packed }: Frame): void {
  if (thread === 0) return tell(unpack(packed, { isTrusted: true }) as ToKeeper);
  const port = ports.get(thread);
  if (port !== undefined) post(port, packed);
}

function tell(message: ToKeeper): void {
  if ("end" in message) {
    ports.delete(message.end);
    return keeper.postMessage(message satisfies FromInput);
  }
  const { port1, port2: hears } = new MessageChannel();
  ports.set(message.start, port1);
  keeper.postMessage({ ...message, hears } satisfies FromInput, [hears]);
}

const frames = new FrameReader((view) => {
  const read = Deno.stdin.readSync(view);
  return Promise.resolve(read === null ? undefined : view.subarray(0, read));
}, noLimits);
try {
  for (let frame = await frames.next(); frame !== undefined; frame = await frames.next()) {
    passOn(frame);
  }
} finally {
  keeper.postMessage("end" satisfies FromInput);
}
