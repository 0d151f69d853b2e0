import type { Diagnostic } from "./diagnostic.ts";
import {
  describeLocated,
  type Located,
  type LocatedEntry,
  type LocatedKey,
  type LocatedMap,
  mapOfList,
  member,
  parseYaml,
  writtenText,
} from "./located.ts";
import { isId, type MatchedKeys, matchKeys, Reader, sourceOf, type UnknownKey } from "./reader.ts";
import { isAlias, isMap, isNode, isScalar, visit } from "./yaml.ts";
import { type ParamDeclaration, paramKeys, readParam } from "./recipe_params.ts";
import { type FromDeclaration, type Name, readFrom } from "./recipe_wires.ts";
import type { SourceFile, Span } from "./source.ts";

export { type ParamDeclaration, type ParamType, paramTypes } from "./recipe_params.ts";
export type { FromDeclaration, Name, PortDeclaration, SourceDeclaration } from "./recipe_wires.ts";

/** A recipe as written: shaped right, but steps, values and wires are not checked yet. */
export interface Recipe {
  readonly file: SourceFile;
  readonly name: string;
  readonly about?: string;
  readonly params: ReadonlyMap<string, ParamDeclaration>;
  /** False where the declarations could not be read: any `$name` may be one of them. */
  readonly hasAllParams: boolean;
  readonly nodes: readonly NodeDeclaration[];
  /** All that was written under "steps", also what was passed over. */
  readonly written?: Located;
  /** What was passed over: a duplicate, an unknown key's value. It may name nodes. */
  readonly passedOver: readonly Located[];
  /** Where the text was mended to be read: what is wrong there is reported already. */
  readonly mended: readonly Span[];
}

export interface NodeDeclaration {
  readonly id: string;
  readonly idSpan: Span;
  readonly use?: Name;
  /** Undefined where the node has no `from`. */
  readonly from?: FromDeclaration;
  /** Undefined where the node has no `with`, or one that is no map (`isWithBroken`). */
  readonly with?: LocatedMap;
  readonly isWithBroken: boolean;
  /** Reported by the check, which knows what the step would have taken. */
  readonly unknownKeys: readonly UnknownKey[];
}

/** Views of the catalogue that a node may not be named after. */
export const reservedIds: readonly string[] = ["items", "tasks", "runs"];

/** The keys of a node. */
export const nodeKeys: readonly string[] = ["use", "from", "with", "about"];

const topKeys = ["recipe", "about", "params", "steps"];

/** Reads a recipe's shape; `recipe` is undefined only where nothing can be said about the rest. */
export function parseRecipe(
  file: SourceFile,
): { readonly recipe?: Recipe; readonly diagnostics: readonly Diagnostic[] } {
  const { root, diagnostics } = parseYaml(file, oddness);
  const mended = diagnostics.filter(({ code }) => code === "yaml-syntax").map(({ span }) => span);
  const reader = new RecipeReader(
    file,
    mended,
    diagnostics.some(({ code }) => code === "too-large"),
  );
  const recipe = root === undefined ? reader.empty() : reader.recipe(root);
  const found = withoutMended(reader.diagnostics, mended);
  return { recipe, diagnostics: [...diagnostics, ...found] };
}

/**
 * Leaves out what may only come of a syntax mistake that is reported: what stands where it was mended,
 * what is missing, and names that stand in the mended text.
 */
export function withoutMended(
  diagnostics: readonly Diagnostic[],
  mended: readonly Span[],
): readonly Diagnostic[] {
  if (mended.length === 0) return diagnostics;
  const lost = mended.map(writtenText).join("\n");
  const isMended = ({ start }: Span) =>
    mended.some((each) => each.start <= start && start < Math.max(each.end, each.start + 1));
  return diagnostics.filter(({ severity, span, code, related = [] }) =>
    severity === "error" && !code.startsWith("missing-") && code !== "no-steps" &&
    !(code.startsWith("unknown-") && lost.includes(writtenText(span).replace(/^\$/, ""))) &&
    ![span, ...related.map((each) => each.span)].some((each) =>
      each.file === mended[0]!.file && isMended(each)
    )
  );
}

/** How much of a document a recipe does not have: keys, names, nodes and declarations that are none. */
function oddness(contents: unknown): number {
  let odd = 0;
  visit(isNode(contents) ? contents : null, {
    Pair: (_, { key }) => void (odd += isScalar(key) || isAlias(key) ? 0 : 2),
  });
  const keys = keysOf(contents);
  for (const key of keys.keys()) if (!topKeys.includes(key)) odd++;
  for (const [part, known] of [["steps", nodeKeys], ["params", paramKeys]] as const) {
    for (const [id, value] of keysOf(keys.get(part))) {
      odd += (isId(id) ? 0 : 1) + (isMap(value) || isAlias(value) ? 0 : 1);
      for (const key of keysOf(value).keys()) if (!known.includes(key)) odd++;
    }
  }
  return odd;
}

