import { type Fault, insertion, type Mend, quotings, removal, shown } from "./yaml_fault.ts";
import { isBlank, isQuoted, lineAt, type Token } from "./yaml_tokens.ts";

const closers: Readonly<Record<string, string>> = { "{": "}", "[": "]" };

/** The first quote that is not closed. */
export function quoteFault(text: string, tokens: readonly Token[]): Fault | undefined {
  const open = tokens.find((token) => isQuoted(token) && !isClosed(token.source));
  if (open === undefined) return undefined;
  const quote = open.source[0]!;
  const line = lineAt(text, open.start);
  const rest = text.slice(open.start + 1, line.start + line.text.length);
  return {
    start: open.start,
    end: open.start + 1,
    message: `The quote ${quote} is not closed`,
    help: `Close it with ${quote} in the same line`,
    mends: quoteEnds(rest).map((length): Mend => {
      const at = open.start + 1 + length;
      const isOther = /["']/.test(rest[length - 1] ?? "");
      return [isOther ? { at: at - 1, remove: 1, insert: quote } : insertion(at, quote)];
    }),
  };
}

/** Where a text may end whose closing quote was forgotten: before what follows, or with its line. */
function quoteEnds(rest: string): readonly number[] {
  const entry = /\s*[,}\]]*\s*,\s*["']?[\w-]+["']?:\s/.exec(rest)?.index;
  const colon = /^[\w-]+(?=:\s)/.exec(rest)?.[0].length;
  const comment = /\s+#/.exec(rest)?.index ?? rest.length;
  const ends = [colon, entry];
  for (const { index } of rest.matchAll(/\s*[}\]]/g)) ends.push(index);
  for (const { index } of rest.matchAll(/\s*,/g)) ends.push(index);
  return [...ends, comment, rest.trimEnd().length].filter((end) => end !== undefined);
}

function isClosed(source: string): boolean {
  return source[0] === '"'
    ? /^"(?:[^"\\]|\\[\s\S])*"$/.test(source)
    : /^'(?:[^']|'')*'$/.test(source);
}

/** The first bracket or brace without its partner; two faults where two explanations are as good. */
export function bracketFaults(text: string, tokens: readonly Token[]): readonly Fault[] {
  const open: Token[] = [];
  let last = 0;
  for (const token of tokens) {
    if (token.type === "flow-map-start" || token.type === "flow-seq-start") open.push(token);
    if (token.type === "flow-map-end" || token.type === "flow-seq-end") {
      const top = open.at(-1);
      if (top === undefined || closers[top.source] !== token.source) {
        return [...quoteBefore(text, tokens, token), ...mismatch(text, open, token)];
      }
      open.pop();
    }
    if (token.type === "flow-error-end" && open.length > 0) {
      return unclosed(text, tokens, open, last);
    }
    if (!isBlank(token)) last = token.end;
  }
  return open.length === 0 ? [] : unclosed(text, tokens, open, last);
}

/** `"{stem"}.jpg"`: the quote before a closing bracket may be the one too many. */
function quoteBefore(text: string, tokens: readonly Token[], closer: Token): readonly Fault[] {
  const previous = tokens[tokens.indexOf(closer) - 1];
  if (previous === undefined || !isQuoted(previous)) return [];
  const [quote] = previous.source;
  const line = lineAt(text, closer.start);
  const rest = text.slice(closer.start, line.start + line.text.length).trimEnd();
  const start = closer.start - 1;
  return [{
    start,
    end: closer.start,
    message: `The text in quotes ends before ${JSON.stringify(shown(rest))}`,
    help: `Remove the ${quote} here`,
    mends: rest.includes(quote!) ? [[removal(start, 1)]] : [],
  }];
}

/** A closing bracket that is not the one to come. */
function mismatch(text: string, open: readonly Token[], closer: Token): readonly Fault[] {
  const top = open.at(-1);
  const { start, end, source } = closer;
  const stray: Fault = {
    start,
    end,
    message: `Nothing opens what "${source}" closes`,
    help: "Remove it, or open it before",
    mends: [[removal(start, 1)]],
  };
  if (top === undefined) return [stray];
  const wanted = closers[top.source]!;
  const wrong: Fault = {
    start,
    end,
    message: `"${source}" cannot close "${top.source}" ("${wanted}" is wanted)`,
    related: [{ message: `"${top.source}" opens here`, start: top.start, end: top.end }],
    mends: [[{ at: start, remove: 1, insert: wanted }]],
  };
  if (!open.some((token) => closers[token.source] === source)) return [wrong, stray];
  return [
    ...closedBeforeKey(text, top, start),
    notClosed(top, wanted, start, text),
    wrong,
  ];
}

