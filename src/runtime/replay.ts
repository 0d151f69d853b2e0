import { dirname, join } from "node:path";
import { ActionCache } from "./cache.ts";
import { CacheLedger, refsOf } from "./cache_ledger.ts";
import { temporaryPrefix } from "./disk.ts";
import type { RunListener } from "./event.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { provisionalTasks } from "./provisional.ts";
import { isProcessGone } from "./pack_writer.ts";
import { localDisk } from "./local_disk.ts";
import { refusing } from "./locked.ts";
import {
  graphOfRecord,
  itemsOfRecord,
  openRecord,
  partsOfLock,
  type RecordedRun,
  RecordProblem,
  tablesOfRecord,
  tasksOfRecord,
} from "./recorded_run.ts";
import { readLock, type RunLock, type RunRecord } from "./records.ts";
import { type Difference, differencesOf, portName, type PortRow } from "./replay_difference.ts";
import { Session } from "./session.ts";
import { ArtifactStore, LostBlob } from "./store.ts";
import type { NodeParts } from "./task_key.ts";
import { version } from "./version.ts";

export interface ReplayOptions {
  readonly jobs?: number;
  readonly signal?: AbortSignal;
  readonly listener?: RunListener;
}

/** How a run came out when it was done again. */
export interface ReplayReport {
  readonly run: string;
  /** Empty where every hash of every node and item is what it was. */
  readonly differences: readonly Difference[];
  /** Results that were compared: one for each node and item. */
  readonly compared: number;
  /** Nodes that write outside, and what only comes after them: they were left out. */
  readonly leftOut: readonly string[];
  /** Nodes whose recorded replies were used. */
  readonly recorded: readonly string[];
  /** Versions that are not those of the run: `deno: 2.9.5 → 2.9.6`. */
  readonly versions: readonly string[];
}

/**
 * Does a run again, in a workspace of its own that is empty, and compares bit for bit. Its items are those
 * of the run. Steps that ask remote models are not called: the replies that the workspace has are used.
 * Steps that write outside (`world: "writes"`) are left out with all that comes after them, so that no
 * folder of a person is touched. Throws `RecordProblem` where the run cannot be done again.
 */
