import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isScalar, parseDocument } from "../runtime/yaml.ts";
import { z } from "zod";
import { type Decision, foldDecisions, pairKey, parseDecisions } from "../decisions/decisions.ts";
import { distanceWords } from "../dedupe/selecting.ts";
import type { ValueOf } from "../runtime/artifact.ts";
import type { CatalogDb } from "../runtime/catalog_db.ts";
import { sha256 } from "../runtime/hash.ts";
import type { groups, Pair } from "../steps/dedupe/kinds.ts";
import { escapeHtml } from "./html.ts";
import { type Display, display } from "./kernel.ts";
import { onlyRow } from "./runs.ts";
import { pictureHtml } from "./thumbnails.ts";

/** The groups of a dedupe, and the pairs that it compared. */
export type Groups = ValueOf<typeof groups>;

/** What a run of `dedupe` found to be alike. */
export async function groupsOf(catalog: CatalogDb): Promise<Groups> {
  return await onlyRow(catalog, "alike_groups", z.custom<Groups>());
}

/** What pairs are told apart by: a cosine, or without a model the larger of two hash distances. */
export interface Measure {
  readonly name: "cosine" | "hash distance";
  /** Null for a pair that was not compared by it. */
  of(pair: Pair): number | null;
  /** 1 where higher is more alike, -1 where lower is. */
  readonly sign: 1 | -1;
  /** From where on pictures are similar. */
  readonly threshold: number;
}

/** Bits of 64 up to which pictures without embeddings count as near. */
const nearBits = 8;

export function measureOf({ similar_by, threshold }: Groups): Measure {
  if (similar_by === "embedding") {
    return { name: "cosine", of: ({ cosine }) => cosine, sign: 1, threshold: threshold ?? 1 };
  }
  return {
    name: "hash distance",
    of({ dhash_distance, phash_distance }) {
      const known = [dhash_distance, phash_distance].filter((bits) => bits !== null);
      return known.length === 0 ? null : Math.max(...known);
    },
    sign: -1,
    threshold: nearBits,
  };
}

/** What there is to calibrate in a run, in words for its reader. */
export function calibrationWords(
  found: Groups,
  { model }: { readonly model: string },
): readonly string[] {
  const count = found.pairs.length;
  const pairs = count === 1 ? "is 1 pair" : `are ${count} pairs`;
  if (found.similar_by === "embedding") {
    return [
      `Pictures were compared by their embeddings, and are similar from a cosine of ${
        measureOf(found).threshold
      } on. There ${pairs} near to that to look at.`,
    ];
  }
  return [
    `Pictures were compared by hashes alone, since the model "${model}" was not there: they are similar ` +
    `where dHash and pHash both differ in at most ${nearBits} of 64 bits. There ${pairs} near to that to ` +
    "look at. Your verdicts on them are kept and count in the next run, but there is no threshold to " +
    "write: that of the recipe is for cosines.",
    `For a threshold, run "deno task tintype models pull ${model}" and then dedupe again.`,
  ];
}

/** A compared pair with the name that a person's verdict is given under. */
export interface NamedPair {
  /** 8 hexadecimal digits, the same in every run. */
  readonly id: string;
  readonly pair: Pair;
  readonly value: number;
}

/** The compared pairs nearest the threshold, from both sides, the nearest first. */
export function pairsNear(found: Groups, count = 50): NamedPair[] {
  const measure = measureOf(found);
  return found.pairs.flatMap((pair): NamedPair[] => {
    const value = measure.of(pair);
    return value === null ? [] : [{ id: pairId(pair), pair, value }];
  }).sort((a, b) =>
    Math.abs(a.value - measure.threshold) - Math.abs(b.value - measure.threshold) ||
    (a.id < b.id ? -1 : 1)
  ).slice(0, count);
}

export function pairId({ a, b }: Pick<Pair, "a" | "b">): string {
  return sha256(pairKey(a, b)).slice(0, 8);
}

/** The names of pictures by the sha256 of their bytes; of copies, the first name. */
export async function namesBySha(catalog: CatalogDb): Promise<Map<string, string>> {
  const { rows } = await catalog.query(
    "SELECT hash, min(item) AS name FROM items WHERE hash IS NOT NULL GROUP BY hash",
  );
  return new Map(rows.map(({ hash, name }) => [String(hash), String(name)]));
}