function keysOf(node: unknown): ReadonlyMap<string, unknown> {
  const items = isMap(node) ? node.items : [];
  return new Map(items.map(({ key, value }) => [String(isScalar(key) ? key.value : ""), value]));
}

class RecipeReader extends Reader {
  readonly #passedOver: Located[] = [];
  /** Nodes that stand inside another one, because they are indented too much. */
  readonly #nested: LocatedEntry[] = [];
  #ids: ReadonlySet<string> = new Set();

  constructor(
    readonly file: SourceFile,
    readonly mended: readonly Span[],
    readonly isUnreadable: boolean,
  ) {
    super([]);
  }

  empty(): undefined {
    if (this.isUnreadable || this.mended.length > 0) return;
    this.error("empty-recipe", "The recipe is empty", { file: this.file, start: 0, end: 1 }, {
      help: 'Begin with "recipe: name" and "steps:"',
    });
  }

  recipe(root: Located): Recipe | undefined {
    if (root.type !== "map") {
      const found = describeLocated(root);
      this.error("bad-recipe", `A recipe is a map with the key "steps", not ${found}`, root);
      return undefined;
    }
    const keys = withParts(matchKeys(root, topKeys));
    this.#unknownTopKeys(keys);
    this.#passedOver.push(...root.dropped);
    const params = keys.get("params");
    return {
      file: this.file,
      name: this.#recipeName(keys, root),
      about: this.text(keys.get("about"), "about"),
      params: this.#params(params, entriesOf(keys).filter(looksLikeParam)),
      hasAllParams: !root.dropped.some(holdsParams) &&
        (params === undefined || params.value.type === "map" || isNothing(params.value) ||
          (params.value.type === "list" && mapOfList(params.value) !== undefined)),
      nodes: this.#nodes(keys, root),
      written: keys.get("steps")?.value,
      passedOver: this.#passedOver,
      mended: this.mended,
    };
  }

