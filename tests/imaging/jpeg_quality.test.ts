import assert from "node:assert/strict";
import sharp from "sharp";
import { estimateQuality, jpegQuality, readTables } from "../../src/imaging/jpeg_quality.ts";

const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) => at * 7 & 255);
const made = () => sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } });

Deno.test("the quality of libjpeg is found again, from 1 to 100, in colour and grey", async () => {
  for (let quality = 1; quality <= 100; quality++) {
    const colour = await made().jpeg({ quality }).toBuffer();
    const grey = await made().toColourspace("b-w").jpeg({ quality, progressive: true }).toBuffer();
    assert.deepEqual([jpegQuality(colour), jpegQuality(grey)], [quality, quality]);
  }
});

Deno.test("one segment with all tables says the same as one each", async () => {
  const jpeg = await made().jpeg({ quality: 63 }).toBuffer();
  const { luma, chroma } = readTables(jpeg)!;
  const together = withTables(jpeg, [0, ...luma, 1, ...chroma!]);
  assert.equal(jpegQuality(together), 63);
});

Deno.test("tables of 16 bits are read", async () => {
  const jpeg = await made().jpeg({ quality: 63 }).toBuffer();
  const { luma, chroma } = readTables(jpeg)!;
  const wide = (table: Uint16Array) => [...table].flatMap((entry) => [entry >> 8, entry & 255]);
  assert.equal(jpegQuality(withTables(jpeg, [16, ...wide(luma), 17, ...wide(chroma!)])), 63);
});

Deno.test("entries over 255 are compared with unclamped tables", async () => {
  // Annex K.1 at quality 10 is five times the table, of which 121 × 5 and others are over 255.
  const at50 = readTables(await made().jpeg({ quality: 50 }).toBuffer())!;
  const five = (table: Uint16Array) => table.map((entry) => entry * 5);
  assert.equal(estimateQuality({ luma: five(at50.luma), chroma: five(at50.chroma!) }), 10);
});

Deno.test("a table that is not standard gives the nearest quality", async () => {
  const { luma, chroma } = readTables(await made().jpeg({ quality: 80 }).toBuffer())!;
  const odd = luma.map((entry, at) => at % 9 === 0 ? entry + 1 : entry);
  const found = estimateQuality({ luma: odd, chroma });
  assert.ok(Math.abs(found - 80) <= 1, String(found));
  assert.equal(estimateQuality({ luma: new Uint16Array(64), chroma: undefined }), 100);
});

Deno.test("a JPEG without tables, or that ends before them, has no quality", async () => {
  const jpeg = await made().jpeg({ quality: 63 }).toBuffer();
  assert.equal(jpegQuality(withTables(jpeg, [])), null);
  assert.equal(jpegQuality(jpeg.subarray(0, 24)), null);
});

/** The file with one DQT segment of that content in place of its own. */
function withTables(jpeg: Uint8Array, content: readonly number[]): Uint8Array {
  const kept: number[] = [0xff, 0xd8];
  if (content.length > 0) {
    const length = content.length + 2;
    kept.push(0xff, 0xdb, length >> 8, length & 255, ...content);
  }
  let at = 2;
  for (; jpeg[at + 1] !== 0xda;) {
    const end = at + 2 + (jpeg[at + 2]! << 8 | jpeg[at + 3]!);
    if (jpeg[at + 1] !== 0xdb) kept.push(...jpeg.subarray(at, end));
    at = end;
  }
  return new Uint8Array([...kept, ...jpeg.subarray(at)]);
}
