import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { decodeRaster } from "../../src/imaging/decode.ts";
import { DecodeGate } from "../../src/imaging/decode_gate.ts";
import { readHeader } from "../../src/imaging/header.ts";
import { Rejection } from "../../src/runtime/rejection.ts";
import { cpuTimer } from "../cpu_time.ts";
import { flatPng, png } from "./malformed.ts";

/** Why a picture is left out by its header; undefined where it is not. */
async function reasonOf(bytes: Uint8Array): Promise<string | undefined> {
  try {
    await readHeader(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof Rejection) return error.message;
    throw error;
  }
}

function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const bytes32 = (value: number) => [24, 16, 8, 0].map((shift) => value >>> shift & 255);
const bytes16 = (value: number) => [value >> 8 & 255, value & 255];
const segment = (marker: number, ...payload: number[]) => [
  0xff,
  marker,
  ...bytes16(payload.length + 2),
  ...payload,
];

/** A JPEG in so many scans, each of which is empty: codes of one bit say "nothing" for each block. */
function jpegOfScans(side: number, scans: number, { progressive = true } = {}): Uint8Array {
  const table = Array<number>(64).fill(1);
  const blocks = Math.ceil(side / 8) ** 2;
  const empty = new Uint8Array(Math.ceil(blocks * (progressive ? 1 : 2) / 8));
  const band = progressive ? [0, 0, 0] : [0, 63, 0];
  const one = [0, ...[1, ...Array<number>(15).fill(0)], 0];
  const parts: (Uint8Array | readonly number[])[] = [
    [0xff, 0xd8],
    segment(0xdb, 0, ...table),
    segment(
      progressive ? 0xc2 : 0xc0,
      ...[8, ...bytes16(side), ...bytes16(side), 3],
      ...[1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0],
    ),
    segment(0xc4, ...one, 0x10, ...one.slice(1)),
  ];
  for (let scan = 0; scan < scans; scan++) {
    parts.push(segment(0xda, 1, scan % 3 + 1, 0, ...band), empty);
  }
  return joined(...parts, [0xff, 0xd9]);
}

Deno.test("a JPEG whose scans go over its pixels thousands of times is left out by its header", async () => {
  for (const progressive of [true, false]) {
    const few = jpegOfScans(512, 3, { progressive });
    assert.equal(await reasonOf(few), undefined);
    const reason = await reasonOf(jpegOfScans(2000, 2400, { progressive }));
    assert.equal(
      reason,
      "JPEG goes over its 2,000 × 2,000 pixels in 2,400 scans, which is over the limit of " +
        "8,589,934,592 pixels in all",
    );
  }
});

Deno.test("progressive JPEGs as programs write them are not left out", async () => {
  const noise = sharp({
    create: {
      width: 4000,
      height: 3000,
      channels: 3,
      background: "red",
      noise: { type: "gaussian", mean: 120, sigma: 40 },
    },
  });
  const bytes = new Uint8Array(await noise.jpeg({ mozjpeg: true }).toBuffer());
  assert.equal(await reasonOf(bytes), undefined);
});

Deno.test("of pictures that a decoder holds whole, fewer pixels are taken", async () => {
  const side = 16_384;
  const header = (depth: number, colour: number, interlaced: boolean) =>
    flatPng(64, 64, { depth, colour, interlaced });
  const claiming = (bytes: Uint8Array) => {
    const head = bytes.slice(16, 29);
    const view = new DataView(head.buffer);
    view.setUint32(0, side);
    view.setUint32(4, side);
    return png([
      { type: "IHDR", payload: head },
      { type: "IDAT", payload: deflateSync(new Uint8Array(1000)) },
      { type: "IEND", payload: new Uint8Array() },
    ]);
  };
  const limitOf = async (bytes: Uint8Array) =>
    /over the limit of ([\d,]+)$/.exec(await reasonOf(bytes) ?? "")?.[1];
  assert.equal(await limitOf(claiming(header(8, 2, false))), undefined);
  assert.equal(await limitOf(claiming(header(8, 2, true))), "178,956,970");
  assert.equal(await limitOf(claiming(header(16, 6, false))), "134,217,728");
  assert.equal(await limitOf(claiming(header(16, 6, true))), "67,108,864");
  // A whole WebP of 16,383 × 16,383 pixels of one colour (RFC 9649, section 3.4).
  const webp = new Uint8Array(
    await sharp({ create: { width: 5, height: 5, channels: 4, background: "#fff8" } })
      .webp({ lossless: true }).toBuffer(),
  );
  const at = new TextDecoder("latin1").decode(webp).indexOf("VP8L") + 9;
  new DataView(webp.buffer, webp.byteOffset).setUint32(at, 16_382 | 16_382 << 14 | 1 << 28, true);
  assert.equal(await limitOf(webp), "134,217,728");
});

Deno.test("a picture of megapixels in one row is left out", async () => {
  const reason = await reasonOf(flatPng(200_000, 8, { depth: 8, colour: 2 }));
  assert.equal(reason, "a side of 200,000 pixels is over the limit of 131,072");
});

