import type { z } from "zod";
import { decimalComma } from "./decimal_comma.ts";
import { type Diagnostic, nearest, type Related, suggestion } from "./diagnostic.ts";
import { childSchemas, choicesOf, type JsonSchema, typesOf } from "./json_schema.ts";
import { describeValue, type Located, type LocatedMap, scalarsIn, writtenText } from "./located.ts";
import { expectation, paramFacts, paramsSchema, wantedValue } from "./params.ts";
import { placeProblem } from "./place_text.ts";
import { commaHelp, sourceOf, writtenWhere } from "./reader.ts";
import type { NodeDeclaration } from "./recipe.ts";
import { typeWords } from "./recipe_params.ts";
import {
  filledIn,
  mistakenReferences,
  type Reference,
  references,
  textSpan,
} from "./references.ts";
import type { ResolvedParam } from "./settings.ts";
import type { Span } from "./source.ts";
import type { AnyStep } from "./step.ts";
import {
  type Misplaced,
  type UnbracketedList,
  type UnexpectedKey,
  withKnownKeys,
} from "./step_values.ts";
import { valueHelp } from "./value_help.ts";
import { flatIssues, type Issue } from "./zod_issue.ts";

/** Stands for the value of a parameter that was not given (only `check` goes on with it). */
const unknownValue = Symbol("unknown value");

/** `with` as plain values, and for what went wrong with them, where to point. */
export interface CheckedValues {
  /** The step's parameters with defaults; undefined when something is wrong. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ValueOptions {
  readonly params: ReadonlyMap<string, ResolvedParam>;
  /** Parameters that stand where they do not belong: reported already, and so not missing. */
  readonly misplaced: ReadonlySet<string>;
}

/** Checks a node's `with` against its step, with `$name` and `${name}` put in. */
export function checkValues(
  node: NodeDeclaration,
  step: AnyStep,
  options: ValueOptions,
): CheckedValues {
  return new ValueChecker(node, step, options).check();
}

class ValueChecker {
  readonly #diagnostics: Diagnostic[] = [];
  /** Where a value came through `$name`, what was put there. */
  readonly #origins = new Map<Located, ResolvedParam>();
  readonly #schema: JsonSchema;
  readonly #params: ReadonlyMap<string, ResolvedParam>;
  /** Keys that are not there, told when it is known what stands in their place. */
  readonly #missing: MissingKey[] = [];
  #with: LocatedMap | undefined;
  #hasUnknown = false;

  constructor(
    readonly node: NodeDeclaration,
    readonly step: AnyStep,
    readonly options: ValueOptions,
  ) {
    this.#schema = paramsSchema(step.params);
    this.#params = options.params;
  }

