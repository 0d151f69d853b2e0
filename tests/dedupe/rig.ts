import { dirname, join } from "node:path";
import { z } from "zod";
import { Catalog } from "../../src/runtime/catalog.ts";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import type { RunEvent } from "../../src/runtime/event.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { type RunSettings, Session } from "../../src/runtime/session.ts";
import {
  all,
  type AnyStep,
  defineStep,
  each,
  type Member,
  one,
  produced,
} from "../../src/runtime/step.ts";
import { dedupeAct } from "../../src/steps/dedupe/act.ts";
import { groups, type Pair, type Verdict, verdict } from "../../src/steps/dedupe/kinds.ts";
import { dedupePreviews } from "../../src/steps/dedupe/previews.ts";
import { dedupeSelect } from "../../src/steps/dedupe/select.ts";
import { readDecisions } from "../../src/steps/decisions/read.ts";
import { scan } from "../../src/steps/ingest/scan.ts";
import { embedding, fingerprint, quality } from "../../src/steps/inspect/kinds.ts";
import { inspectMetadata } from "../../src/steps/inspect/metadata.ts";
import { image } from "../../src/steps/kinds.ts";
import { reportDedupe } from "../../src/steps/report/dedupe.ts";

/** The recipe as shipped. */
export const dedupeRecipe = new URL("../../pipelines/dedupe.yaml", import.meta.url).pathname;

/** Identifies a picture by its bytes and its header alone. */
const someFingerprint = defineStep({
  name: "inspect.fingerprint",
  version: 1,
  doc: "Stands in for the real one.",
  origin: "computed",
  inputs: { image: each(image, "the pictures") },
  params: z.object({}),
  outputs: { fingerprint: each(fingerprint, "one row a picture") },
  async run({ image }) {
    const { width, height } = await (await image.read()).header();
    const digest = image.ref.hash;
    const hash = digest.slice(0, 16);
    return produced({
      fingerprint: {
        sha256: digest,
        pixels: digest,
        width,
        height,
        dhash: hash,
        phash: hash,
        dhash_black: null,
        phash_black: null,
        is_flat: false,
        detail: 30,
        dhash_orientations: [],
        phash_orientations: [],
      },
    });
  },
});

/** The smaller the file for its pixels, the worse. */
const someQuality = defineStep({
  name: "inspect.quality",
  version: 1,
  doc: "Stands in for the real one.",
  origin: "computed",
  inputs: { image: each(image, "the pictures") },
  params: z.object({ max_side_px: z.int().optional() }),
  outputs: { quality: each(quality, "one row a picture") },
  async run({ image }) {
    const { width, height } = await (await image.read()).header();
    const brisque_opencv = 100 / (1 + image.ref.byteLength * 8 / (width * height));
    return produced({
      quality: { brisque_opencv, niqe: null, niqe_model: null, score: 1 - brisque_opencv / 100 },
    });
  },
});

const someEmbedding = defineStep({
  name: "inspect.embedding",
  version: 1,
  doc: "Stands in for the real one, where there is no model.",
  origin: "computed",
  inputs: { image: each(image, "the pictures") },
  params: z.object({ model: z.string(), if_missing: z.enum(["fail", "skip"]) }),
  outputs: { embedding: each(embedding, "empty") },
  run: () => produced({ embedding: new Float32Array() }),
});

/**
 * Groups by names: `cat-1.jpg` and `cat-2.jpg` are the same picture, `cat-…` and `cat+…` similar, with
 * a cosine made of the two hashes; equal bytes are exact.
 */
const someGroups = defineStep({
  name: "dedupe.group",
  version: 1,
  doc: "Stands in for the real one.",
  origin: "computed",
  usesItemName: true,
  inputs: {
    fingerprint: all(fingerprint, "what identifies each"),
    embedding: all(embedding, "as a model sees them", { isOptional: true }),
    metadata: all(inspectMetadata.outputs.metadata.kind, "when", { isOptional: true }),
    decisions: one(readDecisions.outputs.decisions.kind, "what a person said", {
      isOptional: true,
    }),
  },
  params: z.object({ threshold: z.number() }),
  outputs: { verdict: each(verdict, "one row a picture"), groups: one(groups, "the groups") },
  async run({ fingerprint }, { threshold }, { members }) {
    const named = [];
    for (const { member, name } of members) {
      const print = await fingerprint.get(member)?.read();
      if (print !== undefined) named.push({ member, name, sha256: print.sha256 });
    }
    const made = groupsByName(named, threshold);
    return produced({ verdict: made.verdicts, groups: made.groups });
  },
});

export interface Named {
  readonly member: Member;
  readonly name: string;
  readonly sha256: string;
}

function keysOf({ name, sha256 }: Named): Readonly<Record<Verdict, string>> {
  const base = name.slice(name.lastIndexOf("/") + 1);
  return {
    exact: sha256,
    same_picture: base.split("-")[0]!,
    similar: base.split(/[-+]/)[0]!,
  };
}

