import { type Fault, insertion, quotings, removal, shown } from "./yaml_fault.ts";
import {
  commentedLine,
  lineFaults,
  missingSpaceBeforeBracket,
  strayDash,
  strayFirstDash,
  unindentedText,
} from "./yaml_keys.ts";
import {
  indentedByTab,
  indentedTop,
  misindented,
  misplaced,
  unevenFirst,
} from "./yaml_indentation.ts";
import { isBlank, isQuoted, lineAt, type Token, tokenAt } from "./yaml_tokens.ts";

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
    ...unindentedText(text, at),
    ...missingSpaceBeforeBracket(text, at),
    ...(explanations[error.code]?.({ text, tokens, at, error }) ?? []),
  ];
  return [...explained, ...strayDash(text, at), inTheLibrarysWords(text, error)];
}

interface Context {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly at: number;
  readonly error: YamlError;
}

const explanations: Readonly<Record<string, (context: Context) => readonly Fault[]>> = {
  BAD_INDENT: (context) => [
    ...commentedLine(context.text, context.at),
    ...strayFirstDash(context.text, context.at),
    ...misindented(context),
  ],
  MULTILINE_IMPLICIT_KEY: brokenKey,
  BLOCK_AS_IMPLICIT_KEY: brokenKey,
  BLOCK_IN_FLOW: brokenKey,
  BAD_SCALAR_START: badStart,
  BAD_DQ_ESCAPE: badEscape,
  MISSING_CHAR: missingCharacter,
  UNEXPECTED_TOKEN: unexpected,
};

/** A key over several lines, or a second key in one line. */
function brokenKey(context: Context): readonly Fault[] {
  const { text, tokens, at } = context;
  const token = tokenAt(tokens, at);
  if (token === undefined) return [];
  if (token.type !== "scalar") return commaBefore(text, tokens, token.end);
  const line = lineAt(text, token.start);
  const lines = token.source.split("\n");
  const isFirstInLine = token.start === line.start + line.indent;
  if (lines.length > 1 && isFirstInLine) return lineFaults(token.start, lines[0]!.trimEnd());
  if (lines.length > 1) {
    const last = lineAt(text, token.end - 1);
    const faults = last.indent === line.indent ? [] : unevenFirst([
      misplaced(text, last.start + last.indent, last.indent, line.indent),
      misplaced(text, line.start + line.indent, line.indent, last.indent),
    ]);
    return [...missingComma(context), ...faults];
  }
  return [
    ...missingComma(context),
    ...unquoted(text, token.start, line, "A value without quotes cannot hold a colon and a space"),
  ];
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
    help: `Put it in quotes: ${shown(quoted)}`,
    mends: [mend],
  }));
}

/** `{ use: image.proxy from: photos }`. */
function missingComma({ text, tokens, at }: Context): readonly Fault[] {
  const token = tokenAt(tokens, at);
  const words = /^([\s\S]*\S)(\s+)(\S+)\s*$/.exec(token?.source ?? "");
  if (token?.type !== "scalar" || words === null || !isInBrackets(tokens, token)) return [];
  const before = token.start + words[1]!.length;
  if (words[1]!.endsWith(";")) return [semicolon(before - 1)];
  const start = before + words[2]!.length;
  return [commaFault(text, before, start, start + text.slice(start, token.end).trimEnd().length)];
}

function semicolon(at: number): Fault {
  return {
    start: at,
    end: at + 1,
    message: '";" cannot part two entries (a comma is wanted)',
    mends: [[{ at, remove: 1, insert: "," }]],
  };
}

function isInBrackets(tokens: readonly Token[], token: Token): boolean {
  let depth = 0;
  for (const { type } of tokens.slice(0, tokens.indexOf(token))) {
    if (type === "flow-map-start" || type === "flow-seq-start") depth++;
    if (type === "flow-map-end" || type === "flow-seq-end") depth--;
    if (type === "flow-error-end") depth = 0;
  }
  return depth > 0;
}

function commaFault(text: string, before: number, start: number, end: number): Fault {
  const isInLine = !text.slice(before, start).includes("\n");
  return {
    start,
    end,
    message: "A comma is missing before this",
    help: "Inside { } and [ ] a comma stands between two entries",
    related: isInLine ? [] : [{ message: "It belongs here", start: before, end: before }],
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
      isShaky: true,
      mends: [[removal(at, end - at)]],
    }];
  }
  const faults = unquoted(
    text,
    at,
    line,
    `A value without quotes cannot begin with "${character}"`,
  );
  const rest = text.slice(at, line.start + line.text.length);
  const [written, name] = /^[%@](\w+)%?(?=\s*([,}\]]|$))/.exec(rest) ?? [];
  if (written === undefined || !/^steps\s*:/m.test(text.slice(0, at))) return faults;
  return faults.filter(({ end }) => end === at + written.length)
    .map((fault) => ({ ...fault, help: `${fault.help}, or write $${name} for a parameter` }));
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
    const rest = text.slice(at, line.start + line.text.length);
    return lineFaults(at, rest.replace(/\s+#.*$/, "").trimEnd());
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
  if (next === undefined || !isInBrackets(tokens, next)) return [];
  const previous = tokens[tokens.indexOf(next) - 1];
  const isAfterDash = previous?.type === "seq-item-ind" || next.type === "seq-item-ind" ||
    tokens[tokens.indexOf(next) - 2]?.type === "seq-item-ind";
  if (isAfterDash) return [];
  const before = next.start - /\s*$/.exec(text.slice(0, next.start))![0].length;
  return [commaFault(text, before, next.start, next.end)];
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
  const faults = isEndOfNode(error)
    ? [...indentedTop(text, at), ...behindValue(text, tokens, token)]
    : [];
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
  const key = /^([\w.-]+):(\s|$)/.exec(rest);
  if (key !== null) return [missingNewline(token.start, key[1]!, line.indent)];
  return [{
    start: token.start,
    end: token.start + rest.length,
    message: `${JSON.stringify(shown(rest))} stands behind a value that is complete`,
    help: "Remove it, or put the whole value in quotes",
    mends: [[removal(token.start, rest.length)]],
  }];
}

/** `a: { … } b: { … }`. */
function missingNewline(start: number, key: string, indent: number): Fault {
  return {
    start,
    end: start + key.length,
    message: `"${key}" stands in the line of another key`,
    help: "Begin a new line before it",
    mends: [[insertion(start, `\n${" ".repeat(indent)}`)]],
  };
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
    message: `The text in quotes ends before ${JSON.stringify(shown(rest))}`,
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
