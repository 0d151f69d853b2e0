import { dirname, join, relative } from "node:path";
import { sha256 } from "../../src/runtime/hash.ts";
import { readJournal } from "../../src/runtime/journal.ts";
import { listRuns } from "../../src/runtime/records.ts";
import { mainModule } from "../cli/rig.ts";
import { photo } from "../picture_rig.ts";
import { completion, models, ModelServer } from "../services/model_server.ts";

type Files = ReadonlyMap<string, string>;

/** A shipped recipe as it is tormented. */
export interface Tormented {
  readonly name: string;
  readonly recipe: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What a killed run may have had instead of some of the settings; nothing of it may be seen in the end. */
  readonly others?: readonly Readonly<Record<string, string>>[];
  /** Files that are there beforehand. */
  readonly given?: Readonly<Record<string, string>>;
  /** Whether a file of the folder has to be the same as without a kill; all are, when left out. */
  readonly isCompared?: (path: string) => boolean;
}

const out = { source: "photos", out: "out" };
const salt = { "out/images/.tintype-salt": `${"0123456789abcdef".repeat(4)}\n` };

/** What is left for a report to tell after a part of the moves was made is not what there was before. */
function isNoAccount(path: string): boolean {
  return !/(^|\/)(report\.html|quarantine\.jsonl)$/.test(path);
}

export const tormented: readonly Tormented[] = [
  {
    name: "proxy",
    recipe: "proxy",
    settings: { ...out, short_side: "64" },
    others: [{ quality: "40" }, { format: "webp" }, { short_side: "48" }],
  },
  {
    name: "normalize",
    recipe: "normalize",
    settings: out,
    others: [{ metadata: "keep" }],
    given: salt,
  },
  {
    name: "normalize_subject",
    recipe: "normalize_subject",
    settings: out,
    others: [{ metadata: "keep_safe" }, { aspects: '["3:2"]' }],
    given: salt,
  },
  {
    name: "dedupe report",
    recipe: "dedupe",
    settings: { ...out, action: "report" },
    others: [{ within: '["exact"]' }],
  },
  {
    name: "dedupe publish",
    recipe: "dedupe",
    settings: { ...out, action: "publish" },
    others: [{ within: '["exact"]' }, { within: "[]" }, { action: "report" }],
  },
  {
    name: "dedupe quarantine",
    recipe: "dedupe",
    settings: { ...out, action: "quarantine" },
    isCompared: isNoAccount,
  },
  {
    name: "caption draft",
    recipe: "caption",
    settings: { ...out, trigger: "hall_x", overwrite: "true" },
    others: [{ target: "kohya" }, { target: "hf-imagefolder" }, { profile: "person" }],
  },
  {
    name: "caption by a model",
    recipe: "caption",
    settings: { ...out, trigger: "hall_x", provider: "openai_compatible" },
  },
];

/** Photographs, some of them twice and some in another size, so that there is something to set aside. */
export async function photographs(folder: string): Promise<void> {
  Deno.mkdirSync(join(folder, "sub"), { recursive: true });
  for (let seed = 1; seed <= 10; seed++) {
    const name = seed % 3 === 0 ? `sub/IMG_${seed}.jpg` : `IMG_${seed}.jpg`;
    const bytes = await photo(320 + 16 * seed, 240, { seed });
    Deno.writeFileSync(join(folder, name), bytes);
    if (seed % 2 === 0) Deno.writeFileSync(join(folder, "sub", `copy_${seed}.jpg`), bytes);
  }
  Deno.writeFileSync(join(folder, "broken.jpg"), (await photo(200, 150)).slice(0, 900));
}

/** A model that counts how often it is asked about each picture. */
export class CountingModel implements AsyncDisposable {
  readonly asked = new Map<string, number>();
  readonly #server: ModelServer;

