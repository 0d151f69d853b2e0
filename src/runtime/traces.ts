import { dirname } from "node:path";
import { type Disk, sweepTemporaries } from "./disk.ts";

/** A disk that remembers where it wrote, for the run after one that was killed. */
export interface TracedDisk {
  readonly disk: Disk;
  /** The run comes to its end, so that nothing is half-written any more. */
  finish(): void;
}

/**
 * Removes what the run before left half-written outside of the workspace, if it was killed, and gives a
 * disk whose writing the next run can clear up after. The folders stand in `path`, a JSON text a line,
 * each before anything is written into it.
 */
export function tracedDisk(disk: Disk, path: string): TracedDisk {
  for (const folder of readTraces(path)) trySweep(disk, folder);
  const noted = new Set<string>();
  const note = (target: string) => {
    const folder = dirname(target);
    if (noted.has(folder)) return;
    // Not synced: it is for kills of the process, after which the system still writes it.
    Deno.writeTextFileSync(path, `${JSON.stringify(folder)}\n`, { append: true });
    noted.add(folder);
  };
  return {
    disk: {
      ...disk,
      write(target, content, options) {
        note(target);
        return disk.write(target, content, options);
      },
      move(from, to) {
        note(to);
        return disk.move(from, to);
      },
    },
    finish: () => disk.remove(path),
  };
}

/** The folders of a run that did not come to its end; a torn last line was followed by no writing. */
function readTraces(path: string): string[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as string);
}

/** A folder that cannot be read now, such as one on a disk that was taken away, is no reason to stop. */
function trySweep(disk: Disk, folder: string) {
  try {
    sweepTemporaries(disk, folder);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
  }
}
