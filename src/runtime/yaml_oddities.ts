import { isAlias, isMap, isScalar, isSeq } from "./yaml.ts";
import { suggestion } from "./suggestion.ts";
import { oddCharacters, oddColon, oddIndents } from "./yaml_characters.ts";
import { type Fault, quote, removal, shown } from "./yaml_fault.ts";
import { keyFault } from "./yaml_keys.ts";
import { isBlank, lineAt, linesBefore, type Token } from "./yaml_tokens.ts";
import { roundLists, unquotedGlob, unquotedInBrackets } from "./yaml_unquoted.ts";

/** The first thing that the YAML library lets pass, or throws at much later, though nobody means it. */
export function oddities(text: string, tokens: readonly Token[]): readonly Fault[] {
  const faults = [
    ...oddCharacters(text),
    ...oddIndents(text, tokens),
    ...oddColon(tokens),
    ...otherComments(text, tokens),
    ...curlyQuotes(text, tokens),
    ...unquotedInBrackets(text, tokens),
    ...roundLists(text, tokens),
    ...mergeKeys(text, tokens),
    ...unknownAliases(text, tokens),
    ...unknownTags(tokens),
    ...otherVersion(tokens),
    ...secondDocument(text, tokens),
  ];
  const first = Math.min(...faults.map(({ start }) => start));
  return faults.filter(({ start }) => start === first);
}

/** `// a comment` and `/* a comment *\/`, where no value can begin. */
function otherComments(text: string, tokens: readonly Token[]): readonly Fault[] {
  for (const { type, start, source } of tokens) {
    const sign = /^(\/\/|\/\*)/.exec(source)?.[0];
    if (type !== "scalar" || sign === undefined || isValue(text, start)) continue;
    const line = lineAt(text, start);
    const lineEnd = line.start + line.text.trimEnd().length;
    const closer = sign === "/*" ? text.indexOf("*/", start) : -1;
    const end = closer < 0 ? lineEnd : closer + 2;
    return [{
      start,
      end: Math.min(end, lineEnd),
      message: 'A comment begins with "#"',
      help: `Write "#" in place of "${sign}"${closer < 0 ? "" : ", in each line"}`,
      mends: [[removal(start, end - start)]],
    }];
  }
  return [];
}

/** Whether a text is where a value belongs, in its line or in the one below its key. */
function isValue(text: string, start: number): boolean {
  const line = lineAt(text, start);
  const before = text.slice(line.start, start);
  if (before.trim() !== "") return !/[^\s:-]\s+$/.test(before);
  const [previous] = linesBefore(text, line.start);
  return /:\s*$/.test(previous?.text ?? "") && !/\s/.test(line.text.trim());
}

function unknownAliases(text: string, tokens: readonly Token[]): readonly Fault[] {
  const anchors = new Set<string>();
  for (const { type, source, start, end } of tokens) {
    if (type === "anchor") anchors.add(source.slice(1));
    if (type !== "alias" || anchors.has(source.slice(1))) continue;
    const name = source.slice(1);
    if (/^[A-Za-z_][\w-]*$/.test(name)) return [unknownAlias(name, anchors, start, end)];
    return unquotedGlob(text, start);
  }
  return [];
}

function unknownAlias(
  name: string,
  anchors: ReadonlySet<string>,
  start: number,
  end: number,
): Fault {
  return {
    start,
    end,
    message: `There is no anchor "&${name}" before the alias "*${name}"`,
    help: suggestion(name, [...anchors], "Anchors") ?? `Put it in quotes if it is text: "*${name}"`,
    mends: [[{ at: start, remove: end - start, insert: `"*${name}"` }]],
  };
}

/** Tags of the YAML core schema change how a value reads; all others need code. */
const knownTag = /^!(!(str|int|float|bool|null|map|seq))?$/;

function unknownTags(tokens: readonly Token[]): readonly Fault[] {
  const tag = tokens.find(({ type, source }) => type === "tag" && !knownTag.test(source));
  if (tag === undefined) return [];
  const { start, end, source } = tag;
  return [{
    start,
    end,
    message: `A recipe cannot hold the tag "${source}"`,
    help: "Remove it, or put the whole value in quotes if it is text",
    mends: [[removal(start, end - start)]],
  }];
}

/** `<<: *name` of YAML 1.1, which puts a map into a map. */
function mergeKeys(text: string, tokens: readonly Token[]): readonly Fault[] {
  for (const [index, { source, start, end }] of tokens.entries()) {
    if (source !== "<<" || tokens[index + 1]?.type !== "map-value-ind") continue;
    const alias = /^\s*:[^\S\n]+\*[\w-]+(?:\s*,)?/.exec(text.slice(end, end + 200));
    if (alias === null) continue;
    return [{
      start,
      end,
      message: 'The merge key "<<" is YAML 1.1',
      help: "Write the keys out",
      mends: [[removal(start, end - start + alias[0].length)]],
    }];
  }
  return [];
}

