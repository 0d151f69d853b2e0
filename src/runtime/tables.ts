import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { ArtifactRef, Column, Kind } from "./artifact.ts";
import type { Disk } from "./disk.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import { hashListPath, type HashRow, sealingEnd, writeHashList } from "./hash_list.ts";
import { loadModule } from "./load_module.ts";

/** One Parquet file of a run: the outputs of a node that share their rows. */
export interface TableDefinition {
  readonly name: string;
  readonly node: string;
  readonly ports: readonly TablePort[];
}

export interface TablePort {
  readonly name: string;
  readonly kind: Kind;
  /** Before the port's column names, where a table has several ports. */
  readonly prefix: string;
}

/** What a node made of one item, or of everything when `item` is null. */
export interface TableRow {
  readonly item: string | null;
  readonly status: string;
  readonly reason?: string;
  /** By port of the definition. */
  readonly refs: readonly (ArtifactRef | undefined)[];
}

/** A table's rows, which are read several times; whole ones only where the table is not what it was. */
export interface RowsToSeal {
  rows(): Iterable<TableRow>;
  hashRows(): Iterable<HashRow>;
}

/** Columns that every table has in front. */
export const commonColumns: readonly Column[] = [
  { name: "item", type: "VARCHAR" },
  { name: "status", type: "VARCHAR" },
  { name: "reason", type: "VARCHAR" },
];

/**
 * The tables of a node: `<node>` with the outputs an item has (or, where there are none, its first
 * single value), and `<node>_<port>` for each output with rows of its own.
 */
export function tablesOf(node: GraphNode): TableDefinition[] {
  const ports = outputPorts(node.step);
  const perItem = ports.filter(([, port]) => port.flow === "each");
  const others = ports.filter(([, port]) => port.flow !== "each");
  const groups = [...perItem.length > 0 ? [perItem] : [], ...others.map((port) => [port])];
  return groups.map((group, index) => ({
    name: index === 0 ? node.id : `${node.id}_${group[0]![0]}`,
    node: node.id,
    ports: group.map(([name, port]) => ({
      name,
      kind: port.kind,
      prefix: group.length > 1 ? `${name}_` : "",
    })),
  }));
}

/** All columns of a table, in order. */
export function columnsOfTable(definition: TableDefinition): Column[] {
  return [...commonColumns, ...definition.ports.flatMap(portColumns)];
}

function portColumns({ kind, prefix }: TablePort): Column[] {
  const own = kind.columns.map((column) => ({ ...column, name: prefix + column.name }));
  if (kind.isRow) return own;
  return [
    ...own,
    { name: `${prefix}hash`, type: "VARCHAR" },
    { name: `${prefix}bytes`, type: "BIGINT" },
  ];
}

/** Opens a row artifact; undefined where it is gone. */
export type ReadRow = (ref: ArtifactRef) => Readonly<Record<string, unknown>> | undefined;