/** A TIFF, or BigTIFF, that has so many tiles. */
function tiledTiff(tiles: number, isBig: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(400));
  const entries: readonly (readonly [number, number, number, number])[] = [
    [256, 4, 1, 8192],
    [257, 4, 1, 8192],
    [258, 3, 1, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 1],
    [277, 3, 1, 1],
    [322, 3, 1, 16],
    [323, 3, 1, 16],
    [324, 4, tiles, 300],
    [325, 4, tiles, 300],
  ];
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, isBig ? 43 : 42, true);
  const start = isBig ? 16 : 8;
  if (isBig) {
    view.setUint16(4, 8, true);
    view.setBigUint64(8, 16n, true);
    view.setBigUint64(start, BigInt(entries.length), true);
  } else {
    view.setUint32(4, 8, true);
    view.setUint16(start, entries.length, true);
  }
  entries.forEach(([tag, type, count, value], index) => {
    const at = isBig ? start + 8 + 20 * index : start + 2 + 12 * index;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    if (isBig) {
      view.setBigUint64(at + 4, BigInt(count), true);
      view.setBigUint64(at + 12, BigInt(value), true);
    } else {
      view.setUint32(at + 4, count, true);
      view.setUint32(at + 8, value, true);
    }
  });
  return new Uint8Array(view.buffer);
}

Deno.test("a TIFF in a quarter of a million tiles is left out, before they are read", async () => {
  for (const isBig of [false, true]) {
    const reason = await reasonOf(tiledTiff(262_144, isBig));
    // Some builds of libvips refuse such a directory before.
    assert.match(reason ?? "", /262,144 tiles, over the limit of 131,072|TIFF/);
  }
});

Deno.test("a WebP of 20,000 frames is left out, one of 40 is read", async () => {
  const frame = sharp({ create: { width: 2, height: 2, channels: 4, background: "#f008" } });
  const still = new Uint8Array(await frame.webp({ lossless: true }).toBuffer());
  const picture = still.subarray(12);
  const riff = (type: string, payload: Uint8Array) =>
    joined(
      new TextEncoder().encode(type),
      bytes32(payload.length).toReversed(),
      payload,
      payload.length % 2 === 1 ? [0] : [],
    );
  const animated = (frames: number) => {
    const one = riff("ANMF", joined([0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 9, 0, 0, 0], picture));
    const body = new Uint8Array(one.length * frames);
    for (let at = 0; at < frames; at++) body.set(one, at * one.length);
    const head = riff("VP8X", Uint8Array.of(0x12, 0, 0, 0, 1, 0, 0, 1, 0, 0));
    const loop = riff("ANIM", new Uint8Array(6));
    const whole = new Uint8Array(12 + head.length + loop.length + body.length);
    whole.set(joined(new TextEncoder().encode("RIFF"), bytes32(whole.length - 8).toReversed()));
    whole.set(new TextEncoder().encode("WEBP"), 8);
    whole.set(head, 12);
    whole.set(loop, 12 + head.length);
    whole.set(body, 12 + head.length + loop.length);
    return whole;
  };
  assert.equal((await readHeader(animated(40))).pages, 40);
  assert.equal(
    await reasonOf(animated(20_000)),
    "WebP has 20,000 frames, over the limit of 16,384",
  );
});

Deno.test("texts of a PNG that swell are not unpacked, its pixels are there", async () => {
  const swollen = joined(
    new TextEncoder().encode("k\0\0"),
    deflateSync(new Uint8Array(8 * 1024 * 1024), { level: 9 }),
  );
  const whole = flatPng(40, 30, { depth: 8, colour: 2 });
  const text = { type: "zTXt", payload: swollen };
  const head = { type: "IHDR", payload: whole.slice(16, 29) };
  const chunk = png([head, ...Array<typeof text>(2000).fill(text)]);
  const bytes = new Uint8Array(chunk.length + whole.length - 33);
  bytes.set(chunk);
  bytes.set(whole.subarray(33), chunk.length);
  const cpuMs = cpuTimer();
  const raster = await decodeRaster(bytes, await readHeader(bytes), { size: "full" });
  assert.deepEqual([raster.width, raster.height], [40, 30]);
  // 2,000 × 8 MB take 4 s and more where they are unpacked, and twice so for header and pixels.
  assert.ok(cpuMs() < 3000);
});

Deno.test("what is decoded at a time stays within the memory for it, and each has its turn", async () => {
  const gate = new DecodeGate(100);
  let taken = 0;
  let most = 0;
  const order: number[] = [];
  const sizes = [60, 60, 30, 500, 10, 10];
  await Promise.all(sizes.map((bytes, index) =>
    gate.run(bytes, async () => {
      order.push(index);
      taken += bytes;
      most = Math.max(most, taken);
      await Promise.resolve();
      taken -= bytes;
      if (index === 1) throw new Error("it fails");
    }).catch((error: Error) => assert.equal(error.message, "it fails"))
  ));
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  assert.equal(most, 500, "one that is too large has all of it for itself");
});
