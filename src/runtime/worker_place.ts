import type { ToWorker } from "./step_messages.ts";

/** Where a step file's code runs. What comes from there may be anything. */
export interface WorkerPlace {
  /** Settles when the message has been taken; throws for what no message can hold. */
  send(message: ToWorker): Promise<void>;
  listen(listener: PlaceListener): void;
  end(): void;
}

export interface PlaceListener {
  message(sent: unknown): void;
  /** It ended by itself; `isAlone` is false where all other places of its process ended too. */
  ended(how: string, isAlone: boolean): void;
}

/** The module of a step, and what it is loaded with. */
export interface StepModule {
  /** A file URL. */
  readonly url: string;
  /** `tintype` is all of it, rather than what steps are defined with. */
  readonly isWhole: boolean;
}

const guestUrl = new URL("../guest/main.ts", import.meta.url).href;

/**
 * A worker of this process without any permission, to load a module for a look at it where no other
 * process may be started.
 */
export function lookingPlace(module: StepModule): WorkerPlace {
  const permissions = "none" as const;
  const options = { type: "module", name: "step", deno: { permissions } };
  const worker = new Worker(entryUrl(module, "worker"), options as WorkerOptions);
  const { port1, port2 } = new MessageChannel();
  worker.postMessage("port", [port2]);
  return {
    send: (message) => Promise.resolve(port1.postMessage(message)),
    listen({ message, ended }) {
      worker.onerror = (event) => {
        event.preventDefault(); // else it would be an error of the whole process
        ended(event.message, true);
      };
      port1.onmessage = ({ data }: MessageEvent<unknown>) => message(data);
      port1.onmessageerror = () => ended("it sent what cannot be read", true);
    },
    end() {
      worker.terminate();
      port1.close();
    },
  };
}

/**
 * The module that a worker or thread begins with. What a literal `import()` names is read ahead like a
 * static import, by what whoever starts it may read: a worker without permissions could not import it.
 */
export function entryUrl({ url, isWhole }: StepModule, place: "worker" | "thread"): string {
  const [guest, step] = [JSON.stringify(guestUrl), JSON.stringify(url)];
  const started = (port: string) =>
    `serve(() => import(${step}), ${port}, { isWhole: ${isWhole} });`;
  const code = place === "thread"
    ? `import { workerData } from "node:worker_threads";
import { packing, serve } from ${guest};
${started("packing(workerData)")}
`
    : `import { plain, serve } from ${guest};
self.onmessage = ({ ports: [port] }) => {
  self.onmessage = null;
  ${started("plain(port)")}
};
`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