export interface PairsOptions {
  readonly names: ReadonlyMap<string, string>;
  /** Where pictures are looked for, the first folder first. */
  readonly folders: readonly string[];
  /** What a person said so far, as `readVerdicts` gives it. */
  readonly alike?: Verdicts;
  /** Pixels of the longer side of each picture, default 180. */
  readonly size?: number;
}

/** By pair (`a:b`), whether a person called two pictures alike. */
export type Verdicts = Readonly<Record<string, boolean>>;

/** Pairs side by side, each with its id, its numbers and the verdict so far. */
export function pairs(shown: readonly NamedPair[], options: PairsOptions): Display {
  const { alike = {}, size = 180 } = options;
  const textOf = ({ id, pair }: NamedPair) => {
    const said = alike[pairKey(pair.a, pair.b)];
    const verdict = said === undefined ? "" : said ? " · alike" : " · not alike";
    return `${id}: ${distanceWords(pair)}${verdict}`;
  };
  return {
    async [display]() {
      const figures: string[] = [];
      for (const each of shown) {
        const sides = [];
        for (const hash of [each.pair.a, each.pair.b]) {
          sides.push(await sideHtml(hash, { ...options, size }));
        }
        figures.push(
          `<figure style="margin:0 0 12px;width:${2 * size + 8}px">` +
            `<div style="display:flex;gap:8px;align-items:flex-end">${sides.join("")}</div>` +
            `<figcaption style="font-size:12px"><code>${escapeHtml(each.id)}</code> ${
              escapeHtml(textOf(each).slice(each.id.length + 2))
            }</figcaption></figure>`,
        );
      }
      const wall = "display:flex;flex-wrap:wrap;gap:12px 20px";
      return {
        "text/html": shown.length === 0
          ? "<p>There is no pair to look at: nothing was found to be near another.</p>"
          : `<div style="${wall}">${figures.join("")}</div>`,
        "text/plain": shown.length === 0 ? "no pairs" : shown.map(textOf).join("\n"),
      };
    },
  };
}

async function sideHtml(
  hash: string,
  { names, folders, size }: PairsOptions & { readonly size: number },
): Promise<string> {
  const name = names.get(hash) ?? hash.slice(0, 12);
  const paths = folders.map((folder) => join(folder, name));
  const path = paths.find((each) => existsSync(each)) ?? paths[0] ?? name;
  return `<div style="width:${size}px;font-size:11px;overflow-wrap:anywhere">${await pictureHtml(
    path,
    size,
  )}${escapeHtml(name)}</div>`;
}

/** What a person said of pairs, in a decisions file; nothing where there is none. */
export function readVerdicts(path: string): Verdicts {
  if (!existsSync(path)) return {};
  return foldDecisions(parseDecisions(Deno.readTextFileSync(path)).decisions).alike;
}

export interface SaveOptions {
  readonly names?: ReadonlyMap<string, string>;
  readonly now?: () => Date;
}

/**
 * Adds a person's verdicts to a decisions file, by the pairs' ids: true for alike, false for not, null
 * to take one back. What is there already is not said again. Gives how many lines were added. Throws
 * for an id that none of the pairs has, and then adds nothing.
 */
export function saveVerdicts(
  path: string,
  said: Readonly<Record<string, boolean | null>>,
  shown: readonly NamedPair[],
  { names, now = () => new Date() }: SaveOptions = {},
): number {
  const byId = new Map(shown.map((each) => [each.id, each.pair]));
  const known = readVerdicts(path);
  const lines = Object.entries(said).flatMap(([id, after]) => {
    const pair = byId.get(id);
    if (pair === undefined) {
      throw new TypeError(`Cannot keep the verdict on "${id}": no pair shown has that id`);
    }
    const before = known[pairKey(pair.a, pair.b)] ?? null;
    if (before === after) return [];
    const decision: Decision = {
      at: now().toISOString(),
      field: "alike",
      image: pair.a,
      name: names?.get(pair.a),
      other: pair.b,
      before,
      after,
    };
    return [`${JSON.stringify(decision)}\n`];
  });
  if (lines.length > 0) append(path, lines.join(""));
  return lines.length;
}

