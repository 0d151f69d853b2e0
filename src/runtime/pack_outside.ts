import type { Disk } from "./disk.ts";
import { localDisk } from "./local_disk.ts";
import type { PackedFile } from "./pack_format.ts";
import { isInside } from "./pack_layout.ts";
import type { PackSource, Place } from "./pack_source.ts";
import type { PackWriter } from "./pack_writer.ts";
import { itemsOfRecord } from "./recorded_run.ts";
import { isSource } from "./stages.ts";

/** What lies outside of the workspace and a rerun looks at. */
export interface Outside {
  /** Absolute. */
  readonly files: readonly string[];
  /** Nodes that write outside and find that what they wrote is not as they left it. */
  readonly pending: readonly string[];
}

/**
 * What the steps look at in their places to know that all is as it was: decisions, policies, what was
 * published. A plan on the run's items is made, and what it looks at is noted; so this holds for every
 * step, also for those that are not known here.
 */
export async function lookOutside(
  source: PackSource,
  originals: ReadonlySet<string>,
): Promise<Outside> {
  const { session, recorded, graph } = source;
  const seen = new Set<string>();
  const items = itemsOfRecord(recorded, graph.nodes);
  const groups = await session.plan(graph, {
    limit: recorded.lock.limit,
    items: new Map([...items].map(([node, rows]) => [node, new Set(rows.keys())])),
    parts: source.parts,
    known: new Map(source.provisional.map(({ key, result }) => [key, result])),
    disk: watchedDisk(seen),
  });
  const pending: string[] = [];
  for (const { node, verdict, count } of groups) {
    if (verdict !== "run" && verdict !== "perhaps") continue;
    if (source.nodes.get(node)!.step.world === "writes") pending.push(node);
    else source.warnings.push(`${node}: ${count} not in the cache, so a rerun does them again`);
  }
  const isOutside = (path: string) =>
    !originals.has(path) && !isInside(path, session.options.workspace) &&
    placesOf(source, path).some(({ node }) => !isSource(node));
  return { files: [...seen].filter(isOutside), pending };
}

function placesOf(source: PackSource, path: string): Place[] {
  return source.places.filter((place) => isInside(path, place.path));
}

/** This machine's disk, read only; notes the files that are looked at. */
function watchedDisk(seen: Set<string>): Disk {
  const refuse = () => {
    throw new TypeError("nothing is written for a plan");
  };
  return {
    ...localDisk,
    stat(path, options) {
      const stat = localDisk.stat(path, options);
      if (stat?.isFile) seen.add(path);
      return stat;
    },
    read(path) {
      seen.add(path);
      return localDisk.read(path);
    },
    write: refuse,
    copy: refuse,
    append: refuse,
    move: refuse,
    makeFolder: refuse,
    remove: refuse,
  };
}

/**
 * Packs what was looked at. What a step wrote and holds a path of this machine (a report that says how to
 * rerun) stays out; its node is to write it again there.
 */
export function addOutside(
  source: PackSource,
  paths: readonly string[],
  pack: PackWriter,
): { readonly files: readonly PackedFile[]; readonly pending: readonly string[] } {
  const files: PackedFile[] = [];
  const pending: string[] = [];
  for (const path of paths) {
    const writers = nearest(placesOf(source, path)).filter(({ step }) => step.world === "writes");
    if (writers.length > 0 && source.namesThisMachine(Deno.readFileSync(path))) {
      pending.push(...writers.map(({ id }) => id));
      continue;
    }
    const added = pack.addFile(path);
    if (added !== undefined) files.push({ ...added, path: source.target(path) });
  }
  return { files, pending };
}

/** The nodes whose folder is the deepest one that holds a file. */
function nearest(places: readonly Place[]) {
  const longest = Math.max(...places.map(({ path }) => path.length));
  return places.filter(({ path }) => path.length === longest).map(({ node }) => node);
}
