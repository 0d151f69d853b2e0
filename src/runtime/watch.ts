import { basename, dirname } from "node:path";
import { type Disk, temporaryPrefix } from "./disk.ts";

/** What is watched; absolute paths, which need not be there yet. */
export interface WatchTargets {
  /** With all that is in them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Whether names in the folders that begin with a dot count as well. */
  readonly withHidden?: boolean;
}

/** A folder cannot be watched, and what to do about it. */
export class WatchProblem extends Error {
  override readonly name = "WatchProblem";
}

export interface WatchOptions {
  readonly disk: Disk;
  /** Folders where nothing that happens counts, such as the workspace. */
  readonly ignored: readonly string[];
  /** Whether what lies at a path was left there by the watcher itself. */
  isOwn(path: string): boolean;
  /** Opens the system's own watching: `Deno.watchFs`, unless a test stands in. */
  readonly open?: (path: string, options: { readonly recursive: boolean }) => Watcher;
}

type Watcher = AsyncIterable<Deno.FsEvent> & { close(): void };

interface Watching {
  readonly watcher: Watcher;
  readonly place: Place;
  readonly ended: Promise<void>;
}

/** A folder that the system is asked to watch. */
interface Place {
  readonly path: string;
  readonly recursive: boolean;
}

/** A change is handed out when nothing happened for so long: an editor's save is several events. */
const quietMs = 30;
/** The same for what changed within the last second too: a picture that is still being copied. */
const growingMs = 150;
const recentMs = 1_000;
/** At the latest so long after the first event: a rerun has to begin within 300 ms. */
const longestMs = 200;

/**
 * Tells of changes in folders and files. What is not there is waited for in the nearest folder above it
 * that is; what is removed and made anew is found by `arm`, to be called before each look at the files.
 * Events are only hints that something is to be looked at: many may be one change, and reading is none.
 */
export class ChangeWatch implements Disposable {
  #targets: WatchTargets = { folders: [], files: [] };
  readonly #watchers = new Map<string, Watching>();
  /** Places that were removed, or moved away. */
  readonly #stale = new Set<string>();
  readonly #pending = new Set<string>();
  #recent: ReadonlySet<string> = new Set();
  #takenMs = -Infinity;
  #firstMs = 0;
  #lastMs = 0;
  #failure: WatchProblem | undefined;
  #wake: () => void = () => {};

  constructor(readonly options: WatchOptions) {}

