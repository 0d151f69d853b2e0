import { crc32 } from "node:zlib";
import type { ArtifactRef, Facts } from "./artifact.ts";
import type { ContentHash, Json } from "./hash.ts";

/** What a member of a collection got from an `all` step. */
export type StoredMember =
  | ArtifactRef
  | { readonly rejected: string; readonly numbers?: Readonly<Record<string, number>> }
  | null;

/** An item that a step gave birth to. */
export interface StoredBirth {
  readonly name: string;
  readonly ref: ArtifactRef;
}

export type StoredOutput =
  | { readonly one: ArtifactRef }
  | { readonly members: readonly StoredMember[] }
  | { readonly born: readonly StoredBirth[] };

/** A result as the cache keeps it. Failures are never kept. */
export interface StoredResult {
  readonly status: "produced" | "rejected";
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly reason?: string;
  readonly numbers?: Readonly<Record<string, number>>;
  readonly warnings?: readonly string[];
  readonly summary?: readonly string[];
}

type RefText = [string, string, number] | [string, string, number, Facts];

/**
 * A result as the cache's file has it. References are written as arrays: a large run holds hundreds of
 * thousands of them. The last member, `c`, is the CRC-32 of the text before it.
 */
export function writeResult(result: StoredResult): string {
  const outputs = Object.entries(result.outputs).map((
    [port, output],
  ) => [port, writeOutput(output)]);
  const { status, reason, numbers, warnings, summary } = result;
  const text = JSON.stringify({
    s: status === "produced" ? 1 : 0,
    o: Object.fromEntries(outputs) as Record<string, Json>,
    r: reason,
    n: numbers,
    w: warnings?.length ? warnings : undefined,
    t: summary?.length ? summary : undefined,
  }).slice(0, -1);
  return `${text},"c":"${checksumOf(text)}"}`;
}

/** Eight hexadecimal digits: a CRC-32 finds every change of up to 32 bits in a row. */
function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

const checksumPattern = /^,"c":"([0-9a-f]{8})"\}$/;
const checksumForm = ',"c":"........"}';

/**
 * Whether a stored text is as it was written. Of one from before there were checksums all that can be
 * asked is whether it can be read.
 */
export function isResultWhole(text: string): boolean {
  const end = text.slice(-checksumForm.length);
  const found = checksumPattern.exec(end);
  if (found !== null) return checksumOf(text.slice(0, -end.length)) === found[1];
  const different = [...checksumForm].filter((each, at) => each !== "." && each !== end[at]);
  // One letter from the form: it had a checksum, and this letter is what was damaged.
  return different.length > 1 && isReadable(text);
}

function isReadable(text: string): boolean {
  try {
    parseResult(text);
    return true;
  } catch {
    return false;
  }
}

function writeOutput(output: StoredOutput): unknown {
  if ("one" in output) return writeRef(output.one);
  if ("born" in output) return { b: output.born.map((birth) => [birth.name, writeRef(birth.ref)]) };
  return {
    m: output.members.map((member) =>
      member === null ? null : "rejected" in member ? member : writeRef(member)
    ),
  };
}

function writeRef(ref: ArtifactRef): RefText {
  return ref.facts === undefined
    ? [ref.kind, ref.hash, ref.byteLength]
    : [ref.kind, ref.hash, ref.byteLength, ref.facts];
}

function readRef([kind, hash, byteLength, facts]: RefText): ArtifactRef {
  return { kind, hash: hash as ContentHash, byteLength, facts };
}

interface ResultText {
  readonly s: 0 | 1;
  readonly o: Readonly<Record<string, RefText | { b?: [string, RefText][]; m?: unknown[] }>>;
  readonly r?: string;
  readonly n?: Record<string, number>;
  readonly w?: string[];
  readonly t?: string[];
}

/** Reads what `writeResult` wrote. Throws where it is no JSON. */
export function parseResult(text: string): StoredResult {
  return readResult(JSON.parse(text));
}

/** Reads what `writeResult` wrote, parsed as JSON already. */
export function readResult(parsed: unknown): StoredResult {
  const { s, o, r, n, w, t } = parsed as ResultText;
  const outputs: Record<string, StoredOutput> = {};
  for (const port in o) outputs[port] = readOutput(o[port]!);
  const status = s === 1 ? "produced" : "rejected";
  return { status, outputs, reason: r, numbers: n, warnings: w, summary: t };
}

function readOutput(output: RefText | { b?: [string, RefText][]; m?: unknown[] }): StoredOutput {
  if (Array.isArray(output)) return { one: readRef(output) };
  if (output.b !== undefined) {
    return { born: output.b.map(([name, ref]) => ({ name, ref: readRef(ref) })) };
  }
  return {
    members: (output.m ?? []).map((member) =>
      Array.isArray(member) ? readRef(member as RefText) : member as StoredMember
    ),
  };
}
