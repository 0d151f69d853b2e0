import { join } from "node:path";
import { CacheLedger } from "./cache_ledger.ts";
import {
  areWhole,
  type Case,
  type Cure,
  itemNames,
  originsOf,
  publishedPlaces,
  runAgain,
  RunOpener,
  tasksWithResult,
  uniqueCures,
} from "./healing.ts";
import { localDisk } from "./local_disk.ts";
import type { Holder } from "./lock.ts";
import { checkOriginals, type OriginalCheck } from "./original_check.ts";
import { listRuns, readLock } from "./records.ts";
import { repeatTasks, type Repetition } from "./repetition.ts";
import type { Session } from "./session.ts";
import { isThere, locked } from "./upkeep.ts";
import { checkWorkspace, type Finding, Quarantine, type StoreCheck } from "./verification.ts";

/** What a published folder's manifest says is wrong: see `published_check.ts` of the steps. */
export interface PublishedReport {
  readonly files: number;
  readonly edited: number;
  readonly faults: readonly {
    readonly file: string;
    /** `<recipe>/<node>`. */
    readonly owner: string;
    readonly problem: "missing" | "damaged" | "changed";
  }[];
  readonly problem?: string;
}

export interface VerifyOptions {
  /** Makes again what is lost, by the recipes of the runs. */
  readonly repair?: boolean;
  /** How many tasks of the last run are done again and compared. */
  readonly sample?: number | "all";
  /** Which tasks a sample has is drawn by it; chance when left out. */
  readonly seed?: string;
  /** Compares a published folder with its manifest; undefined where it has none. */
  readonly checkFolder: (folder: string) => Promise<PublishedReport | undefined>;
  readonly signal?: AbortSignal;
  readonly onWait?: (holder: Holder | undefined) => void;
  readonly onProgress?: (words: string) => void;
}

export interface VerifyReport {
  readonly artifacts: number;
  readonly results: number;
  readonly bytes: number;
  /** What runs have read from outside: see `original_check.ts`. */
  readonly originals: Omit<OriginalCheck, "findings">;
  readonly published: {
    readonly folders: number;
    readonly files: number;
    readonly edited: number;
  };
  /** Undefined where no task was to be repeated. */
  readonly repetition?: Pick<Repetition, "repeated" | "unreached">;
  readonly findings: readonly Finding[];
  /** What could not be looked at, and what is only odd. */
  readonly notes: readonly string[];
}

/**
 * Checks a workspace: artifacts and results, the originals that it was made from, published folders, and, if asked, whether tasks of the last
 * run come out the same again. What is wrong is set aside, and with `repair` made again.
 */
export async function verifyWorkspace(
  session: Session,
  options: VerifyOptions,
): Promise<VerifyReport> {
  return await new Verifier(session, options).verify();
}

/** SQLite opens the cache, and finds that its file is not whole. */
class DamagedCache extends Error {
  override readonly name = "DamagedCache";
}

interface WorkspaceCheck extends StoreCheck {
  readonly originals: VerifyReport["originals"];
}

const nothing: WorkspaceCheck = {
  artifacts: 0,
  results: 0,
  bytes: 0,
  findings: [],
  foreign: [],
  originals: { files: 0, bytes: 0, changed: 0, gone: 0 },
};

class Verifier {
  readonly #workspace: string;
  readonly #opener: RunOpener;
  readonly #quarantine: Quarantine;
  readonly #cases: Case[] = [];

  constructor(readonly session: Session, readonly options: VerifyOptions) {
    this.#workspace = session.options.workspace;
    this.#opener = new RunOpener(session);
    this.#quarantine = new Quarantine(localDisk, join(this.#workspace, "quarantine"));
  }

