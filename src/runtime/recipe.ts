import { type Diagnostic, suggestion } from "./diagnostic.ts";
import {
  describeValue,
  type Located,
  type LocatedEntry,
  type LocatedMap,
  member,
  parseYaml,
} from "./located.ts";
import type { SourceFile, Span } from "./source.ts";

/** A recipe as written: shaped right, but steps, values and wires are not checked yet. */
export interface Recipe {
  readonly file: SourceFile;
  readonly name: string;
  readonly about?: string;
  readonly params: ReadonlyMap<string, ParamDeclaration>;
  readonly nodes: readonly NodeDeclaration[];
}

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
  readonly type: ParamType;
  readonly default?: Located;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly unknown[];
  readonly unit?: string;
  readonly about?: string;
}

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface NodeDeclaration {
  readonly id: string;
  readonly idSpan: Span;
  readonly use?: Name;
  /** Undefined where the node has no `from`. */
  readonly from?: FromDeclaration;
  readonly with?: LocatedMap;
}

export type FromDeclaration =
  | { readonly form: "short"; readonly source: SourceDeclaration }
  | { readonly form: "long"; readonly span: Span; readonly ports: readonly PortDeclaration[] };

export interface PortDeclaration {
  readonly port: Name;
  readonly source: SourceDeclaration;
}

/** `node` or `node.port`. */
export interface SourceDeclaration {
  readonly node: Name;
  readonly port?: Name;
}

/** Views of the catalogue that a node may not be named after. */
export const reservedIds: readonly string[] = ["items", "tasks", "runs"];

const topKeys = ["recipe", "about", "params", "steps"];
const nodeKeys = ["use", "from", "with", "about"];
const paramKeys = ["type", "default", "minimum", "maximum", "choices", "unit", "about"];
const idPattern = /^[a-z][a-z0-9_]*$/;
const idRule = "small letters, digits and underscores, a letter first";

/** Reads a recipe's shape; `recipe` is undefined only where nothing can be said about the rest. */
export function parseRecipe(
  file: SourceFile,
): { readonly recipe?: Recipe; readonly diagnostics: readonly Diagnostic[] } {
  const { root, diagnostics } = parseYaml(file);
  const reader = new RecipeReader(file, [...diagnostics]);
  const recipe = root === undefined ? reader.empty() : reader.recipe(root);
  return { recipe, diagnostics: reader.diagnostics };
}

class RecipeReader {
  constructor(readonly file: SourceFile, readonly diagnostics: Diagnostic[]) {}

