/**
 * The process of a step file, which has the step's permissions: starts its threads, which inherit them,
 * writes what they send to the main process, and says when they end. The step's code runs only in those:
 * they can be stopped in the middle of a loop, tell when they end, and run out of a memory of their own.
 */
import { Worker as Thread } from "node:worker_threads";
import { type Frame, frameBytes } from "../runtime/frames.ts";
import { pack, type Packed, posted } from "../runtime/packing.ts";
import type { FromKeeper } from "../runtime/step_messages.ts";
import type { FromInput } from "./input.ts";

/** How often it looks how much memory the process takes: some 256 MB can be filled in between. */
const memoryMs = 200;

/** How long what a thread has sent is waited for when it has ended. */
const settlingMs = 20;

const threads = new Map<number, Thread>();

function hear(message: FromInput): void {
  if (message === "end") Deno.exit(0); // the main process has ended, or a step took its input away
  if ("end" in message) return void threads.get(message.end)?.terminate();
  const { start, entry, heapMb, hears } = message;
  const { port1, port2: says } = new MessageChannel();
  const thread = new Thread(new URL(entry), {
    workerData: { hears, says },
    transferList: [hears as never, says as never],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  threads.set(start, thread);
  let how = "";
  port1.onmessage = ({ data }: MessageEvent<Packed>) => {
    try {
      write({ thread: start, packed: posted(data) });
    } catch {
      how = "it sent what cannot be read";
      void thread.terminate();
    }
  };
  thread.on("error", (error: Error) => how = error.message);
  thread.on("exit", (code: number) => {
    threads.delete(start);
    // What it sent before its end may still be on its way, and says more: two turns let it come first.
    const ended = () => tell({ ended: start, how: how === "" ? `it ended with ${code}` : how });
    setTimeout(() => setTimeout(ended), settlingMs);
  });
}

/** Ends the process before it takes more memory than it may. */
function watchMemory(mostMb: number): void {
  setInterval(() => {
    if (Deno.memoryUsage().rss < mostMb * 2 ** 20) return;
    tell({ gone: `it ran out of memory (its process took more than ${mostMb} MB)` });
  }, memoryMs);
}

function tell(message: FromKeeper): void {
  write({ thread: 0, packed: pack(message) });
}

/** Waits while the main process is slow to read, which goes on at all times. */
function write(frame: Frame): void {
  for (const bytes of frameBytes(frame)) {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

const { port1, port2 } = new MessageChannel();
const input = new Thread(new URL("./input.ts", import.meta.url), {
  workerData: port2,
  transferList: [port2 as never],
});
input.on("exit", () => Deno.exit(1));
port1.onmessage = ({ data }: MessageEvent<FromInput>) => hear(data);
watchMemory(Number(Deno.args[0]));
