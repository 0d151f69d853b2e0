import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ContentHash } from "./hash.ts";

/** What became of an item at a table's ports; of everything, where `item` is null. */
export interface HashRow {
  readonly item: string | null;
  readonly status: string;
  /** By port; null where there is nothing. */
  readonly hashes: readonly (ContentHash | null)[];
  /** Why there is nothing. */
  readonly reason?: string;
}

interface ListedTable {
  readonly node: string;
  readonly name: string;
  readonly ports: readonly { readonly name: string }[];
}

/** The hashes of a table's rows, as `tables/<table>.hashes` has them. */
export interface HashList {
  readonly node: string;
  readonly ports: readonly string[];
  /** By item, in the order of the table; a single row is under null. */
  readonly rows: ReadonlyMap<string | null, HashRow>;
}

type RowText =
  | [string | null, string, readonly (ContentHash | null)[]]
  | [string | null, string, readonly (ContentHash | null)[], string];

export function hashListPath(tables: string, table: string): string {
  return join(tables, `${table}.hashes`);
}

/** A file of a table that is being written has a name that begins with a dot and ends so. */
export const sealingEnd = ".sealing";

const chunkLength = 1 << 20;

/**
 * Writes the hashes of a table's rows, one JSON array a line: item, status, a hash for each port, and
 * the reason where there is one. The first line names the node and the ports. It is what a run can be
 * compared by when the cache has forgotten it, or a forced task has made something else since.
 */
export function writeHashList(
  path: string,
  { node, name, ports }: ListedTable,
  rows: Iterable<HashRow>,
): void {
  const temporary = join(dirname(path), `.${name}.hashes${sealingEnd}`);
  const head = { node, ports: ports.map((port) => port.name) };
  try {
    writeLines(temporary, JSON.stringify(head), rows);
    Deno.renameSync(temporary, path);
  } catch (error) {
    if (existsSync(temporary)) Deno.removeSync(temporary);
    throw error;
  }
}

function writeLines(path: string, head: string, rows: Iterable<HashRow>) {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  let chunk = `${head}\n`;
  for (const row of rows) {
    chunk += `${lineOf(row)}\n`;
    if (chunk.length < chunkLength) continue;
    writeAll(file, chunk);
    chunk = "";
  }
  writeAll(file, chunk);
}

function lineOf({ item, status, reason, hashes }: HashRow): string {
  const parts: RowText = reason === undefined
    ? [item, status, hashes]
    : [item, status, hashes, reason];
  return JSON.stringify(parts);
}

function writeAll(file: Deno.FsFile, text: string) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** The hashes of a table; undefined where a run has not kept them. */
export function readHashList(tables: string, table: string): HashList | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(hashListPath(tables, table));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const [head, ...lines] = text.split("\n");
  const { node, ports } = JSON.parse(head!) as Pick<HashList, "node" | "ports">;
  const rows = new Map<string | null, HashRow>();
  for (const line of lines) {
    if (line === "") continue;
    const [item, status, hashes, reason] = JSON.parse(line) as RowText;
    rows.set(item, { item, status, hashes, reason });
  }
  return { node, ports, rows };
}
