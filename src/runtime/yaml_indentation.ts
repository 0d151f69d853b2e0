import { type Edit, type Fault, insertion, type Mend, removal } from "./yaml_fault.ts";
import { type Line, lineAt, linesBefore, type Token } from "./yaml_tokens.ts";

/** A tab in the indentation of a line. */
export function indentedByTab(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  const tab = line.text.slice(0, line.indent).indexOf("\t");
  if (tab < 0) return [];
  const start = line.start + tab;
  const lines = [...text.matchAll(/^[ ]*\t[ \t]*/gm)];
  const others = lines.length > 1 ? ` (${lines.length} lines have a tab)` : "";
  const widths = [2, 4, 8].map((width): Mend =>
    lines.map(({ index, 0: indent }) => ({
      at: index,
      remove: indent.length,
      insert: indent.replaceAll("\t", " ".repeat(width)),
    }))
  );
  return [{
    start,
    end: start + /^\t+/.exec(text.slice(start))![0].length,
    message: "A tab cannot indent a line",
    help: `Indent with spaces${others}`,
    isShaky: true,
    mends: [besideLineBefore(text), ...widths],
  }];
}

/** Lines with tabs indented like the line before, two spaces deeper for each tab more. */
function besideLineBefore(text: string): Mend {
  const edits: Edit[] = [];
  let before = { tabs: 0, indent: 0, opens: false };
  for (const { index, 0: line, 1: white } of text.matchAll(/^([ \t]*)[^\s#].*$/gm)) {
    const tabs = white!.split("\t").length - 1;
    const deeper = before.tabs === 0 ? (before.opens ? 1 : 0) : tabs - before.tabs;
    const indent = tabs === 0 ? white!.length : Math.max(0, before.indent + 2 * deeper);
    if (tabs > 0) edits.push({ at: index, remove: white!.length, insert: " ".repeat(indent) });
    before = { tabs, indent, opens: /[:{[]\s*(#.*)?$/.test(line) };
  }
  return edits;
}

/** A line that begins at a column of its own. */
export function misindented(
  { text, at, error, tokens }: {
    readonly text: string;
    readonly at: number;
    readonly error: { readonly message: string };
    readonly tokens: readonly Token[];
  },
): readonly Fault[] {
  const line = lineAt(text, at);
  const start = line.start + line.indent;
  if (line.indent === line.text.length) return [];
  if (error.message.startsWith("Flow")) return insufficientlyIndented(text, tokens, line);
  const levels = openLevels(text, at).filter((level) => level !== line.indent);
  levels.sort((a, b) => Math.abs(a - line.indent) - Math.abs(b - line.indent));
  return unevenFirst([
    ...levels.map((level) => misplaced(text, start, line.indent, level)),
    ...misplacedBefore(text, line),
  ]);
}

/** The first lines of the file, indented deeper than a line that follows. */
export function indentedTop(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  if (line.indent === line.text.length) return [];
  const before = [...linesBefore(text, at)];
  const first = before.at(-1);
  if (first === undefined || before.some(({ indent }) => indent <= line.indent)) return [];
  const start = first.start + first.indent;
  const fault = misplaced(text, start, first.indent, line.indent);
  const much = first.indent - line.indent;
  const outdented = before.filter(({ indent }) => indent >= first.indent).reverse()
    .map(({ start }) => removal(start, much));
  return [{ ...fault, mends: [...fault.mends, outdented] }];
}

/** People indent by two or four spaces: a line at an odd column is the likelier slip. */
export function unevenFirst(faults: readonly MisplacedLine[]): readonly MisplacedLine[] {
  return [...faults].sort((a, b) => (b.indent % 2) - (a.indent % 2));
}

export interface MisplacedLine extends Fault {
  /** How far the line is indented. */
  readonly indent: number;
}

/** The line before, or the first of the block before, may be the one that is indented wrongly. */
function misplacedBefore(text: string, line: Line): readonly MisplacedLine[] {
  const candidates: Line[] = [];
  for (const before of linesBefore(text, line.start)) {
    if (candidates.length === 0) candidates.push(before);
    else if (before.indent < candidates.at(-1)!.indent) candidates.push(before);
    if (before.indent === 0) break;
  }
  return candidates.filter(({ indent }) => indent !== line.indent)
    .map(({ start, indent }) => misplaced(text, start + indent, indent, line.indent));
}

/** The indents of the blocks that a line can belong to, nearest first. */
function openLevels(text: string, at: number): number[] {
  const levels: number[] = [];
  for (const { indent, text: line } of linesBefore(text, at)) {
    if (indent < (levels.at(-1) ?? Infinity)) levels.push(indent);
    // The keys in a list's element begin behind its dash.
    const dash = /^\s*- +/.exec(line)?.[0].length;
    if (levels.length === 1 && dash !== undefined) levels.unshift(dash);
    if (indent === 0) break;
  }
  return levels;
}

/** A line that begins at another column than it should, moved to an indent of `level`. */
export function misplaced(
  text: string,
  start: number,
  indent: number,
  level: number,
): MisplacedLine {
  const word = /^(?:[\w.-]+|\S*)/.exec(text.slice(start))![0];
  const much = indent > level ? "much" : "little";
  return {
    indent,
    start,
    end: start + word.length,
    message: `"${word}" is indented too ${much}: it begins at column ${indent + 1}`,
    help: `Let it begin at column ${level + 1}, like what stands beside it`,
    isShaky: true,
    mends: [[
      indent > level
        ? removal(start - (indent - level), indent - level)
        : insertion(start, " ".repeat(level - indent)),
    ]],
  };
}

/** Lines inside { } or [ ] that begin no deeper than the key before it. */
function insufficientlyIndented(
  text: string,
  tokens: readonly Token[],
  line: Line,
): readonly Fault[] {
  const opener = tokens.findLast(({ type, start }) =>
    start < line.start && (type === "flow-map-start" || type === "flow-seq-start")
  );
  if (opener === undefined) return [];
  const outer = lineAt(text, opener.start).indent;
  if (line.indent > outer) return [];
  const fault = misplaced(text, line.start + line.indent, line.indent, outer + 2);
  const closer = closerOf(text, opener.start);
  if (closer === undefined) return [fault];
  const more = " ".repeat(outer + 2 - line.indent);
  const edits: Edit[] = [];
  for (let at = line.start; at <= closer;) {
    edits.push(insertion(at, more));
    const next = text.indexOf("\n", at);
    if (next < 0) break;
    at = next + 1;
  }
  return [{ ...fault, mends: [edits, ...fault.mends] }];
}

/** Where the bracket that opens at an offset is closed, quotes passed over. */
function closerOf(text: string, opener: number): number | undefined {
  let depth = 0;
  for (const { index, 0: found } of text.slice(opener).matchAll(/"[^"\n]*"|'[^'\n]*'|[[\]{}]/g)) {
    if (found === "{" || found === "[") depth++;
    if (found === "}" || found === "]") depth--;
    if (depth === 0) return opener + index;
  }
  return undefined;
}
