import type { Holder } from "../runtime/lock.ts";

/** Says on standard error who is in the way. */
export function waitNotice(holder: Holder | undefined): void {
  const who = holder === undefined
    ? "another run"
    : `${/^\d/.test(holder.run) ? "run" : "tintype"} ${holder.run} ` +
      `(process ${holder.pid}, since ${holder.since})`;
  console.error(`Waiting for ${who} to finish in this workspace`);
}
