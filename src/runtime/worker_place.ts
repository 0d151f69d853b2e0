import { fromFileUrl } from "./file_url.ts";
import type { FromKeeper, ToKeeper } from "./step_messages.ts";
import type { AskedPermissions } from "./step_permissions.ts";

/** Where a step file's code runs. */
export interface WorkerPlace {
  readonly port: MessagePort;
  /** Hears when it ends by itself, and how. */
  onEnded(hear: (how: string) => void): void;
  end(): void;
}

/** The module of a step, and what it is loaded with. */
export interface StepModule {
  /** A file URL. */
  readonly url: string;
  /** `tintype` is all of it, rather than what steps are defined with. */
  readonly isWhole: boolean;
}

/** What the threads of a step file may reach. */
export interface KeeperOptions {
  /** With absolute paths. */
  readonly permissions: AskedPermissions;
  /** The files of the module graph, which a thread has to read to load them. */
  readonly files: readonly string[];
  /** The hosts of modules from the web, in the same way. */
  readonly importHosts: readonly string[];
  /** The most memory for the objects of a thread; 2 GB when left out. */
  readonly heapMb?: number;
}

const guestUrl = new URL("../guest/main.ts", import.meta.url).href;
const keeperUrl = new URL("../guest/keeper.ts", import.meta.url).href;
const ownFolder = fromFileUrl(new URL("../", import.meta.url));

/** The most memory that the objects of a thread may take; pixels and bytes are not among them. */
const defaultHeapMb = 2048;

/** How long threads may take to end before their keeper is ended over their heads. */
const endMs = 4_000;

/** A worker without any permission, to load a module for a look at it. */
export function lookingPlace(module: StepModule): WorkerPlace {
  const worker = newWorker(entryUrl(module, "worker"), permissionsOf({}));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage("port", [port2]);
  return {
    port: port1,
    onEnded: (hear) => void (worker.onerror = ended(hear)),
    end() {
      worker.terminate();
      port1.close();
    },
  };
}

/** The worker that holds the permissions of a step file, and the threads in which the step runs. */
export class Keeper {
  readonly #worker: Worker;
  readonly #listeners = new Map<number, (how: string) => void>();
  readonly #gone = Promise.withResolvers<void>();
  #isEnding = false;
  #ids = 0;

  /** Throws `Deno.errors.NotCapable` where this process itself may not do what the step asks for. */
  constructor(readonly options: KeeperOptions) {
    const { permissions, files, importHosts } = options;
    const own = permissionsOf(permissions);
    const read = own.read === true ? true : [...own.read || [], ...files, ownFolder];
    this.#worker = newWorker(keeperUrl, { ...own, read, import: [...importHosts] });
    this.#worker.onerror = ended((how) => {
      for (const id of this.#listeners.keys()) this.#ended(id, how);
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromKeeper>) =>
      this.#ended(data.ended, data.how);
  }

  start(module: StepModule): WorkerPlace {
    const id = ++this.#ids;
    const { port1, port2 } = new MessageChannel();
    let hear: (how: string) => void = () => {};
    this.#listeners.set(id, (how) => hear(how));
    const { heapMb = defaultHeapMb } = this.options;
    this.#tell({ start: id, entry: entryUrl(module, "thread"), heapMb }, [port2]);
    return {
      port: port1,
      onEnded: (listener) => hear = listener,
      end: () => {
        port1.close();
        hear = () => {};
        this.#tell({ end: id });
      },
    };
  }

  /** Ends it when its threads have ended, which are told so by their own `end`. */
  async end(): Promise<void> {
    this.#isEnding = true;
    const timer = setTimeout(() => this.#gone.resolve(), endMs);
    if (this.#listeners.size === 0) this.#gone.resolve();
    await this.#gone.promise;
    clearTimeout(timer);
    this.#worker.terminate();
  }

  #tell(message: ToKeeper, transfer: Transferable[] = []) {
    this.#worker.postMessage(message, transfer);
  }

  #ended(id: number, how: string) {
    this.#listeners.get(id)?.(how);
    this.#listeners.delete(id);
    if (this.#isEnding && this.#listeners.size === 0) this.#gone.resolve();
  }
}

function ended(hear: (how: string) => void) {
  return (event: ErrorEvent) => {
    event.preventDefault(); // else it would be an error of the whole process
    hear(event.message);
  };
}

function newWorker(url: string, permissions: object): Worker {
  const options = { type: "module", name: "step", deno: { permissions } };
  return new Worker(url, options as WorkerOptions);
}

/**
 * The module that a worker or thread begins with. What a literal `import()` names is read ahead like a
 * static import, by what whoever starts it may read: a worker without permissions could not import it.
 */
function entryUrl({ url, isWhole }: StepModule, place: "worker" | "thread"): string {
  const [guest, step] = [JSON.stringify(guestUrl), JSON.stringify(url)];
  const started = (port: string) =>
    `serve(() => import(${step}), ${port}, { isWhole: ${isWhole} });`;
  const code = place === "thread"
    ? `import { workerData } from "node:worker_threads";
import { serve } from ${guest};
${started("workerData.port")}
`
    : `import { serve } from ${guest};
self.onmessage = ({ ports: [port] }) => {
  self.onmessage = null;
  ${started("port")}
};
`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function permissionsOf(asked: AskedPermissions) {
  const grant = (sort: keyof AskedPermissions) => {
    const given = asked[sort];
    return given === undefined ? false : given === true ? true : [...given];
  };
  return {
    net: grant("net"),
    read: grant("read"),
    write: grant("write"),
    env: grant("env"),
    run: grant("run"),
    sys: grant("sys"),
    ffi: grant("ffi"),
    import: false as const,
  };
}
