/** Who holds a workspace, as its lock file says. */
export interface Holder {
  readonly pid: number;
  /** A run by its name, or what else is done: "cache gc". */
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/**
 * Keeps a workspace to one run at a time, by an advisory lock on a file. The system gives it back
 * when the process ends, however it ends.
 */
export class WorkspaceLock {
  private constructor(readonly file: Deno.FsFile) {}

  /** Waits its turn, and says then who it is; `onWait` hears once who is in the way. */
  static async acquire(
    path: string,
    holder: () => Holder,
    onWait: (holder: Holder | undefined) => void,
  ): Promise<WorkspaceLock> {
    const file = Deno.openSync(path, { create: true, read: true, write: true });
    if (!await file.tryLock(true)) {
      onWait(readHolder(path));
      await file.lock(true);
    }
    try {
      file.truncateSync(0);
      file.writeSync(new TextEncoder().encode(JSON.stringify(holder())));
    } catch (error) {
      file.close(); // in a notebook the process goes on, and would hold it for good
      throw error;
    }
    return new WorkspaceLock(file);
  }

  release(): void {
    this.file.truncateSync(0);
    this.file.unlockSync();
    this.file.close();
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(path)) as Holder;
  } catch {
    return undefined; // it is just being written
  }
}