  constructor() {
    this.#server = new ModelServer(async ({ path, body }) => {
      if (path.endsWith("/models")) return models("counting-vl");
      const picture = sha256(/data:[^"]+/.exec(JSON.stringify(body))?.[0] ?? "");
      this.asked.set(picture, (this.asked.get(picture) ?? 0) + 1);
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, 30); // an answer takes its time, so that kills fall into it
      await promise;
      return completion(JSON.stringify(answerTo(picture)));
    });
  }

  get env(): Readonly<Record<string, string>> {
    return { OPENAI_BASE_URL: this.#server.origin, OPENAI_API_KEY: "sk-not-needed" };
  }

  /** Calls beyond the first about each picture. */
  get repeated(): number {
    return [...this.asked.values()].reduce((sum, count) => sum + count - 1, 0);
  }

  async [Symbol.asyncDispose]() {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Always the same about a picture. */
function answerTo(picture: string) {
  return {
    viewpoint: "wide view from the door",
    elements: `a long table numbered ${picture.slice(0, 4)}`,
    materials: "grey stone",
    lighting: "soft light",
    activity: "",
  };
}

/** How many calls of `caption.yaml` may be under way when it is killed. */
export const callsAtOnce = 4;

/** What an undisturbed run gives. */
export interface Reference {
  readonly files: Files;
  readonly tookMs: number;
  readonly uncached: ReadonlySet<string>;
}

export interface Torment {
  readonly kills: number;
  /** Tasks or calls done twice, files that differ or were left: none, if all is well. */
  readonly faults: readonly string[];
}

/** A recipe run, killed and run again in folders of its own. */
export class Torturer implements Disposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-torture-" }));
  readonly #photos = join(this.folder, "photos");

  static async create(): Promise<Torturer> {
    const torturer = new Torturer();
    await photographs(torturer.#photos);
    return torturer;
  }

  [Symbol.dispose]() {
    Deno.removeSync(this.folder, { recursive: true });
  }

  /**
   * Runs a recipe undisturbed; gives its files, how long it took, and the nodes that a second run does
   * again too, such as those whose model is not there.
   */
  async reference(
    about: Tormented,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Reference> {
    const place = this.#place(about);
    const started = performance.now();
    // One picture is broken and left out, which is no failure.
    const problem = await finished(start(place, about, env));
    const tookMs = performance.now() - started;
    if (problem !== undefined) throw new Error(`Cannot run ${about.name}: ${problem}`);
    const files = filesOf(place, about);
    const workspace = join(place, ".tintype");
    const first = listRuns(workspace).length;
    await finished(start(place, about, env));
    const uncached = startedIn(workspace, first);
    Deno.removeSync(place, { recursive: true });
    return { files, tookMs, uncached };
  }

  /** Kills a recipe `kills` times at random moments, lets it come to its end, and looks at what is there. */
  async torment(
    about: Tormented,
    { reference: { files, tookMs, uncached }, kills, random, model }: {
      readonly reference: Reference;
      readonly kills: number;
      readonly random: () => number;
      readonly model?: CountingModel;
    },
  ): Promise<Torment> {
    const place = this.#place(about);
    const env = model?.env ?? {};
    model?.asked.clear();
    const faults: string[] = [];
    let killed = 0;
    for (let round = 0; round < kills; round++) {
      const { settings, others = [] } = about;
      const other = others[Math.floor(random() * 2 * others.length)]; // half of them have its own
      const command = start(place, { ...about, settings: { ...settings, ...other } }, env);
      if (await killedAfter(command, 120 + random() * tookMs)) killed++;
    }
    const problem = await finished(start(place, about, env));
    if (problem !== undefined) faults.push(problem);
    faults.push(...differences(files, filesOf(place, about)));
    faults.push(...leftovers(place), ...doneTwice(join(place, ".tintype"), uncached));
    if (model !== undefined && model.repeated > killed * callsAtOnce) {
      faults.push(`${model.repeated} calls made again after ${killed} kills`);
    }
    if (faults.length === 0) Deno.removeSync(place, { recursive: true });
    else faults.push(`see ${place}`);
    return { kills: killed, faults };
  }

  /** A folder with copies of the photographs, which a quarantine moves. */
  #place({ given = {} }: Tormented): string {
    const place = Deno.makeTempDirSync({ dir: this.folder, prefix: "run-" });
    for (const path of pathsIn(this.#photos)) {
      const to = join(place, "photos", path);
      Deno.mkdirSync(dirname(to), { recursive: true });
      Deno.copyFileSync(join(this.#photos, path), to);
    }
    for (const [path, text] of Object.entries(given)) {
      Deno.mkdirSync(dirname(join(place, path)), { recursive: true });
      Deno.writeTextFileSync(join(place, path), text);
    }
    // Undisturbed and killed runs have to have the same paths in their reports.
    const fixed = join(this.folder, "here");
    Deno.renameSync(place, fixed);
    return fixed;
  }
}

/** The command that runs a tormented recipe in a folder, in a process group of its own. */
export function start(
  cwd: string,
  { recipe, settings, env }: Tormented,
  more: Readonly<Record<string, string>>,
): Deno.Command {
  const set = Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", mainModule, "run", recipe, ...set],
    cwd,
    env: { NO_COLOR: "1", TINTYPE_MODELS: join(cwd, "no-models"), ...env, ...more },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true, // a group of its own, so that the whole of it can be killed
  });
}

/** Far beyond what any of these runs takes. */
const hangMs = 90_000;

/** Lets a run come to its end; what was wrong with it, if anything was. */
async function finished(command: Deno.Command): Promise<string | undefined> {
  const child = command.spawn();
  let isHanging = false;
  const timer = setTimeout(() => {
    isHanging = true;
    killGroup(child);
  }, hangMs);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  if (isHanging) return `it hung for ${hangMs / 1000} s`;
  return code === 0 ? undefined : `exit code ${code}: ${new TextDecoder().decode(stderr)}`;
}

/** Kills a process group after so long; false where it had ended by itself. */
async function killedAfter(command: Deno.Command, ms: number): Promise<boolean> {
  const child = command.spawn();
  let isKilled = false;
  const timer = setTimeout(() => {
    isKilled = true;
    killGroup(child);
  }, ms);
  const { signal } = await child.output();
  clearTimeout(timer);
  return isKilled && signal === "SIGKILL";
}

function killGroup({ pid }: Deno.ChildProcess): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    // It may have ended by itself, and not been heard of yet.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The files below a folder. */
export function* pathsIn(folder: string): Generator<string> {
  const look = function* (path: string): Generator<string> {
    for (const entry of Deno.readDirSync(path)) {
      if (entry.isDirectory) yield* look(join(path, entry.name));
      else yield relative(folder, join(path, entry.name));
    }
  };
  yield* look(folder);
}

/** What is compared: everything but the workspace, by content; a manifest without its times. */
function filesOf(place: string, { isCompared = () => true }: Tormented): Files {
  const files = new Map<string, string>();
  for (const path of pathsIn(place)) {
    if (path.startsWith(".tintype/") || !isCompared(path)) continue;
    const bytes = Deno.readFileSync(join(place, path));
    files.set(path, sha256(path.endsWith(".tintype-manifest.json") ? timeless(bytes) : bytes));
  }
  return files;
}

function timeless(manifest: Uint8Array): string {
  return new TextDecoder().decode(manifest).replace(/"mtime_ms":\s*[\d.]+/g, "");
}

function differences(wanted: Files, found: Files): string[] {
  const paths = new Set([...wanted.keys(), ...found.keys()]);
  return [...paths].filter((path) => wanted.get(path) !== found.get(path)).map((path) =>
    `${path} ${!found.has(path) ? "is missing" : wanted.has(path) ? "differs" : "is too much"}`
  );
}

/** The nodes whose tasks were begun in the runs from the given one on. */
function startedIn(workspace: string, from: number): ReadonlySet<string> {
  const events = listRuns(workspace).slice(from).flatMap(({ folder }) => [
    ...readJournal(join(folder, "journal.jsonl")),
  ]);
  return new Set(events.flatMap((event) => event.type === "task-started" ? [event.node] : []));
}

/** Files that were to have another name, or none. */
function leftovers(place: string): string[] {
  return [...pathsIn(place)].filter((path) =>
    /(^|\/)(\.tintype-tmp-|\.[^/]*\.sealing)|\.(part|tmp)$|-(wal|shm|journal)$/.test(path)
  ).map((path) => `${path} was left`);
}

/** Tasks that a journal tells the end of, and a later one the beginning again. */
function doneTwice(workspace: string, uncached: ReadonlySet<string>): string[] {
  const done = new Map<string, string>();
  const twice: string[] = [];
  for (const { id, folder } of listRuns(workspace)) {
    for (const event of readJournal(join(folder, "journal.jsonl"))) {
      if ("node" in event && uncached.has(event.node ?? "")) continue;
      if (event.type === "task-started" && event.why.type !== "outside-changed") {
        const before = done.get(event.key);
        if (before !== undefined) {
          twice.push(`${event.node} on ${event.item ?? "all"} ran in ${before} and in ${id}`);
        }
      }
      if (event.type !== "task-settled" || event.key === undefined) continue;
      if (event.outcome === "ran" || event.outcome === "rejected") done.set(event.key, id);
    }
  }
  return twice;
}
