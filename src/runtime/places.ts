import { join, resolve } from "node:path";
import type { Diagnostic } from "./diagnostic.ts";
import { environment } from "./environment.ts";
import type { Graph, GraphNode } from "./graph.ts";
import type { Recipe } from "./recipe.ts";
import { isSource } from "./stages.ts";
import type { Span } from "./source.ts";
import { placeParams } from "./values.ts";

/** A graph whose relative places on disk begin at a folder. */
export function withPlaces(graph: Graph, folder: string): Graph {
  const nodes = graph.nodes.map((node) => {
    const places = placeParams(node.step);
    const params = Object.fromEntries(
      Object.entries(node.params).map(([name, value]) => [
        name,
        places.has(name) && typeof value === "string" ? placed(value, folder) : value,
      ]),
    );
    return { ...node, params };
  });
  return { ...graph, nodes };
}

/** The folder that a node scans or writes into. */
function folderOf({ step, params }: GraphNode): string | undefined {
  const { folder } = params;
  const isPlace = placeParams(step).get("folder") === "folder" && typeof folder === "string";
  return isPlace ? folder : undefined;
}

/**
 * Nodes of a placed graph that would write into a folder that is scanned: beside the originals, and taken
 * for originals by the next run.
 */
export function writesIntoSources(graph: Graph, recipe: Recipe): readonly Diagnostic[] {
  const span = (id: string) => folderSpan(recipe, id);
  const sources = graph.nodes.filter((node) => isSource(node) && folderOf(node) !== undefined);
  const writers = graph.nodes.filter(({ step }) => step.world === "writes");
  return writers.flatMap((node) => {
    const source = sources.find((each) => folderOf(each) === folderOf(node));
    if (source === undefined) return [];
    return [{
      code: "writes-into-source",
      severity: "error",
      message: `Node "${node.id}" would write into the folder that "${source.id}" scans`,
      span: span(node.id),
      related: [{ message: "It is scanned here", span: span(source.id) }],
      help: "Give another folder: originals stay as they are, with nothing beside them",
    }];
  });
}

/**
 * Nodes of a placed graph that would write the same files, each over what the other wrote, on every run.
 * Where something of both may stay, that is a warning: by a pattern names differ where formats or pictures do.
 */
export function writeSameFiles(graph: Graph, recipe: Recipe): readonly Diagnostic[] {
  const writers = graph.nodes.filter((node) =>
    node.step.world === "writes" && folderOf(node) !== undefined
  );
  return writers.flatMap((node, index) => {
    for (const other of writers.slice(0, index)) {
      const shared = folderOf(other) === folderOf(node) ? sharedFiles(other, node) : undefined;
      if (shared !== undefined) return [sameFiles(shared, [other.id, node.id], recipe)];
    }
    return [];
  });
}

interface SharedFiles {
  /** The first of them, by name or by pattern. */
  readonly name: string;
  /** Whether nothing of one of the two nodes would stay. */
  readonly isAll: boolean;
}

function sameFiles(
  { name, isAll }: SharedFiles,
  [first, second]: readonly [string, string],
  recipe: Recipe,
): Diagnostic {
  const message = `Nodes "${first}" and "${second}" both write "${name}" into one folder`;
  const span = folderSpan(recipe, second);
  const related = [{ message: `"${first}" writes here`, span: folderSpan(recipe, first) }];
  const place = { code: "same-files", span, related };
  return isAll
    ? { ...place, severity: "error", message, help: "Give one of them another folder" }
    : {
      ...place,
      severity: "warning",
      message: `${message}: of two files of one name one is kept`,
      help: isPattern(name)
        ? "Give one of them another folder or other names"
        : "Give one of them another folder",
    };
}

/** What both nodes would write; of patterns those that both give the same items. */
function sharedFiles(one: GraphNode, other: GraphNode): SharedFiles | undefined {
  const names = ownFiles(one);
  const others = ownFiles(other);
  const shared = others.filter((name) =>
    names.includes(name) && (!isPattern(name) || one.space === other.space)
  );
  const [name] = shared;
  const isAll = shared.length === Math.min(names.length, others.length) && !shared.some(isPattern);
  return name === undefined ? undefined : { name, isAll };
}

function ownFiles({ step, params, wires }: GraphNode): readonly string[] {
  return step.ownFiles?.(params, new Set(Object.keys(wires))) ?? [];
}

function isPattern(name: string): boolean {
  return name.includes("{");
}

function folderSpan(recipe: Recipe, id: string): Span {
  const declaration = recipe.nodes.find((each) => each.id === id)!;
  const entry = declaration.with?.entries.find(({ key }) => key.name === "folder");
  return entry?.value.span ?? declaration.idSpan;
}

/** Shells leave the "~" of "source=~/Pictures" to the program, some of them. */
function placed(path: string, folder: string): string {
  const home = path === "~" || path.startsWith("~/") ? environment.get("HOME") : undefined;
  return resolve(folder, home === undefined ? path : join(home, path.slice(1)));
}
