import { type Fault, insertion, type Mend, quotings, removal } from "./yaml_fault.ts";
import { isBlank, isQuoted, lineAt, linesBefore, type Token, tokenAt } from "./yaml_tokens.ts";

/** What the YAML library says. Its places are often where it noticed, not where the mistake is. */
export interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/**
 * Explanations of a syntax error, the likeliest first. Which one holds shows in how far the text
 * reads with its mend.
 */
export function explain(
  text: string,
  tokens: readonly Token[],
  error: YamlError,
): readonly Fault[] {
  const at = error.pos[0];
  const explained = [
    ...indentedByTab(text, at),
    ...missingSpaceBeforeBracket(text, at),
    ...(explanations[error.code]?.({ text, tokens, at, error }) ?? []),
  ];
  return [...explained, inTheLibrarysWords(text, error)];
}

interface Context {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly at: number;
  readonly error: YamlError;
}

const explanations: Readonly<Record<string, (context: Context) => readonly Fault[]>> = {
  BAD_INDENT: misindented,
  MULTILINE_IMPLICIT_KEY: brokenKey,
  BLOCK_AS_IMPLICIT_KEY: brokenKey,
  BLOCK_IN_FLOW: missingComma,
  BAD_SCALAR_START: badStart,
  BAD_DQ_ESCAPE: badEscape,
  MISSING_CHAR: missingCharacter,
  UNEXPECTED_TOKEN: unexpected,
};

function indentedByTab(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  const tab = line.text.slice(0, line.indent).indexOf("\t");
  if (tab < 0) return [];
  const start = line.start + tab;
  const lines = [...text.matchAll(/^[ ]*\t[ \t]*/gm)];
  const others = lines.length > 1 ? ` (${lines.length} lines have a tab)` : "";
  const mends = [2, 4, 8, 1].map((width): Mend =>
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
    mends,
  }];
}

