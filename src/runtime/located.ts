import { isAlias, isMap, isScalar, isSeq, type Node } from "./yaml.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";
import { maxValues, type Oddness, type ReadYaml, readYaml, tooManyValues } from "./yaml_reader.ts";

/** A YAML value that knows where it was written. */
export type Located = LocatedScalar | LocatedList | LocatedMap;

interface Place {
  /** Where it stands; for all of what an alias puts in, the alias. */
  readonly span: Span;
  /** For what an alias puts in: where it was written. */
  readonly writtenAt?: Span;
}

export interface LocatedScalar extends Place {
  readonly type: "scalar";
  readonly value: string | number | boolean | null;
}

export interface LocatedList extends Place {
  readonly type: "list";
  readonly elements: readonly Located[];
}

export interface LocatedMap extends Place {
  readonly type: "map";
  readonly entries: readonly LocatedEntry[];
  /** Values whose key stood there before, or is no text: reported, and passed over. */
  readonly dropped: readonly Located[];
}

export interface LocatedKey extends Place {
  readonly name: string;
}

export interface LocatedEntry {
  readonly key: LocatedKey;
  readonly value: Located;
}

/** Recipes that are nested deeper are refused: no person wrote them. */
const maxDepth = 64;

/** The value under a key of a map. */
export function member(map: LocatedMap, name: string): LocatedEntry | undefined {
  return map.entries.find((entry) => entry.key.name === name);
}

/** A list of maps of one key each, as one map; undefined for any other list. */
export function mapOfList({ span, elements, ...rest }: LocatedList): LocatedMap | undefined {
  const entries = elements.flatMap((each) => each.type === "map" ? each.entries : []);
  const isOne = (each: Located) => each.type === "map" && each.entries.length === 1;
  if (elements.length === 0 || !elements.every(isOne)) return undefined;
  return { ...rest, type: "map", span, entries, dropped: [] };
}

/** A value without its places. */
export function plainValue(located: Located): unknown {
  if (located.type === "scalar") return located.value;
  if (located.type === "list") return located.elements.map(plainValue);
  return Object.fromEntries(
    located.entries.map((entry) => [entry.key.name, plainValue(entry.value)]),
  );
}

/** The scalars in a value, also those that were passed over. */
export function* scalarsIn(located: Located | undefined): Iterable<LocatedScalar> {
  if (located === undefined) return;
  if (located.type === "scalar") yield located;
  else if (located.type === "list") { for (const each of located.elements) yield* scalarsIn(each); }
  else {
    for (const { value } of located.entries) yield* scalarsIn(value);
    for (const value of located.dropped) yield* scalarsIn(value);
  }
}

/** What a value is, for messages: `text "abc"`, `a list`, `nothing`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string") {
    return `text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 39)}…` : value)}`;
  }
  return String(value);
}

/** `describeValue` of a value that was written. */
export function describeLocated(located: Located): string {
  return describeValue(
    located.type === "scalar" ? located.value : located.type === "list" ? located.elements : {},
  );
}

/** The text of a span. */
export function writtenText({ file, start, end }: Span): string {
  return file.text.slice(start, end);
}

/**
 * Reads one YAML 1.2 document. `root` is undefined where the file is empty, or cannot be read even
 * with its syntax mistakes mended. A key that stands twice is reported, and the first one holds.
 */
export function parseYaml(
  file: SourceFile,
  oddness?: Oddness,
): { readonly root?: Located; readonly diagnostics: readonly Diagnostic[] } {
  const read = readYaml(file, oddness);
  if (read.document === undefined) return { diagnostics: read.diagnostics };
  const converter = new Converter(file, read);
  const contents = read.document.contents as Node | null;
  const root = contents === null ? undefined : converter.convert(contents, 0);
  return {
    root: converter.isTooLarge ? undefined : root,
    diagnostics: [...read.diagnostics, ...converter.diagnostics],
  };
}

class Converter {
  readonly diagnostics: Diagnostic[] = [];
  isTooLarge = false;
  #values = 0;
  /** Anchored nodes by name, filled in reading order: an alias means the last one before it. */
  readonly #anchors = new Map<string, Node>();
  /** The anchored values that are being put in, and the alias that they are put in for. */
  readonly #open = new Set<Node>();
  #aliasSpan: Span | undefined;

  constructor(readonly file: SourceFile, readonly read: ReadYaml) {}

