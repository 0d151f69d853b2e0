import { type Document, parseDocument } from "./yaml.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";
import { bracketFaults, quoteFault } from "./yaml_brackets.ts";
import type { Fault, Mend } from "./yaml_fault.ts";
import { explain, type YamlError } from "./yaml_faults.ts";
import { nestedPart, unindentedKeys } from "./yaml_nesting.ts";
import { oddities, oddKeys } from "./yaml_oddities.ts";
import { lineAt, type Token, tokensOf } from "./yaml_tokens.ts";

/** A YAML text as read. */
export interface ReadYaml {
  /** Undefined where the text cannot be read even with the likely mends. */
  readonly document?: Document;
  readonly diagnostics: readonly Diagnostic[];
  /** The place in the file of a stretch of what was read (mends move things). */
  span(start: number, end: number): Span;
}

/** How unlike a recipe a document is: tells apart mends that all make YAML of a text. */
export type Oddness = (contents: unknown) => number;

/** So many slips are reported one by one; a text with more is no recipe. */
const maxFaults = 20;

/**
 * So many characters are read again to find the likeliest mends (120 attempts on a recipe of 5 kB).
 * When they are spent, the first explanation holds and reading ends.
 */
const maxReread = 600_000;

/** Brackets inside brackets. */
const maxBrackets = 100;

/**
 * Values that a recipe may hold, keys among them: no person wrote more, and aliases, of which each
 * counts what it stands for, can multiply without end.
 */
export const maxValues = 100_000;

/**
 * Reads one YAML 1.2 document. Each syntax mistake is reported where a person has to mend it, and
 * mended the likeliest way, so that what follows is read as it was meant.
 */
export function readYaml(file: SourceFile, oddness: Oddness = () => 0): ReadYaml {
  let draft = new Draft(file);
  let isShaky = false;
  const budget = { left: maxReread };
  const diagnostics: Diagnostic[] = [];
  for (let round = 0;; round++) {
    const tooMany = excessValue(draft.tokens);
    if (tooMany !== undefined) {
      const span = draft.span(tooMany.start, tooMany.end);
      return { diagnostics: [...diagnostics, tooManyValues(span)], span: draft.span };
    }
    const tooDeep = deepBracket(draft.tokens);
    const { document, errors } = tooDeep === undefined ? parse(draft.text) : { errors: [] };
    if (document === undefined) {
      return { diagnostics: [...diagnostics, unreadable(draft, tooDeep)], span: draft.span };
    }
    const faults = firstFaults(draft, document, errors);
    if (faults.length === 0) {
      // Mends that make no recipe were no good guess, and neither is what they lead to.
      return isShaky && oddness(document.contents) > 0
        ? { diagnostics: diagnostics.slice(0, 1), span: draft.span }
        : { document, diagnostics, span: draft.span };
    }
    const { fault, mend } = round < maxFaults
      ? likeliest(draft.text, faults, { oddness, budget })
      : { fault: faults[0]!, mend: undefined };
    const diagnostic = diagnosticOf(draft, fault);
    if (diagnostics.at(-1)?.span.start !== diagnostic.span.start) diagnostics.push(diagnostic);
    isShaky ||= fault.isShaky ?? false;
    if (mend === undefined) {
      return { diagnostics: isShaky ? diagnostics.slice(0, 1) : diagnostics, span: draft.span };
    }
    draft = draft.mended(mend);
  }
}

/** The document, undefined where the text is nested too deep for the call stack. */
function parse(text: string): { readonly document?: Document; readonly errors: YamlError[] } {
  try {
    const document = parseDocument(text, {
      prettyErrors: false,
      uniqueKeys: false,
      strict: true,
      version: "1.2",
      logLevel: "silent",
    });
    // "Impossible" is said of a map as a key, which is reported as that.
    if (document.errors.some(({ code }) => code === "RESOURCE_EXHAUSTION")) return { errors: [] };
    const errors = document.errors.filter(({ code }) => code !== "IMPOSSIBLE")
      .map(({ code, message, pos }) => ({ code, message, pos }));
    return { document: document as unknown as Document, errors };
  } catch (error) {
    if (error instanceof RangeError) return { errors: [] }; // the call stack is full
    throw error;
  }
}