  async verify(): Promise<VerifyReport> {
    const { onWait, repair } = this.options;
    const store = isThere(this.#workspace)
      ? await locked(this.session, "verify", onWait, () => this.#checkStore())
      : nothing;
    const published = await this.#checkPublished();
    const repetition = await this.#repeat();
    if (repair) await this.#repair();
    const { artifacts, results, bytes, originals, foreign } = store;
    return {
      artifacts,
      results,
      bytes,
      originals,
      published,
      repetition,
      findings: this.#cases.map(({ finding }) => finding),
      notes: [
        ...this.#opener.notes,
        ...foreign.map((path) => `"${path}" is not ours; left as it is`),
      ],
    };
  }

  async #checkStore(): Promise<WorkspaceCheck> {
    const path = join(this.#workspace, "cache.sqlite");
    let ledger: CacheLedger | undefined;
    try {
      ledger = CacheLedger.open(path, { readOnly: false });
      const damage = ledger.damage();
      if (damage !== "") throw new DamagedCache(damage);
      return await this.#checkWith(ledger);
    } catch (error) {
      const isDamage = error instanceof DamagedCache ||
        (error instanceof Error && "errcode" in error);
      if (!isDamage) throw error;
      ledger?.close();
      ledger = undefined;
      return await this.#damagedCache(path, error.message);
    } finally {
      ledger?.close();
    }
  }

  async #checkWith(ledger: CacheLedger): Promise<WorkspaceCheck> {
    const { signal, onProgress } = this.options;
    const check = await checkWorkspace({
      workspace: this.#workspace,
      disk: localDisk,
      ledger,
      signal,
      onProgress: (count) => {
        if (count % 1000 === 0) onProgress?.(`${count.toLocaleString("en")} artifacts read`);
      },
    });
    this.#addLost(check.findings);
    return { ...check, originals: await this.#checkOriginals(ledger) };
  }

  /** Nothing here can make an original again, so its findings have no cure. */
  async #checkOriginals(ledger: CacheLedger): Promise<VerifyReport["originals"]> {
    const { signal, onProgress } = this.options;
    const { findings, ...originals } = await checkOriginals({
      ledger,
      signal,
      onProgress: (count) => {
        if (count % 1000 === 0) onProgress?.(`${count.toLocaleString("en")} originals read`);
      },
    });
    this.#cases.push(...findings.map((finding) => ({ finding, cures: [] })));
    return originals;
  }

  /** A cache that SQLite cannot read is of no use; its store is still worth checking. */
  async #damagedCache(path: string, words: string): Promise<WorkspaceCheck> {
    const { repair } = this.options;
    const finding: Finding = {
      code: "damaged-cache",
      message: `Cache "${path}" is damaged: ${words}`,
      path,
      keys: [],
      setAside: repair ? await this.#quarantine.take(path, "cache.sqlite") : undefined,
      help: repair
        ? "the next run of each recipe computes everything again"
        : "tintype verify --repair sets it aside; the next run computes everything again",
    };
    this.#cases.push({ finding, cures: [] });
    for (const end of repair ? ["-wal", "-shm"] : []) {
      if (localDisk.stat(path + end) === undefined) continue;
      await this.#quarantine.take(path + end, `cache.sqlite${end}`);
    }
    const none = CacheLedger.open(join(this.#workspace, "no-cache"), { readOnly: true });
    try {
      return await this.#checkWith(none);
    } finally {
      none.close();
    }
  }

  /** Says of each lost thing which node made it, and how it is made again. */
  #addLost(findings: readonly Finding[]) {
    const wanted = new Set(findings.flatMap(({ keys }) => keys));
    const origins = originsOf(this.#workspace, wanted);
    for (const finding of findings) {
      const found = finding.keys.flatMap((key) => origins.get(key) ?? []);
      const [first] = found;
      const lock = first === undefined ? undefined : readLock(first.run.folder);
      const named: Finding = {
        ...finding,
        recipe: first?.recipe,
        node: first?.node,
        step: lock?.nodes.find(({ id }) => id === first?.node)?.step,
        item: first?.item,
        help: first === undefined
          ? "no run that is kept needs it"
          : `tintype verify --repair makes it again, or tintype run ${lock?.path ?? first.recipe}`,
      };
      this.#cases.push({ finding: named, cures: uniqueCures(found) });
    }
  }

  /** Compares the folders that the runs published into with their manifests. */
  async #checkPublished(): Promise<VerifyReport["published"]> {
    const total = { folders: 0, files: 0, edited: 0 };
    for (const [folder, cures] of await publishedPlaces(this.#opener)) {
      const report = await this.options.checkFolder(folder);
      if (report === undefined) continue;
      total.folders++;
      total.files += report.files;
      total.edited += report.edited;
      if (report.problem !== undefined) {
        const finding: Finding = {
          code: "published-unreadable",
          message: report.problem,
          keys: [],
        };
        this.#cases.push({ finding, cures: [] });
      }
      for (const fault of report.faults) {
        const cure = cures.get(fault.owner);
        const finding = publishedFinding(folder, fault, cure);
        const isCurable = cure !== undefined && fault.problem !== "changed";
        this.#cases.push({ finding, cures: isCurable ? [cure] : [] });
      }
    }
    return total;
  }

  /** Does tasks of the last run again that came to its end. */
  async #repeat(): Promise<VerifyReport["repetition"]> {
    const { sample, seed = crypto.randomUUID(), signal, onProgress } = this.options;
    if (sample === undefined) return undefined;
    const last = listRuns(this.#workspace).reverse().find(({ folder }) =>
      readLock(folder)?.outputs !== undefined
    );
    const opened = last === undefined ? undefined : await this.#opener.open(last);
    if (opened === undefined) {
      this.#opener.notes.push("There is no finished run whose tasks could be repeated");
      return { repeated: 0, unreached: 0 };
    }
    const { recorded, graph } = opened;
    const { repeated, unreached, findings } = await repeatTasks({
      workspace: this.#workspace,
      graph,
      tasks: tasksWithResult(recorded.record),
      sample,
      seed,
      choice: { limit: recorded.lock.limit, items: itemNames(recorded, graph) },
      services: this.session.options.services ?? new Map(),
      signal,
      onProgress: (done, total) => {
        if (done % 100 === 0) onProgress?.(`${done} of ${total} tasks repeated`);
      },
    });
    this.#cases.push(...findings.map((finding) => ({ finding, cures: [] })));
    return { repeated, unreached };
  }

  /** Runs the nodes again that made what is lost, and looks whether it is there. */
  async #repair() {
    const curable = this.#cases.filter(({ cures }) => cures.length > 0);
    for (const each of curable) {
      const { code, path } = each.finding;
      if (code !== "published-damaged" || path === undefined) continue;
      const name = `published-${path.split(/[\\/]/).at(-1)}`;
      each.finding = { ...each.finding, setAside: await this.#quarantine.take(path, name) };
    }
    await runAgain(this.#opener, curable, this.options);
    const wrong = new Set<string>();
    const isPublished = ({ finding }: Case) => finding.code.startsWith("published-");
    for (const [folder] of curable.some(isPublished) ? await publishedPlaces(this.#opener) : []) {
      const report = await this.options.checkFolder(folder);
      for (const { file } of report?.faults ?? []) wrong.add(join(folder, file));
    }
    for (const each of curable) {
      const { keys, path } = each.finding;
      const isHealed = isPublished(each)
        ? path !== undefined && !wrong.has(path)
        : areWhole(this.#workspace, keys);
      each.finding = { ...each.finding, isHealed };
    }
  }
}

function publishedFinding(
  folder: string,
  { file, owner, problem }: PublishedReport["faults"][number],
  cure: Cure | undefined,
): Finding {
  const [recipe, node] = owner.split("/");
  const path = join(folder, file);
  const again = `tintype run ${
    (cure === undefined ? undefined : readLock(cure.run.folder)?.path) ?? recipe
  }`;
  const [what, help] = {
    missing: ["is missing", `tintype verify --repair publishes it again, or ${again}`],
    damaged: [
      "is damaged: it has other bytes, and the size and time that it was left with",
      "tintype verify --repair sets it aside and publishes it again",
    ],
    changed: [
      "was changed since it was published",
      `the next run keeps a person's change; ${again} --overwrite replaces it`,
    ],
  }[problem] as [string, string];
  const message = `Published file "${path}" ${what}`;
  return { code: `published-${problem}`, message, path, recipe, node, keys: [], help };
}
