import { join } from "node:path";
import { sha256 } from "../runtime/hash.ts";

/**
 * What a review keeps in the workspace: who serves a dataset now, and where it was served last. The
 * browser keeps what is not saved yet by the address, so a server that comes back has to have the same.
 */
export class ReviewPlace {
  #lock: Deno.FsFile | undefined;

  private constructor(readonly folder: string, readonly name: string) {}

  static of(workspace: string, decisionsFile: string): ReviewPlace {
    const folder = join(workspace, "review");
    Deno.mkdirSync(folder, { recursive: true });
    return new ReviewPlace(folder, sha256(new TextEncoder().encode(decisionsFile)).slice(0, 16));
  }

  /** Takes the dataset for this process; false where another one has it. Ends with the process. */
  async take(): Promise<boolean> {
    const file = Deno.openSync(join(this.folder, `${this.name}.lock`), {
      create: true,
      write: true,
    });
    if (!await file.tryLock(true)) {
      file.close();
      return false;
    }
    this.#lock = file;
    return true;
  }

  release(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** Where it is served, or was served last; 0 where it never was. */
  get port(): number {
    try {
      const port = Number(Deno.readTextFileSync(this.#portFile));
      return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  }

  set port(port: number) {
    Deno.writeTextFileSync(this.#portFile, String(port));
  }

  get #portFile(): string {
    return join(this.folder, `${this.name}.port`);
  }
}