  empty(): undefined {
    if (this.diagnostics.length > 0) return;
    this.#error("empty-recipe", "The recipe is empty", { file: this.file, start: 0, end: 1 }, {
      help: 'Begin with "recipe: name" and "steps:"',
    });
  }

  recipe(root: Located): Recipe | undefined {
    if (root.type !== "map") {
      const found = describeValue(root.type === "scalar" ? root.value : []);
      this.#error("bad-recipe", `A recipe is a map with the key "steps", not ${found}`, root.span);
      return undefined;
    }
    this.#checkKeys(root, topKeys, "unknown-key", "A recipe has no key");
    return {
      file: this.file,
      name: this.#recipeName(root),
      about: this.#text(member(root, "about"), "about"),
      params: this.#params(member(root, "params")),
      nodes: this.#nodes(root),
    };
  }

  #recipeName(root: LocatedMap): string {
    const entry = member(root, "recipe");
    const start = { file: this.file, start: root.span.start, end: root.span.start + 1 };
    if (entry === undefined) {
      this.#error("missing-key", 'The recipe has no name (the key "recipe" is missing)', start, {
        help: 'Write "recipe: name" at the top',
      });
      return "";
    }
    const name = this.#text(entry, "recipe") ?? "";
    if (name !== "" && !/^[a-z][a-z0-9_-]*$/.test(name)) {
      this.#error("bad-name", `"${name}" cannot name a recipe (${idRule})`, entry.value.span);
    }
    return name;
  }

  #params(entry: LocatedEntry | undefined): Map<string, ParamDeclaration> {
    const params = new Map<string, ParamDeclaration>();
    for (const each of this.#mapEntries(entry, "params")) {
      const declaration = this.#param(each);
      if (declaration !== undefined) params.set(declaration.name, declaration);
    }
    return params;
  }

  #param({ key, value }: LocatedEntry): ParamDeclaration | undefined {
    this.#checkId(key.name, key.span, "parameter");
    if (value.type !== "map") {
      this.#error(
        "bad-param",
        `Parameter "${key.name}" is declared by a map, not by ${shown(value)}`,
        value.span,
        {
          help: "Write it as { type: integer, default: 896 }",
        },
      );
      return undefined;
    }
    this.#checkKeys(value, paramKeys, "unknown-key", `The declaration of "${key.name}" has no key`);
    const type = this.#paramType(value, key);
    const choices = this.#choices(member(value, "choices"), type, key);
    return {
      name: key.name,
      nameSpan: key.span,
      type,
      default: member(value, "default")?.value,
      minimum: this.#number(member(value, "minimum")),
      maximum: this.#number(member(value, "maximum")),
      choices,
      unit: this.#text(member(value, "unit"), "unit"),
      about: this.#text(member(value, "about"), "about"),
    };
  }

  #paramType(map: LocatedMap, key: LocatedEntry["key"]): ParamType {
    const entry = member(map, "type");
    if (entry === undefined) {
      this.#error("missing-key", `The declaration of "${key.name}" has no type`, key.span, {
        help: `Types: ${paramTypes.join(", ")}`,
      });
      return "string";
    }
    const type = this.#text(entry, "type") ?? "string";
    if ((paramTypes as readonly string[]).includes(type)) return type as ParamType;
    this.#error("unknown-type", `There is no parameter type "${type}"`, entry.value.span, {
      help: suggestion(type, paramTypes, "Types"),
    });
    return "string";
  }

  #choices(
    entry: LocatedEntry | undefined,
    type: ParamType,
    key: LocatedEntry["key"],
  ): readonly unknown[] | undefined {
    if (entry === undefined) {
      if (type === "choice") {
        this.#error(
          "missing-key",
          `Parameter "${key.name}" is a choice without choices`,
          key.span,
          {
            help: "Add choices: [a, b]",
          },
        );
      }
      return undefined;
    }
    if (entry.value.type === "list") {
      return entry.value.elements.map((element) =>
        element.type === "scalar" ? element.value : null
      );
    }
    this.#error("bad-value", `"choices" is a list, not ${shown(entry.value)}`, entry.value.span);
    return undefined;
  }

  #nodes(root: LocatedMap): NodeDeclaration[] {
    const entry = member(root, "steps");
    if (entry === undefined) {
      const start = { file: this.file, start: root.span.start, end: root.span.start + 1 };
      this.#error("missing-key", 'The recipe has no steps (the key "steps" is missing)', start);
      return [];
    }
    const entries = this.#mapEntries(entry, "steps");
    if (entries.length === 0 && entry.value.type !== "list") {
      this.#error("no-steps", 'The recipe has no steps ("steps" is empty)', entry.key.span);
    }
    return entries.map((each) => this.#node(each)).filter((node) => node !== undefined);
  }

  #node({ key, value }: LocatedEntry): NodeDeclaration | undefined {
    this.#checkId(key.name, key.span, "node");
    if (reservedIds.includes(key.name)) {
      this.#error(
        "reserved-id",
        `"${key.name}" cannot name a node: a view of the catalogue has that name`,
        key.span,
      );
    }
    if (value.type !== "map") {
      this.#error(
        "bad-node",
        `Node "${key.name}" is a map with the key "use", not ${shown(value)}`,
        value.span,
        {
          help: "Write it as { use: topic.name, from: …, with: { … } }",
        },
      );
      return { id: key.name, idSpan: key.span };
    }
    this.#checkKeys(value, nodeKeys, "unknown-key", `Node "${key.name}" has no key`);
    return {
      id: key.name,
      idSpan: key.span,
      use: this.#use(value, key),
      from: this.#from(member(value, "from")),
      with: this.#with(member(value, "with")),
    };
  }

  #use(map: LocatedMap, key: LocatedEntry["key"]): Name | undefined {
    const entry = member(map, "use");
    if (entry === undefined) {
      this.#error(
        "missing-step",
        `Node "${key.name}" does not say which step it uses (the key "use" is missing)`,
        key.span,
        {
          help: "Add use: topic.name, or use: ./step.ts for a step of your own",
        },
      );
      return undefined;
    }
    const text = this.#text(entry, "use");
    return text === undefined ? undefined : { text, span: entry.value.span };
  }

  #from(entry: LocatedEntry | undefined): FromDeclaration | undefined {
    if (entry === undefined) return undefined;
    const { value } = entry;
    if (value.type === "map") {
      const ports = value.entries.flatMap((each) => {
        const source = this.#source(each.value);
        return source === undefined
          ? []
          : [{ port: { text: each.key.name, span: each.key.span }, source }];
      });
      return { form: "long", span: value.span, ports };
    }
    const source = this.#source(value);
    return source === undefined ? undefined : { form: "short", source };
  }

  #source(value: Located): SourceDeclaration | undefined {
    if (value.type !== "scalar" || typeof value.value !== "string") {
      this.#error(
        "bad-from",
        `"from" names a node, or node.port, not ${shown(value)}`,
        value.span,
        {
          help: "Write from: node, or from: { port: node, other: node.port }",
        },
      );
      return undefined;
    }
    const text = value.value;
    const dot = text.indexOf(".");
    // A quoted text starts one character after its span does.
    const start = value.span.start + (/^["']/.test(textOf(value.span)) ? 1 : 0);
    const part = (from: number, to: number): Name => ({
      text: text.slice(from, to),
      span: { file: this.file, start: start + from, end: start + Math.max(to, from + 1) },
    });
    if (dot < 0) return { node: part(0, text.length) };
    return { node: part(0, dot), port: part(dot + 1, text.length) };
  }

  #with(entry: LocatedEntry | undefined): LocatedMap | undefined {
    if (entry === undefined) return undefined;
    if (entry.value.type === "map") return entry.value;
    if (entry.value.type !== "scalar" || entry.value.value !== null) {
      this.#error(
        "bad-value",
        `"with" is a map of parameters, not ${shown(entry.value)}`,
        entry.value.span,
      );
    }
    return undefined;
  }

  #mapEntries(entry: LocatedEntry | undefined, key: string): readonly LocatedEntry[] {
    if (entry === undefined) return [];
    if (entry.value.type === "map") return entry.value.entries;
    if (entry.value.type === "scalar" && entry.value.value === null) return [];
    this.#error("bad-value", `"${key}" is a map, not ${shown(entry.value)}`, entry.value.span);
    return [];
  }

  #text(entry: LocatedEntry | undefined, key: string): string | undefined {
    if (entry === undefined) return undefined;
    if (entry.value.type === "scalar" && typeof entry.value.value === "string") {
      return entry.value.value;
    }
    this.#error("bad-value", `"${key}" is text, not ${shown(entry.value)}`, entry.value.span);
    return undefined;
  }

  #number(entry: LocatedEntry | undefined): number | undefined {
    if (entry === undefined) return undefined;
    if (entry.value.type === "scalar" && typeof entry.value.value === "number") {
      return entry.value.value;
    }
    this.#error(
      "bad-value",
      `"${entry.key.name}" is a number, not ${shown(entry.value)}`,
      entry.value.span,
    );
    return undefined;
  }

  #checkId(id: string, span: Span, noun: string) {
    if (idPattern.test(id)) return;
    this.#error("bad-name", `"${id}" cannot name a ${noun} (${idRule})`, span);
  }

  #checkKeys(map: LocatedMap, known: readonly string[], code: string, sentence: string) {
    for (const { key } of map.entries) {
      if (known.includes(key.name)) continue;
      this.#error(code, `${sentence} "${key.name}"`, key.span, {
        help: suggestion(key.name, known, "Keys"),
      });
    }
  }

  #error(code: string, message: string, span: Span, more: { readonly help?: string } = {}) {
    this.diagnostics.push({ code, severity: "error", message, span, ...more });
  }
}

function shown(value: Located): string {
  return describeValue(
    value.type === "scalar" ? value.value : value.type === "list" ? [] : {},
  );
}

function textOf(span: Span): string {
  return span.file.text.slice(span.start, span.end);
}
