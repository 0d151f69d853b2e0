import { type Diagnostic, nearest, obvious, suggestion } from "./diagnostic.ts";
import {
  describeValue,
  type Located,
  type LocatedScalar,
  scalarsIn,
  writtenText,
} from "./located.ts";
import { isId, writtenWhere } from "./reader.ts";
import type { ResolvedParam } from "./settings.ts";
import type { Span } from "./source.ts";

/** A place in a text where a parameter's value belongs. */
export interface Reference {
  readonly name: string;
  /** In the scalar's value; UTF-16. */
  readonly start: number;
  readonly end: number;
  /** `$name` as the whole value, which takes the parameter's value as it is, of any type. */
  readonly isWhole: boolean;
}

/** `$name` as a whole value, or each `${name}` inside a text; `$$` stands for a dollar sign. */
export function references(text: string): readonly Reference[] {
  const whole = /^\$([\p{L}_][\p{L}\p{N}_-]*)$/u.exec(text);
  if (whole !== null) return [{ name: whole[1]!, start: 0, end: text.length, isWhole: true }];
  return innerReferences(text);
}

function innerReferences(text: string): readonly Reference[] {
  const found: Reference[] = [];
  for (const match of text.matchAll(/\$\$|\$\{([^{}]*)\}/g)) {
    if (match[0] === "$$") continue;
    const start = match.index;
    const name = match[1]!.trim();
    found.push({ name, start, end: start + match[0].length, isWhole: false });
  }
  return found;
}

/** A text with each `${name}` replaced by its value, and `$$` by a dollar sign. */
export function filledIn(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replace(
    /\$\$|\$\{[^{}]*\}/g,
    (match) => match === "$$" ? "$" : String(values[next++]),
  );
}

