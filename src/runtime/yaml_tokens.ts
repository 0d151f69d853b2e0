import type { CST as Cst } from "yaml";
import { CST, Lexer } from "./yaml.ts";

/** A piece of a YAML text. Tokens cover the whole text, in order; `[start, end)` in UTF-16. */
export interface Token {
  readonly type: TokenType;
  readonly start: number;
  readonly end: number;
  readonly source: string;
}

export type TokenType = Cst.TokenType | "none";

/** A token list that does not grow with nesting: the lexer keeps no stack. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let isScalar = false;
  for (const source of new Lexer().lex(text)) {
    const type = CST.tokenType(source) ?? "none";
    // Three marks of the lexer's own have no place in the text.
    if (source === CST.SCALAR) {
      isScalar = true;
      continue;
    }
    const length = source === CST.DOCUMENT || source === CST.FLOW_END ? 0 : source.length;
    tokens.push({ type: isScalar ? "scalar" : type, start: at, end: at + length, source });
    isScalar = false;
    at += length;
  }
  return tokens;
}

/** Tokens that say nothing: white space, line ends, comments. */
export function isBlank(token: Token): boolean {
  return token.type === "space" || token.type === "newline" || token.type === "comment" ||
    token.type === "doc-mode";
}

export function isQuoted(token: Token): boolean {
  return token.type === "double-quoted-scalar" || token.type === "single-quoted-scalar";
}

/** The token that covers an offset; the last one for the text's end. */
export function tokenAt(tokens: readonly Token[], offset: number): Token | undefined {
  return tokens.find((token) => token.start <= offset && offset < token.end) ?? tokens.at(-1);
}

/** A line of a text: where it begins, and its text without the line end. */
export interface Line {
  readonly start: number;
  readonly text: string;
  /** How many characters of white space it begins with. */
  readonly indent: number;
}

/** The line that an offset is in. */
export function lineAt(text: string, offset: number): Line {
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", start);
  const line = text.slice(start, newline < 0 ? text.length : newline).replace(/\r$/, "");
  return { start, text: line, indent: /^[^\S\n]*/.exec(line)![0].length };
}

/** The lines before an offset's line that hold more than white space and comments, nearest first. */
export function* linesBefore(text: string, offset: number): Iterable<Line> {
  for (let { start } = lineAt(text, offset); start > 0;) {
    const line = lineAt(text, start - 1);
    if (!/^\s*(#.*)?$/.test(line.text)) yield line;
    start = line.start;
  }
}