/** `[a, b, key: value }`: a list ends before the first of the keys that follow its elements. */
function closedBeforeKey(text: string, opener: Token, end: number): readonly Fault[] {
  if (opener.source !== "[") return [];
  const inside = text.slice(opener.end, end);
  const key = /,\s*([\w-]+):\s/.exec(inside);
  if (key === null || /[{[]/.test(inside.slice(0, key.index))) return [];
  const at = opener.end + key.index;
  const start = at + key[0].indexOf(key[1]!);
  return [{
    start,
    end: start + key[1]!.length,
    message: `"${opener.source}" is not closed before "${key[1]}"`,
    help: `Write ], ${key[1]}:`,
    related: [{ message: `"${opener.source}" opens here`, start: opener.start, end: opener.end }],
    mends: [[insertion(at, "]")]],
  }];
}

function notClosed(opener: Token, wanted: string, before: number, text: string): Fault {
  const at = before - /\s*$/.exec(text.slice(0, before))![0].length;
  return {
    start: opener.start,
    end: opener.end,
    message: `"${opener.source}" is not closed`,
    help: `Add "${wanted}"`,
    related: [{ message: `"${wanted}" is missing here at the latest`, start: before, end: before }],
    mends: [[insertion(at, wanted)]],
  };
}

/** Brackets that are open where the lines go back to an outer level: not closed, or one too many. */
function unclosed(
  text: string,
  tokens: readonly Token[],
  open: readonly Token[],
  at: number,
): readonly Fault[] {
  const opener = open[0]!;
  const comment = tokens.find(({ type, start, source }) =>
    type === "comment" && start > opener.start && start < at + 10 && /[}\]]/.test(source)
  );
  if (comment !== undefined && /:[ \t]*$/.test(text.slice(comment.start - 20, comment.start))) {
    return [...commentedValue(text, comment.start), ...strayOpeners(text, opener.start, at)];
  }
  const missing = open.map((token) => closers[token.source]!).reverse().join(" ");
  const isHere = lineAt(text, at).start === lineAt(text, opener.start).start;
  const fault: Fault = comment === undefined
    ? {
      start: opener.start,
      end: opener.end,
      message: `"${opener.source}" is not closed`,
      help: `Add "${missing}"${isHere ? " at the end of the line" : ""}`,
      related: isHere
        ? []
        : [{ message: `"${missing}" is missing here at the latest`, start: at, end: at }],
      mends: [[insertion(at, missing)]],
    }
    : {
      start: comment.start,
      end: comment.end,
      message: `What follows " #" is a comment, so "${opener.source}" is not closed`,
      help: "Put the text in quotes, or the comment behind the bracket",
      related: [{ message: `"${opener.source}" opens here`, start: opener.start, end: opener.end }],
      mends: [[insertion(at, missing)]],
    };
  return [fault, ...openerOfBlock(text, opener), ...strayOpeners(text, opener.start, at)];
}

/** `steps: {` before lines that stand below their key without it. */
function openerOfBlock(text: string, { start, end, source }: Token): readonly Fault[] {
  const line = lineAt(text, start);
  if (!/^\s*(#.*)?$/.test(text.slice(end, line.start + line.text.length))) return [];
  return [{
    start,
    end,
    message: `"${source}" is not closed`,
    help: "Remove it: what follows stands below its key without it",
    mends: [[removal(start, end - start)]],
  }];
}

/** `{ name: #{id}.{ext} }`. */
function commentedValue(text: string, start: number): readonly Fault[] {
  const line = lineAt(text, start);
  return quotings(text, start, line.start + line.text.length).map(({ value, quoted, mend }) => ({
    start,
    end: start + value.length,
    message: 'What follows " #" is a comment',
    help: `Put it in quotes: ${shown(quoted)}`,
    mends: [mend],
  }));
}

/** Brackets one of which may have slipped in. */
function strayOpeners(text: string, start: number, end: number): readonly Fault[] {
  return [...text.slice(start + 1, end).matchAll(/[{[]/g)].slice(0, 20).map((
    { index, 0: source },
  ) => ({
    start: start + 1 + index,
    end: start + 2 + index,
    message: `Nothing closes what "${source}" opens`,
    help: `Remove it, or add "${closers[source]}"`,
    mends: [[removal(start + 1 + index, 1)]],
  }));
}