/** As `someGroups` groups. */
export function groupsByName(named: readonly Named[], threshold: number) {
  const idOf = new Map<string, string>();
  const found: {
    id: string;
    verdict: Verdict;
    is_burst: boolean;
    members: string[];
    images: number;
    widest: Pair | null;
  }[] = [];
  const pairs = new Map<string, Pair>();
  for (const level of ["similar", "same_picture", "exact"] as const) {
    for (const [key, members] of Map.groupBy(named, (each) => keysOf(each)[level])) {
      if (members.length < 2) continue;
      const different = [...new Set(members.map((each) => each.sha256))].sort();
      if (level !== "exact" && different.length < 2) continue;
      const id = `g${sha256(`${level} ${key}`).slice(0, 12)}`;
      idOf.set(`${level} ${key}`, id);
      for (const [index, a] of different.entries()) {
        for (const b of different.slice(index + 1)) {
          pairs.set(`${a}:${b}`, pairOf(a, b, level));
        }
      }
      const [a, b] = [different[0]!, different.at(-1)!];
      found.push({
        id,
        verdict: level,
        is_burst: level === "similar",
        members: different,
        images: members.length,
        widest: a === b ? null : pairOf(a, b, level),
      });
    }
  }
  const group = (each: Named, level: Verdict) =>
    idOf.get(`${level} ${keysOf(each)[level]}`) ?? null;
  const verdicts = new Map(named.map((each) => {
    const [exact_group, same_picture_group, similar_group] = [
      group(each, "exact"),
      group(each, "same_picture"),
      group(each, "similar"),
    ];
    return [each.member, {
      sha256: each.sha256,
      verdict: exact_group !== null
        ? "exact" as const
        : same_picture_group !== null
        ? "same_picture" as const
        : similar_group !== null
        ? "similar" as const
        : null,
      exact_group,
      same_picture_group,
      similar_group,
      is_burst: similar_group !== null,
      nearest: null,
    }];
  }));
  const count = (level: Verdict) => found.filter((each) => each.verdict === level).length;
  return {
    verdicts,
    groups: {
      images: named.length,
      similar_by: "embedding" as const,
      threshold,
      search: { method: "exact" as const, recall: 1 },
      counts: {
        exact: count("exact"),
        same_picture: count("same_picture"),
        similar: count("similar"),
      },
      groups: found,
      pairs: [...pairs.values()],
      cosine_histogram: Array.from({ length: 200 }, (_, bin) => bin > 160 ? 200 - bin : 0),
      hash_histogram: Array.from({ length: 17 }, (_, bin) => bin * 3),
      warnings: [],
    },
  };
}

function pairOf(a: string, b: string, verdict: Verdict): Pair {
  const spread = parseInt(sha256(`${a}${b}`).slice(0, 4), 16) / 0xffff;
  const isSame = verdict === "same_picture";
  return {
    a,
    b,
    verdict,
    dhash_distance: isSame ? 2 : 14,
    phash_distance: isSame ? 1 : 12,
    cosine: Math.round((isSame ? 0.97 : 0.84 + 0.1 * spread) * 1000) / 1000,
  };
}

/** The steps of the recipe; the ones that look at pixels are stand-ins. */
export const dedupeSteps: readonly AnyStep[] = [
  scan,
  inspectMetadata,
  someFingerprint,
  someQuality,
  someEmbedding,
  someGroups,
  readDecisions,
  dedupeSelect,
  dedupePreviews,
  dedupeAct,
  reportDedupe,
];

/** A temporary folder with pictures and a workspace, and the steps of the dedupe recipe. */
export class DedupeRig implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "tintype-dedupe-" }));
  readonly session = new Session({
    catalog: new Catalog(dedupeSteps),
    cwd: this.folder,
    workspace: join(this.folder, ".tintype"),
  });

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(this.path(name), bytes);
    }
  }

  /** Runs the shipped recipe on ./photos into ./out. */
  async run(settings: Readonly<Record<string, unknown>> = {}, options: RunSettings = {}) {
    const text = Deno.readTextFileSync(dedupeRecipe);
    return await this.runText({ path: dedupeRecipe, text }, settings, options);
  }

  async runText(
    source: { readonly path: string; readonly text: string },
    settings: Readonly<Record<string, unknown>> = {},
    options: RunSettings = {},
  ) {
    const checked = await this.session.check(source, {
      settings: { source: "photos", out: "out", ...settings },
      needsValues: true,
    });
    if (checked.graph === undefined) {
      throw new Error(checked.diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
    }
    const events: RunEvent[] = [];
    const report = await this.session.run(checked.graph, {
      ...options,
      listener: (event) => events.push(event),
    });
    return { ...report, events };
  }

  /** The choices of the last run, by name. */
  async choices(): Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>> {
    const rows = await this.query("SELECT * FROM chosen ORDER BY item");
    return Object.fromEntries(rows.map((row) => [String(row.item), row]));
  }

  async query(sql: string) {
    const opened = await this.session.openCatalog();
    try {
      return (await opened.query(sql)).rows;
    } finally {
      opened.close();
    }
  }

  /** The files below a folder, by path, with their sha256; none where it is not there. */
  files(folder: string): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    const walk = (inner: string) => {
      for (const entry of Deno.readDirSync(this.path(folder, inner))) {
        const name = join(inner, entry.name);
        if (entry.isDirectory) walk(name);
        else if (entry.isSymlink) found[name] = "a link";
        else found[name] = sha256(Deno.readFileSync(this.path(folder, name)));
      }
    };
    try {
      walk("");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** What a run said besides its results. */
export function warningsOf(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => event.type === "warning" ? [event.message] : []);
}
