import type { z } from "zod";
import { type Diagnostic, nearest, type Related, suggestion } from "./diagnostic.ts";
import { describeValue, type Located, type LocatedMap } from "./located.ts";
import { expectation, type JsonSchema, paramFacts, paramsSchema } from "./params.ts";
import type { NodeDeclaration } from "./recipe.ts";
import type { ResolvedParam } from "./settings.ts";
import type { Span } from "./source.ts";
import type { AnyStep } from "./step.ts";

/** Stands for the value of a parameter that was not given (only `check` goes on with it). */
const unknownValue = Symbol("unknown value");

/** `with` as plain values, and for what went wrong with them, where to point. */
export interface CheckedValues {
  /** The step's parameters with defaults; undefined when something is wrong. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a node's `with` against its step, with `$name` and `${name}` put in. */
export function checkValues(
  node: NodeDeclaration,
  step: AnyStep,
  params: ReadonlyMap<string, ResolvedParam>,
): CheckedValues {
  return new ValueChecker(node, step, params).check();
}

/** Records which parameters the values name, also where the step is unknown. */
export function referencedParams(located: Located | undefined, found: Set<string>): void {
  if (located === undefined) return;
  if (located.type === "list") located.elements.forEach((each) => referencedParams(each, found));
  else if (located.type === "map") {
    located.entries.forEach((entry) => referencedParams(entry.value, found));
  } else if (typeof located.value === "string") {
    for (const reference of references(located.value)) found.add(reference.name);
  }
}

interface Reference {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly isWhole: boolean;
}

/** `$name` as a whole value, or each `${name}` inside a text; `$$` stands for a dollar sign. */
function references(text: string): Reference[] {
  const whole = /^\$([A-Za-z_][A-Za-z0-9_-]*)$/.exec(text);
  if (whole !== null) return [{ name: whole[1]!, start: 0, end: text.length, isWhole: true }];
  return [...text.matchAll(/\$\$|\$\{([^}]*)\}/g)].filter((match) => match[0] !== "$$").map((
    match,
  ) => ({
    name: match[1]!.trim(),
    start: match.index,
    end: match.index + match[0].length,
    isWhole: false,
  }));
}

class ValueChecker {
  readonly #diagnostics: Diagnostic[] = [];
  /** Where a value came through `$name`, what was put there. */
  readonly #origins = new Map<Located, ResolvedParam>();
  readonly #with: LocatedMap | undefined;
  #hasUnknown = false;

  constructor(
    readonly node: NodeDeclaration,
    readonly step: AnyStep,
    readonly params: ReadonlyMap<string, ResolvedParam>,
  ) {
    this.#with = node.with;
  }

  check(): CheckedValues {
    const values = this.#with === undefined ? {} : this.#substitute(this.#with);
    const result = (this.step.params as z.ZodObject).strict().safeParse(values);
    if (!result.success) {
      for (const issue of result.error.issues) this.#report(issue as Issue);
    }
    const isFine = result.success && this.#diagnostics.length === 0 && !this.#hasUnknown;
    return {
      params: isFine ? result.data as Readonly<Record<string, unknown>> : undefined,
      diagnostics: this.#diagnostics,
    };
  }

