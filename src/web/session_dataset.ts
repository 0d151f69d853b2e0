import { basename, join } from "node:path";
import { defaultTrigger } from "../captions/compose.ts";
import type { DecisionLog } from "../decisions/log_file.ts";
import type { TargetName } from "../export/targets.ts";
import type { RunEvent } from "../runtime/event.ts";
import type { Graph } from "../runtime/graph.ts";
import { sha256 } from "../runtime/hash.ts";
import { localDisk } from "../runtime/local_disk.ts";
import type { RunReport, Session } from "../runtime/session.ts";
import type {
  About,
  Dataset,
  DatasetEvent,
  Edit,
  EditOutcome,
  ExportOutcome,
  Forecast,
  HistoryEntry,
  Picture,
  Preview,
  Progress,
  Served,
} from "./dataset.ts";
import { historyOf, linesOf } from "./edits.ts";
import { previewOf } from "./preview.ts";
import { type Exported, overwriting, type ReviewGraph, reviewGraph } from "./review_graph.ts";
import { RunFailures } from "./run_failures.ts";
import { type FoundFile, Shelf, type Trouble } from "./shelf.ts";
import { Views, type ViewSize } from "./views.ts";

export interface SessionDatasetOptions {
  readonly session: Session;
  /** Of the recipe, with the values of its parameters. */
  readonly graph: Graph;
  /** Opens the decisions' file. */
  readonly openLog: (path: string) => DecisionLog;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Writes the commands in a text so that a person can paste them; as they are when left out. */
  readonly pasteable?: (text: string) => string;
}

/** Changes that come in a burst (500 captions from the cache) are told together, this often. */
const tellMs = 50;

const idle: Progress = {
  phase: "idle",
  done: 0,
  total: 0,
  queued: 0,
  problems: [],
  failures: [],
  detail: null,
};

/**
 * A recipe's dataset under review, over a session. Runs follow one another: a look at the folder,
 * captions, whatever is asked anew, exports. What a person decides does not wait for them.
 */
export class SessionDataset implements Dataset {
  readonly #review: ReviewGraph;
  readonly #log: DecisionLog;
  readonly #shelf: Shelf;
  readonly #views: Views;
  readonly #listeners = new Set<(event: DatasetEvent) => void>();
  readonly #changed = new Set<string>();
  #telling: ReturnType<typeof setTimeout> | undefined;
  #progress = idle;
  #queue: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #seen = new Set<string>();
  /** Files that were captioned anew in this run, not from the cache. */
  #asked = new Set<string>();
  #exported: Exported | undefined;

