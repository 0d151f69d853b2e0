import type { ArtifactRef, Facts } from "./artifact.ts";
import { type ActionCache, isOlderThanLook } from "./cache.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import { canonicalJson, type ContentHash, type Json, type TaskKey } from "./hash.ts";
import type { Item, ItemStatus, KnownResults } from "./items.ts";
import type { Resolver } from "./resolver.ts";
import { isSource } from "./stages.ts";
import type { OutsideFile } from "./step.ts";
import { type ArtifactStore, inlineLimit } from "./store.ts";
import type { StoredResult } from "./stored_result.ts";

/** A node's result for an item, under its key. */
export interface Footprint {
  readonly key: TaskKey;
  readonly result: StoredResult;
}

/** What a result says beside what it holds: such words are said again in each run. */
type Words = Pick<StoredResult, "warnings" | "summary">;

interface TrailsEffects {
  readonly cache: ActionCache;
  readonly resolver: Resolver;
  readonly store: ArtifactStore;
}

/** Of a trail's text; a stage whose trails have another form has none. */
const formVersion = 3;

/** Longer ones, of thousands of warnings, are not kept: hundreds are read in one text. */
const longestTrail = 100_000;

/** Hexadecimal digits of a key and of a hash. */
const hashLength = 64;
const noHash = " ".repeat(hashLength);

/**
 * What a stage's nodes made of each scanned file, kept by the file's path in one piece: of a file that is
 * as it was, a rerun reads that instead of making a key for each of its tasks and looking it up, which
 * takes a third of the time. It holds nothing that the action cache does not; that drops all trails
 * whenever a result in it is taken away or replaced.
 *
 * A trail is a text without line breaks: the key of each node, then the hash of each output (spaces where
 * there is none), 64 digits each, then, ended by tabs, the file's size, time and inode, the artifacts that
 * lie in files of the store, what the results say, the item's name, and kind, length and facts of each output.
 */
export class Trails {
  readonly #underWay = new Map<Item, (Footprint | undefined)[]>();
  /** Else the cache is still to be told which key a task has now. */
  readonly #isReadable: boolean;
  readonly #form: Form;
  #texts: ReadonlyMap<string, string> = new Map();

  private constructor(
    readonly nodes: readonly GraphNode[],
    readonly stage: number,
    readonly effects: TrailsEffects,
  ) {
    const { resolver } = effects;
    this.#isReadable = nodes.every((node) => resolver.hasSameParts(node));
    this.#form = formOf(nodes, resolver);
  }

  /** Undefined for a stage that also takes something of each item from elsewhere. */
  static of(nodes: readonly GraphNode[], effects: TrailsEffects): Trails | undefined {
    const { cache, resolver } = effects;
    if (nodes[0] === undefined || !isSource(nodes[0]) || cache.isReadOnly) return undefined;
    const parts: Json[] = [formVersion];
    for (const node of nodes) {
      const wires = wiresWithin(node, nodes, resolver);
      if (wires === undefined) return undefined;
      const { step, version, params, tools } = resolver.parts(node);
      parts.push([node.id, step, version, params, tools, wires]);
    }
    const name = nodes.map((node) => resolver.taskNode(node)).join(" ");
    return new Trails(nodes, cache.stageId(name, canonicalJson(parts)), effects);
  }