  check(): CheckedValues {
    const misplaced: Misplaced = { keys: [], lists: [] };
    if (this.node.with !== undefined) {
      this.#with = withKnownKeys(this.node.with, [this.#schema], misplaced) as LocatedMap;
    }
    for (const list of misplaced.lists) this.#reportUnbracketed(list);
    this.#checkPlaces();
    const values = this.#with === undefined ? {} : this.#substitute(this.#with);
    const params = this.#parse(values);
    this.#reportKeys(misplaced.keys);
    const isFine = this.#diagnostics.length === 0 && !this.#hasUnknown;
    return { params: isFine ? params : undefined, diagnostics: this.#diagnostics };
  }

  #checkPlaces() {
    for (const [name, place] of placeParams(this.step)) {
      const located = childOf(this.#with, name);
      const problem = placeProblem(located);
      if (problem === undefined) continue;
      this.#push("bad-value", {
        message: `${this.#nameOf([name])} ${problem.words} (the path of a ${place} is wanted)`,
        span: this.#spanOf(located),
        related: writtenWhere(located?.writtenAt),
        help: problem.help,
      });
    }
  }

  #parse(values: unknown): Readonly<Record<string, unknown>> | undefined {
    try {
      const result = (this.step.params as z.ZodObject).safeParse(values);
      if (result.success) return result.data as Readonly<Record<string, unknown>>;
      for (const issue of flatIssues(result.error.issues as readonly Issue[])) this.#report(issue);
    } catch (error) {
      // A check of the step's own that throws. With a stand-in for a value that is only fair.
      if (!this.#hasUnknown) this.#reportThrown(error);
    }
    return undefined;
  }

  #substitute(located: Located): unknown {
    if (located.type === "list") return located.elements.map((each) => this.#substitute(each));
    if (located.type === "map") {
      return Object.fromEntries(
        located.entries.map((entry) => [entry.key.name, this.#substitute(entry.value)]),
      );
    }
    if (typeof located.value !== "string") return located.value;
    const found = references(located.value);
    const values = found.map((reference) => this.#valueOf(located, reference));
    if (values.includes(unknownValue) || this.#isMistaken(located.value)) {
      this.#hasUnknown = true;
      return unknownValue;
    }
    return found[0]?.isWhole ? values[0] : filledIn(located.value, values);
  }

  /** Whether a text holds what only looks like a reference: reported, so its value is not known. */
  #isMistaken(text: string): boolean {
    return mistakenReferences(text, this.#params).length > 0;
  }

  #valueOf(located: Located, reference: Reference): unknown {
    const param = this.#params.get(reference.name);
    if (param === undefined) return unknownValue; // reported with all other references
    if (reference.isWhole) this.#origins.set(located, param);
    return param.value === undefined ? unknownValue : param.value;
  }

  #report(issue: Issue) {
    const target = this.#target(issue.path);
    if (target.isMissing) this.#missing.push({ issue, target });
    else if (this.#isUnknown(target.located)) this.#reportType(issue, target);
    else this.#reportValue(issue, target);
  }

  /** One mistake in a parameter's value is one diagnostic, however many nodes use it. */
  #isTold({ origin }: Target, problem: string): boolean {
    if (origin === undefined) return false;
    const key = `${origin.located?.span.start} ${problem}`;
    const isTold = origin.param.told.has(key);
    origin.param.told.add(key);
    return isTold;
  }

  /** Follows an issue's path through the written values, and into a parameter's default. */
  #target(path: Issue["path"]): Target {
    let located: Located | undefined = this.#with;
    let schemas: readonly JsonSchema[] = [this.#schema];
    let through: { readonly at: Located; readonly param: ResolvedParam } | undefined;
    for (const part of path) {
      schemas = childSchemas(schemas, part);
      const param: ResolvedParam | undefined = located && this.#origins.get(located);
      if (param !== undefined) {
        through = { at: located!, param };
        located = param.located;
      }
      const next = childOf(located, part);
      if (next === undefined && through === undefined) {
        return { schemas, located, span: this.#spanOf(located), isMissing: true };
      }
      located = next;
    }
    const param = located && this.#origins.get(located);
    if (param !== undefined) through = { at: located!, param };
    const origin = through === undefined
      ? undefined
      : { param: through.param, located: param === undefined ? located : param.located };
    const at = through?.at ?? located;
    return { schemas, located: at, origin, span: this.#spanOf(at), isMissing: false };
  }

  #spanOf(located: Located | undefined): Span {
    return located?.span ?? this.node.use?.span ?? this.node.idSpan;
  }

  /** Whether a value holds a name without a value, whose absence was no mistake or is reported. */
  #isUnknown(located: Located | undefined): boolean {
    return [...scalarsIn(located)].some(({ value }) =>
      typeof value === "string" &&
      (references(value).some(({ name }) => this.#params.get(name)?.value === undefined) ||
        this.#isMistaken(value))
    );
  }

  /** In a map below `with` a single key that nothing is like and a single missing one are one mistake. */
  #reportKeys(unexpected: readonly UnexpectedKey[]) {
    const paired = new Set<unknown>();
    for (const key of unexpected) {
      const isBeside = (path: Issue["path"]) => String(path) === String(key.path);
      const others = unexpected.filter((each) => each !== key && isBeside(each.path));
      const missing = this.#missing.filter(({ issue }) => isBeside(issue.path.slice(0, -1)));
      const isAlone = key.path.length > 0 && others.length === 0 && missing.length === 1 &&
        nearest(key.entry.key.name, key.known) === undefined;
      if (isAlone) paired.add(missing[0]);
      this.#reportUnknownKey(key, isAlone ? missing[0] : undefined);
    }
    for (const each of this.#missing) if (!paired.has(each)) this.#reportMissing(each);
  }

  #reportUnbracketed({ path, span, schemas }: UnbracketedList) {
    const written = writtenText(span);
    this.#push("bad-value", {
      message: `${this.#nameOf(path)} is ${written} without brackets (${
        wantedValue(...schemas)
      } is wanted)`,
      span,
      help: `Write it as a list: [${written}]`,
    });
  }

  #reportUnknownKey(unexpected: UnexpectedKey, missing?: MissingKey) {
    const { entry, path, known, schemas, around } = unexpected;
    const { key } = entry;
    const map = path.reduce(childOf, this.node.with as Located | undefined);
    const comma = decimalComma(map, entry);
    if (comma !== undefined) return void this.#diagnostics.push(comma);
    const isTop = path.length === 0;
    this.#push("unknown-param", {
      message: isTop
        ? `Step "${this.step.name}" has no parameter "${key.name}"`
        : `${this.#nameOf(path)} has no key "${key.name}"`,
      span: key.span,
      related: writtenWhere(key.writtenAt),
      help: (isTop ? this.#inputHelp(key.name) : undefined) ??
        (around !== undefined && nearest(key.name, known) === undefined
          ? commaHelp(around)
          : missing === undefined
          ? this.#keyHelp(key.name, known, schemas)
          : `It needs ${wantedKey(missing)}`),
    });
  }

  #inputHelp(name: string): string | undefined {
    if (!Object.hasOwn(this.step.inputs, name)) return undefined;
    const { from } = this.node;
    const isWired = from?.form === "long" && from.ports.some(({ port }) => port.text === name);
    if (isWired) return undefined;
    return `"${name}" is an input: write from: { ${name}: … } beside "with"`;
  }

  #keyHelp(
    key: string,
    known: readonly string[],
    schemas: readonly JsonSchema[],
  ): string | undefined {
    if (known.length === 0) return `Step "${this.step.name}" takes no parameters`;
    const near = nearest(key, known);
    const property = near === undefined ? undefined : childSchemas(schemas, near)[0];
    const help = suggestion(key, known, "Parameters");
    return property === undefined || help?.includes(" or ")
      ? help
      : `Did you mean "${near}" (${expectation(property)})?`;
  }

  #reportMissing({ issue, target }: MissingKey) {
    const name = String(issue.path.at(-1));
    const isTop = issue.path.length === 1;
    if (isTop && this.options.misplaced.has(name)) return;
    const about = target.schemas[0]?.description;
    const wanted = wantedKey({ issue, target });
    this.#push("missing-param", {
      message: isTop
        ? `Step "${this.step.name}" needs parameter ${wanted}`
        : `${this.#nameOf(issue.path.slice(0, -1))} needs ${wanted}`,
      span: isTop ? this.#spanOf(undefined) : target.span,
      help: about === undefined ? undefined : `${name}: ${about}`,
      related: isTop ? [] : writtenWhere(target.located?.writtenAt),
    });
  }

  /** A parameter without a value can still be of a type that will never do. */
  #reportType(issue: Issue, target: Target) {
    const { declaration, isGiven } = target.origin?.param ?? {};
    if (declaration?.type === undefined || isGiven || declaration.isBroken) return;
    const types = typesOf(target.schemas);
    const { type, name } = declaration;
    if (types.length === 0 || jsonTypesOf[type].some((each) => types.includes(each))) return;
    if (this.#isTold(target, types.join())) return;
    this.#push("bad-value", {
      message: `${this.#nameOf(issue.path)} is $${name}, which is ${typeWords[type]} (${
        wantedValue(...target.schemas)
      } is wanted)`,
      span: target.span,
      related: [{ message: `"${name}" has type ${type}`, span: declaration.nameSpan }],
    });
  }

  #reportValue(issue: Issue, target: Target) {
    const value = valueAt(target);
    const isOwn = issue.code === "custom" || issue.code === "invalid_format" ||
      target.schemas.length === 0;
    const isRange = ["too_small", "too_big", "not_multiple_of"].includes(issue.code);
    const found = isRange && Array.isArray(value) && value.length > 0
      ? `a list of ${value.length}`
      : describeValue(value);
    const problem = isOwn
      ? `${found}: ${issue.message}`
      : `${found} (${wantedValue(...target.schemas)} is wanted)`;
    if (this.#isTold(target, problem)) return;
    this.#push(isRange && typeof value === "number" ? "out-of-range" : "bad-value", {
      message: `${this.#nameOf(issue.path)} is ${problem}`,
      span: partSpan(target, issue.params?.part),
      related: this.#related(target),
      help: isOwn
        ? issue.params?.help
        : value === null
        ? this.#emptyHelp(issue.path)
        : this.#help(value, target),
    });
  }

  #emptyHelp(path: Issue["path"]): string {
    const isNeeded = path.length === 1 && this.#schema.required?.includes(String(path[0]));
    return `Give it a value${isNeeded ? "" : ", or remove it"}`;
  }

  #help(value: unknown, target: Target): string | undefined {
    const help = declarationHelp(value, target) ?? this.#nameHelp(value, target) ??
      elementHelp(target) ?? this.#placeHelp(target);
    if (help !== undefined) return help;
    return valueHelp(value, sourceAt(target), target.schemas);
  }

  /** The parameters that are places, where one that is none is named. */
  #placeHelp({ schemas: [schema], origin }: Target): string | undefined {
    const place = schema?.["place"];
    if (place === undefined || origin === undefined) return undefined;
    const names = [...this.#params].filter(([, { declaration }]) => declaration.type === place)
      .map(([name]) => `$${name}`);
    return names.length === 0 ? undefined : `Parameters of type ${place}: ${names.join(", ")}`;
  }

  /** `quality`, `"{quality}"`, `"${quality}"` or `<quality>` where `$quality` was meant. */
  #nameHelp(value: unknown, { schemas, origin }: Target): string | undefined {
    if (typeof value !== "string" || origin !== undefined) return undefined;
    const types = typesOf(schemas);
    const isText = types.includes("string");
    const name = isText ? value : /^\W*([\w-]*\w)\W*$/.exec(value)?.[1] ?? value;
    const type = this.#params.get(name)?.declaration.type;
    const fits = type !== undefined && jsonTypesOf[type].some((each) => types.includes(each));
    return fits ? `Write $${name}` : undefined;
  }

  #related({ origin, located }: Target): readonly Related[] {
    const written = writtenWhere(located?.writtenAt);
    const params = origin !== undefined ? [origin.param] : this.#paramsInside(located);
    return [...written, ...params.flatMap((param) => comesFrom(param, origin?.located))];
  }

  /** The parameters whose values a text holds. */
  #paramsInside(located: Located | undefined): readonly ResolvedParam[] {
    if (located?.type !== "scalar" || typeof located.value !== "string") return [];
    return references(located.value).flatMap(({ name }) => this.#params.get(name) ?? []);
  }

  #reportThrown(error: unknown) {
    const reason = error instanceof Error ? error.message : String(error);
    this.#push("bad-value", {
      message: `Step "${this.step.name}" cannot check its parameters: ${reason}`,
      span: this.#with?.span ?? this.#spanOf(undefined),
    });
  }

  #push(code: string, diagnostic: Omit<Diagnostic, "code" | "severity">) {
    const related = nonEmpty(diagnostic.related ?? []);
    this.#diagnostics.push({ code, severity: "error", ...diagnostic, related });
  }

  #nameOf(path: readonly PropertyKey[]): string {
    const [first, ...rest] = path;
    if (first === undefined) return `"with" of step "${this.step.name}"`;
    const inner = rest.map((part) => typeof part === "number" ? `[${part}]` : `.${String(part)}`);
    return `Parameter "${String(first)}${inner.join("")}" of step "${this.step.name}"`;
  }
}

