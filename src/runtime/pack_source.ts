import { Buffer } from "node:buffer";
import type { Graph, GraphNode } from "./graph.ts";
import type { Json } from "./hash.ts";
import { PackLayout } from "./pack_layout.ts";
import { type ProvisionalTask, provisionalTasks } from "./provisional.ts";
import type { CacheLedger } from "./cache_ledger.ts";
import { partsOfLock, type RecordedRun, RecordProblem } from "./recorded_run.ts";
import type { Session } from "./session.ts";
import type { NodeParts } from "./task_key.ts";
import { placeParams } from "./values.ts";

/** A folder or file that a node was given. */
export interface Place {
  readonly node: GraphNode;
  readonly kind: "folder" | "file";
  /** Absolute. */
  readonly path: string;
}

/** A run that is being packed. */
export class PackSource {
  readonly places: readonly Place[];
  readonly layout: PackLayout;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  /** By node, what its keys share. */
  readonly parts: ReadonlyMap<string, NodeParts>;
  /** The same as the unpacked recipe has it: with other folders, where parameters name some. */
  readonly movedParts: ReadonlyMap<string, NodeParts>;
  /** What a rerun will not find in the pack, or what in it names this machine. */
  readonly warnings: string[] = [];
  /** Results that the run used and the cache did not keep. */
  readonly provisional: readonly ProvisionalTask[];

  constructor(
    readonly session: Session,
    readonly recorded: RecordedRun,
    readonly graph: Graph,
    ledger: CacheLedger,
  ) {
    const { cwd, settings } = recorded.lock;
    const { workspace } = session.options;
    this.places = graph.nodes.flatMap(placesOf);
    const places = this.places.map(({ path }) => path);
    const home = Deno.env.get("HOME");
    this.layout = new PackLayout({ cwd, home, workspace, settings, places });
    this.nodes = new Map(graph.nodes.map((node) => [node.id, node]));
    this.parts = partsOfLock(recorded.lock);
    this.provisional = provisionalTasks(recorded, graph.nodes, { parts: this.parts, ledger });
    const made = new Set(this.provisional.map(({ node }) => node));
    this.movedParts = new Map(
      [...this.parts].map(([id, parts]) => [id, this.#moved(parts, made.has(id))]),
    );
  }

  /** With provisional results, keys that only a run with this lock has: no other run is to use them. */
  #moved(parts: NodeParts, isProvisional: boolean): NodeParts {
    const params = this.layout.rewriteJson(parts.params as Json) as NodeParts["params"];
    const run: NodeParts["tools"] = isProvisional ? { "as in run": this.recorded.record.id } : {};
    return { ...parts, params, tools: { ...parts.tools, ...run } };
  }

  problem(what: string): RecordProblem {
    return new RecordProblem(`Cannot pack run "${this.recorded.record.id}": ${what}`);
  }

  /** Where a file of a place lies in the unpacked folder. */
  target(path: string): string {
    const target = this.layout.targetOf(path);
    if (target !== undefined) return target;
    throw this.problem(`"${path}" is in none of the folders that its recipe names`);
  }

  /** Whether bytes hold a path of this machine. */
  namesThisMachine(bytes: Uint8Array): boolean {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.layout.paths.some((path) => content.includes(path));
  }
}

function placesOf(node: GraphNode): Place[] {
  return [...placeParams(node.step)].flatMap(([name, kind]) => {
    const path = node.params[name];
    return typeof path === "string" ? [{ node, kind, path }] : [];
  });
}