/** After a line that a killed process left half-written, a new one begins. */
function append(path: string, text: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  const isTorn = existsSync(path) && !/(^|\n)$/.test(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, isTorn ? `\n${text}` : text, { append: true });
}

/** A pair that a person judged, with the measure that it was compared by. */
export interface JudgedPair {
  readonly value: number;
  readonly isAlike: boolean;
}

/** The judged pairs that this run compared. */
export function judgedPairs(found: Groups, alike: Verdicts): JudgedPair[] {
  const measure = measureOf(found);
  return found.pairs.flatMap((pair) => {
    const [value, isAlike] = [measure.of(pair), alike[pairKey(pair.a, pair.b)]];
    return value === null || isAlike === undefined ? [] : [{ value, isAlike }];
  });
}

/** How good a threshold would be, by the pairs that a person judged. */
export interface ThresholdRow {
  readonly threshold: number;
  /** Alike ones among the judged pairs over the threshold, 0 to 1. */
  readonly precision: number;
  /** Of the pairs judged alike, how many are over the threshold, 0 to 1; 1 where none is alike. */
  readonly recall: number;
  /** Judged pairs over the threshold. */
  readonly over: number;
}

/** One row for each value that a judged pair has, from the strictest threshold on. */
export function precisionRecall(
  judged: readonly JudgedPair[],
  { sign }: Pick<Measure, "sign">,
): ThresholdRow[] {
  const alike = judged.filter(({ isAlike }) => isAlike).length;
  const values = [...new Set(judged.map(({ value }) => value))].sort((a, b) => sign * (b - a));
  return values.map((threshold) => {
    const over = judged.filter(({ value }) => sign * (value - threshold) >= 0);
    const hits = over.filter(({ isAlike }) => isAlike).length;
    return {
      threshold,
      precision: hits / over.length,
      recall: alike === 0 ? 1 : hits / alike,
      over: over.length,
    };
  });
}

/**
 * The loosest threshold that has a precision, halfway to the next judged pair that it leaves out, to
 * three digits; undefined where nothing was judged alike, or no threshold has it.
 */
export function suggestThreshold(
  rows: readonly ThresholdRow[],
  { precision = 0.99 }: { readonly precision?: number } = {},
): ThresholdRow | undefined {
  const at = rows.findLastIndex((row) => row.precision >= precision && row.recall > 0);
  const [row, next] = [rows[at], rows[at + 1]];
  if (row === undefined) return undefined;
  if (next === undefined) return row;
  const middle = Math.round((row.threshold + next.threshold) / 2 * 1000) / 1000;
  const [low, high] = [row.threshold, next.threshold].sort((a, b) => a - b) as [number, number];
  const isBetween = middle >= low && middle <= high && middle !== next.threshold;
  return { ...row, threshold: isBetween ? middle : row.threshold };
}

export interface WrittenSetting {
  readonly path: string;
  readonly before: unknown;
  readonly after: number;
}

/**
 * Writes a number as the default of a recipe's parameter. Nothing else of the file changes: comments,
 * order and spacing stay. Throws where the recipe has no such parameter with a default.
 */
export function writeDefault(path: string, name: string, value: number): WrittenSetting {
  if (!Number.isFinite(value)) {
    throw new RangeError(`Cannot write parameter "${name}": it is ${value} (a number is wanted)`);
  }
  const text = Deno.readTextFileSync(path);
  const node = parseDocument(text).getIn(["params", name, "default"], true);
  if (!isScalar(node) || node.range == null) {
    throw new Error(`Cannot write to "${path}": its parameter "${name}" has no default`);
  }
  const [start, end] = node.range;
  const written = text.slice(0, start) + String(value) + text.slice(end);
  if (parseDocument(written).getIn(["params", name, "default"]) !== value) {
    throw new Error(`Cannot write to "${path}": the default of "${name}" cannot be replaced`);
  }
  if (written !== text) {
    const temporary = `${path}.tintype-${crypto.randomUUID().slice(0, 8)}`;
    Deno.writeTextFileSync(temporary, written);
    Deno.renameSync(temporary, path);
  }
  return { path, before: node.value, after: value };
}
