import { decimalComma } from "./decimal_comma.ts";
import { suggestion } from "./diagnostic.ts";
import {
  describeLocated,
  type Located,
  type LocatedEntry,
  type LocatedKey,
  type LocatedMap,
  type LocatedScalar,
} from "./located.ts";
import { type MatchedKeys, matchKeys, type Reader, sourceOf } from "./reader.ts";
import type { Span } from "./source.ts";

export const paramTypes = [
  "string",
  "integer",
  "number",
  "boolean",
  "folder",
  "file",
  "choice",
  "list",
] as const;
export type ParamType = typeof paramTypes[number];

export interface ParamDeclaration {
  readonly name: string;
  readonly nameSpan: Span;
  /** Undefined where none is given, or one that does not exist: any value will do then. */
  readonly type?: ParamType;
  readonly default?: Located;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly unknown[];
  readonly unit?: string;
  readonly about?: string;
  /** The declaration is wrong and reported, so its value is not checked. */
  readonly isBroken: boolean;
}

/** The keys of a declaration. */
export const paramKeys: readonly string[] = [
  "type",
  "default",
  "minimum",
  "maximum",
  "choices",
  "unit",
  "about",
];

/** Reads the declaration of one parameter. */
export function readParam(reader: Reader, entry: LocatedEntry): ParamDeclaration {
  return new ParamReader(reader, entry).read();
}

class ParamReader {
  readonly #key: LocatedKey;

  constructor(readonly reader: Reader, readonly entry: LocatedEntry) {
    this.#key = entry.key;
  }

  read(): ParamDeclaration {
    const { reader, entry: { value } } = this;
    const { name, span: nameSpan } = this.#key;
    reader.id(this.#key, "parameter");
    if (value.type !== "map") {
      this.#notAMap(value);
      return { name, nameSpan, isBroken: true };
    }
    const keys = matchKeys(value, paramKeys);
    const start = reader.diagnostics.length;
    const unknown = keys.unknown.filter(({ entry }) => !this.#decimalComma(value, entry));
    const hasComma = reader.diagnostics.length > start;
    reader.unknownKeys({ unknown }, paramKeys, `The declaration of "${name}" has no key`);
    const type = this.#type(keys);
    const range = this.#range(keys, type);
    const before = reader.diagnostics.length;
    const choices = this.#choices(keys, type);
    const isChoiceWrong = reader.diagnostics.length > before;
    return {
      name,
      nameSpan,
      type,
      default: keys.get("default")?.value,
      ...range,
      choices,
      unit: reader.text(keys.get("unit"), "unit"),
      about: reader.text(keys.get("about"), "about"),
      isBroken: hasComma || type === undefined || range === undefined || isChoiceWrong,
    };
  }

  /** Whether a key is the second half of a number, which is reported. */
  #decimalComma(map: LocatedMap, entry: LocatedEntry): boolean {
    const diagnostic = decimalComma(map, entry);
    if (diagnostic !== undefined) this.reader.diagnostics.push(diagnostic);
    return diagnostic !== undefined;
  }

  #notAMap(value: Located) {
    const isValue = value.type === "scalar" && value.value !== null;
    const example = isValue
      ? `{ type: ${typeOf(value.value)}, default: ${sourceOf(value)} }`
      : "{ type: integer, default: 896 }";
    this.reader.error(
      "bad-param",
      `Parameter "${this.#key.name}" is declared by a map, not by ${describeLocated(value)}`,
      value,
      { help: `Write it as ${example}` },
    );
  }