/** Explanations of the first thing that is wrong, the likeliest first. */
function firstFaults(
  { text, tokens }: { readonly text: string; readonly tokens: readonly Token[] },
  document: Document,
  errors: readonly YamlError[],
): readonly Fault[] {
  const odd = oddities(text, tokens);
  const open = openFaults(text, tokens);
  const error = [...errors].sort((a, b) => a.pos[0] - b.pos[0])[0];
  const oddAt = odd[0]?.start ?? Infinity;
  const openAt = open[0]?.start ?? Infinity;
  const errorAt = error?.pos[0] ?? Infinity;
  if (oddAt <= openAt && oddAt <= errorAt && odd.length > 0) return odd;
  if (error === undefined) return open.length > 0 ? open : misread(text, document);
  // Else its mend would seem to let less be read: what is misread before it comes first then.
  const before = openAt > errorAt ? oddKeys(text, document.contents) : [];
  const [early] = before.filter(({ end }) => end < lineAt(text, errorAt).start);
  if (early !== undefined) return [early];
  // An error behind an open bracket comes of it, or is why it seems open.
  const explained = explain(text, tokens, error);
  return openAt <= errorAt ? [...open, ...explained] : explained;
}

/** What is valid YAML, and read as something nobody meant. */
function misread(text: string, { contents }: Document): readonly Fault[] {
  const keys = oddKeys(text, contents);
  const nested = keys.length > 0 ? keys : nestedPart(text, contents);
  return nested.length > 0 ? nested : unindentedKeys(text, contents);
}

/** A quote or bracket without its partner. An open quote swallows brackets, so it comes first. */
function openFaults(text: string, tokens: readonly Token[]): readonly Fault[] {
  const quote = quoteFault(text, tokens);
  return quote === undefined ? bracketFaults(text, tokens) : [quote];
}

interface Explanation {
  readonly fault: Fault;
  /** Undefined where no mend helps. */
  readonly mend?: Mend;
}

/**
 * The explanation whose mend lets the text be read furthest; among equals the one after which least
 * is odd, then the first.
 */
function likeliest(
  text: string,
  faults: readonly Fault[],
  { oddness, budget }: { readonly oddness: Oddness; readonly budget: { left: number } },
): Explanation {
  let best: Explanation = { fault: faults[0]! };
  let least = unread(text, () => 0);
  budget.left -= least.effort;
  for (const fault of faults) {
    for (const mend of fault.mends) {
      if (budget.left < text.length) return best;
      const after = unread(applied(text, mend), oddness);
      budget.left -= after.effort;
      const isBetter = after.rest < least.rest ||
        (best.mend !== undefined && after.rest === least.rest && after.oddness < least.oddness);
      if (!isBetter) continue;
      least = after;
      best = { fault, mend };
    }
  }
  return best;
}

/** How a text reads. */
interface Reading {
  /** How much lies behind the first syntax error; 0 where there is none. */
  readonly rest: number;
  readonly oddness: number;
  /** In characters; an error costs the library about as much as a hundred of them. */
  readonly effort: number;
}

function unread(text: string, oddness: Oddness): Reading {
  const { document, errors } = parse(text);
  const effort = text.length + 100 * errors.length;
  if (document === undefined) return { rest: Infinity, oddness: Infinity, effort: 2 * effort };
  const faults = firstFaults({ text, tokens: tokensOf(text) }, document, errors);
  const odd = oddness(document.contents);
  if (faults.length === 0) return { rest: 0, oddness: odd, effort };
  const firstAt = Math.min(faults[0]!.start, ...errors.map((error) => error.pos[0]));
  return { rest: text.length - firstAt + 1, oddness: odd, effort };
}

