import { z } from "zod";
import type { Standing } from "../../baseline/baseline.ts";
import { discover, type PictureFacts } from "../../baseline/discover.ts";
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
import { content } from "../inspect/content.ts";
import { metadata } from "../inspect/metadata.ts";
import { baseline, standing } from "./kinds.ts";

/** Rows that are opened at the same time. */
const rowsAtOnce = 1000;

/**
 * Reads a baseline off a set of pictures: quantiles and histograms of every measure, the commonest
 * values of every characteristic, clusters by resolution and file size, outliers, and a summary in
 * sentences; and for each picture its cluster and what it is an outlier of. Methods and their sources
 * are in `quantile`, `histogramOf`, `clustersOf` and `outlierRule`.
 *
 * The order and the names of the pictures do not count. A set without pictures has a baseline too,
 * of 0 images. Where content is wired, a picture without it (one that is broken in its pixels) is not
 * in the set.
 */
export const discoverBaseline = defineStep({
  name: "baseline.discover",
  version: 1,
  doc:
    "Reads a baseline off a set of pictures: distributions, commonest values, clusters, outliers.",
  origin: "computed",
  isResult: true,
  inputs: {
    metadata: all(metadata, "what their headers say"),
    content: all(content, "how they look; without it, only headers count", { isOptional: true }),
  },
  params: z.object({}),
  outputs: {
    baseline: one(baseline, "what the set is like"),
    standing: each(standing, "where each picture stands in it"),
  },
  async run(inputs, _, context) {
    const members = [...inputs.metadata.keys()].filter((member) =>
      inputs.content === undefined || inputs.content.has(member)
    );
    const pictures = await inChunks(members, async (member): Promise<PictureFacts> => ({
      metadata: await inputs.metadata.get(member)!.read(),
      content: await inputs.content?.get(member)?.read(),
    }));
    const { baseline, standings } = await discover(pictures);
    const standing = new Map<Member, Standing | Rejected>(
      context.members.map(({ member }) => [
        member,
        rejected(inputs.metadata.has(member) ? "its pixels cannot be read" : "it has no metadata"),
      ]),
    );
    members.forEach((member, at) => standing.set(member, standings[at]!));
    context.summarize(baseline.summary[0]!);
    return produced({ baseline, standing });
  },
});

async function inChunks<From, To>(
  values: readonly From[],
  make: (value: From) => Promise<To>,
): Promise<To[]> {
  const made: To[] = [];
  for (let at = 0; at < values.length; at += rowsAtOnce) {
    made.push(...await Promise.all(values.slice(at, at + rowsAtOnce).map(make)));
  }
  return made;
}
