import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { stringify } from "../runtime/yaml.ts";
import { z } from "zod";
import { predictEffect } from "../baseline/effect.ts";
import type { Baseline } from "../baseline/baseline.ts";
import { type Policy, policyShape } from "../baseline/policy.ts";
import type { ChartSpec } from "../charts/render.ts";
import { palette, styled } from "../charts/style.ts";
import type { Row } from "./table.ts";

/** A policy as a person writes it: what is left out has its default. */
export type PolicyDraft = z.input<typeof policyShape>;

/** The whole policy of a draft. Throws a sentence for each setting that is wrong. */
export function policyOf(draft: PolicyDraft): Policy {
  const parsed = policyShape.safeParse(draft);
  if (parsed.success) return parsed.data;
  throw new TypeError(`Cannot use the policy: ${z.prettifyError(parsed.error)}`);
}

/**
 * One row a policy: what it is predicted to do to the set of the baseline. Megapixels and megabytes are
 * those afterwards, percents of those before.
 */
export function compareEffects(
  baseline: Pick<Baseline, "population">,
  policies: Readonly<Record<string, PolicyDraft>>,
): Row[] {
  return Object.entries(policies).map(([policy, draft]) => {
    const effect = predictEffect(baseline, policyOf(draft));
    return {
      policy,
      images: effect.images,
      left_out: effect.left_out,
      changed: effect.changed,
      resized: effect.resized,
      recompressed: effect.recompressed,
      converted: effect.converted,
      megapixels: rounded(effect.pixels_after / 1e6),
      megabytes: rounded(effect.bytes_after / 1e6),
      percent_pixels: percent(effect.pixels_after, effect.pixels_before),
      percent_bytes: percent(effect.bytes_after, effect.bytes_before),
    };
  });
}

/** The rows of `compareEffects` as bars: how much of the pixels and of the bytes stays. */
export function effectChart(rows: readonly Row[]): ChartSpec {
  const values = rows.flatMap(({ policy, percent_pixels, percent_bytes }) => [
    { policy, of: "pixels", percent: percent_pixels },
    { policy, of: "bytes", percent: percent_bytes },
  ]);
  const most = values.reduce((largest, { percent }) => Math.max(largest, Number(percent)), 100);
  const labels = { type: "text", align: "left", dx: 4, fontSize: 11, color: "#333333" };
  return styled({
    title: "What each policy keeps",
    width: 360,
    height: { step: 18, for: "offset" },
    data: { values },
    encoding: {
      y: { field: "policy", type: "nominal", sort: null, axis: { title: null } },
      yOffset: { field: "of", type: "nominal", sort: ["pixels", "bytes"] },
      x: {
        field: "percent",
        type: "quantitative",
        scale: { domain: [0, most * 1.12], nice: false },
        axis: { title: "% of before", tickCount: 5 },
      },
      color: {
        field: "of",
        type: "nominal",
        scale: { domain: ["pixels", "bytes"], range: palette.slice(0, 2) },
        legend: { title: null },
      },
    },
    layer: [
      { mark: { type: "bar" } },
      {
        mark: labels,
        encoding: {
          text: { field: "percent", type: "quantitative", format: ".3~r" },
          color: { value: "#333333" },
        },
      },
    ],
  } as ChartSpec);
}

export interface WrittenPolicy {
  readonly path: string;
  /** Where another policy that was there is now. */
  readonly former?: string;
}

/**
 * Writes a policy to a YAML file that `pipelines/normalize.yaml` takes as its parameter `policy`. A
 * different one that is there, which a person may have edited, is kept beside it under another name.
 */
export function writePolicy(path: string, draft: PolicyDraft): WrittenPolicy {
  const text = policyText(policyOf(draft));
  Deno.mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) {
    Deno.writeTextFileSync(path, text);
    return { path };
  }
  if (Deno.readTextFileSync(path) === text) return { path };
  const former = freeName(path);
  Deno.renameSync(path, former);
  Deno.writeTextFileSync(path, text);
  return { path, former };
}

function policyText(policy: Policy): string {
  return "# What pictures are normalized to. Every number is a limit that pictures are brought\n" +
    "# down to, never up; null is no limit. Edit it as you like.\n" +
    stringify(policy, { lineWidth: 0 });
}

/** `policy.1.yaml`, or the first number that is not taken. */
function freeName(path: string): string {
  const end = extname(path);
  for (let number = 1;; number++) {
    const name = join(dirname(path), `${basename(path, end)}.${number}${end}`);
    if (!existsSync(name)) return name;
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : rounded(100 * part / whole);
}

/** To a tenth. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
