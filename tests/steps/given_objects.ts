import { z } from "zod";
import { defineStep, each, produced } from "../../src/runtime/step.ts";
import { cropSubject } from "../../src/steps/image/crop_subject.ts";
import { objects } from "../../src/steps/inspect/kinds.ts";
import { image } from "../../src/steps/kinds.ts";
import { catalog } from "../../src/steps/mod.ts";

/** Left, top, width and height, of a picture's upright pixels. */
export type GivenBox = readonly [x: number, y: number, width: number, height: number];

/** What a picture shows. */
export interface Given {
  readonly boxes?: Readonly<Record<string, GivenBox>>;
  readonly faces?: readonly GivenBox[];
  /** Of the picture as the model saw it; its own when left out. */
  readonly size?: readonly [width: number, height: number];
  readonly score?: number;
  readonly isModelMissing?: boolean;
}

/** Says what is in pictures by their names, where the real step asks a model. */
export const givenObjects = defineStep({
  name: "test.objects",
  version: 1,
  doc: "Says what is in pictures.",
  origin: "computed",
  usesItemName: true,
  inputs: { image: each(image, "the pictures") },
  params: z.object({ given: z.record(z.string(), z.any()) }),
  outputs: { objects: each(objects, "what is in each") },
  async run({ image }, { given }, { itemName }) {
    const header = await (await image.read()).header();
    const { boxes = {}, faces = [], size, score = 0.9, isModelMissing } =
      (given[itemName] ?? {}) as Given;
    const [width, height] = size ?? [header.width, header.height];
    const labels = Object.keys(boxes);
    const sides = faces.map(([, , across, down]) => Math.min(across, down));
    return produced({
      objects: {
        count: isModelMissing === true ? null : labels.length,
        labels: Object.fromEntries(labels.map((label) => [label, 1])),
        width,
        height,
        boxes: labels.map((label) => ({ label, score, ...areaOf(boxes[label]!) })),
        faces: faces.map((face) => ({ score, landmarks: [], ...areaOf(face) })),
        smallest_face_px: sides.length === 0 ? null : Math.min(...sides),
      },
    });
  },
});

function areaOf([x, y, width, height]: GivenBox) {
  return { x, y, width, height };
}

/** The steps that recipes of these tests need besides the built-in ones. */
export const subjectSteps = [cropSubject, givenObjects]
  .filter((step) => !catalog.names().includes(step.name));
