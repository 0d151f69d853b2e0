import { listWithoutBrackets } from "./bare_keys.ts";
import { alternatives, childSchemas, choicesOf, type JsonSchema, typesOf } from "./json_schema.ts";
import type { Located, LocatedEntry, LocatedMap } from "./located.ts";
import { matchKeys } from "./reader.ts";
import type { Span } from "./source.ts";

/** A key that a step does not take, in \`with\` or in a map somewhere below it. */
export interface UnexpectedKey {
  readonly entry: LocatedEntry;
  /** The keys and indices that lead to its map. */
  readonly path: readonly (string | number)[];
  /** The keys that its map can have. */
  readonly known: readonly string[];
  readonly schemas: readonly JsonSchema[];
  /** The text whose comma made it a key. */
  readonly around?: string;
}

/** A list without its brackets, the rest of which became keys: `{ labels: cat, dog }`. */
export interface UnbracketedList {
  readonly path: readonly (string | number)[];
  readonly span: Span;
  readonly schemas: readonly JsonSchema[];
}

/** What is not in its place in a step's values. */
export interface Misplaced {
  readonly keys: UnexpectedKey[];
  readonly lists: UnbracketedList[];
}

/**
 * Values with the keys that a schema knows: misspelt ones under the name that was meant, others left
 * out, both kept as misplaced. So a slip in a key hides nothing that is wrong with its value.
 */
export function withKnownKeys(
  located: Located,
  schemas: readonly JsonSchema[],
  misplaced: Misplaced,
  path: readonly (string | number)[] = [],
): Located {
  if (located.type === "scalar") return located;
  if (located.type === "list") {
    const elements = located.elements.map((element, index) =>
      withKnownKeys(element, childSchemas(schemas, index), misplaced, [...path, index])
    );
    return { ...located, elements };
  }
  const forms = formsOf(located, schemas);
  const known = knownKeys(forms);
  if (known === undefined) {
    return withKnownMembers(located, located.entries, forms, misplaced, path);
  }
  const { unknown, get } = matchKeys(withLists(located, forms, known, misplaced, path), known);
  for (const { entry, around } of unknown) {
    misplaced.keys.push({ entry, path, known, schemas: forms, around });
  }
  const entries = known.flatMap((name): LocatedEntry[] => {
    const entry = get(name);
    return entry === undefined ? [] : [{ key: { ...entry.key, name }, value: entry.value }];
  });
  return withKnownMembers(located, entries, forms, misplaced, path);
}

/** A map with the lists that have no brackets, where a list is wanted and nothing else. */
function withLists(
  map: LocatedMap,
  forms: readonly JsonSchema[],
  known: readonly string[],
  misplaced: Misplaced,
  path: readonly (string | number)[],
): LocatedMap {
  const taken = new Set<number>();
  const entries = map.entries.map((entry): LocatedEntry => {
    const { name } = entry.key;
    const schemas = childSchemas(forms, name);
    if (typesOf(schemas).join() !== "array") return entry;
    const list = listWithoutBrackets(map, entry, known);
    if (list === undefined) return entry;
    const { elements, span } = list;
    for (const element of elements) taken.add(element.span.start);
    misplaced.lists.push({ path: [...path, name], span, schemas });
    return { key: entry.key, value: { ...entry.value, type: "list", span, elements } };
  });
  return { ...map, entries: entries.filter(({ key }) => !taken.has(key.span.start)) };
}

function withKnownMembers(
  map: LocatedMap,
  entries: readonly LocatedEntry[],
  forms: readonly JsonSchema[],
  misplaced: Misplaced,
  path: readonly (string | number)[],
): LocatedMap {
  return {
    ...map,
    entries: entries.map(({ key, value }) => ({
      key,
      value: withKnownKeys(value, childSchemas(forms, key.name), misplaced, [...path, key.name]),
    })),
  };
}

/** The keys that a map of one of these forms can have; undefined where any will do. */
function knownKeys(forms: readonly JsonSchema[]): readonly string[] | undefined {
  const isClosed = forms.length > 0 &&
    forms.every(({ properties, additionalProperties }) =>
      properties !== undefined && (additionalProperties ?? false) === false
    );
  return isClosed
    ? [...new Set(forms.flatMap(({ properties }) => Object.keys(properties ?? {})))]
    : undefined;
}

/** The forms of a union that a map can be meant as: by its fixed members, else by its keys. */
function formsOf(map: LocatedMap, schemas: readonly JsonSchema[]): readonly JsonSchema[] {
  const forms = schemas.flatMap(alternatives).filter((schema) =>
    schema.type === "object" || schema.properties !== undefined
  );
  if (forms.length < 2) return forms;
  const named = forms.filter((form) => hasFixedMembers(map, form));
  return named.length > 0 ? named : forms;
}

function hasFixedMembers(map: LocatedMap, { properties = {} }: JsonSchema): boolean {
  return Object.entries(properties).every(([name, schema]) => {
    const choices = choicesOf([schema]);
    const written = map.entries.find(({ key }) => key.name === name)?.value;
    if (choices.length === 0 || written === undefined) return true;
    return written.type === "scalar" && choices.includes(written.value);
  });
}
