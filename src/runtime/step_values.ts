import { alternatives, childSchemas, choicesOf, type JsonSchema } from "./json_schema.ts";
import type { Located, LocatedEntry, LocatedMap } from "./located.ts";
import { matchKeys } from "./reader.ts";

/** A key that a step does not take, in \`with\` or in a map somewhere below it. */
export interface UnexpectedKey {
  readonly entry: LocatedEntry;
  /** The keys and indices that lead to its map. */
  readonly path: readonly (string | number)[];
  /** The keys that its map can have. */
  readonly known: readonly string[];
  readonly schemas: readonly JsonSchema[];
}

/**
 * Values with the keys that a schema knows: misspelt ones under the name that was meant, others left
 * out, both kept as unexpected. So a slip in a key hides nothing that is wrong with its value.
 */
export function withKnownKeys(
  located: Located,
  schemas: readonly JsonSchema[],
  unexpected: UnexpectedKey[],
  path: readonly (string | number)[] = [],
): Located {
  if (located.type === "scalar") return located;
  if (located.type === "list") {
    const elements = located.elements.map((element, index) =>
      withKnownKeys(element, childSchemas(schemas, index), unexpected, [...path, index])
    );
    return { ...located, elements };
  }
  const forms = formsOf(located, schemas);
  const known = knownKeys(forms);
  if (known === undefined) {
    return withKnownMembers(located, located.entries, forms, unexpected, path);
  }
  const { unknown, get } = matchKeys(located, known);
  for (const { entry } of unknown) unexpected.push({ entry, path, known, schemas: forms });
  const entries = known.flatMap((name): LocatedEntry[] => {
    const entry = get(name);
    return entry === undefined ? [] : [{ key: { ...entry.key, name }, value: entry.value }];
  });
  return withKnownMembers(located, entries, forms, unexpected, path);
}

function withKnownMembers(
  map: LocatedMap,
  entries: readonly LocatedEntry[],
  forms: readonly JsonSchema[],
  unexpected: UnexpectedKey[],
  path: readonly (string | number)[],
): LocatedMap {
  return {
    ...map,
    entries: entries.map(({ key, value }) => ({
      key,
      value: withKnownKeys(value, childSchemas(forms, key.name), unexpected, [...path, key.name]),
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
