import { z } from "zod";
import type { Image } from "../../imaging/image.ts";
import type { Size } from "../../imaging/proxy_size.ts";
import { imagingTools } from "../../imaging/tools.ts";
import {
  type BatchContext,
  defineStep,
  each,
  failed,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import type { Handle } from "../../runtime/artifact.ts";
import { type Feeds, ModelProblem, type Outputs } from "../../services/inference.ts";
import type { Detection, DetectionLimits } from "../../vision/boxes.ts";
import { coco80 } from "../../vision/coco.ts";
import { detrDetections } from "../../vision/detr.ts";
import {
  feedsOf,
  type PictureModel,
  rasterFor,
  type View,
  viewOf,
} from "../../vision/preprocess.ts";
import { yoloxDetections } from "../../vision/yolox.ts";
import { type Face, yunetFaces } from "../../vision/yunet.ts";
import { image } from "../kinds.ts";
import { objects } from "./kinds.ts";
import {
  goesWithout,
  ifMissing,
  type ModelContext,
  modelTools,
  noModel,
  openPictureModel,
  type PictureSession,
  unlessProblem,
  withoutModel,
} from "./models.ts";

const share = z.number().min(0).max(1);

const params = z.object({
  model: z.string().default("yolox-nano").meta({
    description: 'a model for object-detection, by its name in models.yaml, or "none"',
  }),
  faces_model: z.string().default("yunet").meta({
    description: 'a model for face-detection, by its name in models.yaml, or "none"',
  }),
  min_score: share.default(0.4).meta({ description: "the least sure an object may be" }),
  min_face_score: share.default(0.7).meta({ description: "the least sure a face may be" }),
  iou: share.default(0.5).meta({
    description: "of two of a class that overlap by more, intersection over union, one is kept",
  }),
  classes: z.array(z.enum(coco80)).min(1).optional().meta({
    description: "the classes to look for; all 80 of COCO when left out",
  }),
  if_missing: ifMissing,
});
type ObjectsParams = z.output<typeof params>;

/** What one model is fed for a picture, and how its output lies in it. */
interface Look {
  readonly feeds: Feeds;
  readonly view: View;
}

/** A picture ready for both models, or why not; a model that is not asked has no look. */
type Prepared =
  | {
    readonly type: "ready";
    readonly picture: Size;
    readonly objects: Look | undefined;
    readonly faces: Look | undefined;
    readonly isProvisional: boolean;
  }
  | { readonly type: "unusable"; readonly reason: string };

/**
 * Finds objects and faces, in upright pixels of the whole picture: the 80 classes of COCO by YOLOX or
 * DETR, faces with five landmarks by YuNet. Each model sees the whole picture, laid into its input as
 * its entry says, transparency on white; both from one decode. Boxes are kept inside the picture, and
 * suppressed by class (see `suppress`).
 *
 * `count` is null where no model was asked for objects: with model "none", or where its file is not
 * here and `if_missing` is skip.
 */
export const inspectObjects = defineStep({
  name: "inspect.objects",
  version: 1,
  doc: "Finds objects and faces: boxes, classes and scores, in upright pixels.",
  origin: "computed",
  pool: "onnx",
  isResult: true,
  inputs: { image: each(image, "the pictures") },
  params,
  outputs: { objects: each(objects, "one row a picture") },
  async tools({ model, faces_model, if_missing }, context) {
    const models = await modelTools([model, faces_model], if_missing, context);
    return { ...await imagingTools(), ...models };
  },
  batch: { size: 8, prepare, run },
});

async function prepare(
  { image }: { readonly image: Handle<Image> },
  params: ObjectsParams,
  context: StepContext,
): Promise<Prepared> {
  const sessions = await openBoth(params, context);
  let isProvisional = false;
  const both = [[params.model, sessions.objects], [params.faces_model, sessions.faces]] as const;
  for (const [name, session] of both) {
    if (!(session instanceof ModelProblem)) continue;
    if (!session.isMissing || params.if_missing === "fail") {
      return { type: "unusable", reason: session.message };
    }
    context.warn(withoutModel(session, "pictures are not looked at with it"));
    if (!goesWithout(name, context)) isProvisional = true;
  }
  const opened = await image.read();
  const { width, height } = await opened.header();
  const [objects, faces] = await looksOf(opened, [sessions.objects, sessions.faces]);
  return { type: "ready", picture: { width, height }, objects, faces, isProvisional };
}

type MaybeSession = PictureSession | ModelProblem | undefined;

async function openBoth({ model, faces_model }: ObjectsParams, context: ModelContext) {
  const open = (name: string, task: "object-detection" | "face-detection") =>
    name === noModel ? undefined : unlessProblem(openPictureModel(name, task, context));
  const objects: MaybeSession = await open(model, "object-detection");
  const faces: MaybeSession = await open(faces_model, "face-detection");
  return { objects, faces };
}

/** From one decode, at the size of the model that sees most. */
async function looksOf(
  opened: Image,
  sessions: readonly MaybeSession[],
): Promise<readonly (Look | undefined)[]> {
  const header = await opened.header();
  const plans = sessions.map((session) =>
    session === undefined || session instanceof ModelProblem
      ? undefined
      : { view: viewOf(header, session.entry), model: session.entry }
  );
  const wanted = plans.filter((plan) => plan !== undefined);
  if (wanted.length === 0) return [];
  const raster = await opened.raster(rasterFor(header, wanted));
  return await Promise.all(plans.map(async (plan) => {
    if (plan === undefined) return undefined;
    return { view: plan.view, feeds: await feedsOf(raster, plan.view, plan.model) };
  }));
}

async function run(prepared: readonly Prepared[], params: ObjectsParams, context: BatchContext) {
  const sessions = await openBoth(params, context);
  const found = await looked(prepared, "objects", {
    session: sessions.objects,
    decode: (outputs, view, model) => {
      const { min_score: minScore, iou, classes } = params;
      const all = detectionsIn(outputs, view, { model, minScore, iou });
      return all.filter(({ label }) => classes === undefined || isIn(classes, label));
    },
  });
  const faces = await looked(prepared, "faces", {
    session: sessions.faces,
    decode: (outputs, view) =>
      yunetFaces(outputs, view, { minScore: params.min_face_score, iou: params.iou }),
  });
  return prepared.map((item) => {
    if (item.type === "unusable") return failed(item.reason, { stopsNode: true });
    const row = rowOf(item.picture, found.get(item), faces.get(item) ?? []);
    return produced({ objects: row }, { isProvisional: item.isProvisional });
  });
}

function isIn(classes: readonly string[], label: string): boolean {
  return classes.includes(label);
}

interface Looking<Found> {
  readonly session: MaybeSession;
  decode(outputs: Outputs, view: View, model: PictureModel): readonly Found[];
}

/** Asks one model about all pictures that have a look for it. */
async function looked<Found>(
  prepared: readonly Prepared[],
  part: "objects" | "faces",
  { session, decode }: Looking<Found>,
): Promise<ReadonlyMap<Prepared, readonly Found[]>> {
  const asked = prepared.flatMap((item) => {
    const look = item.type === "ready" ? item[part] : undefined;
    return look === undefined ? [] : [{ item, look }];
  });
  if (asked.length === 0) return new Map();
  if (session instanceof ModelProblem) throw session;
  const outputs = await session!.run(asked.map(({ look }) => look.feeds));
  return new Map(
    asked.map(({ item, look }, at) =>
      [item, decode(outputs[at]!, look.view, session!.entry)] as const
    ),
  );
}

function detectionsIn(
  outputs: Outputs,
  view: View,
  { model, ...limits }: DetectionLimits & { readonly model: PictureModel },
): readonly Detection[] {
  if (model.decode?.as === "detr") return detrDetections(outputs, view, limits);
  return yoloxDetections(outputs[model.outputs[0]!.name]!, view, limits);
}

function rowOf(
  { width, height }: Size,
  found: readonly Detection[] | undefined,
  faces: readonly Face[],
) {
  const sides = faces.map(({ box }) => Math.min(box.width, box.height));
  return {
    count: found?.length ?? null,
    labels: labelCounts(found ?? []),
    width,
    height,
    boxes: (found ?? []).map(({ label, score, box }) => ({ ...box, label, score })),
    faces: faces.map(({ score, box, landmarks }) => ({
      ...box,
      score,
      landmarks: landmarks.map(([x, y]): [number, number] => [x, y]),
    })),
    smallest_face_px: sides.length === 0 ? null : Math.min(...sides),
  };
}

/** The commonest first; equally common ones as the surest of each come. */
function labelCounts(found: readonly Detection[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of found) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}