  convert(node: Node | null, depth: number, fallback?: Span): Located {
    const place = this.#place(node, fallback);
    this.#values++;
    if (this.isTooLarge || this.#values > maxValues || depth > maxDepth) {
      return this.#refuse(place.span);
    }
    if (isAlias(node)) return this.#alias(node.source, depth, place.span);
    this.#anchor(node);
    if (isMap(node)) return { type: "map", ...place, ...this.#entries(node.items, depth) };
    if (isSeq(node)) {
      const elements = node.items.map((item) => this.convert(item as Node, depth + 1));
      return { type: "list", ...place, elements };
    }
    return { type: "scalar", ...place, value: this.#scalar(node) };
  }

  /** An empty value has no width of its own: it is marked at its key. */
  #place(node: Node | null, fallback: Span | undefined): Place {
    const own = node?.range ? this.#span(node.range[0], node.range[1]) : undefined;
    const isEmpty = own === undefined || own.start === own.end;
    const span = isEmpty ? fallback ?? own ?? this.#span(0, 1) : own;
    return this.#aliasSpan === undefined ? { span } : { span: this.#aliasSpan, writtenAt: span };
  }

  #anchor(node: Node | null) {
    const name = (node as { readonly anchor?: string } | null)?.anchor;
    if (name !== undefined && this.#open.size === 0) this.#anchors.set(name, node!);
  }

  #alias(name: string, depth: number, span: Span): Located {
    const target = this.#anchors.get(name);
    if (target === undefined || this.#open.has(target)) return this.#refuseAlias(name, span);
    const outer = this.#aliasSpan;
    this.#open.add(target);
    this.#aliasSpan = outer ?? span;
    const value = this.convert(target, depth + 1);
    this.#open.delete(target);
    this.#aliasSpan = outer;
    return value;
  }

  #entries(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    depth: number,
  ): Pick<LocatedMap, "entries" | "dropped"> {
    const entries = new Map<string, LocatedEntry>();
    const dropped: Located[] = [];
    for (const item of items) {
      const key = this.convert(item.key as Node, depth + 1);
      const fallback = key.writtenAt ?? key.span;
      const value = this.convert(item.value as Node | null, depth + 1, fallback);
      const name = this.#keyName(item.key, key);
      const first = name === undefined ? undefined : entries.get(name);
      if (name !== undefined && name !== "" && first === undefined) {
        entries.set(name, { key: { name, span: key.span, writtenAt: key.writtenAt }, value });
        continue;
      }
      if (name === undefined || name === "") this.#reportKey(key, name);
      else this.#reportDuplicate(name, key.span, first!.key.span);
      dropped.push(value);
    }
    return { entries: [...entries.values()], dropped };
  }

  /** A key as it was written: `007` is not 7. */
  #keyName(node: unknown, key: Located): string | undefined {
    if (key.type !== "scalar") return undefined;
    const { source, type } = (node ?? {}) as { readonly source?: string; readonly type?: string };
    return type === "PLAIN" && source !== undefined ? source : String(key.value ?? "");
  }

  #scalar(node: unknown): string | number | boolean | null {
    const value = isScalar(node) ? node.value : null;
    if (typeof value === "bigint") return Number(value);
    const isPlain = typeof value === "string" || typeof value === "number" ||
      typeof value === "boolean";
    return isPlain ? value as string | number | boolean : null;
  }

  #span(start: number, end: number): Span {
    const span = this.read.span(start, end);
    return { ...span, end: span.start + writtenText(span).trimEnd().length };
  }

  #refuse(span: Span): Located {
    if (!this.isTooLarge) {
      this.isTooLarge = true;
      this.diagnostics.push(this.#values > maxValues ? tooManyValues(span) : tooDeep(span));
    }
    return { type: "scalar", span, value: null };
  }

  #refuseAlias(name: string, span: Span): Located {
    this.diagnostics.push({
      code: "bad-alias",
      severity: "error",
      message: `The alias "*${name}" stands inside what "&${name}" names`,
      span,
      help: "Write the value out",
    });
    return { type: "scalar", span, value: null };
  }

  #reportDuplicate(name: string, span: Span, first: Span) {
    if (this.#aliasSpan !== undefined) return; // it was reported where it was written
    this.diagnostics.push({
      code: "duplicate-key",
      severity: "error",
      message: `Key "${name}" stands twice in one map`,
      span,
      related: [{ message: "It stands here first", span: first }],
      help: "Remove one of them, or give it another name",
    });
  }

  #reportKey({ span }: Located, name: string | undefined) {
    const colon = /^\s*:/.exec(this.file.text.slice(span.start))?.[0].length;
    const isMissing = name !== undefined && colon !== undefined;
    const start = isMissing ? span.start + colon - 1 : span.start;
    this.diagnostics.push({
      code: "bad-key",
      severity: "error",
      message: name === undefined
        ? "A key is plain text, not a list or a map"
        : "A key is missing before the colon",
      span: isMissing ? { ...span, start, end: start + 1 } : span,
    });
  }
}

function tooDeep(span: Span): Diagnostic {
  return {
    code: "too-large",
    severity: "error",
    message: `The recipe is nested deeper than ${maxDepth} levels`,
    span,
  };
}
