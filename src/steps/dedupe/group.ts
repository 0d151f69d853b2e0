import { z } from "zod";
import { type Shot, shotOf } from "../../dedupe/bursts.ts";
import type { Content } from "../../dedupe/content.ts";
import { deduplicate } from "../../dedupe/deduplicate.ts";
import { TooManyLinks } from "../../dedupe/grouping.ts";
import {
  all,
  defineStep,
  each,
  failed,
  type InputValues,
  type Member,
  one,
  produced,
  type Rejected,
  rejected,
  type StepContext,
} from "../../runtime/step.ts";
import { countText } from "../../report/format.ts";
import { decisions } from "../decisions/read.ts";
import { embedding, fingerprint } from "../inspect/kinds.ts";
import { metadata } from "../inspect/metadata.ts";
import { groups, verdict } from "./kinds.ts";

const params = z.object({
  threshold: z.number().min(0).max(1).default(0).meta({
    description:
      "cosine from which pictures are similar; 0 takes what models.yaml says of the model (`similar_from`)",
  }),
  same_distance: z.int().min(0).max(16).default(4).meta({
    description: "up to which dHash and pHash of the same picture differ",
    unit: "bits of 64",
  }),
  hash_similar_distance: z.int().min(0).max(16).default(8).meta({
    description: "the same for similar pictures, where there are no embeddings",
    unit: "bits of 64",
  }),
  orientations: z.boolean().default(false).meta({
    description:
      "also compare turned and mirrored; needs fingerprints with orientations, eight times the work",
  }),
  burst_seconds: z.number().min(0).max(3600).default(3).meta({
    description: "from one picture of a burst to the next",
    unit: "s",
  }),
});

const inputs = {
  fingerprint: all(fingerprint, "what identifies the pictures"),
  embedding: all(embedding, "the pictures as vectors; without, hashes alone decide", {
    isOptional: true,
  }),
  metadata: all(metadata, "camera and date, to tell shots apart and bursts", { isOptional: true }),
  decisions: one(decisions, "pairs that a person told alike or apart", { isOptional: true }),
};

/** Rows that are opened at the same time. */
const rowsAtOnce = 1000;

/**
 * Groups pictures that are alike, in three verdicts:
 *
 * - `exact`: the same bytes;
 * - `same_picture`: the same decoded pixels, or dHash and pHash both within `same_distance`, on white
 *   and on black where there is transparency, with the same aspect ratio and the same thumbnail, and
 *   not two shots by what the camera wrote (`samePictures`);
 * - `similar`: embeddings with a cosine of `threshold` or more. Measured on 94 photographs with SqueezeNet
 *   (mean over space of fire9/concat_1), each halved, at JPEG quality 15, cropped to 75 % of its sides,
 *   turned by 3° and mirrored: at 0.74 all changed pictures are found with 0.1 % false pairs, at 0.79
 *   99.4 % with 0.05 %, at 0.84 98 % with 0.01 %, at 0.87 95 % with 0.003 %. In groups, where all must be
 *   linked, 98.7 % come together at 0.76 and 95.3 % at 0.8. Other models have other cosines, which
 *   models.yaml has as `similar_from`; of one that has none 0.95 is taken, with a warning. Without
 *   embeddings hashes within `hash_similar_distance` decide, and a warning says so.
 *
 * Every two of a group are linked, but for those that a person put together; pictures that are the same
 * are in one group of similar ones. All pairs are compared up to 100,000 different embeddings; beyond,
 * an index finds neighbours, and its recall is reported. Names and order do not count.
 */