/** What a zod issue is about, as it was written. */
interface Target {
  readonly schemas: readonly JsonSchema[];
  /** The value, or the nearest map around one that is missing. */
  readonly located?: Located;
  readonly span: Span;
  /** Where the value came through `$name`: the parameter, and the part of its default. */
  readonly origin?: { readonly param: ResolvedParam; readonly located?: Located };
  readonly isMissing: boolean;
}

/** A key that has to be there and is not. */
interface MissingKey {
  readonly issue: Issue;
  readonly target: Target;
}

/** `"at" (a number, 0 to 1)` */
function wantedKey({ issue, target: { schemas: [schema] } }: MissingKey): string {
  const name = JSON.stringify(String(issue.path.at(-1)));
  return schema === undefined ? name : `${name} (${expectation(schema)})`;
}

const jsonTypesOf: Readonly<Record<keyof typeof typeWords, readonly string[]>> = {
  string: ["string"],
  integer: ["integer", "number"],
  number: ["number", "integer"],
  boolean: ["boolean"],
  folder: ["string"],
  file: ["string"],
  choice: ["string", "number", "integer", "boolean"],
  list: ["array"],
};

/** A number in quotes that is declared as text, and the other way round, is mended where it is declared. */
function declarationHelp(value: unknown, { schemas, origin }: Target): string | undefined {
  if (origin === undefined || origin.located !== origin.param.located) return undefined;
  if (typeof value === "number" && origin.located?.type === "scalar") {
    const isText = typesOf(schemas).join() === "string" && choicesOf(schemas).length === 0 &&
      schemas[0]?.["place"] === undefined;
    const { name } = origin.param.declaration;
    return isText
      ? `Declare "${name}" as { type: string, default: "${sourceOf(origin.located)}" }`
      : undefined;
  }
  if (typeof value !== "string" || origin.param.declaration.type !== "string") return undefined;
  const type = ["integer", "number"].find((each) => typesOf(schemas).includes(each));
  const number = Number(value);
  if (type === undefined || value.trim() === "" || !Number.isFinite(number)) return undefined;
  const { name } = origin.param.declaration;
  return origin.located === undefined
    ? `Declare "${name}" as type: ${type}`
    : `Declare "${name}" as { type: ${type}, default: ${number} }`;
}