/** Quotes of a word processor are letters to YAML. */
function curlyQuotes(text: string, tokens: readonly Token[]): readonly Fault[] {
  for (const { type, start } of tokens) {
    if (type !== "scalar" || !"“”„‟‘’‚".includes(text[start]!)) continue;
    const line = lineAt(text, start);
    const rest = text.slice(start, line.start + line.text.length);
    const found = /^[“”„‟‘’‚]([^“”‘’]*)[“”‘’](?=\s*([,}\]:#]|$))/.exec(rest);
    if (found === null) continue;
    const [quoted, inside] = found;
    return [{
      start,
      end: start + quoted.length,
      message: `The quotes of ${shown(quoted)} are letters to YAML`,
      help: `Write ${shown(quote(inside!))}`,
      mends: [[{ at: start, remove: quoted.length, insert: quote(inside!) }]],
    }];
  }
  return [];
}

/** YAML 1.1 reads `no` as false, and `010` as 8. */
function otherVersion(tokens: readonly Token[]): readonly Fault[] {
  const line = tokens.find(({ type, source }) =>
    type === "directive-line" && /^%YAML(?!\s+1\.2\s*$)/.test(source)
  );
  if (line === undefined) return [];
  return [{
    start: line.start,
    end: line.end,
    message: "A recipe is YAML 1.2",
    help: "Remove the line",
    mends: [[{ at: line.start, remove: line.source.length, insert: "%YAML 1.2" }]],
  }];
}

function secondDocument(text: string, tokens: readonly Token[]): readonly Fault[] {
  let hasContent = false;
  let isEnded = false;
  for (const token of tokens) {
    const { type, start, end } = token;
    if (type === "doc-end") isEnded = true;
    const isStart = type === "doc-start";
    const isContent = !isStart && type !== "doc-end" && type !== "directive-line" &&
      type !== "byte-order-mark" && !isBlank(token);
    if (hasContent && (isStart || (isEnded && isContent))) {
      return [{
        start,
        end,
        message: "A second YAML document begins here",
        help: 'One file holds one recipe: remove what follows, or the line "---"',
        mends: [[removal(start, text.length - start)]],
      }];
    }
    hasContent ||= isContent;
  }
  return [];
}

/** Keys that are no keys: `use:image.proxy`, `folder=./out`, `photos { use`, `{{ name }}`. */
export function oddKeys(text: string, root: unknown): readonly Fault[] {
  const found: Fault[] = [];
  const visit = (node: unknown, depth: number) => {
    if (depth > 64 || isAlias(node)) return;
    if (isSeq(node)) node.items.forEach((item) => visit(item, depth + 1));
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      if (isMap(key) && node.range) found.push(...doubleBraces(text, node.range[0]));
      if (isScalar(key)) found.push(...oddKey(text, key, value));
      visit(value, depth + 1);
    }
  };
  visit(root, 0);
  return found;
}

/** A reference as other tools write it: to YAML a map with a map for a key. */
function doubleBraces(text: string, start: number): readonly Fault[] {
  const found = /^\{\{\s*\$?([\w.-]+)\s*\}\}/.exec(text.slice(start, start + 200));
  if (found === null) return [];
  const [written, name] = found;
  return [{
    start,
    end: start + written.length,
    message: `"${written}" is how other tools name a value`,
    help: `Write $${name}`,
    mends: [[{ at: start, remove: written.length, insert: `$${name}` }]],
  }];
}

interface WrittenKey {
  readonly type?: string;
  readonly source?: string;
  readonly range?: readonly [number, number, number] | null;
}

function oddKey(
  text: string,
  { type, source, range }: WrittenKey,
  value: unknown,
): readonly Fault[] {
  if (type !== "PLAIN" || source === undefined || !range) return [];
  const brace = /^([\w.-]+)(\s*)[{[]/.exec(source);
  if (brace !== null) return [keyFault(range[0], brace[1]!)];
  const hasValue = isScalar(value) ? value.value !== null : value !== null && value !== undefined;
  if (hasValue) return [];
  // Its lines as they are: the source has them in one.
  const written = text.slice(range[0], range[1]);
  if (/^[\w.-]+\s*[:=]\s*\S/.test(written)) return [keyFault(range[0], written)];
  if (!/^[\w.-]+\s+\S/.test(source)) return [];
  const colon = /^[^\S\n]*:/.exec(text.slice(range[1], range[1] + 2))?.[0] ?? "";
  return [keyFault(range[0], `${source}${colon}`)];
}
