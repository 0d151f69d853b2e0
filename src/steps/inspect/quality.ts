import { z } from "zod";
import { imagingTools } from "../../imaging/tools.ts";
import type {
  MeasureInput,
  ModelFacts,
  ModelInput,
  QualityMeasures,
} from "../../quality/quality_worker.ts";
import { file } from "../../runtime/params.ts";
import { defineStep, each, failed, produced } from "../../runtime/step.ts";
import { type Computing, computing } from "../../services/computing.ts";
import { image } from "../kinds.ts";
import { quality } from "./kinds.ts";

const weight = z.number().min(0).max(1_000).default(1);

const params = z.object({
  measures: z.array(z.enum(["brisque", "niqe"])).min(1).default(["brisque", "niqe"]).meta({
    description: "what to measure",
  }),
  niqe_model: file(
    "NIQE's pristine parameters, as `tintype models fit-niqe` writes them; ours when left out",
  )
    .optional(),
  weights: z.object({ brisque: weight, niqe: weight }).prefault({}).meta({
    description: "how much each measure counts in the score",
  }),
  max_side_px: z.int().min(96).max(16_384).default(2048).meta({
    description: "longer pictures are measured at this size; others at their own",
    unit: "px",
  }),
});
type QualityParams = z.output<typeof params>;

const qualityWorker = new URL("../../quality/quality_worker.ts", import.meta.url);

/**
 * Measures how good a picture is without comparing it to another, on the pixels as they are stored:
 * upright, sRGB, colours under transparency as the file has them, as OpenCV reads files.
 *
 * - `brisque_opencv`: BRISQUE (Mittal, Moorthy, Bovik 2012) by OpenCV's model, within 0.003 of OpenCV
 *   4.6, 0 (best) to 100. LIVE's and MATLAB's own models give other numbers. Null for a picture of one
 *   grey, or of less than 8 pixels on a side;
 * - `niqe`: NIQE (Mittal, Soundararajan, Bovik 2013), 0 without an upper limit, lower is better; with the
 *   published parameters within 0.001 of LIVE's code on luma. Null for a picture of less than two
 *   blocks of 96 × 96 pixels with any structure. `niqe_model` names the parameters: results by
 *   different ones cannot be compared;
 * - `score`: the mean of `1 − brisque / 100` and `1 − min(1, max(0, niqe − 2) / 13)`, each weighted by its
 *   weight, those left out that are null; 0 (worst) to 1 (best).
 *
 * Pictures longer than `max_side_px` are shrunk to it first, which takes 0.5 s instead of 2 s for 12
 * megapixels and hides blur and noise that nobody sees at that size. Measured in workers.
 */
export const inspectQuality = defineStep({
  name: "inspect.quality",
  version: 1,
  doc: "Measures how good a picture is without a reference: BRISQUE, NIQE and a combined score.",
  origin: "computed",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params,
  outputs: { quality: each(quality, "one row a picture") },
  async tools({ measures, niqe_model }, context) {
    const tools = await imagingTools();
    if (!measures.includes("niqe") || niqe_model === undefined) return tools;
    const facts = await modelFacts(context.service(computing), niqe_model);
    // What is wrong with it is said when it is used.
    return { ...tools, niqe_model: facts instanceof Error ? "unusable" : facts.sha256 };
  },
  async run({ image }, params, context) {
    const workers = context.service(computing);
    if (params.niqe_model !== undefined && params.measures.includes("niqe")) {
      const facts = await modelFacts(workers, params.niqe_model);
      if (facts instanceof Error) return failed(facts.message, { stopsNode: true });
    }
    const { max_side_px } = params;
    const { width, height, channels, pixels } = await (await image.read()).raster({ max_side_px });
    // The raster is shared with other steps, so that only a copy can be moved to the worker.
    const own = pixels.slice();
    const measured = await workers.call<MeasureInput, QualityMeasures>(qualityWorker, {
      task: "measure",
      pixels: { width, height, channels, pixels: own },
      measuresBrisque: params.measures.includes("brisque"),
      measuresNiqe: params.measures.includes("niqe"),
      niqeModel: params.niqe_model,
    }, [own.buffer]);
    return produced({ quality: rowOf(measured, params) });
  },
});

async function modelFacts(workers: Computing, niqeModel: string): Promise<ModelFacts | Error> {
  try {
    return await workers.call<ModelInput, ModelFacts>(qualityWorker, { task: "model", niqeModel });
  } catch (error) {
    return error as Error;
  }
}

function rowOf({ brisque, niqe, niqeModel }: QualityMeasures, { weights }: QualityParams) {
  return {
    brisque_opencv: brisque === null ? null : rounded(brisque),
    niqe: niqe === null ? null : rounded(niqe),
    niqe_model: niqeModel,
    score: combined([
      { weight: weights.brisque, part: brisque === null ? null : 1 - brisque / 100 },
      {
        weight: weights.niqe,
        part: niqe === null ? null : 1 - Math.min(1, Math.max(0, niqe - 2) / 13),
      },
    ]),
  };
}

interface Part {
  readonly weight: number;
  /** 0 to 1; null where there is none. */
  readonly part: number | null;
}

/** The weighted mean of the parts that there are; null where none of them counts. */
function combined(parts: readonly Part[]): number | null {
  const counted = parts.flatMap(({ weight, part }) => part === null ? [] : [{ weight, part }]);
  const total = counted.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return null;
  return rounded(counted.reduce((sum, { weight, part }) => sum + weight * part, 0) / total);
}

/** To six digits: rounding differs between machines beyond. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
