import { z } from "zod";
import { canonicalJson, type ContentHash, type Json } from "./hash.ts";

/** Small known things about an artifact, kept with its reference so that nobody opens it for them. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** Where an artifact is by content: what travels between steps, in the cache and in the journal. */
export interface ArtifactRef {
  readonly kind: string;
  readonly hash: ContentHash;
  readonly byteLength: number;
  readonly facts?: Facts;
}

/** The bytes of an artifact; reading checks them against the hash. */
export interface Blob {
  readonly hash: ContentHash;
  readonly byteLength: number;
  bytes(): Promise<Uint8Array>;
}

/** An artifact that a step was given: known by reference, opened when read. */
export interface Handle<Value = unknown> {
  readonly ref: ArtifactRef;
  /** Opens it, once: further reads, by this step or another, give the same object. */
  read(): Promise<Value>;
  /** Its bytes as stored. */
  bytes(): Promise<Uint8Array>;
  /** Where this process wrote them as a file of their own, if it did: to be copied, never changed. */
  writtenFile?(): string | undefined;
}

/** A column type of DuckDB. */
export type SqlType = "VARCHAR" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "JSON";

export interface Column {
  readonly name: string;
  readonly type: SqlType;
}

/** What becomes of a made value: its bytes, and the facts to keep beside the reference. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly facts?: Facts;
}

/** What a first look at a file from outside says: facts, and what is odd but bearable. */
export interface Identified {
  readonly facts: Facts;
  readonly warnings: readonly string[];
}

/**
 * A kind of artifact: how it is written, opened, and shown in a table.
 *
 * `Value` is what a step reads from a handle, `Made` what a step returns to make one.
 */
export interface Kind<Name extends string = string, Value = unknown, Made = Value> {
  readonly name: Name;
  readonly doc: string;
  /** Method syntax on purpose: a port of any kind can be held as `Kind`. */
  encode(made: Made): Encoded;
  open(blob: Blob): Value | Promise<Value>;
  /** Frees what an opened value holds in memory (pixels); it can be read again afterwards. */
  release?(value: Value): void;
  /** Lets go of what its values share, such as workers that decode them: a run has ended. */
  rest?(): Promise<void>;
  /** A first look at a file that enters from outside; throws `Rejection` when it is unusable. */
  identify?(value: Value): Promise<Identified>;
  /** The tools whose version can change what `identify` says. */
  identifyTools?(): Promise<Readonly<Record<string, string>>>;
  /** How its values are opened in the worker of a user's step; like here, when left out. */
  readonly afar?: Afar<Value>;
  /** The columns that a table of this kind has, besides hash and size. */
  readonly columns: readonly Column[];
  /** The row is in the bytes (JSON) rather than in the facts. */
  readonly isRow: boolean;
}

/** A kind whose values need what a worker without permissions does not have, such as native code. */
export interface Afar<Value> {
  /** Opens a value in the worker. `ask` is answered by the value that is open here. */
  open(blob: Blob, ask: (question: unknown) => Promise<unknown>): Value;
  /** Answers a question: the words of code that may be hostile. Buffers in the answer are copied. */
  answer(value: Value, question: unknown): Promise<unknown>;
}

export type ValueOf<K> = K extends Kind<string, infer Value, infer _> ? Value : never;
export type MadeOf<K> = K extends Kind<string, infer _, infer Made> ? Made : never;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * A kind whose values are JSON objects of one shape; each property is a column of its tables, except
 * those that are `hidden`, being too large for what anybody would ask a table.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { rowKind, z } from "tintype";
 *
 * const fingerprint = rowKind("fingerprint", "hashes of a picture", z.object({ dhash: z.string() }));
 * assert.deepEqual(fingerprint.columns, [{ name: "dhash", type: "VARCHAR" }]);
 * ```
 */
export function rowKind<Name extends string, Shape extends z.ZodObject>(
  name: Name,
  doc: string,
  shape: Shape,
  { hidden = [] }: { readonly hidden?: readonly (keyof z.output<Shape>)[] } = {},
): Kind<Name, z.output<Shape>, z.input<Shape>> {
  return {
    name,
    doc,
    isRow: true,
    columns: columnsOf(shape).filter((column) => !hidden.includes(column.name)),
    encode: (made) => ({ bytes: encoder.encode(canonicalJson(shape.parse(made) as Json)) }),
    open: async (blob) => JSON.parse(decoder.decode(await blob.bytes())) as z.output<Shape>,
  };
}

/** A kind whose values are any JSON: one `value` column. */
export function jsonKind<Name extends string, Value extends Json>(
  name: Name,
  doc: string,
): Kind<Name, Value> {
  return {
    name,
    doc,
    isRow: false,
    columns: [],
    encode: (made) => ({ bytes: encoder.encode(canonicalJson(made)) }),
    open: async (blob) => JSON.parse(decoder.decode(await blob.bytes())) as Value,
  };
}

/** Tables and journals show so many characters of a text. */
const shownCharacters = 2000;

/** UTF-8 text without a byte order mark. */
export const text: Kind<"text", string> = {
  name: "text",
  doc: "UTF-8 text",
  isRow: false,
  columns: [{ name: "text", type: "VARCHAR" }],
  encode: (made) => ({
    bytes: encoder.encode(made),
    facts: { text: made.slice(0, shownCharacters) },
  }),
  open: async (blob) => decoder.decode(await blob.bytes()),
};

/** The columns of a zod object: integers BIGINT, numbers DOUBLE, nested values JSON. */
function columnsOf(shape: z.ZodObject): Column[] {
  const schema = z.toJSONSchema(shape, { io: "output", unrepresentable: "any" });
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    type: sqlTypeOf(property as JsonSchemaType),
  }));
}

interface JsonSchemaType {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchemaType[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

function sqlTypeOf(schema: JsonSchemaType): SqlType {
  const types = schema.anyOf !== undefined
    ? schema.anyOf.filter((option) => option.type !== "null").map(sqlTypeOf)
    : [schema.type].flat().filter((type) => type !== "null").map(sqlTypeOfName);
  return types.length === 1 ? types[0]! : "JSON";
}

function sqlTypeOfName(type: string | undefined): SqlType {
  if (type === "integer") return "BIGINT";
  if (type === "number") return "DOUBLE";
  if (type === "boolean") return "BOOLEAN";
  return type === "string" ? "VARCHAR" : "JSON";
}