  /** Throws `NotReviewable` for a recipe without what a review needs. */
  constructor(readonly options: SessionDatasetOptions) {
    const { session, graph, openLog, now } = options;
    this.#review = reviewGraph(graph, {
      picture: (name, ref) => {
        this.#seen.add(name);
        this.#shelf.found(name, ref);
        this.#touch(ref.hash);
      },
      caption: (name, ref, said) => {
        this.#shelf.captioned(name, said);
        this.#touch(ref.hash);
      },
      prepared: (name, ending) => this.#shelf.endsIn(name, ending),
      exported: (_, exported) => this.#exported = exported,
    });
    this.#log = openLog(this.#param("decisions", "file"));
    const trigger = this.#param("compose", "trigger");
    const exportsWritten = this.#review.exports.every(({ wires }) => "decisions" in wires);
    const startedMs = now().getTime();
    this.#shelf = new Shelf({ log: this.#log, trigger, exportsWritten, startedMs });
    this.#views = new Views(join(session.options.workspace, "review", "views"), localDisk);
  }

  /** Begins to look and to caption; resolves when that is done. */
  async start(): Promise<void> {
    this.lookAgain();
    await this.settled();
  }

  /** Resolves when nothing is queued. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  close(): void {
    clearTimeout(this.#telling);
    this.#listeners.clear();
    this.#log.close();
  }

  about(): About {
    const { graph, exports } = this.#review;
    const [first] = exports;
    const { trigger } = this.#shelf.options;
    return {
      recipe: graph.recipe,
      id: sha256(new TextEncoder().encode(this.#log.path)).slice(0, 16),
      source: this.#param("photos", "folder"),
      decisionsFile: this.#log.path,
      trigger,
      isDefaultTrigger: trigger === defaultTrigger,
      provider: String(this.#review.captions.params["provider"]),
      target: first === undefined ? null : first.params["target"] as TargetName,
      folder: first === undefined ? null : String(first.params["folder"]),
    };
  }

  pictures(): readonly Picture[] {
    return this.#shelf.pictures();
  }

  progress(): Progress {
    return { ...this.#progress, queued: Math.max(0, this.#queued - 1) };
  }

  async view(sha: string, size: ViewSize): Promise<Served | undefined> {
    const [file] = this.#shelf.filesOf(sha);
    return file === undefined ? undefined : await this.#views.view(sha, this.#pathOf(file), size);
  }

  async edit(by: string, edits: readonly Edit[]): Promise<EditOutcome> {
    const overwritten: { image: string; caption: string }[] = [];
    const images = new Set<string>();
    const lines: Promise<void>[] = [];
    const at = this.options.now().toISOString();
    for (const edit of edits) {
      images.add(edit.image);
      if (edit.number <= this.#log.lastNumber(by)) continue;
      const theirs = this.#overwrittenBy(by, edit);
      if (theirs !== undefined) overwritten.push({ image: edit.image, caption: theirs });
      lines.push(this.#log.append(linesOf(edit, { log: this.#log, shelf: this.#shelf, by, at })));
    }
    // Changes that were taken before may still be on their way to the disk.
    await Promise.all([...lines, this.#log.append([])]);
    for (const image of images) this.#shelf.touch(image);
    const pictures = [...images].flatMap((image) => this.#shelf.picture(image) ?? []);
    if (pictures.length > 0) this.#tell({ type: "pictures", pictures, by });
    const last = edits.reduce((most, { number }) => Math.max(most, number), 0);
    return { last, pictures, overwritten };
  }

  history(sha: string): readonly HistoryEntry[] {
    const name = this.#shelf.filesOf(sha)[0]?.name;
    return historyOf(this.#log, sha, name === undefined ? "" : this.#shelf.triggerOf(name));
  }

  async forecast(images: readonly string[]): Promise<Forecast> {
    const { free, locked } = this.#freeOf(images);
    if (free.length === 0) return { pictures: 0, locked, cost: null };
    const { graph, captions, untilCaptions } = this.#review;
    const groups = await this.options.session.plan(graph, {
      until: untilCaptions,
      force: this.#forceOf(free),
    });
    const cost = groups.filter(({ node }) => node === captions.id)
      .flatMap(({ forecast }) => forecast ?? []).join("; ");
    return { pictures: free.length, locked, cost: cost === "" ? null : cost };
  }

  regenerate(images: readonly string[]): Forecast {
    const { free, locked } = this.#freeOf(images);
    const before = new Map(free.map((image) => [image, this.#log.historyOf(image).length]));
    if (free.length > 0) void this.#enqueue(() => this.#askAnew(before));
    return { pictures: free.length, locked, cost: null };
  }

  lookAgain(): void {
    void this.#enqueue(async () => {
      await this.#look();
      await this.#caption([]);
    });
  }

  async preview(): Promise<Preview> {
    if (this.#shelf.unprepared.length > 0) await this.#enqueue(() => this.#prepare());
    return previewOf(this.#shelf, this.about().target ?? "plain");
  }

  async export({ overwrite }: { readonly overwrite: boolean }): Promise<ExportOutcome> {
    const { exports } = this.#review;
    if (exports.length === 0) {
      const reason = 'Cannot export: the recipe has no node with export.lora (add "dataset: ' +
        '{ use: export.lora, … }")';
      return { type: "failed", reason };
    }
    return await this.#enqueue(() => this.#export(overwrite)) ??
      {
        type: "failed",
        reason: this.#progress.problems.at(-1) ?? "Cannot export: the run broke off",
      };
  }

  async zip(sha: string): Promise<(Served & { readonly name: string }) | undefined> {
    const row = this.#exported?.zips.find((zip) => zip.sha256 === sha);
    const { folder } = this.about();
    if (row === undefined || folder === null) return undefined;
    const path = join(folder, row.file);
    if (localDisk.stat(path)?.isFile !== true) return undefined;
    const bytes = await localDisk.read(path);
    if (sha256(bytes) !== sha) return undefined;
    return { bytes, type: "application/zip", name: basename(row.file) };
  }

  listen(listener: (event: DatasetEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Names the pictures, which is quick, so that they are shown before any has a caption. */
  async #look(): Promise<void> {
    this.#seen = new Set();
    const report = await this.#run("looking", this.#review.graph, this.#review.untilPictures);
    if (report.status === "interrupted") return;
    const images = this.#shelf.keepOnly(this.#seen);
    if (images.length > 0) this.#tell({ type: "removed", images });
  }

  async #caption(force: readonly string[]): Promise<void> {
    if (this.#shelf.count === 0) return;
    const { graph, untilCaptions } = this.#review;
    await this.#run("captioning", graph, untilCaptions, force);
  }

  /** Makes the files of an export ready, so that it is known what they are. */
  async #prepare(): Promise<void> {
    const { graph, untilPrepared } = this.#review;
    const { unprepared } = this.#shelf;
    if (unprepared.length === 0 || untilPrepared === undefined) return;
    const { failures } = this.#progress;
    const report = await this.#run("preparing", graph, untilPrepared);
    this.#show({ failures });
    if (report.status === "interrupted") return;
    for (const { name } of this.#shelf.unprepared) this.#shelf.endsIn(name, undefined);
  }

  /** A person's words are put aside only once there are new ones, and only if none came meanwhile. */
  async #askAnew(before: ReadonlyMap<string, number>): Promise<void> {
    await this.#caption(this.#forceOf([...before.keys()]));
    const at = this.options.now().toISOString();
    for (const [image, length] of before) {
      const { state, text, locked } = this.#log.captionOf(image);
      const files = this.#shelf.filesOf(image);
      const isNew = files.some(({ name }) => this.#asked.has(name)) &&
        this.#log.historyOf(image).length === length && !locked;
      if (!isNew || (state === undefined && text === undefined)) continue;
      const decision = {
        field: "state",
        at,
        image,
        name: files[0]!.name,
        before: state ?? "edited",
        after: "auto",
      } as const;
      await this.#log.append([{ decision, by: "regenerate" }]);
      this.#touch(image);
    }
  }

  async #export(overwrite: boolean): Promise<ExportOutcome> {
    this.#exported = undefined;
    const failures: string[] = [];
    const before: string[] = [];
    const isExport = new Set(this.#review.exports.map(({ id }) => id));
    const graph = overwriting(this.#review.graph, overwrite);
    await this.#run("exporting", graph, undefined, [], (event) => {
      if (event.type !== "task-settled") return;
      const { node, item, outcome, reason = "Cannot export: the run broke off" } = event;
      if (outcome === "failed" && item === undefined && !isExport.has(node)) before.push(reason);
      const isOver = outcome === "failed" || outcome === "skipped";
      if (isExport.has(node) && isOver) failures.push(reason);
    });
    const [reason] = failures;
    if (reason !== undefined) {
      // The step names the way out that it has; here, that is a question.
      const isThere = !overwrite && reason.includes("(--overwrite replaces them)");
      return isThere
        ? { type: "exists", reason: reason.replace(" (--overwrite replaces them)", "") }
        : { type: "failed", reason: [...before, reason].join("; ") };
    }
    const exported = this.#exported as Exported | undefined;
    if (exported === undefined) {
      return { type: "failed", reason: "Cannot export: the run was stopped before the end" };
    }
    const { target, zips, left_out } = exported;
    return { type: "written", folder: this.about().folder!, target, zips, leftOut: left_out };
  }

  async #run(
    phase: Progress["phase"],
    graph: Graph,
    until: string | undefined,
    force: readonly string[] = [],
    listener: (event: RunEvent) => void = () => {},
  ): Promise<RunReport> {
    this.#asked = new Set();
    // How an export ended is said where it was asked for.
    const isExport = (node: string) => this.#review.exports.some(({ id }) => id === node);
    const own = new Set(this.options.graph.nodes.map(({ id }) => id));
    const failures = new RunFailures(
      (node) => own.has(node) && !isExport(node),
      this.options.pasteable,
    );
    const total = this.#shelf.count;
    this.#show({ phase, done: 0, total, problems: [], failures: [], detail: null });
    const report = await this.options.session.run(graph, {
      until,
      force,
      signal: this.options.signal,
      listener: (event) => {
        if (event.type === "run-started") this.#show({ phase, detail: null });
        this.#hear(event);
        failures.hear(event);
        listener(event);
      },
      onWait: (holder) => {
        const who = holder === undefined ? "another run" : `run ${holder.run}`;
        this.#show({ phase: "held-up", detail: `${who} is at work in this workspace` });
      },
    });
    this.#show({ failures: failures.words(), detail: null });
    return report;
  }

  /** Takes in what a run says of pictures that do not come through, and how far it is. */
  #hear(event: RunEvent) {
    if (event.type === "task-retried") {
      const seconds = Math.ceil(event.waitMs / 1000);
      this.#show({ detail: `${event.reason}; trying again in ${seconds} s` });
    }
    if (event.type !== "task-settled") return;
    const { node, item, outcome, reason = "" } = event;
    const { photos, captions } = this.#review;
    if (item === undefined) return;
    if (node === captions.id) {
      if (outcome === "ran") this.#asked.add(item);
      this.#show({ done: this.#progress.done + 1 });
    }
    if (node === photos.id) return; // it is no picture of the page
    const isLeftOut = outcome === "rejected" || reason.startsWith("left out");
    if (outcome === "failed" || outcome === "rejected") {
      this.#trouble(item, { state: "failed", reason, isUnreadable: isLeftOut });
    } else if (outcome === "skipped" && node === captions.id) {
      const state = isLeftOut ? "failed" : "waiting";
      this.#trouble(item, { state, reason, isUnreadable: isLeftOut });
    }
  }

  #trouble(item: string, trouble: Trouble) {
    const file = this.#shelf.file(item);
    if (file === undefined) return;
    this.#shelf.troubled(item, trouble);
    this.#touch(file.sha256);
  }

  #complain(problem: string) {
    const { problems } = this.#progress;
    if (!problems.includes(problem)) this.#show({ problems: [...problems, problem] });
  }

  /** One after the other; a failure is shown, and the next one has its turn all the same. */
  #enqueue<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    this.#queued++;
    const turn = this.#queue.then(async () => {
      try {
        return await work();
      } catch (error) {
        this.#complain(error instanceof Error ? error.message : String(error));
        return undefined;
      } finally {
        this.#queued--;
        this.#show({ phase: "idle", detail: null });
      }
    });
    this.#queue = turn;
    this.#show({});
    return turn;
  }

  #show(change: Partial<Progress>) {
    this.#progress = { ...this.#progress, ...change };
    this.#telling ??= setTimeout(() => this.#tellChanges(), tellMs);
  }

  #touch(image: string) {
    this.#shelf.touch(image);
    this.#changed.add(image);
    this.#telling ??= setTimeout(() => this.#tellChanges(), tellMs);
  }

  #tellChanges() {
    this.#telling = undefined;
    const pictures = [...this.#changed].flatMap((image) => this.#shelf.picture(image) ?? []);
    this.#changed.clear();
    if (pictures.length > 0) this.#tell({ type: "pictures", pictures });
    this.#tell({ type: "progress", progress: this.progress() });
  }

  #tell(event: DatasetEvent) {
    for (const listener of this.#listeners) listener(event);
  }

  /** The caption that a page's change would replace without having seen it. */
  #overwrittenBy(by: string, edit: Edit): string | undefined {
    if (edit.field !== "caption") return undefined;
    const now = this.#shelf.picture(edit.image)?.caption;
    const last = this.#log.historyOf(edit.image).at(-1);
    const isOurs = last === undefined || last.by === by;
    return now === undefined || isOurs || now === edit.before || now === edit.after
      ? undefined
      : now;
  }

  #freeOf(images: readonly string[]) {
    const known = images.flatMap((image) => this.#shelf.picture(image) ?? []);
    const free = known.filter(({ locked }) => !locked).map(({ sha256 }) => sha256);
    return { free, locked: known.length - free.length };
  }

  #forceOf(images: readonly string[]): string[] {
    const { captions } = this.#review;
    return images.flatMap((image) =>
      this.#shelf.filesOf(image).map(({ name }) => `${captions.id}:${literally(name)}`)
    );
  }

  #pathOf({ name }: FoundFile): string {
    return join(this.#param("photos", "folder"), ...name.split("/"));
  }

  #param(node: "photos" | "decisions" | "compose", name: string): string {
    return String(this.#review[node].params[name]);
  }
}

/** A name as a pattern that means nothing but it. */
function literally(name: string): string {
  return name.replace(/[\\*?[\]{}()!+@|^$]/g, "\\$&");
}
