import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";
import type { Diagnostic } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";

/** A YAML value that knows where it was written. */
export type Located = LocatedScalar | LocatedList | LocatedMap;

export interface LocatedScalar {
  readonly type: "scalar";
  readonly span: Span;
  readonly value: string | number | boolean | null;
}

export interface LocatedList {
  readonly type: "list";
  readonly span: Span;
  readonly elements: readonly Located[];
}

export interface LocatedMap {
  readonly type: "map";
  readonly span: Span;
  readonly entries: readonly LocatedEntry[];
}

export interface LocatedEntry {
  readonly key: { readonly name: string; readonly span: Span };
  readonly value: Located;
}

/** Larger recipes are refused: no person wrote them, and aliases can multiply without end. */
const maxValues = 100_000;
const maxDepth = 64;

/** The value under a key of a map. */
export function member(map: LocatedMap, name: string): LocatedEntry | undefined {
  return map.entries.find((entry) => entry.key.name === name);
}

/** A value without its places. */
export function plainValue(located: Located): unknown {
  if (located.type === "scalar") return located.value;
  if (located.type === "list") return located.elements.map(plainValue);
  return Object.fromEntries(
    located.entries.map((entry) => [entry.key.name, plainValue(entry.value)]),
  );
}

/** What a value is, for messages: `text "abc"`, `a list`, `nothing`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string") {
    return `text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 39)}…` : value)}`;
  }
  return String(value);
}

/**
 * Parses one YAML 1.2 document. Syntax mistakes leave `root` undefined: what a broken text means
 * would be a guess. A key that stands twice is reported, and the first one holds.
 */
export function parseYaml(
  file: SourceFile,
): { readonly root?: Located; readonly diagnostics: readonly Diagnostic[] } {
  const document = parseDocument(file.text, {
    prettyErrors: false,
    uniqueKeys: false,
    strict: true,
    version: "1.2",
    logLevel: "silent",
  });
  if (document.errors.length > 0) {
    return { diagnostics: document.errors.map((error) => syntaxDiagnostic(file, error)) };
  }
  const diagnostics: Diagnostic[] = [];
  const converter = new Converter(file, document as unknown as AliasSource, diagnostics);
  const root = document.contents === null
    ? undefined
    : converter.convert(document.contents as Node, 0);
  return { root: converter.isTooLarge ? undefined : root, diagnostics };
}

interface AliasSource {
  readonly contents: unknown;
}

interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly pos: [number, number];
}

function syntaxDiagnostic(file: SourceFile, error: YamlError): Diagnostic {
  const [start, end] = spanOnOneLine(file, error.pos[0], error.pos[1]);
  const message = error.message.replace(/\s+/g, " ").replace(/[.:]$/, "");
  return {
    code: "yaml-syntax",
    severity: "error",
    message: `Not valid YAML: ${message}`,
    span: { file, start, end },
    help: syntaxHelp[error.code],
  };
}

const syntaxHelp: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "Indent with spaces",
  BAD_INDENT:
    "Lines of one map or list begin at the same column; items in { } are parted by commas",
  MISSING_CHAR: "A bracket, brace, quote or comma is missing here or before",
  BLOCK_AS_IMPLICIT_KEY: 'Put a value with ": " in it in quotes, or on a line of its own',
  MULTILINE_IMPLICIT_KEY: 'A key stands on one line and is followed by ": "',
  MULTIPLE_DOCS: 'One file holds one recipe: remove the line "---"',
  BAD_SCALAR_START: "Put a value that begins with @, ` or % in quotes",
};

/** An error's stretch, cut at the end of its first line, at least one character. */
function spanOnOneLine(file: SourceFile, start: number, end: number): [number, number] {
  const begin = Math.min(start, Math.max(0, file.text.length - 1));
  const newline = file.text.indexOf("\n", begin);
  const last = newline < 0 ? file.text.length : newline;
  return [begin, Math.max(begin + 1, Math.min(end, last))];
}

class Converter {
  #values = 0;
  isTooLarge = false;

  constructor(
    readonly file: SourceFile,
    readonly document: AliasSource,
    readonly diagnostics: Diagnostic[],
  ) {}

  convert(node: Node | null, depth: number, fallback?: Span): Located {
    const span = node?.range
      ? this.#span(node.range[0], node.range[1])
      : fallback ?? this.#span(0, 1);
    this.#values++;
    if (this.#values > maxValues || depth > maxDepth) return this.#refuse(span);
    if (isAlias(node)) {
      // deno-lint-ignore no-explicit-any
      const target = node.resolve(this.document as any) as Node | undefined;
      const value = this.convert(target ?? null, depth + 1, span);
      return { ...value, span };
    }
    if (isMap(node)) return { type: "map", span, entries: this.#entries(node.items, depth) };
    if (isSeq(node)) {
      const elements = node.items.map((item) => this.convert(item as Node, depth + 1, span));
      return { type: "list", span, elements };
    }
    return { type: "scalar", span: widened(span, fallback), value: this.#scalar(node) };
  }

  #entries(items: readonly { key: unknown; value: unknown }[], depth: number): LocatedEntry[] {
    const entries: LocatedEntry[] = [];
    for (const item of items) {
      const key = this.convert(item.key as Node, depth + 1);
      const name = key.type === "scalar" ? String(key.value) : "";
      const first = entries.find((entry) => entry.key.name === name);
      if (first !== undefined) this.#reportDuplicate(name, key.span, first.key.span);
      else if (key.type !== "scalar") this.#reportKey(key.span);
      else {
        const value = this.convert(item.value as Node | null, depth + 1, key.span);
        entries.push({ key: { name, span: key.span }, value });
      }
    }
    return entries;
  }

  #scalar(node: unknown): string | number | boolean | null {
    const value = isScalar(node) ? node.value : null;
    if (typeof value === "bigint") return Number(value);
    const isPlain = typeof value === "string" || typeof value === "number" ||
      typeof value === "boolean";
    return isPlain ? value as string | number | boolean : null;
  }

  #span(start: number, end: number): Span {
    const trimmed = this.file.text.slice(start, end).trimEnd().length;
    return { file: this.file, start, end: start + trimmed };
  }

  #refuse(span: Span): Located {
    if (!this.isTooLarge) {
      this.isTooLarge = true;
      this.diagnostics.push({
        code: "too-large",
        severity: "error",
        message: `The recipe holds over ${
          maxValues.toLocaleString("en")
        } values, or is nested deeper than ${maxDepth}`,
        span,
        help: "Aliases (*name) count each time they are used",
      });
    }
    return { type: "scalar", span, value: null };
  }

  #reportDuplicate(name: string, span: Span, first: Span) {
    this.diagnostics.push({
      code: "duplicate-key",
      severity: "error",
      message: `Key "${name}" stands twice in one map`,
      span,
      related: [{ message: "It stands here first", span: first }],
      help: "Remove one of them, or give it another name",
    });
  }

  #reportKey(span: Span) {
    this.diagnostics.push({
      code: "bad-key",
      severity: "error",
      message: "A key is plain text, not a list or a map",
      span,
    });
  }
}

/** An empty value has no width of its own: it is marked at its key. */
function widened(span: Span, fallback: Span | undefined): Span {
  return span.end > span.start || fallback === undefined ? span : fallback;
}
