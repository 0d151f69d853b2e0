import { z } from "zod";
import type { Caption } from "../captions/caption.ts";
import { type ArtifactRef, type Handle, jsonKind, type ValueOf } from "../runtime/artifact.ts";
import type { Graph, GraphNode, Wire } from "../runtime/graph.ts";
import { defineStep, each, one, produced } from "../runtime/step.ts";
import { caption } from "../steps/caption/kinds.ts";
import { exportedFile, exportLora } from "../steps/export/lora.ts";
import { image } from "../steps/kinds.ts";

export type Exported = ValueOf<typeof exportLora.outputs.dataset.kind>;

/** Hears what a run finds, as it finds it. */
export interface Findings {
  picture(name: string, ref: ArtifactRef): void;
  caption(name: string, ref: ArtifactRef, said: Caption): void;
  /** What a picture's file is exported as. */
  prepared(name: string, ending: string): void;
  exported(node: string, exported: Exported): void;
}

/** A recipe's graph as the page needs it: its nodes, found by the steps that they use. */
export interface ReviewGraph {
  /** The recipe's nodes, and the taps below. */
  readonly graph: Graph;
  readonly photos: GraphNode;
  readonly captions: GraphNode;
  readonly compose: GraphNode;
  readonly decisions: GraphNode;
  readonly exports: readonly GraphNode[];
  /** Run until here to know the pictures. */
  readonly untilPictures: string;
  /** Run until here to know the captions too. */
  readonly untilCaptions: string;
  /** Run until here to know what the files of an export are; undefined where the recipe has none. */
  readonly untilPrepared: string | undefined;
}

/** A recipe that cannot be reviewed; the message says what is missing. */
export class NotReviewable extends Error {
  override readonly name = "NotReviewable";
}

/**
 * Finds what a review needs in a recipe's graph, and puts taps at it: nodes that pass on what flows by,
 * cached or not, at the moment when it is there. (Tables have rows of cached items only when a node is
 * done with all of them, which is late where a model is slow.)
 */
export function reviewGraph(graph: Graph, findings: Findings): ReviewGraph {
  const compose = graph.nodes.find(({ step }) => step.name === "caption.compose");
  if (compose === undefined) throw problem(graph, "it has no node with caption.compose");
  const photos = behind(graph, compose, "image", "ingest.scan");
  const captions = behind(graph, compose, "caption", "caption.generate");
  const decisions = behind(graph, compose, "decisions", "decisions.read");
  const exports = graph.nodes.filter(({ step }) => step.name === exportLora.name);
  const { image: pictureWire, caption: captionWire } = compose.wires as Record<string, Wire>;
  const { space } = compose;
  const pictureTap = node("review_pictures", pictures(findings), { image: pictureWire! }, space);
  const captionTap = node(
    "review_captions",
    said(findings),
    { image: pictureWire!, caption: captionWire! },
    space,
  );
  const exportTaps = exports.map(({ id }) =>
    node(`review_${id}`, written(id, findings), { dataset: { node: id, port: "dataset" } })
  );
  const [first] = exports;
  const preparedTap = first === undefined
    ? []
    : [node("review_prepared", preparing(first, findings), fileWires(first), first.space)];
  const nodes = [...graph.nodes, pictureTap, captionTap, ...preparedTap, ...exportTaps];
  return {
    graph: { ...graph, nodes },
    photos,
    captions,
    compose,
    decisions,
    exports,
    untilPictures: pictureTap.id,
    untilCaptions: captionTap.id,
    untilPrepared: preparedTap[0]?.id,
  };
}

/** Where an export has a picture's file from, as far as it looks at that. */
function fileWires({ step, params, wires }: GraphNode): GraphNode["wires"] {
  const { image, prepared } = wires as Record<string, Wire>;
  const isUnused = step.unusedPorts?.(params).includes("prepared") ?? false;
  return prepared === undefined || isUnused ? { image: image! } : { image: image!, prepared };
}

/** The same graph with exports that replace what is there, or do not. */
export function overwriting(graph: Graph, overwrite: boolean): Graph {
  const nodes = graph.nodes.map((node) =>
    node.step.name === exportLora.name ? { ...node, params: { ...node.params, overwrite } } : node
  );
  return { ...graph, nodes };
}

function behind(graph: Graph, compose: GraphNode, port: string, step: string): GraphNode {
  const wire = compose.wires[port];
  const found = graph.nodes.find(({ id }) => id === wire?.node);
  if (found?.step.name === step) return found;
  const is = found === undefined ? "nothing" : `${found.step.name}`;
  throw problem(graph, `"${compose.id}" has ${is} at "${port}"`, `wire ${step} to it`);
}

function problem({ path }: Graph, what: string, wanted = "pipelines/caption.yaml has one") {
  return new NotReviewable(`Cannot review "${path}": ${what} (${wanted})`);
}

function node(
  id: string,
  step: GraphNode["step"],
  wires: GraphNode["wires"],
  space?: string,
): GraphNode {
  return { id, step, version: step.version, params: {}, wires, space };
}

const seen = jsonKind<"seen", boolean>("seen", "that the review page was told");
const params = z.object({});

/** Never cached, so that it is called for each item of each run. */
const told = () => produced({ seen: true }, { isProvisional: true });

function pictures(findings: Findings) {
  return defineStep({
    name: "review.pictures",
    version: 1,
    doc: "Tells the review page which pictures there are.",
    origin: "computed",
    isResult: true,
    usesItemName: true,
    inputs: { image: each(image, "the originals") },
    params,
    outputs: { seen: each(seen, "") },
    run({ image }, _, { itemName }) {
      findings.picture(itemName, image.ref);
      return told();
    },
  });
}

function said(findings: Findings) {
  return defineStep({
    name: "review.captions",
    version: 1,
    doc: "Tells the review page what a picture's caption is.",
    origin: "computed",
    isResult: true,
    usesItemName: true,
    inputs: { image: each(image, "the originals"), caption: each(caption, "what the model said") },
    params,
    outputs: { seen: each(seen, "") },
    async run({ image, caption }, _, { itemName }) {
      findings.caption(itemName, image.ref, await (caption as Handle<Caption>).read());
      return told();
    },
  });
}

function preparing({ params: { images, target } }: GraphNode, findings: Findings) {
  const choice = { images, target } as Parameters<typeof exportedFile>[2];
  return defineStep({
    name: "review.prepared",
    version: 1,
    doc: "Tells the review page what a picture's file is exported as.",
    origin: "computed",
    isResult: true,
    usesItemName: true,
    inputs: {
      image: each(image, "the originals"),
      prepared: each(image, "the same prepared", { isOptional: true }),
    },
    params,
    outputs: { seen: each(seen, "") },
    async run({ image, prepared }, _, { itemName }) {
      findings.prepared(itemName, (await exportedFile(image, prepared, choice)).ending);
      return told();
    },
  });
}

function written(id: string, findings: Findings) {
  return defineStep({
    name: "review.exported",
    version: 1,
    doc: "Tells the review page what was exported.",
    origin: "computed",
    isResult: true,
    inputs: { dataset: one(exportLora.outputs.dataset.kind, "what was written") },
    params,
    outputs: { seen: one(seen, "") },
    async run({ dataset }) {
      findings.exported(id, await dataset.read());
      return told();
    },
  });
}
