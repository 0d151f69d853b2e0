import { join, resolve } from "node:path";
import { environment } from "./environment.ts";
import type { Graph } from "./graph.ts";
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

/** Shells leave the "~" of "source=~/Pictures" to the program, some of them. */
function placed(path: string, folder: string): string {
  const home = path === "~" || path.startsWith("~/") ? environment.get("HOME") : undefined;
  return resolve(folder, home === undefined ? path : join(home, path.slice(1)));
}
