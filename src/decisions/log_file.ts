import { dirname } from "node:path";
import { type Decision, decisionShape, type DecisionState, foldDecisions } from "./decisions.ts";

/** A decision as it stands in the file: with who sent it, and as which of theirs. */
export interface LoggedDecision {
  readonly decision: Decision;
  /** The page that it came from. */
  readonly by?: string;
  /** Counts a page's changes from 1, so that one that is sent twice is known again. */
  readonly number?: number;
}

/** What holds of one picture's caption; nothing is set where nobody decided anything. */
export type DecidedCaption = DecisionState["captions"][string];

/**
 * A `decisions.jsonl` that is open for writing. What `append` was awaited for is on the disk (data
 * synced), whole: it is there after the process is killed or the power fails. Changes that come while
 * one sync is under way share the next one.
 *
 * Others may write to the file as well (an editor, another program): it is read again where it is not
 * as long as what was read and written here.
 */
export class DecisionLog {
  readonly #byImage = new Map<string, LoggedDecision[]>();
  readonly #numbers = new Map<string, number>();
  #file: Deno.FsFile | undefined;
  #size = 0;
  /** Noted, and not yet handed to the disk. */
  #queue: LoggedDecision[] = [];
  /** Handed to the disk, and not yet synced. */
  #underWay: LoggedDecision[] = [];
  #writing: Promise<void> | undefined;

  private constructor(readonly path: string) {}

  /** Reads the file, or begins with nothing where there is none; it is made by the first change. */
  static open(path: string): DecisionLog {
    const log = new DecisionLog(path);
    log.#reload();
    return log;
  }

  /** What holds of a picture's caption now, changes on their way to the disk included. */
  captionOf(image: string): DecidedCaption {
    const decisions = this.historyOf(image).map(({ decision }) => decision);
    return foldDecisions(decisions).captions[image] ?? {};
  }

  /** All that was decided of a picture, oldest first. */
  historyOf(image: string): readonly LoggedDecision[] {
    return this.#byImage.get(image) ?? [];
  }

  /** How many of a page's changes are in the file. */
  lastNumber(by: string): number {
    return this.#numbers.get(by) ?? 0;
  }

  /**
   * Takes changes up at once and resolves when they, and all before them, are on the disk. Throws the
   * platform's error where they cannot be written; then they do not hold, and may be sent again.
   */
  async append(changes: readonly LoggedDecision[]): Promise<void> {
    for (const change of changes) this.#note(change);
    this.#queue.push(...changes);
    while (this.#queue.length > 0 || this.#writing !== undefined) {
      this.#writing ??= this.#write().finally(() => this.#writing = undefined);
      await this.#writing;
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #write(): Promise<void> {
    this.#underWay = this.#queue;
    this.#queue = [];
    try {
      const file = this.#opened();
      const bytes = new TextEncoder().encode(this.#underWay.map(lineOf).join(""));
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.syncData();
      this.#size += bytes.length;
      this.#underWay = [];
    } catch (error) {
      this.#queue = [];
      this.#underWay = [];
      this.close();
      this.#reload();
      throw error;
    }
  }

  /** The file, ready for whole lines at its end. */
  #opened(): Deno.FsFile {
    const there = statOf(this.path);
    if (this.#file !== undefined && there !== undefined) {
      const ours = this.#file.statSync();
      if (ours.ino === there.ino && ours.dev === there.dev && there.size === this.#size) {
        return this.#file;
      }
    }
    this.close();
    Deno.mkdirSync(dirname(this.path), { recursive: true });
    if ((there?.size ?? 0) !== this.#size) this.#reload();
    const file = Deno.openSync(this.path, { append: true, create: true });
    if (there === undefined) syncFolder(dirname(this.path));
    this.#size = file.statSync().size;
    return this.#file = file;
  }

  /** Reads what the file says now; what is on its way there counts after it. */
  #reload() {
    this.#byImage.clear();
    this.#numbers.clear();
    this.#cutTornEnd();
    const lines = statOf(this.path) === undefined ? [] : readLines(this.path);
    for (const each of [...lines, ...this.#underWay, ...this.#queue]) this.#note(each);
    this.#size = statOf(this.path)?.size ?? 0;
  }

  /**
   * A last line without its end is what a killed process left: it was never acknowledged, and would
   * spoil the line after it. One that is whole but for the end (an editor's) gets it.
   */
  #cutTornEnd() {
    const there = statOf(this.path);
    if (there === undefined || there.size === 0) return;
    const bytes = Deno.readFileSync(this.path);
    if (bytes.at(-1) === 10) return;
    const end = bytes.lastIndexOf(10) + 1;
    const isWhole = parsedLine(new TextDecoder().decode(bytes.subarray(end))) !== undefined;
    if (isWhole) Deno.writeTextFileSync(this.path, "\n", { append: true });
    else Deno.truncateSync(this.path, end);
  }

  #note(change: LoggedDecision) {
    const { decision: { image }, by, number } = change;
    const those = this.#byImage.get(image);
    if (those === undefined) this.#byImage.set(image, [change]);
    else those.push(change);
    if (by !== undefined && number !== undefined) {
      this.#numbers.set(by, Math.max(number, this.lastNumber(by)));
    }
  }
}

function readLines(path: string): LoggedDecision[] {
  return Deno.readTextFileSync(path).split("\n").flatMap((line) => parsedLine(line) ?? []);
}

function parsedLine(line: string): LoggedDecision | undefined {
  try {
    const value = JSON.parse(line) as { readonly by?: unknown; readonly number?: unknown };
    const { data } = decisionShape.safeParse(value);
    if (data === undefined) return undefined;
    return {
      decision: data,
      by: typeof value.by === "string" ? value.by : undefined,
      number: Number.isSafeInteger(value.number) ? value.number as number : undefined,
    };
  } catch {
    return undefined;
  }
}

function lineOf({ decision, by, number }: LoggedDecision): string {
  return `${JSON.stringify({ ...decision, by, number })}\n`;
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Makes a new file's name last through a loss of power, where the system can. */
function syncFolder(folder: string) {
  try {
    using opened = Deno.openSync(folder);
    opened.syncSync();
  } catch {
    // Windows does not open folders; its file system keeps the order by itself.
  }
}
