import assert from "node:assert/strict";
import fc from "fast-check";
import {
  aspectOf,
  bestCrop,
  type Crop,
  cutRaster,
  type Found,
  smallestFace,
  type Subject,
  subjectsOf,
  windowOf,
} from "../../src/vision/crop.ts";
import type { Box } from "../../src/vision/boxes.ts";

const aspects = ["1:1", "3:2", "2:3", "16:9", "9:16", "4:5", "2.39:1", 1.5, 0.01, 100] as const;
const everything = { minScore: 0, faceWeight: 8 };

const sizes = fc.record({
  width: fc.integer({ min: 1, max: 700 }),
  height: fc.integer({ min: 1, max: 700 }),
});

/** Areas as parts of the picture, some reaching out of it. */
const areas = fc.record({
  x: fc.double({ min: -0.2, max: 0.95, noNaN: true }),
  y: fc.double({ min: -0.2, max: 0.95, noNaN: true }),
  width: fc.double({ min: 0.01, max: 1, noNaN: true }),
  height: fc.double({ min: 0.01, max: 1, noNaN: true }),
  score: fc.double({ min: 0.05, max: 1, noNaN: true }),
});

const scenes = fc.record({
  picture: sizes,
  boxes: fc.array(areas, { maxLength: 5 }),
  faces: fc.array(areas, { maxLength: 4 }),
  margin: fc.double({ min: 0, max: 1, noNaN: true }),
  aspects: fc.subarray([...aspects], { minLength: 1, maxLength: 3 }),
});
type Scene = (typeof scenes) extends fc.Arbitrary<infer Value> ? Value : never;

function subjectsIn({ picture, boxes, faces }: Scene): Subject[] {
  const seen = { width: 1, height: 1, count: boxes.length };
  const labelled = boxes.map((box) => ({ ...box, label: "thing" }));
  return subjectsOf({ ...seen, boxes: labelled, faces }, picture, everything);
}

function cropOf(scene: Scene, subjects = subjectsIn(scene)): Crop {
  const { picture, margin } = scene;
  const windows = scene.aspects.map((aspect) => windowOf(picture, aspectOf(aspect)));
  return bestCrop(picture, { windows, subjects, margin });
}

function one(
  picture: { readonly width: number; readonly height: number },
  subjects: readonly Subject[],
  aspect = "1:1",
  margin = 0,
): Crop {
  return bestCrop(picture, { windows: [windowOf(picture, aspectOf(aspect))], subjects, margin });
}

function subject(x: number, width: number, more: Partial<Subject> = {}): Subject {
  const area = { x, y: 100, width, height: 100, ...more };
  return { isFace: false, worth: area.width * area.height, ...area };
}

function contains(crop: Box, area: Box): boolean {
  return area.x >= crop.x - 1e-6 && area.y >= crop.y - 1e-6 &&
    area.x + area.width <= crop.x + crop.width + 1e-6 &&
    area.y + area.height <= crop.y + crop.height + 1e-6;
}

Deno.test("a crop lies inside the picture, in whole pixels, and is as long as it one way", () => {
  fc.assert(fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.length > 0);
    const { x, y, width, height, score } = cropOf(scene, subjects);
    assert.ok([x, y, width, height].every(Number.isInteger));
    assert.ok(x >= 0 && y >= 0 && width >= 1 && height >= 1);
    assert.ok(x + width <= scene.picture.width && y + height <= scene.picture.height);
    assert.ok(width === scene.picture.width || height === scene.picture.height);
    assert.ok(score >= 0 && score <= 1);
  }));
});

Deno.test("a crop's aspect is what was asked for to within the rounding of one side", () => {
  fc.assert(fc.property(sizes, fc.constantFrom(...aspects), (picture, asked) => {
    const aspect = aspectOf(asked);
    const { width, height } = windowOf(picture, aspect);
    const isWidthOff = Math.abs(width - height * aspect.ratio!) <= 0.5 + 1e-9;
    const isHeightOff = Math.abs(height - width / aspect.ratio!) <= 0.5 + 1e-9;
    assert.ok(isWidthOff || isHeightOff || Math.min(width, height) === 1);
  }));
});

Deno.test("the score is the part of the subject inside, by area and worth", () => {
  fc.assert(fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.length > 0);
    const crop = cropOf(scene, subjects);
    const inside = (area: Box) =>
      Math.max(0, Math.min(area.x + area.width, crop.x + crop.width) - Math.max(area.x, crop.x)) *
      Math.max(0, Math.min(area.y + area.height, crop.y + crop.height) - Math.max(area.y, crop.y));
    const total = subjects.reduce((sum, { worth }) => sum + worth, 0);
    const kept = subjects.reduce(
      (sum, each) => sum + each.worth * inside(each) / (each.width * each.height),
      0,
    );
    assert.ok(Math.abs(crop.score - kept / total) < 1e-4, `${crop.score} and ${kept / total}`);
  }));
});

