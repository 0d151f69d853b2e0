import type { ArtifactRef, Facts } from "./artifact.ts";
import type { ActionCache } from "./cache.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import type { ContentHash, TaskKey } from "./hash.ts";
import type { Item, ItemStatus, KnownResults, Slots } from "./items.ts";
import { isSource } from "./stages.ts";
import type { OutsideFile } from "./step.ts";
import { inlineLimit } from "./store.ts";
import type { StoredResult } from "./stored_result.ts";

/** A node's result for an item, under its key. */
export interface Footprint {
  readonly key: TaskKey;
  readonly result: StoredResult;
}

/** What a result says beside what it holds: such words are said again in each run. */
type Words = Pick<StoredResult, "warnings" | "summary">;

/** An output's kind, length and facts. */
type RefText = [kind: string, byteLength: number, facts?: Facts | null] | null;

/** Hexadecimal digits of a key and of a hash. */
const hashLength = 64;
const noHash = " ".repeat(hashLength);

interface TrailOutput {
  /** The place of its node in the stage. */
  readonly node: number;
  readonly port: string;
  /** Whether it is the file itself, which lies outside. */
  readonly isOriginal: boolean;
}

/**
 * How the trails of a stage are written: a text without line breaks, of the key of each node, then the
 * hash of each output (spaces where there is none), 64 digits each, then, ended by tabs, the file's size,
 * time and inode, the artifacts that lie in files of the store, what the results say, the item's name,
 * and kind, length and facts of each output.
 */
export class TrailForm {
  /** Of another one no trail can be read. */
  static readonly version = 3;

  readonly outputs: readonly TrailOutput[];
  /** By slot, the place in `outputs`. */
  readonly places: readonly (number | undefined)[];
  /** By node number, of an item that has passed. */
  readonly statuses: readonly (ItemStatus | undefined)[];
  /** Where hashes begin, and where they end. */
  readonly hashesAt: number;
  readonly hashesEnd: number;

  constructor(nodes: readonly GraphNode[], slots: Slots) {
    const outputs: TrailOutput[] = [];
    const places: (number | undefined)[] = [];
    const statuses: (ItemStatus | undefined)[] = [];
    for (const [at, node] of nodes.entries()) {
      statuses[slots.node(node.id)] = "produced";
      for (const [port, { flow }] of outputPorts(node.step)) {
        places[slots.slot(node.id, port)] = outputs.length;
        outputs.push({ node: at, port, isOriginal: isSource(node) && flow === "many" });
      }
    }
    this.outputs = outputs;
    this.places = Array.from(places);
    this.statuses = Array.from(statuses);
    this.hashesAt = nodes.length * hashLength;
    this.hashesEnd = this.hashesAt + outputs.length * hashLength;
  }

  /** The trail of an item that all nodes have produced something of, in their order. */
  write({ name }: Item, file: OutsideFile, steps: readonly Footprint[]): string {
    const refs = this.outputs.map(({ node, port }) => {
      const output = steps[node]!.result.outputs[port];
      return output !== undefined && "one" in output ? output.one : undefined;
    });
    const inFiles = refs.flatMap((ref, at) => {
      const isInline = ref === undefined || ref.byteLength <= inlineLimit;
      return isInline || this.outputs[at]!.isOriginal ? [] : [`${at}:${ref.byteLength}`];
    });
    const words = steps.map(({ result }) => wordsOf(result));
    return [
      steps.map(({ key }) => key).join("") + refs.map((ref) => ref?.hash ?? noHash).join("") +
      lookOf(file),
      inFiles.join(","),
      words.some((each) => each !== undefined) ? JSON.stringify(words) : "",
      JSON.stringify(name),
      JSON.stringify(refs.map((ref) => ref && [ref.kind, ref.byteLength, ref.facts])),
      "",
    ].join("\t");
  }

  /** Undefined where another item left it, or one whose file was another, or where it is damaged. */
  read({ name }: Item, file: OutsideFile, text: string, cache: ActionCache): Trail | undefined {
    const look = `${lookOf(file)}\t`;
    if (!text.startsWith(look, this.hashesEnd) || !text.endsWith("]\t")) return undefined;
    const filesAt = this.hashesEnd + look.length;
    const filesEnd = text.indexOf("\t", filesAt);
    const wordsEnd = text.indexOf("\t", filesEnd + 1);
    if (!text.startsWith(`${JSON.stringify(name)}\t`, wordsEnd + 1)) return undefined;
    const inFiles = text.slice(filesAt, filesEnd);
    if (wordsEnd === filesEnd + 1) return new Trail(this, text, inFiles, undefined, cache);
    try {
      const words = JSON.parse(text.slice(filesEnd + 1, wordsEnd)) as readonly (Words | null)[];
      return new Trail(this, text, inFiles, words, cache);
    } catch {
      return undefined;
    }
  }
}

/** One item's trail: its keys and hashes are read at once, the rest where somebody asks. */
export class Trail implements KnownResults {
  constructor(
    readonly form: TrailForm,
    readonly text: string,
    readonly inFiles: string,
    /** By the place of a node in its stage, what its result says; undefined where none says anything. */
    readonly words: readonly (Words | null)[] | undefined,
    readonly cache: ActionCache,
  ) {}

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
    const at = this.form.hashesAt + place * hashLength;
    const hash = this.text.slice(at, at + hashLength);
    return hash === noHash ? undefined : hash as ContentHash;
  }

  /** The content hash of the file that all began with. */
  get original(): ContentHash {
    return this.#hashAt(this.form.outputs.findIndex(({ isOriginal }) => isOriginal))!;
  }

  /** The artifacts that are no row of the cache. */
  stored(): { readonly hash: ContentHash; readonly byteLength: number }[] {
    if (this.inFiles === "") return [];
    return this.inFiles.split(",").map((each) => {
      const [place, byteLength] = each.split(":").map(Number);
      return { hash: this.#hashAt(place!)!, byteLength: byteLength! };
    });
  }

  refs(): (ArtifactRef | undefined)[] {
    const rest = this.#rest();
    return this.form.places.map((place) => {
      const hash = place === undefined ? undefined : this.#hashAt(place);
      const [kind, byteLength, facts] = rest[place ?? -1] ?? [];
      if (hash === undefined || kind === undefined) return undefined;
      return { kind, hash, byteLength: byteLength!, facts: facts ?? undefined };
    });
  }

  /** By place; what a damaged text does not say any more is asked of the cache. */
  #rest(): readonly RefText[] {
    const at = this.text.lastIndexOf("\t", this.text.length - 2);
    try {
      return JSON.parse(this.text.slice(at)) as RefText[];
    } catch {
      return this.form.outputs.map(({ node, port }) => {
        const output = this.cache.result(this.key(node))?.outputs[port];
        if (output === undefined || !("one" in output)) return null;
        return [output.one.kind, output.one.byteLength, output.one.facts];
      });
    }
  }
}

function lookOf({ size, mtimeMs, inode }: OutsideFile): string {
  return `${size} ${mtimeMs} ${inode}`;
}

function wordsOf({ warnings, summary }: StoredResult): Words | undefined {
  const words = {
    warnings: warnings?.length ? warnings : undefined,
    summary: summary?.length ? summary : undefined,
  };
  return Object.values(words).some((each) => each !== undefined) ? words : undefined;
}
