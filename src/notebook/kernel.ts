/** What a cell shows: the same thing in several forms by MIME type; front ends take the best. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** Where the Deno kernel looks for what a value shows. */
export const display = Symbol.for("Jupyter.display");

/** A value that a notebook shows when it is the last of a cell. */
export interface Display {
  [display](): MimeBundle | Promise<MimeBundle>;
}

/** The part of `Deno.jupyter` that is used here. */
interface Jupyter {
  broadcast(type: string, content: unknown): unknown;
}

/** Puts a bundle into the running cell's output, in place of what it showed under the same id. */
export type Show = (bundle: MimeBundle, id: string) => void;

/** Shows bundles through the kernel; undefined where there is none (a script, a test). */
export function kernelShow(): Show | undefined {
  const jupyter = kernel();
  if (jupyter === undefined) return undefined;
  const shown = new Set<string>();
  return (data, id) => {
    const type = shown.has(id) ? "update_display_data" : "display_data";
    shown.add(id);
    jupyter.broadcast(type, { data, metadata: {}, transient: { display_id: id } });
  };
}

/**
 * Makes the kernel wait until a cell's last output has left before it says that the cell is done.
 * Front ends drop what comes later, and without this it does in 5 to 30 % of cells (Deno 2.9.6, two
 * cores; none of 300 with it): outputs go through a channel of their own. Does nothing elsewhere.
 */
export function keepLateOutputs(): void {
  if (kernel() === undefined) return;
  const symbol = (Deno as unknown as { readonly internal?: symbol }).internal;
  if (symbol === undefined) return;
  const internals = (Deno as unknown as Record<symbol, { readonly jupyter?: Internals }>)[symbol];
  const jupyter = internals?.jupyter;
  const original = jupyter?.broadcastResult;
  if (jupyter === undefined || original === undefined || waiting.has(original)) return;
  const patient: BroadcastResult = async (count, result) => {
    await original(count, result);
    await new Promise((resolve) => setTimeout(resolve, flushMs));
  };
  waiting.add(patient);
  jupyter.broadcastResult = patient;
}

type BroadcastResult = (executionCount: number, result: unknown) => Promise<void>;

interface Internals {
  broadcastResult?: BroadcastResult;
}

/** 30 was enough for 300 of 300 cells of up to 200 kB; this leaves room for a busy machine. */
const flushMs = 60;

const waiting = new WeakSet<BroadcastResult>();

function kernel(): Jupyter | undefined {
  try {
    // Outside the kernel the getter throws.
    return (Deno as unknown as { readonly jupyter?: Jupyter }).jupyter;
  } catch {
    return undefined;
  }
}