/** `photos:{ … }`, `photos { … }`. */
function missingSpaceBeforeBracket(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  const found = /^(\s*(?:- +)*)([\w.-]+)(:?)(\s*)([{["'])/.exec(line.text);
  if (found === null) return [];
  const [, before, word, colon, space, bracket] = found;
  const start = line.start + before!.length;
  const end = start + word!.length;
  if (colon === "" && space !== "") return [missingColon(start, end, word!)];
  return colon === "" || space !== ""
    ? []
    : [missingSpace({ start, end: end + 2, colon: end, written: `${word}: ${bracket}` })];
}

function missingColon(start: number, end: number, word: string): Fault {
  return {
    start,
    end,
    message: `A colon is missing after "${word}"`,
    help: `Write "${word}:", or remove it`,
    mends: [[insertion(end, ":")]],
  };
}

function missingSpace(
  { start, end, colon, written }: {
    readonly start: number;
    readonly end: number;
    readonly colon: number;
    readonly written: string;
  },
): Fault {
  return {
    start,
    end,
    message: "A space is missing after the colon",
    help: `Write ${written}`,
    mends: [[insertion(colon + 1, " ")]],
  };
}

/** A word where a key has to be: what it lacks to be one. */
export function keyFault(start: number, word: string): Fault {
  const end = start + word.length;
  const parted = /^([\w.-]+)([:=])\s*(\S[\s\S]*)$/.exec(word);
  if (parted === null) return missingColon(start, end, word);
  const [, key, sign, value] = parted;
  const written = `${key}: ${value}`;
  const at = start + key!.length;
  if (sign === ":") return missingSpace({ start, end, colon: at, written });
  return {
    start,
    end,
    message: `"=" cannot part a key from its value`,
    help: `Write ${written}`,
    mends: [[{ at, remove: 1, insert: ": " }]],
  };
}

/** A line that begins at a column of its own. */
function misindented({ text, tokens, at, error }: Context): readonly Fault[] {
  if (error.message.startsWith("Flow")) return insufficientlyIndented(text, tokens, at);
  const line = lineAt(text, at);
  const start = line.start + line.indent;
  const levels = openLevels(text, at).sort((a, b) =>
    Math.abs(a - line.indent) - Math.abs(b - line.indent)
  );
  return levels.map((level) => misplaced(text, start, line.indent, level));
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

function misplaced(text: string, start: number, indent: number, level: number): Fault {
  const word = /^(?:[\w.-]+|\S+)/.exec(text.slice(start))![0];
  const much = indent > level ? "much" : "little";
  return {
    start,
    end: start + word.length,
    message: `"${word}" is indented too ${much}: it begins at column ${indent + 1}`,
    help: `Let it begin at column ${level + 1}, like what stands beside it`,
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
  at: number,
): readonly Fault[] {
  const line = lineAt(text, at);
  const first = tokenAt(tokens, line.start + line.indent);
  if (first === undefined || line.start === 0) return [];
  const outer = openLevels(text, at)[0] ?? 0;
  return [misplaced(text, line.start + line.indent, line.indent, outer + 2)];
}

/** A key over several lines, or a second key in one line. */
function brokenKey(context: Context): readonly Fault[] {
  const { text, tokens, at } = context;
  const token = tokenAt(tokens, at);
  if (token === undefined || token.type !== "scalar") return [];
  const line = lineAt(text, token.start);
  const lines = token.source.split("\n");
  const isFirstInLine = token.start === line.start + line.indent;
  if (lines.length > 1 && isFirstInLine) return [keyFault(token.start, lines[0]!.trimEnd())];
  if (lines.length > 1) {
    const last = lineAt(text, token.end - 1);
    return [misplaced(text, last.start + last.indent, last.indent, line.indent)];
  }
  return unquoted(
    text,
    token.start,
    line,
    'A value without quotes cannot hold a colon and a space (": ")',
  );
}

/** A value that is text only in quotes. */
function unquoted(
  text: string,
  start: number,
  line: { readonly start: number; readonly text: string },
  message: string,
): readonly Fault[] {
  return quotings(text, start, line.start + line.text.length).map(({ value, quoted, mend }) => ({
    start,
    end: start + value.length,
    message,
    help: `Put it in quotes: ${quoted}`,
    mends: [mend],
  }));
}

function missingComma({ text, tokens, at }: Context): readonly Fault[] {
  const token = tokenAt(tokens, at);
  if (token === undefined) return [];
  const colon = { text, tokens, at, error: { code: "", message: "", pos: [at, at] as const } };
  const words = /^([\s\S]*\S)(\s+)(\S+)\s*$/.exec(token.source);
  if (token.type !== "scalar" || words === null) return brokenKey(colon);
  const [, before, space] = words;
  const start = token.start + before!.length;
  return [commaFault(start, start + space!.length, token.end), ...brokenKey(colon)];
}

function commaFault(before: number, start: number, end: number): Fault {
  return {
    start,
    end,
    message: "A comma is missing before this",
    help: "Inside { } and [ ] a comma stands between two entries",
    mends: [[insertion(before, ",")]],
  };
}

function badStart({ text, at }: Context): readonly Fault[] {
  const line = lineAt(text, at);
  const character = text[at]!;
  if (at === line.start + line.indent) {
    const end = line.start + line.text.trimEnd().length;
    return [{
      start: at,
      end,
      message: `A line cannot begin with "${character}"`,
      help: "Remove it, or put the text in quotes",
      mends: [[removal(at, end - at)]],
    }];
  }
  return unquoted(text, at, line, `A value without quotes cannot begin with "${character}"`);
}

function badEscape({ text, at }: Context): readonly Fault[] {
  const escape = text.slice(at, at + 2);
  return [{
    start: at,
    end: at + 2,
    message: `"${escape}" is no escape that YAML knows`,
    help: 'Write "\\\\" for a backslash, or put the text in single quotes',
    mends: [[insertion(at, "\\")]],
  }];
}

function missingCharacter(context: Context): readonly Fault[] {
  const { text, tokens, at, error } = context;
  if (error.message.startsWith("Implicit map keys")) {
    const line = lineAt(text, at);
    return [keyFault(at, text.slice(at, line.start + line.text.trimEnd().length))];
  }
  if (error.message.startsWith("Comments")) {
    return [{
      start: at,
      end: at + 1,
      message: "A space is missing before the comment",
      help: 'Write " #", or put the text in quotes where "#" belongs to it',
      mends: [[insertion(at, " ")]],
    }];
  }
  return error.message.startsWith("Missing ,") ? commaBefore(text, tokens, at) : [];
}

/** The comma that is missing before the next token. */
function commaBefore(text: string, tokens: readonly Token[], at: number): readonly Fault[] {
  const next = tokens.find((token) => token.end > at && !isBlank(token));
  if (next === undefined) return [];
  const before = next.start - /\s*$/.exec(text.slice(0, next.start))![0].length;
  return [commaFault(before, next.start, next.end)];
}

function unexpected(context: Context): readonly Fault[] {
  const { text, tokens, at, error } = context;
  const token = tokenAt(tokens, at);
  if (token === undefined) return [];
  if (token.type === "comma") {
    return [{
      start: at,
      end: at + 1,
      message: "There is a comma too many",
      help: "Remove it",
      mends: [[removal(at, 1)]],
    }];
  }
  if (error.message.startsWith("Block scalar header")) return [];
  const faults = isEndOfNode(error) ? behindValue(text, tokens, token) : [];
  return [...faults, ...commaBefore(text, tokens, at)];
}

function isEndOfNode(error: YamlError): boolean {
  return error.message.endsWith("at node end");
}

/** Text behind a value that is complete: a pattern in braces, an apostrophe, a stray word. */
function behindValue(text: string, tokens: readonly Token[], token: Token): readonly Fault[] {
  const line = lineAt(text, token.start);
  const rest = text.slice(token.start, line.start + line.text.length).trimEnd();
  const index = tokens.indexOf(token);
  const previous = tokens[index - 1];
  if (previous?.type === "flow-map-end" || previous?.type === "flow-seq-end") {
    const opener = openerOf(tokens, index - 1);
    if (opener !== undefined) return unquoted(text, opener.start, line, patternMessage);
  }
  if (previous !== undefined && isQuoted(previous)) {
    return [quoteInside(previous.source[0]!, token.start, rest)];
  }
  return [{
    start: token.start,
    end: token.start + rest.length,
    message: `${JSON.stringify(rest)} stands behind a value that is complete`,
    help: "Remove it, or put the whole value in quotes",
    mends: [[removal(token.start, rest.length)]],
  }];
}

const patternMessage = "A text that begins with a brace or bracket needs quotes";

function openerOf(tokens: readonly Token[], closer: number): Token | undefined {
  let depth = 0;
  for (let index = closer; index >= 0; index--) {
    const { type } = tokens[index]!;
    if (type === "flow-map-end" || type === "flow-seq-end") depth++;
    if (type === "flow-map-start" || type === "flow-seq-start") depth--;
    if (depth === 0) return tokens[index];
  }
  return undefined;
}

/** `'don't'`, `"a "b" c"`. */
function quoteInside(quote: string, start: number, rest: string): Fault {
  const escaped = quote === "'" ? "''" : '\\"';
  return {
    start,
    end: start + rest.length,
    message: `The text in quotes ends before ${JSON.stringify(rest)}`,
    help: `Write ${escaped} for a ${quote} inside ${quote} quotes`,
    mends: [
      [quote === "'" ? insertion(start, "'") : { at: start - 1, remove: 1, insert: '\\"' }],
      [removal(start, rest.length)],
    ],
  };
}

/** What the library says, at the first character that is more than white space. */
function inTheLibrarysWords(text: string, { message, code, pos }: YamlError): Fault {
  const wanted = /\S/.exec(text.slice(pos[0], pos[1] + 1))?.index ?? 0;
  const start = Math.min(pos[0] + wanted, Math.max(0, text.length - 1));
  const line = lineAt(text, start);
  const lineEnd = line.start + line.text.length;
  return {
    start,
    end: Math.max(start + 1, Math.min(pos[1], lineEnd)),
    message: `Not valid YAML: ${message.replace(/\s+/g, " ").replace(/[.:]$/, "")}`,
    help: code === "KEY_OVER_1024_CHARS" ? "Begin a new line" : undefined,
    mends: [],
  };
}