  #unknownTopKeys(keys: MatchedKeys) {
    const astray = entriesOf(keys).filter((entry) => looksLikeNode(entry) || looksLikeParam(entry));
    const unknown = keys.unknown.filter(({ entry }) => !astray.includes(entry));
    this.unknownKeys({ unknown }, topKeys, "A recipe has no key");
    for (const entry of astray) {
      const place = looksLikeNode(entry) ? "steps" : "params";
      const noun = place === "steps" ? "node" : "parameter";
      this.error("unknown-key", `A recipe has no key "${entry.key.name}"`, entry.key, {
        help: `It looks like a ${noun}: indent it, so that it stands under "${place}"`,
      });
    }
  }

  #recipeName(keys: MatchedKeys, root: LocatedMap): string {
    const entry = keys.get("recipe");
    if (entry === undefined) {
      this.error(
        "missing-key",
        'The recipe has no name (the key "recipe" is missing)',
        firstLetter(root),
        { help: 'Write "recipe: name" at the top' },
      );
      return "";
    }
    const { value } = entry;
    if (value.type === "scalar" && typeof value.value === "number") {
      this.badName(sourceOf(value), value, "recipe");
      return "";
    }
    const name = this.text(entry, "recipe", "recipe: name");
    if (name !== undefined && !/^[a-z][a-z0-9_-]*$/.test(name)) {
      this.badName(name, value, "recipe");
    }
    return name ?? "";
  }

  #params(
    entry: LocatedEntry | undefined,
    astray: readonly LocatedEntry[],
  ): Map<string, ParamDeclaration> {
    const entries = [
      ...this.#mapEntries(entry, "params", "params: { name: { type: …, default: … } }"),
      ...astray,
    ];
    return new Map(entries.map((each) => [each.key.name, readParam(this, each)]));
  }

  #nodes(keys: MatchedKeys, root: LocatedMap): NodeDeclaration[] {
    const entry = keys.get("steps");
    const astray = entriesOf(keys).filter(looksLikeNode);
    if (entry === undefined) {
      this.error(
        "missing-key",
        'The recipe has no steps (the key "steps" is missing)',
        firstLetter(root),
        { help: 'Write "steps:" and below it the nodes, each as name: { use: topic.name }' },
      );
      return [];
    }
    const entries = this.#mapEntries(entry, "steps", "steps: { name: { use: topic.name } }");
    const isEmpty = isNothing(entry.value) ||
      (entry.value.type === "map" && entries.length === 0);
    if (isEmpty && astray.length === 0) {
      this.error("no-steps", 'The recipe has no steps ("steps" is empty)', entry.key);
    }
    this.#ids = new Set([...entries, ...astray].map(({ key }) => key.name));
    const nodes = this.#withStrays(entries).map((each) => {
      this.id(each.key, "node");
      return this.#node(each);
    });
    return [...nodes, ...[...astray, ...this.#nested].map((each) => this.#node(each))];
  }

  /** Nodes with the keys that stand behind them in place of inside them. */
  #withStrays(entries: readonly LocatedEntry[]): readonly LocatedEntry[] {
    const nodes: LocatedEntry[] = [];
    for (const entry of entries) {
      const before = nodes.at(-1);
      const { name } = entry.key;
      const isStray = nodeKeys.includes(name) && !looksLikeNode(entry) &&
        before?.value.type === "map" && member(before.value, name) === undefined;
      if (!isStray) {
        nodes.push(entry);
        continue;
      }
      this.error("unknown-key", `"${name}" stands where a node's name belongs`, entry.key, {
        help: `Indent it, so that it stands inside "${before.key.name}"`,
      });
      nodes[nodes.length - 1] = {
        key: before.key,
        value: { ...before.value, entries: [...before.value.entries, entry] },
      };
    }
    return nodes;
  }

  #node({ key, value }: LocatedEntry): NodeDeclaration {
    if (reservedIds.includes(key.name)) {
      const sentence = `"${key.name}" cannot name a node: a view of the catalogue has that name`;
      this.error("reserved-id", sentence, key);
    }
    const start = { id: key.name, idSpan: key.span };
    if (value.type !== "map") {
      const example = value.type === "scalar" && /^[\w./-]+$/.test(String(value.value ?? ""))
        ? `{ use: ${value.value}, from: … }`
        : "{ use: topic.name, from: …, with: { … } }";
      const found = describeLocated(value);
      this.error(
        "bad-node",
        `Node "${key.name}" is a map with the key "use", not ${found}`,
        value,
        {
          help: `Write it as ${example}`,
        },
      );
      this.#passedOver.push(value);
      return { ...start, isWithBroken: true, unknownKeys: [] };
    }
    const keys = matchKeys(this.#withDisplaced(value), nodeKeys, isPlausible);
    this.text(keys.get("about"), "about");
    const from = this.#from(keys.get("from"));
    const given = keys.get("with")?.value;
    const parameters = this.#with(given);
    this.#passOver(value, keys);
    this.#nested.push(...entriesOf(keys).filter(looksLikeNode));
    return {
      ...start,
      use: this.#use(keys, key),
      from,
      with: parameters,
      isWithBroken: given !== undefined && !isNothing(given) && parameters === undefined,
      unknownKeys: keys.unknown,
    };
  }

  /** The node with the keys beside `with` and `from` that stand inside them. */
  #withDisplaced(node: LocatedMap): LocatedMap {
    const moved: LocatedEntry[] = [];
    const isMoved = (entry: LocatedEntry) =>
      member(node, entry.key.name) === undefined && this.#isDisplaced(entry);
    const entries = node.entries.map((holder): LocatedEntry => {
      const { key, value } = holder;
      if (!["with", "from"].includes(key.name) || value.type !== "map") return holder;
      const [displaced, kept] = parted(value.entries, isMoved);
      if (displaced.length === 0) return holder;
      for (const entry of displaced) {
        const { name } = entry.key;
        this.error("unknown-key", `"${name}" stands inside "${key.name}"`, entry.key, {
          help: `Write it beside "${key.name}", as a key of the node`,
        });
      }
      moved.push(...displaced);
      return { key, value: { ...value, entries: kept } };
    });
    return moved.length === 0 ? node : { ...node, entries: [...entries, ...moved] };
  }

  /** Whether an entry can be nothing but a key of a node, whatever the step takes. */
  #isDisplaced({ key: { name }, value }: LocatedEntry): boolean {
    if (name === "with") return value.type === "map";
    const text = value.type === "scalar" && typeof value.value === "string" ? value.value : "";
    if (name === "use") return /^([a-z_]+\.[a-z_]+|\.{0,2}\/.+\.[a-z]+)$/.test(text);
    if (name !== "from") return false;
    const sources = value.type === "map" ? value.entries.map((entry) => entry.value) : [value];
    return sources.length > 0 &&
      sources.every((source) =>
        source.type === "scalar" && this.#ids.has(String(source.value).split(".")[0]!)
      );
  }

  #passOver(node: LocatedMap, keys: MatchedKeys) {
    this.#passedOver.push(...node.dropped);
    for (const { entry, meant } of keys.unknown) {
      if (meant === undefined) this.#passedOver.push(entry.value);
    }
  }

  #from(entry: LocatedEntry | undefined): FromDeclaration | undefined {
    if (entry === undefined) return undefined;
    if (entry.value.type === "map") this.#passedOver.push(...entry.value.dropped);
    return readFrom(this, entry, this.#ids);
  }

  #use(keys: MatchedKeys, key: LocatedKey): Name | undefined {
    const entry = keys.get("use");
    if (entry === undefined) {
      if (keys.unknown.some(({ entry }) => entry.key.name === "<<")) return undefined;
      this.error(
        "missing-step",
        `Node "${key.name}" does not say which step it uses (the key "use" is missing)`,
        key,
        { help: "Add use: topic.name, or use: ./step.ts for a step of your own" },
      );
      return undefined;
    }
    const text = this.text(
      entry,
      "use",
      "use: topic.name, or use: ./step.ts for a step of your own",
    );
    return text === undefined ? undefined : { text, span: entry.value.span };
  }

  #with(value: Located | undefined): LocatedMap | undefined {
    if (value === undefined || value.type === "map") return value;
    if (isNothing(value)) return undefined;
    const meant = value.type === "list" ? mapOfList(value) : undefined;
    this.error("bad-value", `"with" is a map of parameters, not ${describeLocated(value)}`, value, {
      help: meant === undefined ? "Write with: { name: value }" : "Remove the dashes",
    });
    return meant;
  }

  #mapEntries(
    entry: LocatedEntry | undefined,
    key: string,
    example: string,
  ): readonly LocatedEntry[] {
    if (entry === undefined || isNothing(entry.value)) return [];
    if (entry.value.type === "map") {
      this.#passedOver.push(...entry.value.dropped);
      return entry.value.entries;
    }
    const isList = entry.value.type === "list";
    const meant = entry.value.type === "list" ? mapOfList(entry.value) : undefined;
    this.error("bad-value", `"${key}" is a map, not ${describeLocated(entry.value)}`, entry.value, {
      help: meant === undefined
        ? `${isList ? "Write names in place of the dashes: " : "Write "}${example}`
        : "Remove the dashes",
    });
    return meant?.entries ?? [];
  }
}

