import { type Edit, type Fault, insertion, type Mend, removal, shown } from "./yaml_fault.ts";
import { type Line, lineAt, linesBefore } from "./yaml_tokens.ts";

/** `photos:- { … }`. */
function strayAfterColon(line: Line): readonly Fault[] {
  const found = /^(\s*(?:- +)*[\w.-]+:)([^\s\w{["']+)\s*[{["']/.exec(line.text);
  if (found === null) return [];
  const [, before, stray] = found;
  const start = line.start + before!.length;
  return [{
    start,
    end: start + stray!.length,
    message: `"${stray}" stands between a colon and its value`,
    help: "Remove it",
    mends: [[{ at: start, remove: stray!.length, insert: " " }]],
  }];
}

/** `photos:{ … }`, `photos { … }`. */
export function missingSpaceBeforeBracket(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  const found = /^(\s*(?:- +)*)([\w.-]+)(:?)(\s*)([{["'])/.exec(line.text);
  if (found === null) return strayAfterColon(line);
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
    message: `A colon is missing after "${shown(word)}"`,
    help: `Write "${shown(word)}:", or remove it`,
    isShaky: true,
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

/** `use image.proxy`, also with the colon at the end of the line. */
function missingColonBefore(start: number, key: string, value: string, end: number): Fault {
  const colon = insertion(start + key.length, ":");
  const isBehind = value.endsWith(":");
  return {
    start,
    end: start + key.length,
    message: `A colon is missing after "${shown(key)}"`,
    help: `Write ${shown(`${key}: ${isBehind ? value.slice(0, -1) : value}`)}`,
    mends: [isBehind ? [colon, removal(end - 1, 1)] : [colon]],
  };
}

/** A line that is no entry: a key lacks something, or the line is not meant to be here. */
export function lineFaults(start: number, line: string): readonly Fault[] {
  const fault = keyFault(start, line);
  if (!/^[\w.-]+\s+[^\s:=]/.test(line)) return [fault];
  const end = start + line.length;
  const help = `${fault.help}, or remove the line`;
  return [fault, { ...fault, end, help, mends: [[removal(start, line.length)]] }];
}

/** `use image.proxy # small`: behind a comment YAML sees that no entry begins only in the next line. */
export function commentedLine(text: string, at: number): readonly Fault[] {
  const [line] = linesBefore(text, at);
  const found = /^(\s*)([\w.-]+(?: +[^\s:#][^:#]*)?)\s+#/.exec(line?.text.slice(0, 300) ?? "");
  return found === null ? [] : lineFaults(line!.start + found[1]!.length, found[2]!.trimEnd());
}

/** A word where a key has to be: what it lacks to be one. */
export function keyFault(start: number, word: string): Fault {
  const end = start + word.length;
  const spaced = /^([\w.-]+)\s+([^\s:={["'][^\n]*)$/.exec(word);
  if (spaced !== null) return missingColonBefore(start, spaced[1]!, spaced[2]!, end);
  const parted = /^([\w.-]+)(\s*)([:=])\s*(\S[\s\S]*)$/.exec(word);
  if (parted === null) return missingColon(start, end, word);
  const [, key, space, sign, value] = parted;
  const written = shown(`${key}: ${value}`);
  const at = start + key!.length + space!.length;
  if (sign === ":") return missingSpace({ start, end, colon: at, written });
  return assignment({ start, at, end, key: key!, value: value! });
}

/** `quality = 80;`, in braces also with the lines that follow. */
function assignment(
  { start, at, end, key, value }: {
    readonly start: number;
    /** Of the sign. */
    readonly at: number;
    readonly end: number;
    readonly key: string;
    readonly value: string;
  },
): Fault {
  const first = value.split("\n")[0]!.trimEnd();
  const isLast = first.length === value.trimEnd().length;
  const alone = first.replace(/\s*[,;]$/, "");
  const lineEnd = end - value.length + first.length;
  const sign = lineEnd - (first.length - alone.length);
  return {
    start,
    end: lineEnd,
    message: `"=" cannot part a key from its value`,
    help: `Write ${shown(`${key}: ${alone}`)}`,
    mends: [[
      { at, remove: 1, insert: ": " },
      { at: sign, remove: lineEnd - sign, insert: isLast ? "" : "," },
    ]],
  };
}

/** The lines below `about: |` that begin no deeper than it. */
export function unindentedText(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  const [before] = linesBefore(text, line.start);
  const sign = /[:-]\s+([|>])[-+\d]*\s*$/.exec(before?.text ?? "")?.[1];
  if (before === undefined || sign === undefined || line.indent > before.indent) return [];
  const start = line.start + line.indent;
  return [{
    start,
    end: line.start + line.text.trimEnd().length,
    message: `The text below "${sign}" is not indented`,
    help: `Let it begin at column ${before.indent + 3}`,
    mends: [[insertion(start, " ".repeat(before.indent + 2 - line.indent))]],
  }];
}

/** A dash among keys, or inside { }. */
export function strayDash(text: string, at: number): readonly Fault[] {
  const blank = /^(?:[^\S\n]*(?:#.*)?\n)*/.exec(text.slice(at))![0].length;
  const line = lineAt(text, at + blank);
  const dash = /(?<=^\s*|[:[{,]\s+)-(?=\s|$)/.exec(line.text)?.index;
  return dash === undefined ? [] : [dashFault(text, line, dash)];
}

/** A dash before the first of some keys, the others of which have none. */
export function strayFirstDash(text: string, at: number): readonly Fault[] {
  const line = lineAt(text, at);
  if (!/^\s*[\w.-]+\s*:/.test(line.text)) return [];
  const before = linesBefore(text, line.start);
  for (const { start, indent, text: written } of before) {
    if (indent > line.indent) continue;
    if (indent < line.indent || !/^\s*- +[\w.-]+\s*:(\s|$)/.test(written)) return [];
    return [dashFault(text, { start, indent, text: written }, indent)];
  }
  return [];
}

function dashFault(text: string, line: Line, dash: number): Fault {
  const start = line.start + dash;
  const width = /^- */.exec(line.text.slice(dash))![0].length;
  const space: Mend = [{ at: start, remove: 1, insert: " " }];
  const alone: Mend = [removal(start, width)];
  const isFirst = dash === line.indent;
  return {
    start,
    end: start + 1,
    message: "A dash cannot begin an element here",
    help: "Remove it; a list stands below its key, or in brackets: [a, b]",
    mends: isFirst ? [alone, [...alone, ...outdents(text, line, width)], space] : [space],
  };
}

/** The lines below an element's first one moved as far to the left as that without its dash. */
function outdents(text: string, { start, indent }: Line, width: number): Mend {
  const edits: Edit[] = [];
  for (let at = text.indexOf("\n", start) + 1; at > 0; at = text.indexOf("\n", at) + 1) {
    const line = lineAt(text, at);
    if (/^\s*(#.*)?$/.test(line.text)) continue;
    if (line.indent < indent + width) break;
    edits.push(removal(at, width));
  }
  return edits;
}