  /** Reads what there is of some files, and gives how many have something. */
  load(paths: readonly string[]): number {
    if (this.#isReadable) this.#texts = this.effects.cache.trailsAt(paths, this.stage);
    return this.#texts.size;
  }

  /**
   * What each node made of the item, if its file is what it was then; undefined where something of it may
   * have to be done.
   */
  read(item: Item): Trail | undefined {
    const text = this.#texts.get(item.file?.path ?? "");
    if (text === undefined) return undefined;
    const { resolver, store } = this.effects;
    for (const node of this.nodes) if (resolver.isForced(node, item)) return undefined;
    const start = this.#form.headLength;
    const look = lookOf(item.file!);
    if (!text.startsWith(look, start)) return undefined;
    const trail = Trail.of(item, this.#form, text, start + look.length, this.effects.cache);
    if (trail === undefined) return undefined;
    store.addOriginal(trail.original, item.file!);
    for (const ref of trail.inFiles()) if (!store.has(ref)) return undefined;
    return trail;
  }

  /**
   * Notes a result that the cache has; writes the item's trail when it is the last of them. One that is
   * new may have taken the place of another.
   */
  note(item: Item, node: GraphNode, footprint: Footprint, isNew = false): void {
    if (footprint.result.status !== "produced" || item.file === undefined) return;
    if (isNew) this.#forgetOthers(item, footprint);
    let steps = this.#underWay.get(item);
    if (steps === undefined) this.#underWay.set(item, steps = []);
    steps[this.nodes.indexOf(node)] = footprint;
    if (this.nodes.some((_, at) => steps[at] === undefined)) return;
    this.forget(item);
    const { file, seenMs } = item;
    const isTrusted = seenMs !== undefined && isOlderThanLook(file, seenMs);
    // A line break ends a path where many are read at once; such a file is looked up task by task.
    if (!isTrusted || file.path.includes("\n")) return;
    const text = this.#textOf(item, steps as Footprint[]);
    if (text.length <= longestTrail) this.effects.cache.keepTrail(this.stage, file.path, text);
  }

  #textOf(item: Item, steps: readonly Footprint[]): string {
    const refs = this.#form.outputs.map(({ node, port }) => {
      const output = steps[node]!.result.outputs[port];
      return output !== undefined && "one" in output ? output.one : undefined;
    });
    const isOriginal = (at: number) => isSource(this.nodes[this.#form.outputs[at]!.node]!);
    const inFiles = refs.flatMap((ref, at) =>
      ref === undefined || isOriginal(at) || ref.byteLength <= inlineLimit
        ? []
        : [`${at}:${ref.byteLength}`]
    );
    const words = steps.map(({ result }) => wordsOf(result));
    const rest = refs.map((ref) => ref && [ref.kind, ref.byteLength, ref.facts]);
    return [
      steps.map(({ key }) => key).join("") + refs.map((ref) => ref?.hash ?? noHash).join("") +
      lookOf(item.file!) + inFiles.join(","),
      words.some((each) => each !== undefined) ? JSON.stringify(words) : "",
      JSON.stringify(item.name),
      JSON.stringify(rest),
      "",
    ].join("\t");
  }

  /** A copy that is under way may have the result that this one has just taken the place of. */
  #forgetOthers(item: Item, { key }: Footprint) {
    for (const [other, steps] of this.#underWay) {
      if (other !== item && steps.some((step) => step?.key === key)) this.#underWay.delete(other);
    }
  }

  /** Lets go of an item that has come to its end. */
  forget(item: Item): void {
    this.#underWay.delete(item);
  }
}

/** Where the trails of a stage have what. */
interface Form {
  readonly nodes: number;
  readonly outputs: readonly { readonly node: number; readonly port: string }[];
  /** By slot, the place in `outputs`. */
  readonly places: readonly (number | undefined)[];
  /** Of the scan's files in `outputs`. */
  readonly original: number;
  readonly statuses: readonly (ItemStatus | undefined)[];
  /** Of keys and hashes together. */
  readonly headLength: number;
}

type RefText = [kind: string, byteLength: number, facts?: Facts | null] | null;

/** One item's trail: its keys and hashes are read at once, the rest where somebody asks. */
export class Trail implements KnownResults {
  private constructor(
    readonly form: Form,
    readonly text: string,
    readonly filesText: string,
    /** By the place of a node in its stage, what its result says; undefined where none says anything. */
    readonly words: readonly (Words | null)[] | undefined,
    readonly cache: ActionCache,
  ) {}

  /**
   * The trail in a text that goes on at `at`, behind the look; undefined where an item of another name left
   * it, or where it is damaged.
   */
  static of({ name }: Item, form: Form, text: string, at: number, cache: ActionCache) {
    const filesEnd = text.indexOf("\t", at);
    const wordsEnd = text.indexOf("\t", filesEnd + 1);
    const isWhole = filesEnd > 0 && wordsEnd > 0 && text.endsWith("]\t");
    if (!isWhole || !text.startsWith(`${JSON.stringify(name)}\t`, wordsEnd + 1)) return undefined;
    const filesText = text.slice(at, filesEnd);
    if (wordsEnd === filesEnd + 1) return new Trail(form, text, filesText, undefined, cache);
    try {
      const words = JSON.parse(text.slice(filesEnd + 1, wordsEnd)) as readonly (Words | null)[];
      return new Trail(form, text, filesText, words, cache);
    } catch {
      return undefined;
    }
  }