/** A list of one where its element alone is wanted. */
function elementHelp({ schemas, origin, located }: Target): string | undefined {
  const list = origin === undefined ? located : origin.located;
  if (list?.type !== "list" || list.elements.length !== 1) return undefined;
  const [element] = list.elements;
  const types = typesOf(schemas);
  if (element?.type !== "scalar" || types.includes("array")) return undefined;
  const type = typeof element.value;
  const fits = types.includes(type) || (type === "number" && types.includes("integer"));
  return fits ? `Write ${sourceOf(element)}` : undefined;
}

function partSpan({ located, origin, span }: Target, part: string | undefined): Span {
  return part !== undefined && origin === undefined && located?.type === "scalar"
    ? textSpan(located, part)
    : span;
}

function nonEmpty(related: readonly Related[]): readonly Related[] | undefined {
  return related.length > 0 ? related : undefined;
}

/** Where a parameter's value, or a part of its default, was written. */
function comesFrom(param: ResolvedParam, part: Located | undefined): readonly Related[] {
  const { declaration: { name, nameSpan }, span, value } = param;
  if (part !== undefined && part !== param.located) {
    return [{ message: `It comes from "${name}", here`, span: part.span }];
  }
  const given = { message: `"${name}" is ${describeValue(value)} here`, span };
  return span.file === nameSpan.file
    ? [given]
    : [given, { message: `"${name}" is declared here`, span: nameSpan }];
}

function childOf(located: Located | undefined, part: string | number): Located | undefined {
  if (located?.type === "map") {
    return located.entries.find((entry) => entry.key.name === part)?.value;
  }
  return located?.type === "list" ? located.elements[Number(part)] : undefined;
}

function valueAt({ origin, located }: Target): unknown {
  const at = origin === undefined ? located : origin.located;
  if (at === undefined) return origin?.param.value;
  return at.type === "scalar" ? at.value : at.type === "list" ? at.elements : {};
}

function sourceAt({ origin, located }: Target): string {
  const at = origin === undefined ? located : origin.located;
  return at?.type === "scalar" ? sourceOf(at) : String(origin?.param.value ?? "");
}

/** The parameters of a step that name a place on disk. */
export function placeParams(step: AnyStep): ReadonlyMap<string, "folder" | "file"> {
  const places = new Map<string, "folder" | "file">();
  for (const fact of paramFacts(step.params)) {
    if (fact.place !== undefined) places.set(fact.name, fact.place);
  }
  return places;
}
