import { type Display, display } from "./kernel.ts";
import { escapeHtml } from "./html.ts";

/** Rows by column; cells that are objects or lists are shown as JSON. */
export type Row = Readonly<Record<string, unknown>>;

/** A query's result, or any rows. */
export type TableSource =
  | readonly Row[]
  | { readonly columns: readonly string[]; readonly rows: readonly Row[] };

export interface TableOptions {
  /** The most rows shown, default 30; a line says how many more there are. */
  readonly limit?: number;
  /** Above the table. */
  readonly title?: string;
  /** Significant digits of numbers that are not whole; else up to four behind the point. */
  readonly digits?: number;
}

/** Rows as a table, numbers on the right; as plain text where there is no HTML. */
export function table(source: TableSource, options: TableOptions = {}): Display {
  const { limit = 30, title, digits } = options;
  const rows = "rows" in source ? source.rows : source;
  const columns = "rows" in source
    ? source.columns
    : [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, limit);
  const grid: Grid = {
    title,
    columns,
    isNumeric: columns.map((column) => isNumeric(shown.map((row) => row[column]))),
    cells: shown.map((row) => columns.map((column) => cellText(row[column], digits))),
    note: noteOf(rows.length, shown.length),
  };
  return { [display]: () => ({ "text/html": gridHtml(grid), "text/plain": gridText(grid) }) };
}

interface Grid {
  readonly title?: string;
  readonly columns: readonly string[];
  readonly isNumeric: readonly boolean[];
  readonly cells: readonly (readonly string[])[];
  readonly note?: string;
}

function noteOf(all: number, shown: number): string | undefined {
  if (all === 0) return "no rows";
  if (all === shown) return undefined;
  return `… and ${(all - shown).toLocaleString("en")} more of ${all.toLocaleString("en")} rows`;
}

function isNumeric(values: readonly unknown[]): boolean {
  const present = values.filter((value) => value !== null && value !== undefined);
  return present.length > 0 && present.every((value) => typeof value === "number");
}

function cellText(value: unknown, digits: number | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") {
    const isShort = digits === undefined || !Number.isFinite(value) || Number.isInteger(value);
    return numberText(isShort ? value : shortened(value, digits));
  }
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** To some significant digits, and never fewer than the whole part has. */
function shortened(value: number, digits: number): number {
  const whole = Math.trunc(Math.abs(value));
  return whole === 0 ? Number(value.toPrecision(digits)) : Number(
    value.toPrecision(Math.min(100, Math.max(digits, String(whole).length))),
  );
}

/** At most four digits behind the point (GPS keeps ten metres); nothing for what is no number. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (value !== 0 && Math.abs(value) < 0.001) return String(Number(value.toPrecision(3)));
  const useGrouping = Math.abs(value) >= 10_000;
  return value.toLocaleString("en", { maximumFractionDigits: 4, useGrouping });
}

function gridHtml({ title, columns, isNumeric, cells, note }: Grid): string {
  const side = (index: number) => `text-align:${isNumeric[index] ? "right" : "left"}`;
  const head = columns.map((column, index) =>
    `<th style="${side(index)}">${escapeHtml(column)}</th>`
  );
  const body = cells.map((row) => {
    const tds = row.map((text, index) =>
      `<td style="${side(index)};${cell}">${clipped(text)}</td>`
    );
    return `<tr>${tds.join("")}</tr>`;
  });
  return [
    `<div style="overflow-x:auto">`,
    title === undefined ? "" : `<div><strong>${escapeHtml(title)}</strong></div>`,
    cells.length === 0
      ? ""
      : `<table><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table>`,
    note === undefined ? "" : `<div style="opacity:0.7">${escapeHtml(note)}</div>`,
    `</div>`,
  ].join("");
}

const cell = "font-variant-numeric:tabular-nums;white-space:pre-wrap;max-width:56em";

/** Long texts end in "…", with all of it where the pointer rests. */
function clipped(text: string): string {
  if (text.length <= longestCell) return escapeHtml(text);
  const start = text.slice(0, longestCell - 1);
  return `<span title="${escapeHtml(text.slice(0, 2000))}">${escapeHtml(start)}…</span>`;
}

const longestCell = 500;

function gridText({ title, columns, isNumeric, cells, note }: Grid): string {
  const oneLine = (text: string) => {
    const line = text.replaceAll(/\s+/g, " ");
    return line.length <= 40 ? line : `${line.slice(0, 39)}…`;
  };
  const rows = [columns, ...cells].map((row) => row.map(oneLine));
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  const lines = rows.map((row) =>
    row.map((text, index) =>
      isNumeric[index] ? text.padStart(widths[index]!) : text.padEnd(widths[index]!)
    ).join("  ").trimEnd()
  );
  return [title, ...(cells.length === 0 ? [] : lines), note]
    .filter((line) => line !== undefined).join("\n");
}