export async function replayRun(
  session: Session,
  run: string,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const { workspace } = session.options;
  const recorded = openRecord(workspace, run, "replay");
  const graph = await graphOfRecord(session, recorded, "replay");
  const folder = temporaryFolder(workspace);
  try {
    return await new Replay(session, recorded, graph, folder).execute(options);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const folderStart = `${temporaryPrefix}replay-`;

/** A new folder in the workspace; those that killed replays left are removed. */
function temporaryFolder(workspace: string): string {
  const isOld = ({ name }: Deno.DirEntry) =>
    name.startsWith(folderStart) && isProcessGone(name.slice(folderStart.length));
  for (const entry of [...Deno.readDirSync(workspace)].filter(isOld)) {
    Deno.removeSync(join(workspace, entry.name), { recursive: true });
  }
  const folder = join(workspace, `${folderStart}${Deno.pid}-${crypto.randomUUID()}`);
  Deno.mkdirSync(folder);
  return folder;
}

class Replay {
  /** The nodes that are done again. */
  readonly #nodes: readonly GraphNode[];
  readonly #remote: ReadonlySet<string>;

  constructor(
    readonly session: Session,
    readonly recorded: RecordedRun,
    readonly graph: Graph,
    readonly folder: string,
  ) {
    this.#nodes = insideOf(graph.nodes);
    this.#remote = new Set(
      this.#nodes.filter(({ step }) => step.origin === "remote").map(({ id }) => id),
    );
  }

  async execute(options: ReplayOptions): Promise<ReplayReport> {
    const { lock, record } = this.recorded;
    await this.#takeReplies();
    const { services, catalog, now } = this.session.options;
    const there = new Session({ catalog, services, now, cwd: lock.cwd, workspace: this.folder });
    const parts = partsOfLock(lock);
    const report = await there.run({ ...this.graph, nodes: this.#nodes.map(this.#unasked) }, {
      ...options,
      limit: lock.limit,
      items: names(itemsOfRecord(this.recorded, this.graph.nodes)),
      // A key of this machine would not find a reply that was asked for with another library.
      parts: new Map([...parts].filter(([id]) => this.#remote.has(id))),
    });
    if (report.status === "interrupted") {
      throw new RecordProblem(`Cannot replay run "${record.id}": it was stopped`);
    }
    return this.#reportOf(basenameRecord(report.folder));
  }

  readonly #unasked = (node: GraphNode): GraphNode =>
    this.#remote.has(node.id)
      ? refusing(node, "there is no cached reply for this input, and a replay asks no model")
      : node;

  #reportOf(again: RunRecord): ReplayReport {
    const { record, lock } = this.recorded;
    const now = readLock(again.folder)!;
    const before = sideOf(record, this.#nodes, partsOfLock(lock));
    const after = sideOf(again, this.#nodes, partsOfLock(now));
    const kept = new Set(this.#nodes.map(({ id }) => id));
    return {
      run: record.id,
      differences: differencesOf(this.#nodes, before, after),
      compared: [...before.rows.values()].reduce((sum, rows) => sum + rows.size, 0),
      leftOut: this.graph.nodes.filter(({ id }) => !kept.has(id)).map(({ id }) => id),
      recorded: [...this.#remote],
      versions: versionsOf(lock, now),
    };
  }

  /** Copies the replies of the run's remote tasks into the empty workspace. */
  async #takeReplies() {
    if (this.#remote.size === 0) return;
    const { workspace } = this.session.options;
    const { lock, record } = this.recorded;
    const parts = partsOfLock(lock);
    const ledger = CacheLedger.open(join(workspace, "cache.sqlite"), { readOnly: true });
    const from = ActionCache.open(join(workspace, "cache.sqlite"), { readOnly: true });
    const to = ActionCache.open(join(this.folder, "cache.sqlite"));
    const source = new ArtifactStore(join(workspace, "store"), from, localDisk);
    const target = new ArtifactStore(join(this.folder, "store"), to, localDisk);
    try {
      const provisional = provisionalTasks(this.recorded, this.graph.nodes, { parts, ledger });
      const kept = new Map(provisional.map((task) => [task.key, task]));
      for (const { node, item, key } of tasksOfRecord(record)) {
        if (!this.#remote.has(node)) continue;
        const task = ledger.task(key) ?? kept.get(key);
        if (task === undefined) continue; // not known any more: its node says so when it comes to it
        try {
          for (const ref of refsOf(task.result)) await target.put(await source.read(ref), ref.hash);
        } catch (error) {
          if (error instanceof LostBlob) continue;
          throw error;
        }
        const name = { node: `${lock.recipe}/${node}`, item: item ?? "", key };
        const usesName = this.graph.nodes.find(({ id }) => id === node)?.step.usesItemName;
        const itemName = usesName ? { itemName: item } : {};
        to.record(name, { ...parts.get(node)!, inputs: task.inputs, ...itemName }, task.result);
      }
    } finally {
      ledger.close();
      from.close();
      to.close();
    }
  }
}

/** The nodes that write nothing outside, nor come after one that does. */
function insideOf(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const inside = new Set<string>();
  for (const { id, step, wires } of nodes) {
    const isCut = Object.values(wires).some(({ node }) => !inside.has(node));
    if (step.world !== "writes" && !isCut) inside.add(id);
  }
  return nodes.filter(({ id }) => inside.has(id));
}

function names(
  items: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map([...items].map(([node, rows]) => [node, new Set(rows.keys())]));
}

function basenameRecord(folder: string): RunRecord {
  return { id: folder.slice(dirname(folder).length + 1), folder };
}

function sideOf(
  record: RunRecord,
  nodes: readonly GraphNode[],
  parts: ReadonlyMap<string, NodeParts>,
) {
  const rows = new Map<string, ReadonlyMap<string | null, PortRow>>();
  for (const node of nodes) {
    for (const { list } of tablesOfRecord(record, node)) {
      list.ports.forEach((port, index) => {
        const own = [...list.rows].map(([item, { hashes, ...row }]) =>
          [item, { ...row, hash: hashes[index] ?? null }] as const
        );
        rows.set(portName({ node: node.id, port }), new Map(own));
      });
    }
  }
  return { parts, rows };
}

function versionsOf(before: RunLock, after: RunLock): string[] {
  return [
    before.tintype === version ? "" : `tintype: ${before.tintype} → ${version}`,
    before.deno === after.deno ? "" : `deno: ${before.deno} → ${after.deno}`,
  ].filter((line) => line !== "");
}
