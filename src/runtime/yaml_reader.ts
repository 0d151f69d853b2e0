import { type Document, parseDocument } from "yaml";
import type { Diagnostic } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";
import { bracketFaults, quoteFault } from "./yaml_brackets.ts";
import type { Fault, Mend } from "./yaml_fault.ts";
import { explain, type YamlError } from "./yaml_faults.ts";
import { oddities, oddKeys } from "./yaml_oddities.ts";
import { type Token, tokensOf } from "./yaml_tokens.ts";

/** A YAML text as read. */
export interface ReadYaml {
  /** Undefined where the text cannot be read even with the likely mends. */
  readonly document?: Document;
  readonly diagnostics: readonly Diagnostic[];
  /** The place in the file of a stretch of what was read (mends move things). */
  span(start: number, end: number): Span;
}

/** So many slips are reported one by one; a text with more is no recipe. */
const maxFaults = 20;

/** Longer texts are not mended: each attempt reads the whole text. */
const maxMendedLength = 200_000;

/**
 * Reads one YAML 1.2 document. Each syntax mistake is reported where a person has to mend it, and
 * mended the likeliest way, so that what follows is read as it was meant.
 */
export function readYaml(file: SourceFile): ReadYaml {
  let draft = new Draft(file);
  const diagnostics: Diagnostic[] = [];
  while (true) {
    const { document, errors } = parse(draft.text);
    const exhaustion = errors.find((error) => error.code === "RESOURCE_EXHAUSTION");
    if (exhaustion !== undefined || document === undefined) {
      return { diagnostics: [tooDeep(draft, exhaustion)], span: draft.span };
    }
    const faults = firstFaults(draft.text, document, errors);
    if (faults.length === 0) return { document, diagnostics, span: draft.span };
    const canMend = draft.text.length <= maxMendedLength && diagnostics.length < maxFaults;
    const { fault, mend } = canMend
      ? likeliest(draft.text, faults)
      : { fault: faults[0]!, mend: undefined };
    diagnostics.push(diagnosticOf(draft, fault));
    if (mend === undefined) return { diagnostics, span: draft.span };
    draft = draft.mended(mend);
  }
}

function parse(text: string): { readonly document?: Document; readonly errors: YamlError[] } {
  try {
    const document = parseDocument(text, {
      prettyErrors: false,
      uniqueKeys: false,
      strict: true,
      version: "1.2",
      logLevel: "silent",
    });
    const errors = document.errors.map(({ code, message, pos }) => ({ code, message, pos }));
    return { document: document as unknown as Document, errors };
  } catch (error) {
    if (error instanceof RangeError) return { errors: [] }; // nested too deep for the call stack
    throw error;
  }
}

/** Explanations of the first thing that is wrong, the likeliest first. */
function firstFaults(
  text: string,
  document: Document,
  errors: readonly YamlError[],
): readonly Fault[] {
  const tokens = tokensOf(text);
  const groups = [
    oddities(text, tokens),
    bracketGroup(text, tokens),
    ...errors.map((error) => [error]).slice(0, 1).map(([error]) => explain(text, tokens, error!)),
  ].flatMap((group) => group.length > 0 ? [{ at: group[0]!.start, group }] : []);
  groups.sort((a, b) => a.at - b.at);
  return groups[0]?.group ?? oddKeys(document.contents);
}

/** An open quote swallows brackets, so it comes first. */
function bracketGroup(text: string, tokens: readonly Token[]): readonly Fault[] {
  const quote = quoteFault(text, tokens);
  return quote === undefined ? bracketFaults(text, tokens) : [quote];
}

interface Explanation {
  readonly fault: Fault;
  /** Undefined where no mend helps. */
  readonly mend?: Mend;
}

/** The explanation whose mend lets the text be read furthest, the first one among equals. */
function likeliest(text: string, faults: readonly Fault[]): Explanation {
  let best: Explanation = { fault: faults[0]! };
  let least = unread(text);
  for (const fault of faults) {
    for (const mend of fault.mends) {
      const rest = unread(applied(text, mend));
      if (rest >= least) continue;
      least = rest;
      best = { fault, mend };
    }
  }
  return best;
}

/** How much of a text lies behind its first syntax error; 0 where there is none. */
function unread(text: string): number {
  const { document, errors } = parse(text);
  if (document === undefined) return Infinity;
  const faults = firstFaults(text, document, errors);
  if (faults.length === 0) return 0;
  const firstAt = Math.min(faults[0]!.start, ...errors.map((error) => error.pos[0]));
  return text.length - firstAt + 1;
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

/** A text that was mended, and where each of its characters stands in the file. */
class Draft {
  constructor(
    readonly file: SourceFile,
    readonly text: string = file.text,
    /** By offset in `text`; undefined where nothing was mended yet. What was put in has no width. */
    readonly origins?: readonly { readonly start: number; readonly end: number }[],
  ) {}

  mended(mend: Mend): Draft {
    const origins = this.origins === undefined
      ? Array.from({ length: this.text.length }, (_, at) => ({ start: at, end: at + 1 }))
      : [...this.origins];
    for (const { at, remove, insert } of [...mend].reverse()) {
      const start = origins[at]?.start ?? this.file.text.length;
      const end = origins[at + Math.min(remove, insert.length) - 1]?.end ?? start;
      const isReplaced = remove > 0 && insert !== "";
      const origin = { start, end: isReplaced ? end : start };
      origins.splice(at, remove, ...Array.from(insert, () => origin));
    }
    return new Draft(this.file, applied(this.text, mend), origins);
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

function tooDeep(draft: Draft, error: YamlError | undefined): Diagnostic {
  const start = error?.pos[0] ?? 0;
  return {
    code: "too-large",
    severity: "error",
    message: "The recipe is nested too deep to be read",
    span: draft.span(start, start + 1),
  };
}
