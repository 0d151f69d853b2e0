import { z } from "zod";
import type { Facts, Handle } from "../../runtime/artifact.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { grouping } from "../../runtime/numbers.ts";
import {
  all,
  defineStep,
  each,
  type Member,
  one,
  produced,
  type Rejected,
  rejected,
} from "../../runtime/step.ts";
import { image } from "../kinds.ts";

const savingShape = z.object({
  bytes_before: z.int(),
  bytes_after: z.int(),
  bytes_saved: z.int(),
  percent_saved: z.number(),
  width_before: z.int(),
  height_before: z.int(),
  width_after: z.int(),
  height_after: z.int(),
});

/** What a picture's proxy saves; sizes in bytes and upright pixels, `percent_saved` of the bytes. */
export const saving = rowKind("saving", "what a picture's proxy saves", savingShape);

const totalShape = z.object({
  images: z.int(),
  without_proxy: z.int(),
  bytes_before: z.int(),
  bytes_after: z.int(),
  bytes_saved: z.int(),
  percent_saved: z.number(),
  pixels_before: z.int(),
  pixels_after: z.int(),
});

/** What all proxies save together; originals without a proxy are counted, not added. */
export const savingTotal = rowKind("saving_total", "what all proxies save together", totalShape);

/** Compares originals with their proxies: bytes and dimensions before and after, percent saved. */
export const savings = defineStep({
  name: "report.savings",
  version: 1,
  doc: "Compares originals with their proxies: bytes and dimensions before and after.",
  origin: "computed",
  isResult: true,
  inputs: {
    originals: all(image, "the pictures before"),
    proxies: all(image, "the pictures after"),
  },
  params: z.object({}),
  outputs: {
    savings: each(saving, "one row a picture"),
    total: one(savingTotal, "the sums"),
  },
  run({ originals, proxies }, _, context) {
    const rows = new Map<Member, Saving>();
    const without = new Map<Member, Rejected>();
    for (const [member, original] of originals) {
      const after = proxies.get(member);
      if (after === undefined) without.set(member, rejected("it has no proxy"));
      else rows.set(member, savingOf(original, after));
    }
    const total = totalOf([...rows.values()], without.size);
    context.summarize(sentence(total));
    return produced({ savings: new Map<Member, Saving | Rejected>([...rows, ...without]), total });
  },
});

type Saving = z.output<typeof savingShape>;
type Total = z.output<typeof totalShape>;

function savingOf(original: Handle, proxy: Handle): Saving {
  const before = original.ref.byteLength;
  const after = proxy.ref.byteLength;
  return {
    bytes_before: before,
    bytes_after: after,
    bytes_saved: before - after,
    percent_saved: percent(before - after, before),
    width_before: pixels(original.ref.facts, "width"),
    height_before: pixels(original.ref.facts, "height"),
    width_after: pixels(proxy.ref.facts, "width"),
    height_after: pixels(proxy.ref.facts, "height"),
  };
}

function totalOf(rows: readonly Saving[], withoutProxy: number): Total {
  const sum = (value: (row: Saving) => number) =>
    rows.reduce((total, row) => total + value(row), 0);
  const before = sum((row) => row.bytes_before);
  const after = sum((row) => row.bytes_after);
  return {
    images: rows.length,
    without_proxy: withoutProxy,
    bytes_before: before,
    bytes_after: after,
    bytes_saved: before - after,
    percent_saved: percent(before - after, before),
    pixels_before: sum((row) => row.width_before * row.height_before),
    pixels_after: sum((row) => row.width_after * row.height_after),
  };
}

function sentence(total: Total): string {
  if (total.images === 0) return "No pictures to compare";
  const without = total.without_proxy === 0 ? "" : ` (without a proxy: ${total.without_proxy})`;
  const noun = total.images === 1 ? "picture" : "pictures";
  return `${grouping(total.images)} ${noun}: ${megabytes(total.bytes_before)} → ${
    megabytes(total.bytes_after)
  }, ${total.percent_saved} % saved${without}`;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round(part / whole * 1000) / 10;
}

function pixels(facts: Facts | undefined, name: string): number {
  const value = facts?.[name];
  return typeof value === "number" ? value : 0;
}

function megabytes(bytes: number): string {
  return `${grouping(bytes / 1e6, 2)} MB`;
}
