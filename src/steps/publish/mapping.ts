import { join, relative, sep } from "node:path";
import { z } from "zod";
import { type Column, rowKind } from "../../runtime/artifact.ts";
import type { Disk } from "../../runtime/disk.ts";
import { sha256 } from "../../runtime/hash.ts";
import { folder } from "../../runtime/params.ts";
import {
  all,
  defineStep,
  type InputValues,
  one,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { change } from "../image/normalize.ts";
import { image } from "../kinds.ts";
import { pageSubject } from "../report/page_file.ts";
import { publishedFile } from "./files.ts";

/** The files that a mapping is written as, all with the same rows. */
export const mappingFiles = ["mapping.csv", "mapping.jsonl", "mapping.parquet"] as const;

const mappingShape = z.object({
  rows: z.int(),
  normalized: z.int(),
  left_out: z.int(),
  failed: z.int(),
  /** Of each file, to know it again. */
  sha256: z.record(z.string(), z.string()),
});

/** What a mapping says in sum, and what its files were when they were written. */
export const mapping = rowKind("mapping", "the mapping of a dataset's names", mappingShape);

const params = z.object({
  folder: folder("where mapping.csv, mapping.jsonl and mapping.parquet go"),
  images: folder("where the pictures were published"),
});

const inputs = {
  originals: all(image, "the pictures before"),
  images: all(image, "the pictures after"),
  changes: all(change, "what became of each"),
  files: all(publishedFile, "where each went"),
};

/**
 * Writes down, for every picture that was found, what it is called now and what was done to it with
 * all numbers, or why nothing was, or why it is not there: as CSV, JSON lines and Parquet.
 */
export const publishMapping = defineStep({
  name: "publish.mapping",
  version: 1,
  doc: "Writes what each picture is called now, what was done to it, or why it was left out.",
  origin: "computed",
  world: "writes",
  usesItemName: true,
  usesAbsent: true,
  isResult: true,
  inputs,
  params,
  outputs: { mapping: one(mapping, "the sums") },
  async run(values, params, context) {
    const rows = await rowsOf(values, params, context);
    context.disk.makeFolder(params.folder);
    // Gone while they are written: a run that is ended in between leaves no claim about what is there.
    context.disk.remove(join(params.folder, subjectName));
    const digests: Record<string, string> = {};
    for (const [file, bytes] of Object.entries(await filesOf(rows))) {
      await context.disk.write(join(params.folder, file), bytes, { sync: true });
      digests[file] = sha256(bytes);
    }
    const subject = new TextEncoder().encode(`${pageSubject(values, {}, context)}\n`);
    await context.disk.write(join(params.folder, subjectName), subject);
    const count = (outcome: MappingRow["outcome"]) =>
      rows.filter((row) => row.outcome === outcome).length;
    const [normalized, left_out, failed] = [
      count("normalized"),
      count("left out"),
      count("failed"),
    ];
    context.summarize(sentence(rows));
    return produced({
      mapping: { rows: rows.length, normalized, left_out, failed, sha256: digests },
    });
  },
  ownFiles: () => mappingFiles,
  async isCurrent(values, { folder }, context) {
    const { disk } = context;
    const isThere = [subjectName, ...mappingFiles].every((file) =>
      isFile(disk, join(folder, file))
    );
    if (!isThere) return false;
    const of = new TextDecoder().decode(await disk.read(join(folder, subjectName))).trim();
    return of === pageSubject(values, {}, context);
  },
});

/**
 * Beside a mapping, what it is of. Without it the mapping of other pictures would be taken for current
 * when the folder is again as it was two runs before.
 */
const subjectName = ".tintype-mapping";

function isFile(disk: Disk, path: string): boolean {
  return disk.stat(path)?.isFile ?? false;
}

/** A row of the mapping; what does not apply is null. */
export interface MappingRow {
  readonly original: string;
  readonly original_sha256: string | null;
  readonly outcome: "normalized" | "left out" | "failed";
  /** Relative to the mapping's folder, with "/" between the parts. */
  readonly file: string | null;
  readonly file_sha256: string | null;
  readonly action: string | null;
  /** Each transformation with its numbers. */
  readonly steps: readonly string[];
  /** Why it was changed, or not changed, or is not there. */
  readonly reason: string;
  /** The node that left it out. */
  readonly node: string | null;
  readonly width_before: number | null;
  readonly height_before: number | null;
  readonly bytes_before: number | null;
  readonly format_before: string | null;
  readonly quality_before: number | null;
  readonly width_after: number | null;
  readonly height_after: number | null;
  readonly bytes_after: number | null;
  readonly format_after: string | null;
  readonly quality_after: number | null;
  readonly ssim: number | null;
}

type Values = InputValues<typeof inputs>;

async function rowsOf(
  values: Values,
  { folder, images }: z.output<typeof params>,
  { members, absent }: StepContext,
): Promise<MappingRow[]> {
  const place = relative(folder, images).split(sep).join("/");
  const rows: MappingRow[] = [];
  const hashes = new Map<string, string>();
  for (const { member, name } of members) {
    const original = values.originals.get(member);
    if (original !== undefined) hashes.set(name, original.ref.hash);
    const file = await values.files.get(member)?.read();
    const changed = await values.changes.get(member)?.read();
    if (original === undefined || changed === undefined || file === undefined) continue;
    const { because: reason, ...rest } = changed;
    rows.push({
      ...empty,
      ...rest,
      original: name,
      original_sha256: original.ref.hash,
      outcome: "normalized",
      file: place === "" ? file.file : `${place}/${file.file}`,
      file_sha256: values.images.get(member)!.ref.hash,
      reason: file.is_edited ? `${reason}; the file was changed by hand and is kept` : reason,
    });
  }
  for (const { name, node, status, reason } of absent) {
    const outcome = status === "rejected" ? "left out" : "failed";
    const original_sha256 = hashes.get(name) ?? null;
    rows.push({ ...empty, original: name, original_sha256, outcome, node, reason });
  }
  return rows.toSorted((a, b) => a.original < b.original ? -1 : a.original > b.original ? 1 : 0);
}

const empty = {
  original_sha256: null,
  file: null,
  file_sha256: null,
  action: null,
  steps: [],
  node: null,
  width_before: null,
  height_before: null,
  bytes_before: null,
  format_before: null,
  quality_before: null,
  width_after: null,
  height_after: null,
  bytes_after: null,
  format_after: null,
  quality_after: null,
  ssim: null,
} as const;

const columns: readonly Column[] = [
  { name: "original", type: "VARCHAR" },
  { name: "original_sha256", type: "VARCHAR" },
  { name: "outcome", type: "VARCHAR" },
  { name: "file", type: "VARCHAR" },
  { name: "file_sha256", type: "VARCHAR" },
  { name: "action", type: "VARCHAR" },
  { name: "steps", type: "JSON" },
  { name: "reason", type: "VARCHAR" },
  { name: "node", type: "VARCHAR" },
  { name: "width_before", type: "BIGINT" },
  { name: "height_before", type: "BIGINT" },
  { name: "bytes_before", type: "BIGINT" },
  { name: "format_before", type: "VARCHAR" },
  { name: "quality_before", type: "BIGINT" },
  { name: "width_after", type: "BIGINT" },
  { name: "height_after", type: "BIGINT" },
  { name: "bytes_after", type: "BIGINT" },
  { name: "format_after", type: "VARCHAR" },
  { name: "quality_after", type: "BIGINT" },
  { name: "ssim", type: "DOUBLE" },
];

async function filesOf(
  rows: readonly MappingRow[],
): Promise<Readonly<Record<(typeof mappingFiles)[number], Uint8Array>>> {
  const { parquetBytes } = await import("../../runtime/parquet.ts");
  const encoder = new TextEncoder();
  const names = columns.map((column) => column.name);
  const ordered = rows.map((row) => row as unknown as Readonly<Record<string, unknown>>);
  const csv = [names, ...ordered.map((row) => names.map((name) => row[name]))]
    .map((fields) => `${fields.map(csvField).join(",")}\r\n`).join("");
  const lines = ordered.map((row) =>
    `${JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name]])))}\n`
  );
  return {
    "mapping.csv": encoder.encode(csv),
    "mapping.jsonl": encoder.encode(lines.join("")),
    "mapping.parquet": parquetBytes(columns, ordered),
  };
}

/** A field as RFC 4180 has it; lists are joined. */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = Array.isArray(value) ? value.join("; ") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function sentence(rows: readonly MappingRow[]): string {
  const normalized = rows.filter((row) => row.outcome === "normalized");
  const sum = (key: "bytes_before" | "bytes_after") =>
    normalized.reduce((total, row) => total + (row[key] ?? 0), 0);
  const actions = ["unchanged", "metadata_only", "recompressed", "resized", "converted"]
    .map((action) => [action, normalized.filter((row) => row.action === action).length] as const)
    .filter(([, count]) => count > 0)
    .map(([action, count]) => `${count} ${action.replace("_", " ")}`);
  const rest = rows.length - normalized.length;
  const [before, after] = [megabytes(sum("bytes_before")), megabytes(sum("bytes_after"))];
  return `${normalized.length.toLocaleString("en")} normalized (${
    actions.join(", ") || "none"
  }), ${rest} left out or failed; ${before} → ${after}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 2 })} MB`;
}
