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
 * Names by a pattern are told as a warning: of formats or pictures that differ, so do the names.
 */
export function writeSameFiles(graph: Graph, recipe: Recipe): readonly Diagnostic[] {
  const writers = graph.nodes.filter((node) =>
    node.step.world === "writes" && folderOf(node) !== undefined
  );
  return writers.flatMap((node, index) => {
    for (const other of writers.slice(0, index)) {
      const name = folderOf(other) === folderOf(node) && sharedName(other, node);
      if (name) return [sameFiles(name, [other.id, node.id], recipe)];
    }
    return [];
  });
}

function sameFiles(name: string, [first, second]: readonly [string, string], recipe: Recipe) {
  const nodes = `Nodes "${first}" and "${second}"`;
  const told: Pick<Diagnostic, "severity" | "message" | "help"> = isPattern(name)
    ? {
      severity: "warning",
      message:
        `${nodes} both write "${name}" into one folder: of two files of one name the last stays`,
      help: "Give one of them another folder or other names",
    }
    : {
      severity: "error",
      message: `${nodes} both write "${name}" into one folder`,
      help: "Give one of them another folder",
    };
  const span = folderSpan(recipe, second);
  const related = [{ message: `"${first}" writes here`, span: folderSpan(recipe, first) }];
  return { code: "same-files", ...told, span, related };
}

/** A name that both nodes would write; of patterns one that both give the same items. */
function sharedName(one: GraphNode, other: GraphNode): string | undefined {
  const names = new Set(ownFiles(one));
  return ownFiles(other).find((name) =>
    names.has(name) && (!isPattern(name) || one.space === other.space)
  );
}

function ownFiles({ step, params }: GraphNode): readonly string[] {
  if (step.ownFiles !== undefined) return step.ownFiles(params);
  const { name } = params;
  // What is named by its content alone is the same file under the same name.
  const isOfContent = typeof name === "string" && /\{(hash|uuid)\}/.test(name);
  return typeof name === "string" && !isOfContent ? [name] : [];
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
