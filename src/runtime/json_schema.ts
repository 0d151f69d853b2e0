/** The part of JSON Schema that zod gives for parameters. */
export interface JsonSchema {
  readonly [key: string]: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

/** The forms that a value can have: the parts of a union, or the schema itself. */
export function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  return parts === undefined ? [schema] : parts.flatMap(alternatives);
}

/** The schemas of an element or a member, of all forms that have one. */
export function childSchemas(
  schemas: readonly JsonSchema[],
  part: string | number,
): readonly JsonSchema[] {
  return schemas.flatMap(alternatives).flatMap((schema): readonly JsonSchema[] => {
    const child = childOf(schema, part);
    return child === undefined ? [] : [child];
  });
}

function childOf(schema: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === "number") {
    return schema.prefixItems?.[part] ?? (isSchema(schema.items) ? schema.items : undefined);
  }
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, part)) return properties[part];
  return isSchema(additionalProperties) ? additionalProperties : undefined;
}

function isSchema(value: JsonSchema | boolean | undefined): value is JsonSchema {
  return typeof value === "object";
}

/** The values that a schema allows one by one: a choice, or the names of a union's forms. */
export function choicesOf(schemas: readonly JsonSchema[]): readonly unknown[] {
  return schemas.flatMap(alternatives).flatMap((schema) =>
    schema.enum ?? (schema.const === undefined ? [] : [schema.const])
  );
}

/** The JSON types that a schema allows: of each form, without what choices allow. */
export function typesOf(schemas: readonly JsonSchema[]): readonly string[] {
  return schemas.flatMap(alternatives).flatMap((schema) => schema.type ?? []);
}