/** A `TABLE (…)` column list as `read_json` takes it. */
export function jsonColumns(columns: readonly Column[]): string {
  return `{${
    columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`).join(", ")
  }}`;
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The digests of a finished run's tables: equal digests mean equal files. */
export interface PreviousTables {
  readonly folder: string;
  readonly digests: Readonly<Record<string, string>>;
}

const liveFlushRows = 200;
const liveFlushMs = 250;

/** With so many rows there, all cores are busy with pictures, and the main thread has time to load things. */
const busyRows = 16;

type Parquet = typeof import("./parquet.ts");

/**
 * Writes a run's tables. While a node is at work its rows go to `<table>.jsonl`, in the order in
 * which they come; when it is done, `<table>.parquet` takes its place, in the order of the items. A
 * table that is what it was in the run before is linked, not written.
 */
export class TableWriter {
  readonly #live = new Map<string, LiveTable>();
  readonly #digests: Record<string, string> = {};
  /** What writes the final form. */
  #parquet: Promise<Parquet> | undefined;
  #added = 0;

  constructor(
    readonly folder: string,
    readonly previous: PreviousTables | undefined,
    readonly readRow: ReadRow,
  ) {
    Deno.mkdirSync(folder, { recursive: true });
  }

  /** Adds a row that others may read before the table is sealed. */
  add(definition: TableDefinition, row: TableRow): void {
    let live = this.#live.get(definition.name);
    if (live === undefined) {
      live = new LiveTable(join(this.folder, `${definition.name}.jsonl`));
      this.#live.set(definition.name, live);
      this.#saveDefinition(definition);
    }
    live.add(JSON.stringify(this.#record(definition, row)));
    if (++this.#added === busyRows) void this.#loadParquet();
  }

  /** Writes a table in its final form. */
  async seal(definition: TableDefinition, { rows, hashRows }: RowsToSeal): Promise<void> {
    const { name } = definition;
    const digest = digestOf(definition, hashRows());
    const target = join(this.folder, `${name}.parquet`);
    if (!this.#link(name, digest, target)) await this.#write(definition, rows(), target);
    const list = hashListPath(this.folder, name);
    if (!this.#link(name, digest, list)) writeHashList(list, definition, hashRows());
    this.#digests[name] = digest;
    this.#saveDefinition(definition);
    this.#live.get(name)?.remove();
    this.#live.delete(name);
  }

  /** Lets go of tables that were not sealed, of a run that ended early; nothing after a `close`. */
  abandon(): void {
    for (const live of this.#live.values()) live.abandon();
    this.#live.clear();
  }

  /** Removes what a killed run left half-written in the folder of its tables. */
  static sweep(folder: string, disk: Disk): void {
    if (disk.stat(folder) === undefined) return;
    for (const { name } of disk.list(folder)) {
      if (name.startsWith(".") && name.endsWith(sealingEnd)) disk.remove(join(folder, name));
    }
  }

  /** One sha256 over the rows of each sealed table. */
  get digests(): Readonly<Record<string, string>> {
    return this.#digests;
  }

  static #removeIfThere(path: string) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Leaves what a later run needs to tell whether a table is the same. */
  close(): void {
    for (const live of this.#live.values()) live.close();
    this.#live.clear();
    Deno.writeTextFileSync(join(this.folder, "index.json"), JSON.stringify(this.#digests));
  }

  /** The columns of a live table, for readers that do not know the steps. */
  #saveDefinition(definition: TableDefinition) {
    const path = join(this.folder, `${definition.name}.columns.json`);
    Deno.writeTextFileSync(path, JSON.stringify(columnsOfTable(definition)));
  }

  #link(name: string, digest: string, target: string): boolean {
    if (this.previous?.digests[name] !== digest) return false;
    const source = join(this.previous.folder, basename(target));
    try {
      Deno.linkSync(source, target);
      return true;
    } catch {
      return false; // gone, or a file system without hard links: written anew
    }
  }

  #loadParquet(): Promise<Parquet> {
    return this.#parquet ??= loadModule<Parquet>("./parquet.ts", import.meta.url);
  }

  async #write(definition: TableDefinition, rows: Iterable<TableRow>, target: string) {
    const { writeParquet } = await this.#loadParquet();
    const temporary = join(this.folder, `.${definition.name}.parquet${sealingEnd}`);
    const records = this.#records(definition, rows);
    try {
      writeParquet(temporary, columnsOfTable(definition), records);
      Deno.renameSync(temporary, target);
    } catch (error) {
      TableWriter.#removeIfThere(temporary);
      throw error;
    }
  }

  *#records(definition: TableDefinition, rows: Iterable<TableRow>) {
    for (const row of rows) yield this.#record(definition, row);
  }

  #record(definition: TableDefinition, row: TableRow): Readonly<Record<string, unknown>> {
    const record: Record<string, unknown> = { item: row.item, status: row.status };
    if (row.reason !== undefined) record["reason"] = row.reason;
    for (const [index, port] of definition.ports.entries()) {
      const ref = row.refs[index];
      if (ref === undefined) continue;
      const values = port.kind.isRow ? this.readRow(ref) ?? {} : ref.facts ?? {};
      for (const { name } of port.kind.columns) {
        record[port.prefix + name] = (values as Readonly<Record<string, unknown>>)[name];
      }
      if (port.kind.isRow) continue;
      record[`${port.prefix}hash`] = ref.hash;
      record[`${port.prefix}bytes`] = ref.byteLength;
    }
    return record;
  }
}

/** A file of JSON lines that is appended to in whole lines. */
class LiveTable {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why the timer could not write, which nobody could be told. */
  #failure: unknown;

  constructor(readonly path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  add(line: string): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lines.push(line);
    if (this.#lines.length >= liveFlushRows) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flushLater(), liveFlushMs);
  }

  close(): void {
    this.#flush();
    this.#file.close();
  }

  /** Closes it as it is; the rows that were not written yet are let go. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#lines = [];
    this.#file.close();
  }

  remove(): void {
    this.abandon();
    Deno.removeSync(this.path);
  }

  #flushLater() {
    try {
      this.#flush();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const bytes = this.#encoder.encode(this.#lines.join("\n") + "\n");
    this.#lines = [];
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }
}

/** One hash over columns and rows; a row counts by what its artifacts hold. */
function digestOf(definition: TableDefinition, rows: Iterable<HashRow>): string {
  const hash = createHash("sha256").update(JSON.stringify(columnsOfTable(definition)));
  let chunk = "";
  for (const row of rows) {
    chunk += `${row.item ?? ""}\0${row.status}\0${row.reason ?? ""}`;
    for (const hash of row.hashes) chunk += `\0${hash ?? ""}`;
    chunk += "\n";
    if (chunk.length < 1 << 20) continue;
    hash.update(chunk);
    chunk = "";
  }
  return hash.update(chunk).digest("hex");
}