function applied(text: string, mend: Mend): string {
  let result = "";
  let next = 0;
  for (const { at, remove, insert } of mend) {
    result += text.slice(next, at) + insert;
    next = at + remove;
  }
  return result + text.slice(next);
}

/** Where a character stands in the file; what was put in has no width. */
interface Origin {
  readonly start: number;
  readonly end: number;
}

/** A text that was mended, and where each of its characters stands in the file. */
class Draft {
  #tokens: readonly Token[] | undefined;

  constructor(
    readonly file: SourceFile,
    readonly text: string = file.text,
    /** By offset in `text`; undefined where nothing was mended yet. */
    readonly origins?: readonly Origin[],
  ) {}

  get tokens(): readonly Token[] {
    return this.#tokens ??= tokensOf(this.text);
  }

  mended(mend: Mend): Draft {
    const origins: readonly Origin[] = this.origins ??
      Array.from({ length: this.text.length }, (_, at) => ({ start: at, end: at + 1 }));
    const parts: Origin[][] = [];
    let next = 0;
    for (const { at, remove, insert } of mend) {
      const start = origins[at]?.start ?? this.file.text.length;
      const end = origins[at + Math.min(remove, insert.length) - 1]?.end ?? start;
      const isReplaced = remove > 0 && insert !== "";
      parts.push(
        origins.slice(next, at),
        Array(insert.length).fill({ start, end: isReplaced ? end : start }),
      );
      next = at + remove;
    }
    return new Draft(this.file, applied(this.text, mend), [...parts, origins.slice(next)].flat());
  }

  readonly span = (start: number, end: number): Span => {
    if (this.origins === undefined) return { file: this.file, start, end };
    const from = this.origins[start]?.start ?? this.file.text.length;
    const to = end > start ? this.origins[end - 1]?.end ?? this.file.text.length : from;
    return { file: this.file, start: from, end: Math.max(from, to) };
  };
}

function diagnosticOf(draft: Draft, fault: Fault): Diagnostic {
  const { message, help, related } = fault;
  return {
    code: "yaml-syntax",
    severity: "error",
    message,
    span: draft.span(fault.start, fault.end),
    related: related?.map((each) => ({
      message: each.message,
      span: draft.span(each.start, each.end),
    })),
    help,
  };
}

/** The first value beyond those that a recipe may hold: to make a document of them all takes seconds. */
function excessValue(tokens: readonly Token[]): Token | undefined {
  let values = 0;
  return tokens.find(({ type }) =>
    (type.endsWith("scalar") || type === "alias") && ++values > maxValues
  );
}

/** Says that a recipe is refused for the number of its values. */
export function tooManyValues(span: Span): Diagnostic {
  return {
    code: "too-large",
    severity: "error",
    message: `The recipe holds more than ${maxValues.toLocaleString("en")} values`,
    span,
    help: "What an alias (*name) stands for counts each time it is used",
  };
}

/** The first bracket that is deeper inside others than a recipe can be. */
function deepBracket(tokens: readonly Token[]): number | undefined {
  let depth = 0;
  for (const { type, start } of tokens) {
    if (type === "flow-map-start" || type === "flow-seq-start") depth++;
    if (type === "flow-map-end" || type === "flow-seq-end") depth--;
    if (type === "flow-error-end") depth = 0;
    if (depth > maxBrackets) return start;
  }
  return undefined;
}

/** What is wrong with a text that the library cannot read: an open bracket, or too much nesting. */
function unreadable(draft: Draft, deep: number | undefined): Diagnostic {
  const [fault] = openFaults(draft.text, draft.tokens);
  if (fault !== undefined) return diagnosticOf(draft, fault);
  const start = deep ?? 0;
  return {
    code: "too-large",
    severity: "error",
    message: "The recipe is nested too deep to be read",
    span: draft.span(start, start + 1),
  };
}
