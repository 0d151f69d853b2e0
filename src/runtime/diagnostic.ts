import type { Span } from "./source.ts";

export { nearest, obvious, suggestion } from "./suggestion.ts";

export type Severity = "error" | "warning";

/** Something wrong in a recipe, with the place where a person can mend it. */
export interface Diagnostic {
  /** Stable, kebab-case: what tests and editors match on. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence, strings quoted, no full stop. */
  readonly message: string;
  readonly span: Span;
  /** Other places that belong to it: a first declaration, the other end of a wire. */
  readonly related?: readonly Related[];
  /** What to do about it. */
  readonly help?: string;
}

export interface Related {
  readonly message: string;
  readonly span: Span;
}

/** Diagnostics in reading order: by file, then by place, errors before warnings at the same place. */
export function inReadingOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const rank = (diagnostic: Diagnostic) => diagnostic.severity === "error" ? 0 : 1;
  return [...diagnostics].sort((a, b) =>
    (a.span.file.path < b.span.file.path ? -1 : a.span.file.path > b.span.file.path ? 1 : 0) ||
    a.span.start - b.span.start || rank(a) - rank(b)
  );
}

/** How the parts of a printed diagnostic are coloured; each gets plain text and gives it back. */
export interface DiagnosticColours {
  error(text: string): string;
  warning(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

const plain: DiagnosticColours = {
  error: (text) => text,
  warning: (text) => text,
  dim: (text) => text,
  strong: (text) => text,
};

/** A diagnostic as text for a terminal: place, message, source line with a mark under it, help. */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  colours: DiagnosticColours = plain,
): string {
  const label = `${diagnostic.severity}[${diagnostic.code}]`;
  const lines = [
    `${colours.strong(place(diagnostic.span))} ${colours[diagnostic.severity](label)} ${
      shortened(diagnostic.message)
    }`,
    ...excerpt(diagnostic.span, colours),
  ];
  for (const related of diagnostic.related ?? []) {
    lines.push(`  ${place(related.span)} ${related.message}`, ...excerpt(related.span, colours));
  }
  if (diagnostic.help !== undefined) lines.push(`  help: ${shortened(diagnostic.help)}`);
  return lines.join("\n");
}

/** A name in a message may be as long as its author made it. */
function shortened(sentence: string): string {
  return sentence.length > 600 ? `${sentence.slice(0, 599)}…` : sentence;
}

/** `path:line:column` of where a span begins. */
export function place(span: Span): string {
  const { line, column } = span.file.position(span.start);
  return `${span.file.path}:${line}:${column}`;
}

const maxLineLength = 160;

function excerpt(span: Span, colours: DiagnosticColours): string[] {
  const { line, column } = span.file.position(span.start);
  const whole = span.file.lineText(line);
  // A very long line (a pasted list, a one-line recipe) is cut to what lies around the mark.
  const from = whole.length > maxLineLength ? Math.max(0, column - 1 - 60) : 0;
  const text = whole.slice(from, from + maxLineLength);
  const before = text.slice(0, column - 1 - from);
  const marked = text.slice(before.length, before.length + Math.max(1, span.end - span.start));
  const gutter = String(line).padStart(4);
  const mark = "~".repeat(Math.max(1, displayWidth(marked)));
  return [
    `${colours.dim(`${gutter} |`)} ${text}`,
    `${colours.dim("     |")} ${blank(before)}${colours.warning(mark)}`,
  ];
}

/** As wide as `text` on a terminal, in spaces; tabs stay tabs so that they line up. */
function blank(text: string): string {
  return [...text].map((character) =>
    character === "\t" ? "\t" : " ".repeat(displayWidth(character))
  )
    .join("");
}

/** Columns on a terminal: East Asian wide characters and emoji take two (Unicode TR 11, roughly). */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\uFF00-\uFF60]/u
          .test(character)
        ? 2
        : 1;
  }
  return width;
}