/** The names of the parameters that a value mentions, also by a mistaken `$name` inside a text. */
export function mentionedNames(located: Located | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { value } of scalarsIn(located)) {
    if (typeof value !== "string") continue;
    for (const [, path] of value.matchAll(/(?:\$[{(]?|\{\{)\s*\$?([A-Za-z_][\w.-]*)/g)) {
      for (const name of path!.split(".")) names.add(name);
    }
  }
  return names;
}

/** What is wrong with the references in a node's values, whatever its step. */
export function checkReferences(
  located: Located | undefined,
  params: ReadonlyMap<string, ResolvedParam>,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const scalar of scalarsIn(located)) {
    const { value } = scalar;
    if (typeof value !== "string" || !/[${]/.test(value)) continue;
    for (const reference of references(value)) {
      const problem = problemWith(scalar, reference, params);
      if (problem !== undefined) diagnostics.push(problem);
    }
    diagnostics.push(...mistakenDiagnostics(scalar, value, params));
  }
  return diagnostics;
}

function problemWith(
  scalar: LocatedScalar,
  reference: Reference,
  params: ReadonlyMap<string, ResolvedParam>,
): Diagnostic | undefined {
  const { name, isWhole } = reference;
  const param = params.get(name);
  if (param === undefined) return unknownName(scalar, reference, params);
  const isList = typeof param.value === "object" || param.declaration.type === "list";
  if (isWhole || !isList) return undefined;
  return {
    code: "bad-reference",
    severity: "error",
    message: `Parameter "${name}" is ${
      describeValue(param.value ?? [])
    }, which cannot stand in a text`,
    span: referenceSpan(scalar, reference),
    ...writtenRelated(scalar),
    help: `Write $${name} as the whole value`,
  };
}

function unknownName(
  scalar: LocatedScalar,
  reference: Reference,
  params: ReadonlyMap<string, ResolvedParam>,
): Diagnostic | undefined {
  const { name } = reference;
  const meant = params.get(obvious(name, params.keys()) ?? "")?.declaration;
  if (meant !== undefined && !isId(meant.name)) return undefined; // reported where it is declared
  const declared = meant === undefined
    ? []
    : [{ message: `"${meant.name}" is declared here`, span: meant.nameSpan }];
  const related = [...writtenWhere(scalar.writtenAt), ...declared];
  return {
    code: "unknown-name",
    severity: "error",
    message: `There is no parameter "${name}"`,
    span: referenceSpan(scalar, reference),
    related: related.length > 0 ? related : undefined,
    help: suggestion(name, [...params.keys()], "Parameters") ??
      `Declare it: params: { ${name || "name"}: { type: …, default: … } }`,
  };
}

/** What looks like a reference and is none: `"$name/x"`, `"${name"`, `"{{ name }}"`, `"$(name)"`, `"$name,"`. */
interface Mistaken {
  readonly written: string;
  readonly start: number;
  readonly message: string;
  /** The parameter that was probably meant. */
  readonly meant?: string;
}

const mistakenPattern = new RegExp(
  [
    String.raw`\$\$|\$\{[^{}]*\}`,
    String.raw`\$\{\{\s*(?<expression>[\w.-]+)[^{}]*\}\}`,
    String.raw`\$\{\s*(?<open>[\w-]*)`,
    String.raw`\$(?:params?|parameters|vars?|inputs?|settings)\.(?<member>[\w-]+)`,
    String.raw`\$(?<bare>[\p{L}_][\p{L}\p{N}_]*)`,
    String.raw`\{\{\s*\$?(?<doubled>[\w.-]+)\s*\}\}`,
    String.raw`\$\(\s*(?<round>[\w.-]+)\s*\)`,
  ].join("|"),
  "gu",
);

/** The mistaken references of a text; a name without its signs counts where it is near a parameter's. */
export function mistakenReferences(
  text: string,
  params: ReadonlyMap<string, ResolvedParam>,
): readonly Mistaken[] {
  if (references(text)[0]?.isWhole) return [];
  const ended = /^\$([\w-]+)(?:\s*([,;])|\s+(\/\/)\s.*)$/.exec(text);
  if (ended !== null && params.has(ended[1]!)) {
    const message = `The "${ended[2] ?? ended[3]}" behind $${ended[1]} makes a text of it`;
    return [{ written: text, start: 0, meant: ended[1]!, message }];
  }
  const found: Mistaken[] = [];
  for (const { index: start, 0: written, groups = {} } of text.matchAll(mistakenPattern)) {
    const { open, bare, expression } = groups;
    const foreign = expression?.split(".").at(-1) ?? groups["member"] ?? groups["doubled"] ??
      groups["round"];
    const meant = bare === undefined ? undefined : nearest(bare, params.keys());
    const known = foreign === undefined ? undefined : nearest(foreign, params.keys());
    if (open !== undefined) {
      const message = `"${written}" is not closed with "}"`;
      found.push({ written, start, meant: open || "name", message });
    } else if (meant !== undefined) {
      found.push({ written, start, meant, message: `"${written}" inside a text needs braces` });
    } else if (bare !== undefined && /^[A-Z][A-Z0-9_]+$/.test(bare)) {
      const message = `"${written}" is no parameter, and variables of the environment are not read`;
      found.push({ written, start, message });
    } else if (known !== undefined || expression !== undefined) {
      const message = `"${written}" is how other tools name a value`;
      found.push({ written, start, meant: known, message });
    }
  }
  return found;
}

function mistakenDiagnostics(
  scalar: LocatedScalar,
  text: string,
  params: ReadonlyMap<string, ResolvedParam>,
): readonly Diagnostic[] {
  return mistakenReferences(text, params).map(({ written, start, message, meant }) => ({
    code: "bad-reference",
    severity: "error",
    message,
    span: spanInside(scalar, { start }, written),
    ...writtenRelated(scalar),
    help: mistakenHelp(written, text, meant),
  }));
}

function mistakenHelp(written: string, text: string, meant: string | undefined): string {
  if (meant === undefined) {
    return `Write what it stands for, or $${written} for the text "${written}"`;
  }
  if (written === text) return `Write $${meant}`;
  return `Write \${${meant}}${written.startsWith("$") ? ", or $$ for a dollar sign" : ""}`;
}

function writtenRelated({ writtenAt }: LocatedScalar): Pick<Diagnostic, "related"> {
  return writtenAt === undefined ? {} : { related: writtenWhere(writtenAt) };
}

/** The stretch of a reference in the file. */
export function referenceSpan(scalar: LocatedScalar, reference: Reference): Span {
  const text = String(scalar.value);
  return spanInside(scalar, reference, text.slice(reference.start, reference.end));
}

/**
 * The stretch of a part of a scalar in the file. Quotes, escapes and folded lines move it against the
 * value, so it is looked for: the n-th of its kind in the value is the n-th in the file.
 */
function spanInside(
  { value, span }: LocatedScalar,
  part: { readonly start: number },
  letters: string,
): Span {
  const before = occurrences(String(value).slice(0, part.start), letters).length;
  const at = occurrences(writtenText(span), letters)[before];
  if (at === undefined) return span;
  return { file: span.file, start: span.start + at, end: span.start + at + letters.length };
}

/** The stretch of a text in the file that the scalar's value holds as it is. */
export function textSpan(scalar: LocatedScalar, text: string): Span {
  const start = String(scalar.value).indexOf(text);
  return start < 0 ? scalar.span : spanInside(scalar, { start }, text);
}

function occurrences(text: string, letters: string): readonly number[] {
  const found: number[] = [];
  for (let at = text.indexOf(letters); at >= 0; at = text.indexOf(letters, at + 1)) found.push(at);
  return found;
}
