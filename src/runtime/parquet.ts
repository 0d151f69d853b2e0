import { ByteWriter, fileWriter, parquetWriteRows } from "hyparquet-writer";
import type { SchemaElement, Writer } from "hyparquet-writer";
import type { Column, SqlType } from "./artifact.ts";

/** Rows a group: so many are held as objects at a time. */
const groupRows = 20_000;

/**
 * A Parquet file of rows, Snappy-compressed; every column may be null. Made in plain JavaScript, since
 * opening DuckDB for it takes 0.13 s of a run that has to write nothing else.
 */
export function parquetBytes(
  columns: readonly Column[],
  rows: Iterable<Readonly<Record<string, unknown>>>,
): Uint8Array {
  const writer = new ByteWriter();
  writeRows(writer, columns, rows);
  return writer.getBytes();
}

/** The same into a file, of which no more than one column of some rows is held at a time. */
export function writeParquet(
  path: string,
  columns: readonly Column[],
  rows: Iterable<Readonly<Record<string, unknown>>>,
): void {
  writeRows(fileWriter(path), columns, rows);
}

function writeRows(
  writer: Writer,
  columns: readonly Column[],
  rows: Iterable<Readonly<Record<string, unknown>>>,
) {
  void parquetWriteRows({
    writer,
    rows: converted(columns, rows),
    columns: columns.map(({ name }) => ({ name })),
    schema: [
      { name: "root", num_children: columns.length },
      ...columns.map((column) => ({
        ...elements[column.type],
        name: column.name,
        repetition_type: "OPTIONAL" as const,
      })),
    ],
    rowGroupSize: groupRows,
    createdBy: "tintype",
  });
}

const elements: Readonly<Record<SqlType, Omit<SchemaElement, "name">>> = {
  VARCHAR: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  BIGINT: { type: "INT64" },
  DOUBLE: { type: "DOUBLE" },
  BOOLEAN: { type: "BOOLEAN" },
  JSON: { type: "BYTE_ARRAY", converted_type: "JSON" },
};

function* converted(
  columns: readonly Column[],
  rows: Iterable<Readonly<Record<string, unknown>>>,
): Iterable<Record<string, unknown>> {
  for (const row of rows) {
    const values: Record<string, unknown> = {};
    for (const { name, type } of columns) values[name] = valueOf(row[name], type);
    yield values;
  }
}

function valueOf(value: unknown, type: SqlType): unknown {
  if (value === undefined || value === null) return undefined;
  return type === "BIGINT" ? BigInt(Math.round(Number(value))) : value;
}