  #type(keys: MatchedKeys): ParamType | undefined {
    const entry = keys.get("type");
    if (entry === undefined) {
      const given = keys.get("default")?.value;
      const isKnown = given?.type === "scalar" && given.value !== null;
      this.reader.error(
        "missing-key",
        `The declaration of "${this.#key.name}" has no type`,
        this.#key,
        { help: isKnown ? `Add type: ${typeOf(given.value)}` : `Types: ${paramTypes.join(", ")}` },
      );
      return undefined;
    }
    const type = this.reader.text(entry, "type");
    if (type === undefined) return undefined;
    if ((paramTypes as readonly string[]).includes(type)) return type as ParamType;
    this.reader.error("unknown-type", `There is no parameter type "${type}"`, entry.value, {
      help: suggestion(type, paramTypes, "Types"),
    });
    return undefined;
  }

  /** Undefined where the type has no range: one of the two is wrong. */
  #range(
    keys: MatchedKeys,
    type: ParamType | undefined,
  ): Pick<ParamDeclaration, "minimum" | "maximum"> | undefined {
    const { reader } = this;
    for (const name of ["minimum", "maximum"]) {
      const entry = keys.get(name);
      if (entry === undefined || type === undefined || isNumeric(type)) continue;
      reader.error("bad-param", `A parameter of type ${type} has no ${name}`, entry.key, {
        help: "Ranges are for the types integer and number",
      });
      return undefined;
    }
    const minimum = reader.number(keys.get("minimum"));
    const maximum = reader.number(keys.get("maximum"));
    if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
      reader.error(
        "bad-range",
        `The range of parameter "${this.#key.name}" is empty: minimum ${minimum} is over maximum ${maximum}`,
        keys.get("minimum")!.value,
        { related: [{ message: "The maximum is here", span: keys.get("maximum")!.value.span }] },
      );
      return {};
    }
    return { minimum, maximum };
  }

  #choices(keys: MatchedKeys, type: ParamType | undefined): readonly unknown[] | undefined {
    const entry = keys.get("choices");
    const { name } = this.#key;
    if (entry === undefined) {
      if (type !== "choice") return undefined;
      this.reader.error(
        "missing-key",
        `Parameter "${name}" is a choice without choices`,
        this.#key,
        {
          help: "Add choices: [a, b]",
        },
      );
      return undefined;
    }
    const { value } = entry;
    if (value.type !== "list") {
      const isText = value.type === "scalar" && value.value !== null;
      this.reader.error("bad-value", `"choices" is a list, not ${describeLocated(value)}`, value, {
        help: isText ? `Write [${partsOf(value).join(", ")}]` : "Write [a, b]",
      });
      return undefined;
    }
    if (value.elements.length === 0) {
      this.reader.error("bad-value", `Parameter "${name}" has no choices to choose from`, value);
    }
    return value.elements.map((element) => this.#choice(element, type));
  }

  #choice(element: Located, type: ParamType | undefined): unknown {
    const value = element.type === "scalar" ? element.value : undefined;
    const problem = value === undefined || value === null
      ? "text, a number, true or false"
      : type === undefined || type === "choice" || type === "list" || isOfType(value, type)
      ? undefined
      : typeWords[type];
    if (problem !== undefined) {
      this.reader.error(
        "bad-value",
        `A choice of parameter "${this.#key.name}" is ${
          describeLocated(element)
        } (${problem} is wanted)`,
        element,
      );
    }
    return value;
  }
}

/** `small|medium` and `small, medium` are two choices. */
function partsOf(scalar: LocatedScalar): readonly string[] {
  const source = sourceOf(scalar);
  return /^[\w\s.,;|/-]+$/.test(source) ? source.split(/\s*[,;|/]\s*/).filter(Boolean) : [source];
}

/** What values of a type are, in words. */
export const typeWords: Readonly<Record<ParamType, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  folder: "the path of a folder",
  file: "the path of a file",
  choice: "one of its choices",
  list: "a list",
};

/** Whether a value is one of a type; ranges and choices are another matter. */
export function isOfType(value: unknown, type: ParamType): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "choice":
      return value !== null && typeof value !== "object";
    default:
      return typeof value === "string" && (type === "string" || value !== "");
  }
}

/** Whether values of a type are numbers. */
export function isNumeric(type: ParamType): boolean {
  return type === "integer" || type === "number";
}

/** The type that a value would be declared by. */
export function typeOf(value: unknown): ParamType {
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (typeof value === "boolean") return "boolean";
  return typeof value === "string" && /^\.{0,2}\//.test(value) ? "folder" : "string";
}

/** The range of a declaration, in words; undefined where it has none. */
export function rangeWords({ minimum, maximum }: ParamDeclaration): string | undefined {
  if (minimum === undefined) return maximum === undefined ? undefined : `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;
}
