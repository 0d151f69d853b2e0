import {
  type Located,
  type LocatedKey,
  type LocatedList,
  parseYaml,
  writtenText,
} from "./located.ts";
import { SourceFile, type Span } from "./source.ts";

/**
 * A list as a command line gives it: `a, b`, or as a recipe writes it, `["a", "b"]`. Undefined for what
 * begins with a bracket and is no list.
 */
export function readList(span: Span): LocatedList | undefined {
  return writtenText(span).trimStart().startsWith("[") ? bracketed(span) : partedByCommas(span);
}

function bracketed(span: Span): LocatedList | undefined {
  const padded = " ".repeat(span.start) + writtenText(span);
  const { root, diagnostics } = parseYaml(new SourceFile(span.file.path, padded));
  if (root?.type !== "list" || diagnostics.length > 0) return undefined;
  return inFile(root, span.file) as LocatedList;
}

/** A value with the places in the text before which `bracketed` put blanks. */
function inFile(located: Located, file: SourceFile): Located {
  const placed = { ...located, ...placeIn(located, file) };
  if (placed.type === "scalar") return placed;
  if (placed.type === "list") {
    return { ...placed, elements: placed.elements.map((each) => inFile(each, file)) };
  }
  const entries = placed.entries.map(({ key, value }) => ({
    key: { ...key, ...placeIn(key, file) },
    value: inFile(value, file),
  }));
  return { ...placed, entries };
}

function placeIn({ span, writtenAt }: Located | LocatedKey, file: SourceFile) {
  return { span: { ...span, file }, writtenAt: writtenAt && { ...writtenAt, file } };
}

function partedByCommas(span: Span): LocatedList {
  const { file } = span;
  const text = writtenText(span);
  let next = span.start;
  const parts = text.trim() === "" ? [] : text.split(",");
  const elements = parts.map((part): Located => {
    const value = part.trim();
    const start = next + part.indexOf(value);
    next += part.length + 1;
    return { type: "scalar", value, span: { file, start, end: start + value.length } };
  });
  return { type: "list", span, elements };
}