export const groupDuplicates = defineStep({
  name: "dedupe.group",
  version: 2,
  doc: "Groups pictures that are alike: the same bytes, the same picture, similar ones.",
  origin: "computed",
  isResult: true,
  inputs,
  params,
  outputs: {
    verdict: each(verdict, "which others each picture is like"),
    groups: one(groups, "the groups, and the pairs near the threshold"),
  },
  async run(inputs, params, context) {
    const { contents, placeOf } = await contentsOf(inputs);
    const alike = (await inputs.decisions?.read())?.alike ?? {};
    const threshold = params.threshold > 0 ? params.threshold : thresholdOf(inputs, context);
    try {
      const found = await deduplicate(contents, {
        threshold,
        sameDistance: params.same_distance,
        hashSimilarDistance: params.hash_similar_distance,
        orientations: params.orientations,
        burstSeconds: params.burst_seconds,
        alike,
        signal: context.signal,
      });
      const verdicts = new Map<Member, (typeof found.verdicts)[number] | Rejected>(
        context.members.map(({ member }) => {
          const place = placeOf.get(member);
          return [
            member,
            place === undefined ? rejected("it has no fingerprint") : found.verdicts[place]!,
          ];
        }),
      );
      const counted = (name: string) =>
        found.groups.filter(({ verdict }) => verdict === name).length;
      const counts = {
        exact: counted("exact"),
        same_picture: counted("same_picture"),
        similar: counted("similar"),
      };
      context.summarize(
        `${countText(placeOf.size, "picture")}: ${
          countText(counts.exact, "group")
        } of equal files, ` +
          `${counts.same_picture} of the same picture, ${counts.similar} of similar ones`,
      );
      return produced({
        verdict: verdicts,
        groups: {
          images: placeOf.size,
          similar_by: found.similarBy,
          threshold: found.similarBy === "embedding" ? threshold : null,
          search: found.search,
          counts,
          groups: found.groups,
          pairs: found.pairs,
          cosine_histogram: found.cosineHistogram,
          hash_histogram: found.hashHistogram,
          warnings: found.warnings,
        },
      });
    } catch (error) {
      if (!(error instanceof TooManyLinks)) throw error;
      return failed(
        `Cannot group ${contents.length} pictures: there are ${error.message} ` +
          `(a higher "threshold", now ${threshold}, or a lower "same_distance" links fewer)`,
      );
    }
  },
});

/** Far from the cosines of different pictures by all models that were tried. */
const cautiousThreshold = 0.95;

/** That of the model; the strictest, where embeddings of several models are mixed. */
function thresholdOf({ embedding }: InputValues<typeof inputs>, { warn }: StepContext): number {
  const known = new Set<number>();
  let vectors = 0;
  for (const { ref: { facts } } of embedding?.values() ?? []) {
    if (Number(facts?.["dimensions"] ?? 0) > 0) vectors++;
    const from = facts?.["similar_from"];
    if (typeof from === "number") known.add(from);
  }
  if (known.size > 0) return Math.max(...known);
  if (vectors > 0) {
    warn(
      `Nothing says from which cosine pictures are similar by their model: ${cautiousThreshold} is ` +
        'taken (set "threshold", or "similar_from" of the model in models.yaml)',
    );
  }
  return cautiousThreshold;
}

/** The different contents by sha256, and which one each member has. */
async function contentsOf(given: InputValues<typeof inputs>) {
  const members = [...given.fingerprint.keys()];
  const read: { member: Member; content: Omit<Content, "copies"> }[] = [];
  // Copies have the same rows, which are read once.
  const known = new Map<string, ReturnType<typeof contentOf>>();
  for (let at = 0; at < members.length; at += rowsAtOnce) {
    const some = members.slice(at, at + rowsAtOnce);
    read.push(
      ...await Promise.all(some.map(async (member) => {
        const key = rowsKey(given, member);
        const content = known.get(key) ?? contentOf(given, member);
        known.set(key, content);
        return { member, content: await content };
      })),
    );
  }
  const bySha = new Map<string, Content>();
  for (const { content } of read) {
    const { copies } = bySha.get(content.sha256) ?? { copies: 0 };
    bySha.set(content.sha256, { ...content, copies: copies + 1 });
  }
  const contents = [...bySha.values()].sort((x, y) => x.sha256 < y.sha256 ? -1 : 1);
  const places = new Map(contents.map(({ sha256 }, place) => [sha256, place]));
  const placeOf = new Map(read.map(({ member, content }) => [member, places.get(content.sha256)!]));
  return { contents, placeOf };
}

/** What the member's rows are, by hash. */
function rowsKey({ fingerprint, embedding, metadata }: InputValues<typeof inputs>, member: Member) {
  return [fingerprint, embedding, metadata].map((rows) => rows?.get(member)?.ref.hash).join(" ");
}

async function contentOf(given: InputValues<typeof inputs>, member: Member) {
  // Without the thumbnail's text: of 100,000 pictures it takes 0.7 GB.
  const { thumbnail, ...own } = await given.fingerprint.get(member)!.read();
  const vector = await given.embedding?.get(member)?.read();
  const shot: Shot | undefined = shotOf(await given.metadata?.get(member)?.read());
  return {
    sha256: own.sha256,
    fingerprint: own,
    thumbnail: thumbnail == null ? undefined : Uint8Array.fromBase64(thumbnail),
    embedding: vector === undefined || vector.length === 0 ? undefined : vector,
    shot,
  };
}
