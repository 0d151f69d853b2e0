import { type Fault, shown } from "./yaml_fault.ts";
import { isBlank, type Token, tokenAt } from "./yaml_tokens.ts";

/** Characters that no text holds. */
export function oddCharacters(text: string): readonly Fault[] {
  if (isUtf16(text)) return [utf16];
  // deno-lint-ignore no-control-regex
  const found = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/.exec(text);
  if (found === null) return [];
  const isBroken = found[0] === "\ufffd";
  return [{
    start: found.index,
    end: found.index + 1,
    message: isBroken
      ? "The file is not UTF-8 here"
      : `A control character (${codePoint(found[0])}) cannot stand in a recipe`,
    help: isBroken ? "Save the file as UTF-8" : "Remove it",
    mends: [[{ at: found.index, remove: 1, insert: " " }]],
  }];
}

const utf16: Fault = {
  start: 0,
  end: 1,
  message: "The file is UTF-16",
  help: "Save the file as UTF-8",
  mends: [],
};

/** In UTF-16 every second byte of Latin letters is 0. */
function isUtf16(text: string): boolean {
  const beginning = text.slice(0, 200);
  return beginning.split("\0").length > 1 + beginning.length / 4;
}

/** How a character that looks like another is told from it: `U+00A0`. */
function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** `A no-break space (U+00A0)`. */
function spaceName(space: string): string {
  return `${space === "\u00a0" ? "A no-break space" : "An odd space"} (${codePoint(space)})`;
}

/** White space that is not a space: it comes with text from web pages and word processors. */
export function oddIndents(text: string, tokens: readonly Token[]): readonly Fault[] {
  for (const { index, 0: indent } of text.matchAll(/^[ ]*[^\S \t\r\n]+[^\S\r\n]*(?=\S)/gm)) {
    const odd = indent.search(/[^\S \t]/);
    const start = index + odd;
    const token = tokenAt(tokens, start);
    if (token?.start !== start) continue; // inside a text of several lines
    return [{
      start,
      end: index + indent.length,
      message: `${spaceName(indent[odd]!)} cannot indent a line`,
      help: "Indent with spaces",
      isShaky: true,
      mends: [[{ at: index, remove: indent.length, insert: " ".repeat(indent.length) }]],
    }];
  }
  return [];
}

/** A colon that is none, or with a space behind it that is none: `use：image.proxy`. */
export function oddColon(tokens: readonly Token[]): readonly Fault[] {
  const open: Token[] = [];
  let previous: Token | undefined;
  for (const [index, token] of tokens.entries()) {
    const { type, start, source } = token;
    if (type === "flow-map-start" || type === "flow-seq-start") open.push(token);
    if (type === "flow-map-end" || type === "flow-seq-end") open.pop();
    const isKey = tokens[index + 1]?.type === "map-value-ind" ||
      !(isBeforeValue(previous) || open.at(-1)?.type === "flow-seq-start");
    if (type === "scalar" && isKey) {
      const found = /^([\w.-]+)\s*(：|:(?=[^\S \t\r\n]))([^\S\n]*)([^{[\n]*)/.exec(source);
      if (found !== null) return [colonFault(start, found)];
    }
    if (!isBlank(token)) previous = token;
  }
  return [];
}

/** Whether what follows may be a text. */
function isBeforeValue(token: Token | undefined): boolean {
  const types = ["map-value-ind", "seq-item-ind", "explicit-key-ind", "anchor", "tag"];
  return types.includes(token?.type ?? "");
}

function colonFault(start: number, found: RegExpExecArray): Fault {
  const [, key, colon, gap, value] = found;
  const at = start + found[0].indexOf(colon!);
  if (colon === "：") {
    return {
      start,
      end: at + 1,
      message: "A full-width colon (U+FF1A) cannot part a key from its value",
      help: `Write ${shown(`${key}: ${value}`).trimEnd()}`,
      mends: [[{ at, remove: 1, insert: ": " }]],
    };
  }
  return {
    start,
    end: at + 2,
    message: `${spaceName(gap![0]!)} stands behind the colon`,
    help: "Put a plain space there",
    mends: [[{ at: at + 1, remove: gap!.length, insert: " " }]],
  };
}
