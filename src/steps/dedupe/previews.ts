import { z } from "zod";
import { encodeRaster } from "../../imaging/encode.ts";
import type { Image } from "../../imaging/image.ts";
import { imagingTools } from "../../imaging/tools.ts";
import { picturedMembers } from "../../report/dedupe_data.ts";
import { type Handle, jsonKind } from "../../runtime/artifact.ts";
import { Rejection } from "../../runtime/rejection.ts";
import { all, defineStep, one, produced } from "../../runtime/step.ts";
import { fingerprint } from "../inspect/kinds.ts";
import { image } from "../kinds.ts";
import { choice, groups } from "./kinds.ts";

/** A small picture: a `data:` URL of WebP, and its size in pixels. */
export interface Preview {
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly [key: string]: string | number;
}

/** Small pictures by the sha256 of their files. */
export const previews = jsonKind<"previews", Readonly<Record<string, Preview>>>(
  "previews",
  "small pictures of what is alike",
);

const params = z.object({
  most: z.int().min(0).max(5000).default(1000).meta({
    description: "pictures in all; groups beyond are listed without (about 8 kB each in a report)",
  }),
  size_px: z.int().min(32).max(512).default(192).meta({
    description: "longer side",
    unit: "px",
  }),
});

/**
 * Small pictures of the groups for the report: of whole groups, those of the same picture first, then
 * similar ones, then copies, as many as `most` allows. They are made before any original is moved, and
 * a rerun has them without the originals.
 */
export const dedupePreviews = defineStep({
  name: "dedupe.previews",
  version: 1,
  doc: "Makes small pictures of the groups, which the report shows.",
  origin: "computed",
  isResult: true,
  inputs: {
    image: all(image, "the pictures"),
    fingerprint: all(fingerprint, "what identifies each"),
    groups: one(groups, "the groups"),
    choice: all(choice, "which are kept; they are shown first", { isOptional: true }),
  },
  params,
  outputs: { previews: one(previews, "small pictures by sha256") },
  tools: imagingTools,
  async run({ image, fingerprint, groups, choice }, { most, size_px }, { members }) {
    const keepers = new Set<string>();
    const files = new Map<string, Handle<Image>>();
    for (const { member } of members) {
      const sha256 = (await fingerprint.get(member)?.read())?.sha256;
      const handle = image.get(member);
      if (sha256 === undefined || handle === undefined) continue;
      if (!files.has(sha256)) files.set(sha256, handle);
      if ((await choice?.get(member)?.read())?.is_keeper) keepers.add(sha256);
    }
    const wanted = picturedMembers((await groups.read()).groups, { keepers, most });
    const made: Record<string, Preview> = {};
    const rest = [...wanted].sort().values();
    const makeOthers = async () => {
      for (const sha256 of rest) {
        const handle = files.get(sha256);
        const preview = handle === undefined ? undefined : await previewOf(handle, size_px);
        if (preview !== undefined) made[sha256] = preview;
      }
    };
    // Two at a time, since each may be a giant; what is made of them does not depend on which is first.
    await Promise.all([makeOthers(), makeOthers()]);
    return produced({ previews: made });
  },
});

/** Undefined for a picture that cannot be shown; the report does without. */
async function previewOf(handle: Handle<Image>, size_px: number): Promise<Preview | undefined> {
  const opened = await handle.read();
  try {
    const raster = await opened.raster({ max_side_px: size_px });
    const bytes = await encodeRaster(raster, { format: "webp", quality: 70 });
    const { width, height } = raster;
    return { source: `data:image/webp;base64,${bytes.toBase64()}`, width, height };
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  } finally {
    opened.release();
  }
}