  /**
   * Watches these from now on; what was watched before and still is there is watched without a gap.
   * Throws `WatchProblem`.
   */
  async arm(targets: WatchTargets): Promise<void> {
    const { disk } = this.options;
    this.#targets = withReal(disk, targets);
    const places = placesOf(disk, this.#targets);
    const wanted = new Map(places.map((place) => [nameOf(disk, place), place]));
    const unwanted = [...this.#watchers].filter(([name, { place }]) =>
      !wanted.has(name) || this.#stale.has(place.path)
    );
    this.#stale.clear();
    // Before a new one is opened: Deno counts who watches a path, and where one was removed and made
    // anew, it goes on watching nothing as long as the old one is not quite closed.
    if (unwanted.length > 0) await this.#close(unwanted.map(([name]) => name));
    for (const [name, place] of wanted) {
      if (this.#watchers.has(name)) continue;
      const watcher = this.#open(place);
      this.#watchers.set(name, { watcher, place, ended: this.#listen(name, watcher) });
    }
    // What came while the watchers were opened was seen by none of them.
    const isLate = placesOf(disk, this.#targets).some((place) => !wanted.has(nameOf(disk, place)));
    if (isLate) await this.arm(targets);
  }

  /**
   * The paths that changed since the last time, when it has become quiet; waits for a first one. None
   * where `signal` fires first. Throws `WatchProblem` where watching broke off.
   */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    const onAbort = () => this.#wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure;
        const waitMs = this.#waitMs();
        if (waitMs > 0) await this.#sleep(waitMs);
        else {
          const changed = this.#take();
          if (changed.length > 0) return changed;
        }
      }
      return [];
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Whether a path is one of the targets, or below one of them. */
  covers(path: string): boolean {
    const { folders, files } = this.#targets;
    return files.includes(path) || folders.some((folder) => isInside(path, folder));
  }

  [Symbol.dispose](): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #close(names: readonly string[]) {
    const closing = names.map((name) => this.#watchers.get(name)!);
    for (const name of names) this.#watchers.delete(name);
    for (const { watcher } of closing) watcher.close();
    await Promise.all(closing.map(({ ended }) => ended));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  #open({ path, recursive }: Place): Watcher {
    const open = this.options.open ?? Deno.watchFs;
    try {
      return open(path, { recursive });
    } catch (error) {
      throw watchProblem(path, error);
    }
  }

  async #listen(name: string, watcher: Watcher) {
    try {
      for await (const event of watcher) this.#note(event);
    } catch (error) {
      const known = this.#watchers.get(name);
      if (known?.watcher !== watcher) return; // it was closed
      this.#failure = watchProblem(known.place.path, error);
      this.#wake();
    }
  }

  #note({ kind, paths, flag }: Deno.FsEvent) {
    if (kind === "access") return;
    if (kind !== "modify" && kind !== "create") this.#noteGone(paths);
    // The system had more to tell than it could hold: anything may have changed.
    const noted = flag === "rescan"
      ? [...this.#targets.folders, ...this.#targets.files]
      : paths.filter((path) => this.#counts(path));
    if (noted.length === 0) return;
    this.#lastMs = performance.now();
    if (this.#pending.size === 0) this.#firstMs = this.#lastMs;
    for (const path of noted) this.#pending.add(path);
    this.#wake();
  }

  /** A folder in the place of one that was removed may look the same, down to its number. */
  #noteGone(paths: readonly string[]) {
    for (const { place } of this.#watchers.values()) {
      if (paths.some((path) => isInside(place.path, path))) this.#stale.add(place.path);
    }
  }

  #counts(path: string): boolean {
    if (basename(path).startsWith(temporaryPrefix)) return false;
    if (this.options.ignored.some((folder) => isInside(path, folder))) return false;
    const { folders, files, withHidden } = this.#targets;
    if (files.includes(path)) return true;
    const folder = folders.find((each) => isInside(path, each));
    if (folder !== undefined) return withHidden || !/\/\./.test(path.slice(folder.length));
    return [...folders, ...files].some((target) => isInside(target, path));
  }

  /** How long to wait until what is pending may be taken. */
  #waitMs(): number {
    if (this.#pending.size === 0) return Infinity;
    const { files } = this.#targets;
    const isGrowing = this.#lastMs - this.#takenMs < recentMs &&
      [...this.#pending].some((path) => this.#recent.has(path) && !files.includes(path));
    const quietAt = this.#lastMs + (isGrowing ? growingMs : quietMs);
    return Math.min(quietAt, this.#firstMs + longestMs) - performance.now();
  }

  #take(): readonly string[] {
    const changed = [...this.#pending].filter((path) => !this.options.isOwn(path));
    this.#pending.clear();
    this.#recent = new Set(changed);
    this.#takenMs = performance.now();
    return changed.sort();
  }

  /** Until an event, an abort, or the time is over. */
  async #sleep(ms: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
    await promise;
    clearTimeout(timer);
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/**
 * The folders themselves, and the ones above each target, where it is seen to come and go. None twice:
 * Deno does not keep apart who watches a path with what is in it and who does not.
 */
function placesOf(disk: Disk, { folders, files }: WatchTargets): readonly Place[] {
  const there = [...new Set(folders)].filter((path) => disk.stat(path)?.isFolder);
  const outermost = there.filter((path) =>
    !there.some((other) => other !== path && isInside(path, other))
  );
  const above = new Set([...folders, ...files].map((path) => folderAbove(disk, path)));
  const alone = [...above].filter((path) => !outermost.some((folder) => isInside(path, folder)));
  return [
    ...outermost.map((path) => ({ path, recursive: true })),
    ...alone.map((path) => ({ path, recursive: false })),
  ];
}

/** Another folder in the same place has another name. */
function nameOf(disk: Disk, { path, recursive }: Place): string {
  const stat = disk.stat(path);
  return JSON.stringify([path, recursive, stat?.device, stat?.inode]);
}

/** The nearest folder above a path that is there. */
function folderAbove(disk: Disk, path: string): string {
  let folder = dirname(path);
  while (disk.stat(folder)?.isFolder !== true && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}

/** Where links lead to; the path itself where nothing is there. */
function realPath(disk: Disk, path: string): string {
  return disk.stat(path) === undefined ? path : disk.realPath(path);
}

/** The targets and what they lead to as links. */
function withReal(disk: Disk, { folders, files, withHidden }: WatchTargets): WatchTargets {
  const real = (paths: readonly string[]) => [
    ...new Set(paths.flatMap((path) => [path, realPath(disk, path)])),
  ];
  return { folders: real(folders), files: real(files), withHidden };
}

/** What Linux says where a user watches too many folders, or watches too often. */
const limits: readonly (readonly [RegExp, string])[] = [
  [
    /watch limit|no space left|ENOSPC/i,
    "the system's limit of watched folders is reached (raise it, such as " +
    "sudo sysctl fs.inotify.max_user_watches=524288, or watch a folder with fewer in it)",
  ],
  [
    /too many open files|EMFILE/i,
    "too many programs watch folders or too many files are open (end some, or raise it, such as " +
    "sudo sysctl fs.inotify.max_user_instances=512)",
  ],
];

function watchProblem(path: string, error: unknown): WatchProblem {
  const words = error instanceof Error ? error.message : String(error);
  const known = limits.find(([pattern]) => pattern.test(words))?.[1];
  return new WatchProblem(`Cannot watch folder "${path}": ${known ?? words}`, { cause: error });
}