Deno.test("subjects that fit all together are kept whole", () => {
  fc.assert(fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.length > 0);
    const fits = scene.aspects.some((aspect) => {
      const { width, height } = windowOf(scene.picture, aspectOf(aspect));
      const ends = (at: "x" | "y", side: "width" | "height") =>
        Math.ceil(Math.max(...subjects.map((each) => each[at] + each[side]))) -
        Math.floor(Math.min(...subjects.map((each) => each[at])));
      return ends("x", "width") <= width && ends("y", "height") <= height;
    });
    fc.pre(fits);
    const crop = cropOf(scene, subjects);
    assert.ok(subjects.every((each) => contains(crop, each)), JSON.stringify(crop));
    assert.ok(crop.score > 0.9999);
  }));
});

Deno.test("the mirrored picture gets the mirrored crop, or an equal one where both are as good", () => {
  const law = fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.length > 0);
    const { width } = scene.picture;
    const mirrored = <A extends Box>(area: A): A => ({ ...area, x: width - area.x - area.width });
    const crop = cropOf(scene, subjects);
    const other = mirrored(cropOf(scene, subjects.map(mirrored)));
    const isSame = other.x === crop.x && other.y === crop.y && other.width === crop.width;
    // Only places just as far from the middle of the picture, on both sides of it, are tied.
    const isTied = other.y === crop.y && other.width === crop.width && other.x === mirrored(crop).x;
    assert.ok(isSame || isTied, `${JSON.stringify(crop)} and ${JSON.stringify(other)}`);
    assert.ok(Math.abs(other.score - crop.score) < 0.01);
  });
  // Mirrored, the faces end at 399.99999999999994 of 400.
  const whole: Scene = {
    picture: { width: 400, height: 34 },
    boxes: [{ x: 0, y: 0, width: 0.01, height: 0.01, score: 0.05 }],
    faces: [
      {
        x: 0,
        y: 0,
        width: 0.17108242280896635,
        height: 0.10281359427189182,
        score: 0.31306192757957035,
      },
      {
        x: 0,
        y: 0,
        width: 0.946955603333048,
        height: 0.9056157224403746,
        score: 0.41391320379310564,
      },
    ],
    margin: 0,
    aspects: ["1:1"],
  };
  const next = Number.MIN_VALUE; // these begin at the edge but for rounding
  const beside = whole.faces.map((face) => ({ ...face, x: next }));
  fc.assert(law, { examples: [[whole], [{ ...whole, faces: beside }]] });
});

Deno.test("the mirrored picture gets exactly the mirrored crop where the subject is to one side", () => {
  const picture = { width: 601, height: 300 };
  for (const x of [0, 17.3, 80, 120.25, 333, 420.5]) {
    const [a, b] = [subject(x, 90.5), subject(601 - x - 90.5, 90.5)];
    assert.equal(one(picture, [b]).x, 601 - 300 - one(picture, [a]).x);
  }
});

Deno.test("a turned picture gets the turned crop", () => {
  fc.assert(fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.length > 0);
    const turned = <A extends Box>(area: A): A => ({
      ...area,
      x: area.y,
      y: area.x,
      width: area.height,
      height: area.width,
    });
    const picture = { width: scene.picture.height, height: scene.picture.width };
    const aspect = aspectOf("1:1");
    const crop = cropOf({ ...scene, aspects: ["1:1"] }, subjects);
    const other = bestCrop(picture, {
      windows: [windowOf(picture, aspect)],
      subjects: subjects.map(turned),
      margin: scene.margin,
    });
    assert.deepEqual(turned(other), crop);
  }));
});

Deno.test("a subject that fits is in the middle, as far as the picture goes", () => {
  const picture = { width: 900, height: 300 };
  assert.equal(one(picture, [subject(400, 100)]).x, 300);
  assert.equal(one(picture, [subject(600, 100)]).x, 500);
  assert.equal(one(picture, [subject(0, 100)]).x, 0);
  assert.equal(one(picture, [subject(850, 50)]).x, 600);
  assert.equal(one(picture, [subject(400, 50), subject(550, 50)]).x, 350);
});

