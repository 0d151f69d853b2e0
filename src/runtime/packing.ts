/**
 * A message as bytes: JSON, and beside it the binary values in it, which it names by number.
 *
 * JSON rather than the format of `node:v8`, since what a step file's process sends is made by whoever
 * wrote the step: how much memory JSON takes can be told from its length before it is read, it names no
 * object of this process, and its reader is used to strangers.
 */
export interface Packed {
  readonly json: Uint8Array<ArrayBuffer>;
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** A value that no message can hold, or bytes that hold none. */
export class PackProblem extends Error {
  override readonly name = "PackProblem";
}

/** Values in values. */
const deepest = 200;

/**
 * Maps and lists in a message from a step file's process. A map of one key takes 8 bytes of JSON and, where
 * each has a key of its own, about 400 of memory (measured with V8 15): so 400 MB at most.
 */
const mostContainers = 1_000_000;

/** Digits of a large number; reading more takes time that grows with their square. */
const mostDigits = 1_000;

/** What has no JSON of its own is a map of this key, which names the sort, and "is", the value. */
const sortKey = "$";

const binarySorts = {
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
} as const;

/**
 * Packs what `structuredClone` would copy, besides errors, patterns and what refers to itself. `copies`
 * gives parts of their own memory, which may be handed on. Throws `PackProblem`.
 */
export function pack(value: unknown, options: { readonly copies?: boolean } = {}): Packed {
  const packer = new Packer(options.copies ?? false);
  const json = JSON.stringify(packer.plain(value, 0));
  return { json: new TextEncoder().encode(json), parts: packer.parts };
}

/** Throws `PackProblem` for bytes that `pack` does not make, and for too many values (`isTrusted` has no limit). */
export function unpack({ json, parts }: Packed, { isTrusted = false } = {}): unknown {
  if (!isTrusted) assertFewContainers(json);
  const text = new TextDecoder().decode(json);
  try {
    return revived(JSON.parse(text), parts, 0);
  } catch (error) {
    if (error instanceof PackProblem) throw error;
    throw new PackProblem("it is no message");
  }
}

/** Hands a packed message on to another thread; where it has no parts, which is quicker, by a copy. */
export function post(port: Pick<MessagePort, "postMessage">, packed: Packed): void {
  const { json, parts } = packed;
  if (parts.length === 0) return port.postMessage(json);
  port.postMessage(packed, [json, ...parts].map(({ buffer }) => buffer));
}

/** What `post` handed on. */
export function posted(message: Packed | Packed["json"]): Packed {
  return message instanceof Uint8Array ? { json: message, parts: [] } : message;
}

class Packer {
  readonly parts: Uint8Array<ArrayBuffer>[] = [];

  constructor(readonly copies: boolean) {}

  plain(value: unknown, depth: number): unknown {
    if (depth > deepest) throw new PackProblem(`it is nested deeper than ${deepest} times`);
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return of("number", Object.is(value, -0) ? "-0" : String(value));
      case "undefined":
        return of("undefined", null);
      case "bigint":
        return of("bigint", String(value));
      case "object":
        return value === null ? null : this.#object(value, depth + 1);
      default:
        throw new PackProblem(`it has a ${typeof value} in it`);
    }
  }

  #object(value: object, depth: number): unknown {
    const all = (list: Iterable<unknown>) => Array.from(list, (each) => this.plain(each, depth));
    if (Array.isArray(value)) return all(value);
    if (ArrayBuffer.isView(value)) return this.#binary(value);
    if (value instanceof ArrayBuffer) return of("ArrayBuffer", this.#part(new Uint8Array(value)));
    if (value instanceof Map) {
      return of("Map", Array.from(value, ([key, each]) => all([key, each])));
    }
    if (value instanceof Set) return of("Set", all(value));
    if (value instanceof Date) return of("Date", this.plain(value.getTime(), depth));
    const plain: Record<string, unknown> = Object.create(null);
    for (const [name, each] of Object.entries(value)) plain[name] = this.plain(each, depth);
    return sortKey in plain ? of("Object", plain) : plain;
  }

