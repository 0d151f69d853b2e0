import { brisque, type BrisqueModel } from "./brisque.ts";
import { opencvModel } from "./brisque_model.ts";
import { isComplete, niqe, niqeBlocks, type NiqeModel } from "./niqe.ts";
import { defaultNiqeModel, type NamedNiqeModel, readNiqeModel } from "./niqe_model_file.ts";
import type { Pixels } from "./plane.ts";

/** Measures a picture. */
export interface MeasureInput {
  readonly task: "measure";
  readonly pixels: Pixels;
  readonly measuresBrisque: boolean;
  readonly measuresNiqe: boolean;
  /** The model's file; ours when left out. */
  readonly niqeModel?: string;
}

export interface QualityMeasures {
  readonly brisque: number | null;
  readonly niqe: number | null;
  /** Null where NIQE was not asked for. */
  readonly niqeModel: string | null;
}

/** Looks at a NIQE model. */
export interface ModelInput {
  readonly task: "model";
  readonly niqeModel?: string;
}

export type ModelFacts = Pick<NamedNiqeModel, "name" | "sha256">;

/** Finds the blocks that NIQE is fitted to. */
export interface SharpBlocksInput {
  readonly task: "sharp-blocks";
  readonly pixels: Pixels;
  readonly luma: NiqeModel["luma"];
  /** Blocks count whose sharpness is more than this part of that of the sharpest block; 0 to 1. */
  readonly leastSharpness: number;
}

/** Features of the blocks that count. */
export type SharpBlocks = readonly Float64Array[];

let brisqueModel: BrisqueModel | undefined;
let ownNiqeModel: NamedNiqeModel | undefined;

/** Called by `WorkerPool`. */
export async function compute(
  input: MeasureInput | ModelInput | SharpBlocksInput,
): Promise<QualityMeasures | ModelFacts | SharpBlocks> {
  switch (input.task) {
    case "measure":
      return await measured(input);
    case "model": {
      const { name, sha256 } = await modelOf(input.niqeModel);
      return { name, sha256 };
    }
    case "sharp-blocks":
      return sharpBlocks(input);
  }
}

async function measured(input: MeasureInput): Promise<QualityMeasures> {
  const { pixels, measuresBrisque, measuresNiqe } = input;
  const model = measuresNiqe ? await modelOf(input.niqeModel) : undefined;
  return {
    brisque: measuresBrisque ? brisque(pixels, brisqueModel ??= opencvModel()) : null,
    niqe: model === undefined ? null : niqe(pixels, model.model),
    niqeModel: model?.name ?? null,
  };
}

async function modelOf(path: string | undefined): Promise<NamedNiqeModel> {
  return path === undefined ? ownNiqeModel ??= defaultNiqeModel() : await readNiqeModel(path);
}

function sharpBlocks({ pixels, luma, leastSharpness }: SharpBlocksInput): SharpBlocks {
  const blocks = niqeBlocks(pixels, luma);
  const sharpest = blocks.reduce((most, { sharpness }) => Math.max(most, sharpness), 0);
  return blocks.filter(({ sharpness, features }) =>
    sharpness > leastSharpness * sharpest && isComplete(features)
  ).map(({ features }) => features);
}
