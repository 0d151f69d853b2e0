import assert from "node:assert/strict";
import { thumbnailDistance, thumbnailOf } from "../../src/dedupe/thumbnail.ts";
import { passOver } from "../../src/imaging/fingerprint.ts";
import { paint } from "../imaging/pictures.ts";

/** A plain picture's thumbnail. */
function plain(width: number, height: number, colour: readonly number[]): Uint8Array {
  return thumbnailOf(passOver(paint(width, height, () => [...colour])));
}

Deno.test("plain blue and plain red are as near to what is nearly that as other colours", () => {
  for (const [pure, nearly] of [[[0, 0, 255], [0, 0, 254]], [[255, 0, 0], [254, 0, 0]]] as const) {
    for (const [width, height] of [[1, 1], [24, 24], [64, 64], [65, 63], [288, 290]] as const) {
      const thumbnail = plain(width, height, pure);
      assert.ok(thumbnailDistance(thumbnail, plain(width, height, nearly)) <= 1);
      assert.equal(thumbnailDistance(thumbnail, plain(31, 17, pure)), 0);
    }
  }
});