  #binary(value: ArrayBufferView): unknown {
    const sort = Object.keys(binarySorts).find((name) =>
      Object.prototype.toString.call(value) === `[object ${name}]`
    );
    if (sort === undefined) throw new PackProblem("it has bytes of an unknown sort in it");
    const { buffer, byteOffset, byteLength } = value;
    return of(sort, this.#part(new Uint8Array(buffer, byteOffset, byteLength)));
  }

  #part(bytes: Uint8Array): number {
    // What other threads may write to cannot be handed on.
    const isOwn = bytes.buffer instanceof ArrayBuffer;
    const part = this.copies || !isOwn ? new Uint8Array(bytes) : bytes;
    return this.parts.push(part as Uint8Array<ArrayBuffer>) - 1;
  }
}

function of(sort: string, is: unknown) {
  return { [sortKey]: sort, is };
}

/** The value in place, so that what JSON said itself is not made twice. */
function revived(value: unknown, parts: Packed["parts"], depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > 3 * deepest) throw new PackProblem("it is nested too deeply");
  const isOfSort = !Array.isArray(value) && Object.hasOwn(value, sortKey);
  if (isOfSort) return ofSort(value as Record<string, unknown>, parts, depth + 1);
  return withRevived(value, parts, depth + 1);
}

function withRevived<Value extends object>(
  value: Value,
  parts: Packed["parts"],
  depth: number,
): Value {
  const fields = value as Record<string, unknown>;
  for (const name of Object.keys(fields)) {
    const before = fields[name];
    if (typeof before !== "object" || before === null) continue;
    const after = revived(before, parts, depth);
    if (after !== before) fields[name] = after;
  }
  return value;
}

function ofSort(value: Record<string, unknown>, parts: Packed["parts"], depth: number): unknown {
  const { [sortKey]: sort, is } = value;
  switch (sort) {
    case "undefined":
      return undefined;
    case "number":
      return Number(text(is));
    case "bigint":
      return BigInt(text(is));
    case "Date":
      return new Date(revived(is, parts, depth) as number);
    case "Object":
      return withRevived(container(is, false), parts, depth);
    case "Set":
      return new Set(withRevived(container(is, true), parts, depth));
    case "Map":
      return new Map(
        container(is, true).map((pair) =>
          withRevived(container(pair, true), parts, depth) as [unknown, unknown]
        ),
      );
  }
  return ofBytes(String(sort), is, parts);
}

function ofBytes(sort: string, is: unknown, parts: Packed["parts"]): unknown {
  const part = typeof is === "number" ? parts[is] : undefined;
  if (part === undefined) throw new PackProblem("it names bytes that did not come");
  const { buffer, byteOffset, byteLength } = part;
  if (sort === "ArrayBuffer") return part.slice().buffer;
  if (!Object.hasOwn(binarySorts, sort)) throw new PackProblem("it is of an unknown sort");
  const View = binarySorts[sort as keyof typeof binarySorts];
  return new View(buffer, byteOffset, byteLength / View.BYTES_PER_ELEMENT);
}

function container<const IsList extends boolean>(is: unknown, isList: IsList) {
  const isOne = typeof is === "object" && is !== null && Array.isArray(is) === isList;
  if (isOne) return is as IsList extends true ? unknown[] : Record<string, unknown>;
  throw new PackProblem("it is no message");
}

function text(is: unknown): string {
  if (typeof is === "string" && is.length <= mostDigits) return is;
  throw new PackProblem("it has a number that cannot be read");
}

/** Brackets in texts count too: no message that a step means to send has so many. */
function assertFewContainers(json: Uint8Array) {
  if (json.length < 2 * mostContainers) return;
  let count = 0;
  for (const byte of json) if (byte === 0x5b || byte === 0x7b) count++;
  if (count <= mostContainers) return;
  throw new PackProblem(`it has more than ${mostContainers.toLocaleString("en")} values`);
}