  #substitute(located: Located): unknown {
    if (located.type === "list") return located.elements.map((each) => this.#substitute(each));
    if (located.type === "map") {
      return Object.fromEntries(
        located.entries.map((entry) => [entry.key.name, this.#substitute(entry.value)]),
      );
    }
    if (typeof located.value !== "string") return located.value;
    return this.#substituteText(located, located.value);
  }

  #substituteText(located: Located, text: string): unknown {
    const found = references(text);
    const values = found.map((reference) => this.#valueOf(located, reference));
    if (values.includes(unknownValue)) {
      this.#hasUnknown = true;
      return unknownValue;
    }
    if (found[0]?.isWhole) return values[0];
    let next = 0;
    return text.replace(
      /\$\$|\$\{[^}]*\}/g,
      (match) => match === "$$" ? "$" : String(values[next++]),
    );
  }

  #valueOf(located: Located, reference: Reference): unknown {
    const param = this.params.get(reference.name);
    if (param === undefined) {
      this.#diagnostics.push({
        code: "unknown-name",
        severity: "error",
        message: `There is no parameter "${reference.name}"`,
        span: spanInside(located.span, reference),
        help: suggestion(reference.name, [...this.params.keys()], "Parameters") ??
          `Declare it: params: { ${reference.name || "name"}: { type: … } }`,
      });
      return unknownValue;
    }
    if (reference.isWhole) this.#origins.set(located, param);
    return param.value === undefined ? unknownValue : param.value;
  }

  #report(issue: Issue) {
    const target = this.#target(issue.path);
    if (target.isUnknown) return;
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys ?? []) this.#reportUnknownKey(key, target);
      return;
    }
    if (target.isMissing) return this.#reportMissing(issue, target);
    this.#diagnostics.push(this.#valueDiagnostic(issue, target));
  }

  /** Follows an issue's path through the written values. */
  #target(path: readonly PropertyKey[]): Target {
    let located: Located | undefined = this.#with;
    let span = this.#with?.span ?? this.node.use?.span ?? this.node.idSpan;
    let schema: JsonSchema | undefined = paramsSchema(this.step.params);
    for (const part of path) {
      schema = typeof part === "number" ? schema?.items : schema?.properties?.[String(part)];
      if (located !== undefined && this.#origins.has(located)) continue;
      const next = childOf(located, part);
      if (next === undefined) return { path, span, schema, isMissing: true, isUnknown: false };
      located = next;
      span = next.span;
    }
    const origin = located === undefined ? undefined : this.#origins.get(located);
    const isUnknown = this.#isUnknown(located);
    return { path, span, schema, located, origin, isMissing: false, isUnknown };
  }

  #isUnknown(located: Located | undefined): boolean {
    if (located?.type !== "scalar" || typeof located.value !== "string") return false;
    return references(located.value).some((reference) =>
      this.params.get(reference.name)?.value === undefined
    );
  }

  #reportUnknownKey(key: string, target: Target) {
    const map = target.located;
    const entry = map?.type === "map"
      ? map.entries.find((each) => each.key.name === key)
      : undefined;
    const known = Object.keys(target.schema?.properties ?? {});
    const isTop = target.path.length === 0;
    this.#diagnostics.push({
      code: "unknown-param",
      severity: "error",
      message: isTop
        ? `Step "${this.step.name}" has no parameter "${key}"`
        : `${this.#nameOf(target.path)} has no key "${key}"`,
      span: entry?.key.span ?? target.span,
      help: this.#paramHelp(key, known, target.schema),
    });
  }

  #paramHelp(key: string, known: readonly string[], schema?: JsonSchema): string | undefined {
    if (known.length === 0) return `Step "${this.step.name}" takes no parameters`;
    const near = nearest(key, known);
    const property = near === undefined ? undefined : schema?.properties?.[near];
    return property === undefined
      ? suggestion(key, known, "Parameters")
      : `Did you mean "${near}" (${expectation(property)})?`;
  }

  #reportMissing(issue: Issue, target: Target) {
    const name = String(issue.path.at(-1));
    const isTop = issue.path.length === 1;
    const wanted = target.schema === undefined ? "" : ` (${expectation(target.schema)})`;
    const about = target.schema?.description;
    this.#diagnostics.push({
      code: "missing-param",
      severity: "error",
      message: isTop
        ? `Step "${this.step.name}" needs parameter "${name}"${wanted}`
        : `${this.#nameOf(issue.path.slice(0, -1))} needs "${name}"${wanted}`,
      span: isTop ? this.node.use?.span ?? this.node.idSpan : target.span,
      help: about === undefined ? undefined : `${name}: ${about}`,
    });
  }

  #valueDiagnostic(issue: Issue, target: Target): Diagnostic {
    const value = valueAt(issue, target);
    const wanted = target.schema === undefined ? undefined : expectation(target.schema);
    const isCustom = issue.code === "custom" || issue.code === "invalid_format";
    const isRange = issue.code === "too_small" || issue.code === "too_big";
    return {
      code: isRange && typeof value === "number" ? "out-of-range" : "bad-value",
      severity: "error",
      message: isCustom
        ? `${this.#nameOf(issue.path)} is ${describeValue(value)}: ${issue.message}`
        : `${this.#nameOf(issue.path)} is ${describeValue(value)} (${
          wanted ?? issue.message
        } is wanted)`,
      span: target.span,
      related: this.#related(target),
      help: valueHelp(value, target.schema),
    };
  }

  #related(target: Target): readonly Related[] | undefined {
    if (target.origin === undefined) return undefined;
    const { declaration, span, value } = target.origin;
    return [{ message: `"${declaration.name}" is ${describeValue(value)} here`, span }];
  }

  #nameOf(path: readonly PropertyKey[]): string {
    const [first, ...rest] = path;
    const inner = rest.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`);
    return `Parameter "${String(first)}${inner.join("")}" of step "${this.step.name}"`;
  }
}

/** The part of a zod issue that is read here. */
interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly input?: unknown;
}

interface Target {
  readonly path: readonly PropertyKey[];
  readonly span: Span;
  readonly schema?: JsonSchema;
  readonly located?: Located;
  readonly origin?: ResolvedParam;
  readonly isMissing: boolean;
  readonly isUnknown: boolean;
}

function childOf(located: Located | undefined, part: PropertyKey): Located | undefined {
  if (located?.type === "map") {
    return located.entries.find((entry) => entry.key.name === part)?.value;
  }
  return located?.type === "list" ? located.elements[Number(part)] : undefined;
}

function valueAt(issue: Issue, target: Target): unknown {
  if (target.origin !== undefined) return target.origin.value;
  if (target.located === undefined) return issue.input;
  if (target.located.type === "scalar") return target.located.value;
  return target.located.type === "list" ? [] : {};
}

function valueHelp(value: unknown, schema: JsonSchema | undefined): string | undefined {
  if (typeof value !== "string" || schema === undefined) return undefined;
  const near = schema.enum === undefined ? undefined : nearest(value, schema.enum.map(String));
  if (near !== undefined) return `Did you mean "${near}"?`;
  const isNumber = schema.type === "integer" || schema.type === "number";
  if (isNumber && value.trim() !== "" && Number.isFinite(Number(value))) {
    return `Write it without quotes: ${value}`;
  }
  if (isNumber && /^[\d.]+\s*(px|%|ms)?$/.test(value)) {
    return `Write the number alone: ${Number.parseFloat(value)}`;
  }
  const isBoolean = schema.type === "boolean" && /^(yes|no|on|off)$/i.test(value);
  return isBoolean ? `Write ${/^(yes|on)$/i.test(value) ? "true" : "false"}` : undefined;
}

/** The stretch of a reference inside a scalar, where the text stands there letter by letter. */
function spanInside(span: Span, reference: Reference): Span {
  const written = span.file.text.slice(span.start, span.end);
  const quote = /^["']/.test(written) ? 1 : 0;
  const start = span.start + quote + reference.start;
  const end = span.start + quote + reference.end;
  const text = span.file.text.slice(start, end);
  return text.startsWith("$") && end <= span.end ? { file: span.file, start, end } : span;
}

/** The parameters of a step that name a place on disk. */
export function placeParams(step: AnyStep): ReadonlyMap<string, "folder" | "file"> {
  const places = new Map<string, "folder" | "file">();
  for (const fact of paramFacts(step.params)) {
    if (fact.place !== undefined) places.set(fact.name, fact.place);
  }
  return places;
}