Deno.test("a tall picture slides up and down", () => {
  const crop = one({ width: 300, height: 900 }, [{ ...subject(100, 100), y: 600 }]);
  assert.deepEqual([crop.x, crop.y, crop.width, crop.height], [0, 500, 300, 300]);
});

Deno.test("a face is kept whole, where an object alone would have it cut through", () => {
  const picture = { width: 900, height: 300 };
  const dog = subject(0, 360, { y: 0, height: 300, worth: 360 * 300 });
  const face = subject(280, 40, { isFace: true, worth: 8 * 40 * 100 });
  assert.ok(!contains(one(picture, [subject(0, 300, { y: 0, height: 300 })]), face));
  const crop = one(picture, [dog, face]);
  assert.ok(contains(crop, face), JSON.stringify(crop));
  assert.ok(crop.score > 0.8);
});

Deno.test("a face in the background is left out rather than cut through, and not at the subject's cost", () => {
  const picture = { width: 900, height: 300 };
  const dog = subject(100, 290, { y: 0, height: 300 });
  const far = subject(385, 20, { y: 0, height: 20, isFace: true, worth: 20 * 20 });
  const crop = one(picture, [dog, far]);
  const [start, end] = [crop.x, crop.x + 300];
  assert.ok(end <= 385 || start <= 385 && end >= 405, JSON.stringify(crop));
  assert.ok(crop.score > 0.95);
});

Deno.test("of two faces that do not both fit, the larger is whole and the other is not cut through", () => {
  const picture = { width: 900, height: 300 };
  const face = (x: number, width: number) =>
    subject(x, width, { isFace: true, worth: width * width });
  const [large, small] = [face(200, 150), face(420, 140)];
  const crop = one(picture, [large, small]);
  assert.ok(contains(crop, large));
  assert.ok(crop.x + crop.width <= 420, JSON.stringify(crop));
});

Deno.test("a face that is larger than any crop is filled with, not left out", () => {
  const crop = one({ width: 900, height: 300 }, [
    subject(0, 400, { y: 0, height: 300, isFace: true, worth: 1 }),
  ]);
  assert.ok(crop.x >= 0 && crop.x <= 100);
  assert.ok(Math.abs(crop.score - 0.75) < 1e-9);
});

Deno.test("no face is cut through where another place as good as three quarters cuts none", () => {
  fc.assert(fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.some(({ isFace }) => isFace));
    const aspect = aspectOf(scene.aspects[0]!);
    const window = windowOf(scene.picture, aspect);
    const [at, side] = window.slides === "x" ? ["x", "width"] as const : ["y", "height"] as const;
    const judge = (offset: number) => {
      let [cuts, kept] = [0, 0];
      for (const each of subjects) {
        const [start, length] = [each[at], each[side]];
        const inside = Math.min(start + length, offset + window[side]) - Math.max(start, offset);
        const part = Math.max(0, inside) / length;
        const isCut = part > 1e-3 && part < 1 - 1e-3;
        if (each.isFace && length <= window[side] && isCut) cuts++;
        else if (!each.isFace || length > window[side] || part > 0.5) kept += each.worth * part;
      }
      return { cuts, kept };
    };
    const crop = bestCrop(scene.picture, { windows: [window], subjects, margin: scene.margin });
    const chosen = judge(crop[at]);
    const all = Array.from({ length: window.slack + 1 }, (_, offset) => judge(offset));
    const most = Math.max(...all.map(({ kept }) => kept));
    if (chosen.cuts > 0) {
      assert.ok(!all.some(({ cuts, kept }) => cuts === 0 && kept > most * 0.76));
    }
    assert.ok(chosen.kept >= most * 0.74, `${chosen.kept} of ${most}`);
  }));
});

Deno.test("where there is room to choose, it goes to the margin of what counts more", () => {
  const picture = { width: 900, height: 300 };
  const subjects = [subject(100, 100), subject(380, 15)];
  const without = one(picture, subjects);
  assert.ok(without.x === 97 || without.x === 98, JSON.stringify(without));
  assert.equal(one(picture, subjects, "1:1", 0.05).x, 95);
  assert.equal(one(picture, [subject(100, 15), subject(295, 100)], "1:1", 0.05).x, 100);
});

Deno.test("of several aspects it is the one that keeps the most, then the largest", () => {
  const picture = { width: 900, height: 600 };
  const windows = ["1:1", "2:1", "4:3"].map((text) => windowOf(picture, aspectOf(text)));
  const wide = bestCrop(picture, { windows, subjects: [subject(10, 880)], margin: 0 });
  assert.equal(wide.aspect.name, "2:1");
  assert.equal(wide.score, 1);
  const small = bestCrop(picture, { windows, subjects: [subject(400, 100)], margin: 0 });
  assert.equal(small.aspect.name, "4:3");
});

