import {
  describeLocated,
  type Located,
  type LocatedEntry,
  type LocatedScalar,
  mapOfList,
  scalarsIn,
  writtenText,
} from "./located.ts";
import { type Reader, sourceOf } from "./reader.ts";
import type { Span } from "./source.ts";

/** A name as it was written. */
export interface Name {
  readonly text: string;
  readonly span: Span;
}

export type FromDeclaration =
  | { readonly form: "short"; readonly source: SourceDeclaration }
  | { readonly form: "long"; readonly span: Span; readonly ports: readonly PortDeclaration[] }
  /** Neither: reported already. */
  | { readonly form: "broken"; readonly problem: SourceProblem };

export interface PortDeclaration {
  readonly port: Name;
  /** Undefined where it names no source. */
  readonly source?: SourceDeclaration;
  /** Why it names none: to be reported unless the name is not that of a port. */
  readonly problem?: SourceProblem;
}

export interface SourceProblem {
  readonly message: string;
  readonly at: Located;
  readonly help: string;
  /** What may be names of nodes in it. */
  readonly names: readonly string[];
}

/** `node` or `node.port`. */
export interface SourceDeclaration {
  readonly node: Name;
  readonly port?: Name;
}

/** What may be names of nodes in the wires that could not be read. */
export function namesInBroken(from: FromDeclaration | undefined): readonly string[] {
  if (from?.form === "broken") return from.problem.names;
  return from?.form === "long" ? from.ports.flatMap(({ problem }) => problem?.names ?? []) : [];
}

/** Reads the wires of a node; `ids` are the names of all nodes. */
export function readFrom(
  reader: Reader,
  { value }: LocatedEntry,
  ids: ReadonlySet<string>,
): FromDeclaration {
  const map = value.type === "list" ? mapOfList(value) : value;
  if (value.type === "list" && map !== undefined) {
    const sentence = `"from" names a node, or is a map of inputs, not ${describeLocated(value)}`;
    reader.error("bad-from", sentence, value, { help: "Remove the dashes" });
  }
  if (map?.type === "map") {
    const ports = map.entries.map(({ key, value }) => {
      const source = readSource(value, ids);
      const port = { text: key.name, span: key.span };
      return "at" in source ? { port, problem: source } : { port, source };
    });
    return { form: "long", span: value.span, ports };
  }
  const source = readSource(value, ids);
  if (!("at" in source)) return { form: "short", source };
  reader.error("bad-from", source.message, source.at, { help: source.help });
  return { form: "broken", problem: source };
}

const forms = "Write from: node, or from: { port: node, other: node.port }";

function readSource(
  value: Located,
  ids: ReadonlySet<string>,
): SourceDeclaration | SourceProblem {
  const problem = (help: string, names = wordsIn(value)): SourceProblem => ({
    message: `"from" names a node, not ${describeLocated(value)}`,
    at: value,
    help,
    names,
  });
  if (value.type !== "scalar" || typeof value.value !== "string") {
    const only = value.type === "list" && value.elements.length === 1 ? value.elements[0] : value;
    const isName = only?.type === "scalar" && typeof only.value === "string";
    return problem(isName ? `Write from: ${sourceOf(only)}` : forms);
  }
  const text = value.value;
  const meant = meantSource(text, ids);
  if (meant !== undefined) return problem(`Write ${meant}`, [meant.split(".")[0]!]);
  if (/^[^\s,.]+(\.[^\s,]+)?$/.test(text)) return sourceIn(value, text);
  const isSeveral = /^[\w.]+(\s*,\s*|\s+)[\w.]+/.test(text.trim());
  return problem(isSeveral ? "Name each: from: { port: node, other: node }" : forms);
}

function wordsIn(value: Located): readonly string[] {
  return [...scalarsIn(value)].flatMap((scalar) => String(scalar.value).match(/\w+/g) ?? []);
}

function sourceIn({ span }: LocatedScalar, text: string): SourceDeclaration {
  const part = (from: number, to: number): Name => ({
    text: text.slice(from, to),
    span: partOf(span, text, from, to),
  });
  const dot = text.indexOf(".");
  if (dot < 0) return { node: part(0, text.length) };
  return { node: part(0, dot), port: part(dot + 1, text.length) };
}

/**
 * What "steps.a.b", "a/b", "a. b", "a.b,", "${a}" and "${{ steps.a.outputs.b }}" mean; undefined for
 * what is as it should be.
 */
function meantSource(text: string, ids: ReadonlySet<string>): string | undefined {
  const trimmed = text.trim().replace(/\s+\/\/\s.*$/, "");
  const inside = /^\$?\{+\s*\$?(.*?)\s*\}+$/.exec(trimmed)?.[1] ?? trimmed;
  const meant = inside.replace(/\s*[./]\s*/g, ".").replace(/[,;]$/, "")
    .replace(/^(steps|nodes|needs|jobs)\.(?=\w)/, "").replace(/(?<=\w\.)outputs?\.(?=\w)/, "");
  const isKnown = ids.has(meant.split(".")[0]!) && /^\w+(\.\w+)?$/.test(meant);
  return isKnown && meant !== text ? meant : undefined;
}

/** The stretch of a text's letters `from` to `to`, where they stand in the file as they are. */
function partOf(span: Span, text: string, from: number, to: number): Span {
  const at = writtenText(span).indexOf(text);
  if (at < 0) return span;
  return { file: span.file, start: span.start + at + from, end: span.start + at + to };
}