/** Keys among which one that holds nodes, or declarations, stands for the part that is not there. */
function withParts(keys: MatchedKeys): MatchedKeys {
  const found = new Map<LocatedEntry, string>();
  for (const [part, isOne] of [["steps", looksLikeNode], ["params", looksLikeParam]] as const) {
    const entry = entriesOf(keys).find(({ value }) =>
      value.type === "map" && value.entries.length > 0 && value.entries.every(isOne)
    );
    if (keys.get(part) === undefined && entry !== undefined) found.set(entry, part);
  }
  if (found.size === 0) return keys;
  return {
    get: (name) => keys.get(name) ?? [...found].find(([, part]) => part === name)?.[0],
    unknown: keys.unknown.map(({ entry, meant }) => ({ entry, meant: meant ?? found.get(entry) })),
  };
}

/** The entries of unknown keys that stand for no other. */
function entriesOf({ unknown }: MatchedKeys): readonly LocatedEntry[] {
  return unknown.filter(({ meant }) => meant === undefined).map(({ entry }) => entry);
}

function parted<Each>(all: readonly Each[], isFirst: (each: Each) => boolean): [Each[], Each[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}

/** Whether an entry would be a node, if it stood in its place. */
export function looksLikeNode({ key, value }: LocatedEntry): boolean {
  return key.name !== "<<" && value.type === "map" && member(value, "use") !== undefined;
}

function looksLikeParam({ value }: LocatedEntry): boolean {
  return value.type === "map" && member(value, "use") === undefined &&
    (member(value, "type") !== undefined || member(value, "default") !== undefined);
}

function holdsParams(value: Located): boolean {
  return value.type === "map" && value.entries.some(looksLikeParam);
}

/** Whether a misspelt key's value can be that of the key it is near to. */
export function isPlausible(name: string, value: Located): boolean {
  const isText = value.type === "scalar" && typeof value.value === "string";
  if (name === "with") return value.type === "map" || isNothing(value);
  return name === "from" ? value.type !== "scalar" || isText : isText;
}

function isNothing(value: Located): boolean {
  return value.type === "scalar" && value.value === null;
}

function firstLetter({ span }: LocatedMap): Span {
  return { ...span, end: span.start + 1 };
}