Deno.test("the same comes out every time, in whatever order things were found", () => {
  fc.assert(fc.property(scenes, (scene) => {
    const subjects = subjectsIn(scene);
    fc.pre(subjects.length > 0);
    const { score, ...crop } = cropOf(scene, subjects);
    const { score: again, ...other } = cropOf(scene, subjects.toReversed());
    assert.deepEqual(other, crop);
    assert.ok(Math.abs(score - again) < 1e-9);
  }));
});

const found: Found = {
  width: 400,
  height: 200,
  count: 2,
  boxes: [
    { x: 10, y: 10, width: 100, height: 50, label: "Dog", score: 0.9 },
    { x: 300, y: 10, width: 200, height: 50, label: "chair", score: 0.4 },
  ],
  faces: [
    { x: 20, y: 20, width: 40, height: 50, score: 0.8 },
    { x: 350, y: 20, width: 12, height: 10, score: 0.8 },
  ],
};

Deno.test("subjects are in pixels of the picture, clipped to it, and worth area × score", () => {
  const picture = { width: 800, height: 400 };
  const subjects = subjectsOf(found, picture, { minScore: 0.3, faceWeight: 8 });
  assert.deepEqual(subjects.map(({ x, width }) => [x, width]), [
    [40, 80],
    [700, 24],
    [20, 200],
    [600, 200],
  ]);
  assert.ok(Math.abs(subjects[0]!.worth - 8 * 0.8 * 80 * 100) < 1e-6);
  assert.ok(Math.abs(subjects[2]!.worth - 0.9 * 200 * 100) < 1e-6);
  assert.deepEqual(subjects.map(({ isFace }) => isFace), [true, true, false, false]);
});

Deno.test("labels and scores say what the subject is; faces go with persons", () => {
  const chosen = (labels: readonly string[] | undefined, minScore = 0.3) =>
    subjectsOf(found, found, { labels, minScore, faceWeight: 8 }).length;
  assert.equal(chosen(undefined), 4);
  assert.equal(chosen(undefined, 0.5), 3);
  assert.equal(chosen(["dog"]), 1);
  assert.equal(chosen(["person"]), 2);
  assert.equal(chosen(["face", "dog"]), 3);
  assert.equal(chosen(["cat"]), 0);
});

Deno.test("the smallest face counts in the area alone, at the picture's scale", () => {
  const picture = { width: 800, height: 400 };
  assert.equal(smallestFace(found, picture, { x: 0, y: 0, ...picture }), 20);
  assert.equal(smallestFace(found, picture, { x: 0, y: 0, width: 400, height: 400 }), 80);
  assert.equal(smallestFace(found, picture, { x: 400, y: 200, width: 9, height: 9 }), undefined);
});

Deno.test("aspects are ratios, numbers or the picture's own", () => {
  assert.deepEqual(aspectOf("3:2"), { name: "3:2", ratio: 1.5 });
  assert.deepEqual(aspectOf(0.8), { name: "0.8", ratio: 0.8 });
  assert.equal(windowOf({ width: 7, height: 3 }, aspectOf("original")).slack, 0);
  for (const wrong of ["3:0", "x", "0:3", ""]) {
    assert.throws(() => aspectOf(wrong), /Cannot crop to aspect/);
  }
});

Deno.test("a cut raster has the pixels of its area", () => {
  fc.assert(fc.property(
    fc.record({
      width: fc.integer({ min: 1, max: 9 }),
      height: fc.integer({ min: 1, max: 9 }),
      channels: fc.constantFrom(3 as const, 4 as const),
    }),
    fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8), fc.nat(8)),
    ({ width, height, channels }, [a, b, c, d]) => {
      const pixels = Uint8Array.from({ length: width * height * channels }, (_, at) => at);
      const [x, y] = [a % width, b % height];
      const area = { x, y, width: 1 + c % (width - x), height: 1 + d % (height - y) };
      const cut = cutRaster({ width, height, channels, pixels }, area);
      assert.equal(cut.pixels.length, area.width * area.height * channels);
      for (let at = 0; at < cut.pixels.length; at++) {
        const [column, row] = [
          Math.floor(at / channels) % area.width,
          Math.floor(
            at / channels / area.width,
          ),
        ];
        const from = ((y + row) * width + x + column) * channels + at % channels;
        assert.equal(cut.pixels[at], pixels[from]);
      }
    },
  ));
});
