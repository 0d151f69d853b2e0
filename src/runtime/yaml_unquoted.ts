import { type Fault, quote, quotings, shown } from "./yaml_fault.ts";
import { lineAt, type Token } from "./yaml_tokens.ts";

/** Values inside { } and [ ] that YAML takes apart, because they hold its own signs without quotes. */
export function unquotedInBrackets(text: string, tokens: readonly Token[]): readonly Fault[] {
  for (const [index, { type, start, end }] of tokens.entries()) {
    if (type !== "scalar" || isBehindBracket(tokens[index - 1])) continue;
    const next = tokens[index + (tokens[index + 1]?.type === "space" ? 2 : 1)];
    if (next?.type === "flow-map-start") {
      const found = bracesInText(text, start);
      if (found !== undefined) return [found];
    }
    if (next?.type === "flow-seq-start" && next.start === end) {
      const found = numberedName(text, start);
      if (found !== undefined) return [found];
    }
  }
  return [];
}

/** A text that begins with a bracket is explained where it begins. */
function isBehindBracket(previous: Token | undefined): boolean {
  return previous?.type === "flow-map-end" || previous?.type === "flow-seq-end";
}

/** `${out}/images`, `photo_{stem}.jpg`. */
function bracesInText(text: string, start: number): Fault | undefined {
  const line = lineAt(text, start);
  const rest = text.slice(start, Math.min(line.start + line.text.length, start + 400));
  const value = /^(?:[^\s,{}[\]]|[^\S\n]+(?![\s#,}\]])|\{[\w.]*\})+/.exec(rest)?.[0].trimEnd();
  if (value === undefined || !value.includes("{")) return undefined;
  const name = /^\$\{(\w+)\}$/.exec(value)?.[1];
  const meant = name === undefined ? quote(value) : `$${name}`;
  return {
    start,
    end: start + value.length,
    message: "A text that holds braces needs quotes inside { } and [ ]",
    help: name === undefined ? `Put it in quotes: ${shown(meant)}` : `Write ${meant}`,
    mends: [[{ at: start, remove: value.length, insert: meant }]],
  };
}

/** `proxies.image[0]`. */
function numberedName(text: string, start: number): Fault | undefined {
  const found = /^([\w.$-]+)\[\s*-?\d*\s*\]/.exec(text.slice(start, start + 200));
  if (found === null) return undefined;
  const [written, name] = found;
  return {
    start,
    end: start + written.length,
    message: `"${written}" picks an element, which a recipe cannot`,
    help: `Write ${name}`,
    mends: [[{ at: start, remove: written.length, insert: name! }]],
  };
}

/** `order: (resolution, bytes)` inside braces, where each comma begins a new entry. */
export function roundLists(text: string, tokens: readonly Token[]): readonly Fault[] {
  for (const [index, { type, source, start, end }] of tokens.entries()) {
    if (type !== "scalar" || source[0] !== "(" || tokens[index + 1]?.type !== "comma") continue;
    const found = /^\(([^()[\]{}\n]*)\)(?=\s*[,}\]])/.exec(text.slice(start, end + 400));
    if (found === null) continue;
    const [written, inside] = found;
    const list = `[${inside}]`;
    return [{
      start,
      end: start + written.length,
      message: "Round brackets make no list",
      help: `Write ${shown(list)}`,
      mends: [[{ at: start, remove: written.length, insert: list }]],
    }];
  }
  return [];
}

/** `*.jpg`, which YAML reads as an alias: quotes around each pattern of its own. */
export function unquotedGlob(text: string, start: number): readonly Fault[] {
  const line = lineAt(text, start);
  return quotings(text, start, line.start + line.text.length)
    .filter(({ value }) => !/,\s*\*/.test(value))
    .map(({ value, quoted, mend }) => ({
      start,
      end: start + value.length,
      message: `"${shown(value)}" reads as an alias, because it begins with "*"`,
      help: `Put it in quotes: ${shown(quoted)}`,
      mends: [mend],
    }));
}
