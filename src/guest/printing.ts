import process from "node:process";
import { format, inspect } from "node:util";

/**
 * Tells what a step prints, in place of printing it: what the main process reads of this one are messages.
 * What goes around this, such as a library's own `write(1)`, ends the process.
 */
export function trapPrinting(tell: (text: string) => void): void {
  for (const name of ["log", "info", "debug", "warn", "error", "trace"] as const) {
    console[name] = (...values: unknown[]) => tell(format(...values));
  }
  for (const name of ["dir", "dirxml", "table"] as const) {
    console[name] = (value: unknown) => tell(inspect(value));
  }
  const decoder = new TextDecoder();
  const told = (written: Uint8Array | string) => {
    tell(typeof written === "string" ? written : decoder.decode(written));
    return written.length;
  };
  for (const stream of [Deno.stdout, Deno.stderr]) {
    Object.defineProperties(stream, {
      write: { value: (written: Uint8Array) => Promise.resolve(told(written)) },
      writeSync: { value: told },
    });
  }
  for (const name of ["stdout", "stderr"] as const) trapStream(name, told);
}

/** A stream of Node's is made when it is first looked at, which takes time. */
function trapStream(name: "stdout" | "stderr", told: (written: Uint8Array | string) => number) {
  let stream: object | undefined;
  const trapped = () =>
    Object.defineProperty(process[name], "write", {
      value(written: Uint8Array | string, ...rest: unknown[]) {
        told(written);
        const done = rest.at(-1);
        if (typeof done === "function") queueMicrotask(done as () => void);
        return true;
      },
    });
  const { get } = Object.getOwnPropertyDescriptor(process, name) ?? {};
  if (get === undefined) return void trapped();
  Object.defineProperty(process, name, {
    configurable: true,
    get() {
      if (stream !== undefined) return stream;
      Object.defineProperty(process, name, { get, configurable: true });
      stream = trapped();
      return stream;
    },
  });
}
