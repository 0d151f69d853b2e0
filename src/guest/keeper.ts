/// <reference lib="deno.worker" />
/**
 * Runs in a worker that has the permissions of a step file, and starts its threads, which inherit them. The
 * step's code runs only in those: unlike a worker, a thread can be stopped in the middle of a loop, tells
 * when it ends, and runs out of a memory of its own.
 */
import { Worker as Thread } from "node:worker_threads";
import type { FromKeeper, ToKeeper } from "../runtime/step_messages.ts";

const threads = new Map<number, Thread>();

self.onmessage = ({ data, ports: [port] }: MessageEvent<ToKeeper>) => {
  if ("end" in data) return void threads.get(data.end)?.terminate();
  const { start, entry, heapMb } = data;
  const thread = new Thread(new URL(entry), {
    workerData: { port },
    transferList: [port as never],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  threads.set(start, thread);
  let how = "";
  thread.on("error", (error: Error) => how = error.message);
  thread.on("exit", (code: number) => {
    threads.delete(start);
    const ended: FromKeeper = { ended: start, how: how === "" ? `it ended with ${code}` : how };
    self.postMessage(ended);
  });
};