  get statuses(): readonly (ItemStatus | undefined)[] {
    return this.form.statuses;
  }

  /** By the place of a node in its stage. */
  key(node: number): TaskKey {
    return this.text.slice(node * hashLength, (node + 1) * hashLength) as TaskKey;
  }

  hash(slot: number): ContentHash | undefined {
    const place = this.form.places[slot];
    return place === undefined ? undefined : this.#hashAt(place);
  }

  #hashAt(place: number): ContentHash | undefined {
    const at = (this.form.nodes + place) * hashLength;
    const hash = this.text.slice(at, at + hashLength);
    return hash === noHash ? undefined : hash as ContentHash;
  }

  /** The content hash of the file that all began with. */
  get original(): ContentHash {
    return this.#hashAt(this.form.original)!;
  }

  /** The artifacts that are no row of the cache. */
  inFiles(): { readonly hash: ContentHash; readonly byteLength: number }[] {
    if (this.filesText === "") return [];
    return this.filesText.split(",").map((each) => {
      const [place, byteLength] = each.split(":").map(Number);
      return { hash: this.#hashAt(place!)!, byteLength: byteLength! };
    });
  }

  refs(): (ArtifactRef | undefined)[] {
    const { places } = this.form;
    const rest = this.#rest();
    return places.map((place) => {
      const hash = place === undefined ? undefined : this.#hashAt(place);
      const [kind, byteLength, facts] = rest[place ?? -1] ?? [];
      if (hash === undefined || kind === undefined) return undefined;
      return { kind, hash, byteLength: byteLength!, facts: facts ?? undefined };
    });
  }

  /** By place; what a damaged text does not say any more is asked of the cache. */
  #rest(): readonly RefText[] {
    try {
      return JSON.parse(
        this.text.slice(this.text.lastIndexOf("\t", this.text.length - 2)),
      ) as RefText[];
    } catch {
      return this.form.outputs.map(({ node, port }) => {
        const output = this.cache.result(this.key(node))?.outputs[port];
        if (output === undefined || !("one" in output)) return null;
        return [output.one.kind, output.one.byteLength, output.one.facts];
      });
    }
  }
}

function formOf(nodes: readonly GraphNode[], { slots }: Resolver): Form {
  const outputs: { node: number; port: string }[] = [];
  const places: (number | undefined)[] = [];
  const statuses: (ItemStatus | undefined)[] = [];
  for (const [at, node] of nodes.entries()) {
    statuses[slots.node(node.id)] = "produced";
    for (const [port] of outputPorts(node.step)) {
      places[slots.slot(node.id, port)] = outputs.length;
      outputs.push({ node: at, port });
    }
  }
  const headLength = (nodes.length + outputs.length) * hashLength;
  return {
    nodes: nodes.length,
    outputs,
    original: outputPorts(nodes[0]!.step).findIndex(([, { flow }]) => flow === "many"),
    places: Array.from(places),
    statuses: Array.from(statuses),
    headLength,
  };
}

function lookOf({ size, mtimeMs, inode }: OutsideFile): string {
  return `${size} ${mtimeMs} ${inode}\t`;
}

function wordsOf({ warnings, summary }: StoredResult): Words | undefined {
  const words = {
    warnings: warnings?.length ? warnings : undefined,
    summary: summary?.length ? summary : undefined,
  };
  return Object.values(words).some((each) => each !== undefined) ? words : undefined;
}

/** By port, what a node is wired to; undefined where one wire brings something of each item from outside. */
function wiresWithin(
  node: GraphNode,
  nodes: readonly GraphNode[],
  resolver: Resolver,
): Record<string, Json> | undefined {
  const wires: Record<string, Json> = {};
  for (const [port, wire] of Object.entries(node.wires)) {
    const source = nodes.find(({ id }) => id === wire.node);
    if (source !== undefined) wires[port] = `${wire.node}.${wire.port}`;
    else {
      const one = resolver.oneRef(wire.node, wire.port);
      if (one === undefined) return undefined;
      wires[port] = one.hash;
    }
  }
  return outputPorts(node.step).every(([, { flow }]) => flow === "each" || isSource(node))
    ? wires
    : undefined;
}
