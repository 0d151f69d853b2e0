import { Rejection } from "../runtime/rejection.ts";
import { damageRejection, missingEnd } from "./damage.ts";
import type { ImageHeader } from "./header.ts";
import { readHeicMetadata } from "./heic_metadata.ts";
import { HeicPool } from "./heic_pool.ts";
import type { ProblemKind } from "./libheif.ts";
import { tiffHead } from "./tiff_head.ts";

const pool = new HeicPool();

/**
 * The primary picture of a HEIC as a TIFF without compression: upright, 8 bits a channel, with the
 * profile of its colours where they are not those of sRGB. Throws `Rejection` when it is damaged or ends
 * early, and an error when the worker that decodes it breaks.
 */
export async function tiffOfHeic(bytes: Uint8Array, header: ImageHeader): Promise<Uint8Array> {
  const { width, height } = header;
  const ending = missingEnd(bytes, "heic");
  if (ending !== undefined) throw ending;
  const channels = header.has_alpha ? 4 : 3;
  const head = tiffHead({ width, height, channels, profile: await profileOf(bytes, header) });
  const answer = await pool.decode({ bytes, width, height, channels, head });
  if ("problem" in answer) throw rejectionOf(answer.problem, bytes);
  return answer.made;
}

/** Ends the workers that decode nothing. */
export function releaseHeicWorkers(): void {
  pool.release();
}

async function profileOf(bytes: Uint8Array, header: ImageHeader): Promise<Uint8Array | undefined> {
  if (header.is_srgb || header.icc_profile === null) return undefined;
  return (await readHeicMetadata(bytes)).metadata.icc;
}

function rejectionOf(problem: ProblemKind, bytes: Uint8Array): Rejection {
  switch (problem) {
    case "damaged":
      return damageRejection(bytes, "heic");
    case "unsupported":
      return new Rejection(
        "HEIC with a feature that this build cannot decode (convert it to JPEG)",
      );
    case "cropped":
      return new Rejection(
        "HEIC with a crop of more than a margin, which this build cannot decode (convert it to JPEG)",
      );
    case "too-large":
      return new Rejection(
        "HEIC takes more memory than its decoder may have, which this build cannot decode (convert it to JPEG)",
      );
  }
}
