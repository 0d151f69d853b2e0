import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";

/** Numbers in [0, 1), the same for the same seed (Numerical Recipes, 3rd edition, section 7.1.1). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

/** A picture that is whole, to be spoilt. */
export interface Whole {
  readonly format: string;
  readonly bytes: Uint8Array;
}

/** A spoilt picture: its file's name says from what and how. */
export interface Malformed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

type Random = () => number;

const endings: Readonly<Record<string, string>> = { jpeg: "jpg", tiff: "tif" };

/** Small pictures of every format in many of its ways, with EXIF and a profile where it takes them. */
export async function wholePictures(): Promise<readonly Whole[]> {
  const plain = source(48, 36, 3);
  const clear = source(48, 36, 4);
  const described = () =>
    sharp(plain, raw(48, 36, 3)).withIccProfile("p3").withExif({
      IFD0: { Make: "Maker", Model: "Model", Orientation: "6" },
      IFD2: { DateTimeOriginal: "2026:11:21 10:00:00", LensModel: "Lens" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "60/1 10/1 0/1" },
    });
  const frames = [0, 1, 2].map((seed) => source(32, 24, 3, seed));
  const animated = () =>
    sharp(joined(frames), { raw: { width: 32, height: 72, channels: 3, pageHeight: 24 } });
  const made: [string, Promise<Uint8Array>][] = [
    ["jpeg", described().jpeg({ quality: 85 }).toBuffer()],
    ["jpeg", described().jpeg({ progressive: true, chromaSubsampling: "4:4:4" }).toBuffer()],
    ["jpeg", sharp(plain, raw(48, 36, 3)).greyscale().jpeg().toBuffer()],
    ["jpeg", sharp(plain, raw(48, 36, 3)).toColourspace("cmyk").jpeg().toBuffer()],
    ["png", described().png().toBuffer()],
    ["png", sharp(clear, raw(48, 36, 4)).png({ progressive: true }).toBuffer()],
    ["png", sharp(plain, raw(48, 36, 3)).png({ palette: true, colours: 16 }).toBuffer()],
    ["png", sharp(plain, raw(48, 36, 3)).toColourspace("rgb16").png().toBuffer()],
    ["webp", described().webp().toBuffer()],
    ["webp", sharp(clear, raw(48, 36, 4)).webp({ lossless: true }).toBuffer()],
    ["webp", sharp(clear, raw(48, 36, 4)).webp({ quality: 70, alphaQuality: 60 }).toBuffer()],
    ["webp", animated().webp({ loop: 0, delay: [40, 40, 40] }).toBuffer()],
    ["gif", sharp(plain, raw(48, 36, 3)).gif().toBuffer()],
    ["gif", animated().gif({ loop: 0, delay: [40, 40, 40] }).toBuffer()],
    ...(["none", "lzw", "deflate", "jpeg", "packbits"] as const).map(
      (compression) =>
        ["tiff", described().tiff({ compression, predictor: "none" }).toBuffer()] as [
          string,
          Promise<Uint8Array>,
        ],
    ),
    [
      "tiff",
      sharp(plain, raw(48, 36, 3)).tiff({
        compression: "deflate",
        tile: true,
        tileWidth: 16,
        tileHeight: 16,
      }).toBuffer(),
    ],
    ["avif", described().avif({ effort: 0 }).toBuffer()],
    ["avif", sharp(clear, raw(48, 36, 4)).avif({ effort: 0, lossless: true }).toBuffer()],
  ];
  return await Promise.all(
    made.map(async ([format, bytes]) => ({ format, bytes: new Uint8Array(await bytes) })),
  );
}

function raw(width: number, height: number, channels: 3 | 4) {
  return { raw: { width, height, channels } };
}

/** Shades and grain, so that entropy coders have something to do. */
function source(width: number, height: number, channels: 3 | 4, seed = 7): Uint8Array {
  const random = chance(seed);
  return Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const x = Math.floor(at / channels) % width;
    return Math.min(255, Math.floor(x * 200 / width + random() * 50));
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** So many spoilt pictures, the same for the same seed. */
export function* malformed(
  wholes: readonly Whole[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Generator<Malformed> {
  const random = chance(seed);
  for (let made = 0; made < count; made++) {
    const whole = pick(wholes, random);
    const other = pick(wholes, random);
    const own = ownHarm[whole.format] ?? [];
    const harms = random() < 0.45 && own.length > 0 ? own : generalHarm;
    const [how, harm] = pick(harms, random);
    let bytes = harm(whole.bytes, random, other.bytes);
    // Damage seldom comes alone.
    while (random() < 0.25) bytes = pick(generalHarm, random)[1](bytes, random, other.bytes);
    const number = String(made).padStart(5, "0");
    yield {
      name: `${number}-${how}.${endings[whole.format] ?? whole.format}`,
      bytes,
    };
  }
}

type Harm = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;
type NamedHarm = readonly [name: string, harm: Harm];

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[Math.floor(random() * values.length)]!;
}

function changed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) change(copy);
  return copy;
}

const oddNumbers = [0, 1, 2, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Mostly near the beginning, where the structure is. */
function place(length: number, random: Random): number {
  return Math.floor(length * (random() < 0.7 ? random() ** 3 : random()));
}

const generalHarm: readonly NamedHarm[] = [
  ["bits", (bytes, random) =>
    changed(bytes, (copy) => {
      for (let flips = 1 + Math.floor(random() * 20); flips > 0; flips--) {
        copy[place(copy.length, random)]! ^= 1 << Math.floor(random() * 8);
      }
    })],
  ["number", (bytes, random) =>
    changed(bytes, (copy) => {
      const at = Math.min(place(copy.length, random), Math.max(0, copy.length - 4));
      const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
      const number = pick([...oddNumbers, copy.length, copy.length - 1], random);
      if (copy.length < 4) copy[0] = number;
      else if (random() < 0.5) view.setUint32(at, number, random() < 0.5);
      else view.setUint16(at, number & 0xffff, random() < 0.5);
    })],
  ["cut", (bytes, random) => bytes.slice(0, Math.floor(bytes.length * random()))],
  ["lost", (bytes, random) => {
    const at = place(bytes.length, random);
    return joined([bytes.subarray(0, at), bytes.subarray(at + 1 + Math.floor(random() * 64))]);
  }],
  ["twice", (bytes, random) => {
    const at = place(bytes.length, random);
    const stretch = bytes.subarray(at, at + 1 + Math.floor(random() * 200));
    return joined([bytes.subarray(0, at), stretch, stretch, bytes.subarray(at)]);
  }],
  ["put_in", (bytes, random) => {
    const at = place(bytes.length, random);
    const noise = Uint8Array.from({ length: 1 + Math.floor(random() * 64) }, () => random() * 256);
    return joined([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  }],
  ["zeros", (bytes, random) =>
    changed(bytes, (copy) => {
      const at = place(copy.length, random);
      copy.fill(random() < 0.5 ? 0 : 255, at, at + 1 + Math.floor(random() * 300));
    })],
  ["spliced", (bytes, random, other) =>
    joined([
      bytes.subarray(0, place(bytes.length, random)),
      other.subarray(place(other.length, random)),
    ])],
];

/** Changes a chunk of a PNG and mends its checksum, so that a decoder looks at what is in it. */
const pngChunk: Harm = (bytes, random) => {
  const parts = pngParts(bytes);
  const at = Math.floor(random() * parts.length);
  const { type, payload } = parts[at]!;
  const spoilt = pick(generalHarm, random)[1](payload.slice(), random, payload);
  return png(parts.with(at, { type, payload: spoilt }));
};

const pngOrder: Harm = (bytes, random) => {
  const parts = pngParts(bytes);
  const [from, to] = [random(), random()].map((each) => Math.floor(each * parts.length));
  const [part] = parts.splice(from!, 1);
  if (random() < 0.7) parts.splice(to!, 0, part!);
  if (random() < 0.5) parts.splice(to!, 0, part!, part!);
  return png(parts);
};

const pngSize: Harm = (bytes, random) => {
  const [head, ...rest] = pngParts(bytes);
  const payload = changed(head!.payload, (copy) => {
    const view = new DataView(copy.buffer);
    view.setUint32(0, pick([...oddNumbers, 4096, 16_384, 65_535], random));
    if (random() < 0.7) view.setUint32(4, pick([...oddNumbers, 4096, 16_384], random));
    if (random() < 0.5) copy[8] = pick([1, 2, 4, 8, 16, 3, 0], random);
    if (random() < 0.5) copy[9] = pick([0, 2, 3, 4, 6, 1, 9], random);
    if (random() < 0.5) copy[12] = pick([0, 1, 2], random);
  });
  return png([{ type: "IHDR", payload }, ...rest]);
};

interface PngPart {
  readonly type: string;
  readonly payload: Uint8Array;
}

function pngParts(bytes: Uint8Array): PngPart[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: PngPart[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    parts.push({ type, payload: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return parts;
}

/** A PNG of these chunks, checksums right. */
export function png(parts: readonly PngPart[]): Uint8Array {
  const chunks = parts.map(({ type, payload }) => {
    const chunk = new Uint8Array(12 + payload.length);
    const view = new DataView(chunk.buffer);
    view.setUint32(0, payload.length);
    chunk.set(new TextEncoder().encode(type), 4);
    chunk.set(payload, 8);
    view.setUint32(8 + payload.length, crc32(chunk.subarray(4, 8 + payload.length)));
    return chunk;
  });
  return joined([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), ...chunks]);
}

/** Changes the payload of one JPEG segment before the pixels, its length kept or not. */
const jpegSegment: Harm = (bytes, random) => {
  const segments = jpegSegments(bytes);
  if (segments.length === 0) return bytes;
  const { start, end } = pick(segments, random);
  const payload = bytes.slice(start + 4, end);
  const spoilt = pick(generalHarm, random)[1](payload, random, bytes);
  const head = bytes.slice(start, start + 4);
  if (random() < 0.6) new DataView(head.buffer).setUint16(2, (spoilt.length + 2) & 0xffff);
  return joined([bytes.subarray(0, start), head, spoilt, bytes.subarray(end)]);
};

const jpegSize: Harm = (bytes, random) => {
  const frame = jpegSegments(bytes).find(({ start }) => [0xc0, 0xc2].includes(bytes[start + 1]!));
  return changed(bytes, (copy) => {
    if (frame === undefined) return;
    const view = new DataView(copy.buffer);
    view.setUint16(frame.start + 5, pick([0, 1, 8192, 16_384, 65_500, 65_535], random));
    if (random() < 0.7) view.setUint16(frame.start + 7, pick([0, 1, 8192, 16_384], random));
    if (random() < 0.3) copy[frame.start + 9] = pick([0, 1, 2, 4, 5, 255], random);
    if (random() < 0.3) copy[frame.start + 11] = pick([0, 0x11, 0x41, 0x44, 0x14, 0xff], random);
  });
};

function jpegSegments(bytes: Uint8Array): { readonly start: number; readonly end: number }[] {
  const segments = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const end = at + 2 + (bytes[at + 2]! << 8 | bytes[at + 3]!);
    segments.push({ start: at, end });
    if (bytes[at + 1] === 0xda) break;
    at = end;
  }
  return segments;
}

/** Changes one entry of a TIFF's first directory: tag, type, count or value; or leads it in a circle. */
const tiffEntry: Harm = (bytes, random) =>
  changed(bytes, (copy) => {
    const view = new DataView(copy.buffer);
    const isLittle = copy[0] === 0x49;
    const directory = view.getUint32(4, isLittle);
    const count = view.getUint16(directory, isLittle);
    const entry = directory + 2 + 12 * Math.floor(random() * count);
    const odd = pick([...oddNumbers, directory, 8, 16_384, copy.length], random);
    const part = random();
    if (part < 0.15) view.setUint16(entry, pick([256, 257, 258, 259, 262, 277], random), isLittle);
    else if (part < 0.3) {
      view.setUint16(entry + 2, pick([0, 1, 2, 4, 5, 12, 13, 99], random), isLittle);
    } else if (part < 0.5) {
      view.setUint32(entry + 4, odd, isLittle);
    } else if (part < 0.85) {
      view.setUint32(entry + 8, odd, isLittle);
    } else view.setUint32(directory + 2 + 12 * count, directory, isLittle);
  });

/** Sets a number that stands before a four-letter name, as sizes do in RIFF and ISO files. */
const boxSize: Harm = (bytes, random) =>
  changed(bytes, (copy) => {
    const names: number[] = [];
    for (let at = 4; at + 4 < Math.min(copy.length, 4096); at++) {
      if (copy.subarray(at, at + 4).every((byte) => byte >= 0x20 && byte < 0x7b)) names.push(at);
    }
    if (names.length === 0) return;
    const view = new DataView(copy.buffer);
    const at = pick(names, random);
    const isRiff = copy[0] === 0x52;
    const where = Math.min(isRiff ? at + 4 : at - 4, copy.length - 4);
    view.setUint32(where, pick([...oddNumbers, copy.length, 8, 12], random), isRiff);
  });

const ownHarm: Readonly<Record<string, readonly NamedHarm[]>> = {
  png: [["chunk", pngChunk], ["order", pngOrder], ["size", pngSize]],
  jpeg: [["segment", jpegSegment], ["size", jpegSize]],
  tiff: [["entry", tiffEntry]],
  webp: [["box", boxSize]],
  avif: [["box", boxSize]],
  gif: [["screen", (bytes, random) =>
    changed(bytes, (copy) => {
      copy[6 + Math.floor(random() * 5)] = random() * 256;
    })]],
};

/**
 * Files that are small and claim, or become, much: pictures of 16384 × 16384 pixels, compressed texts and
 * profiles that swell, tens of thousands of chunks and frames, a directory that names itself.
 */
export async function bombs(): Promise<readonly Malformed[]> {
  const encoder = new TextEncoder();
  const swollen = deflateSync(new Uint8Array(64 * 1024 * 1024), { level: 9 });
  const small = await sharp(source(8, 8, 3), raw(8, 8, 3)).png().toBuffer();
  const [head, ...rest] = pngParts(new Uint8Array(small));
  const withChunks = (...parts: PngPart[]) => png([head!, ...parts, ...rest]);
  const text = (type: string, keyword: string, payload: Uint8Array) => ({
    type,
    payload: joined([encoder.encode(`${keyword}\0\0`), payload]),
  });
  const jpeg = new Uint8Array(await sharp(source(8, 8, 3), raw(8, 8, 3)).jpeg().toBuffer());
  const comment = joined([Uint8Array.of(0xff, 0xfe, 0, 4, 65, 65)]);
  return [
    { name: "bomb-text.png", bytes: withChunks(text("zTXt", "XML:com.adobe.xmp", swollen)) },
    { name: "bomb-profile.png", bytes: withChunks(text("iCCP", "profile", swollen)) },
    {
      name: "bomb-chunks.png",
      bytes: withChunks(
        ...Array.from({ length: 60_000 }, (_, at) => text("tEXt", `k${at}`, encoder.encode("v"))),
      ),
    },
    { name: "bomb-flat.png", bytes: flatPng(16_384, 16_384, { depth: 1, colour: 0 }) },
    { name: "bomb-over.png", bytes: flatPng(20_000, 20_000, { depth: 1, colour: 0 }) },
    {
      name: "bomb-comments.jpg",
      bytes: joined([jpeg.subarray(0, 2), ...Array(60_000).fill(comment), jpeg.subarray(2)]),
    },
    { name: "bomb-frames.gif", bytes: manyFrames(20_000) },
    { name: "bomb-circle.tif", bytes: circleTiff() },
    { name: "bomb-empty.jpg", bytes: new Uint8Array() },
    { name: "bomb-name-only.png", bytes: encoder.encode("no picture at all") },
  ];
}

/** One colour, so that megapixels take a few bytes. */
export function flatPng(
  width: number,
  height: number,
  { depth, colour, interlaced = false }: {
    readonly depth: number;
    readonly colour: number;
    readonly interlaced?: boolean;
  },
): Uint8Array {
  const channels = [1, 0, 3, 1, 2, 0, 4][colour]!;
  const row = 1 + Math.ceil(width * depth * channels / 8);
  const payload = new Uint8Array(13);
  const view = new DataView(payload.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  payload.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  const pixels = deflateSync(new Uint8Array(row * height + (interlaced ? 8 * height : 0)));
  return png([
    { type: "IHDR", payload },
    { type: "IDAT", payload: pixels },
    { type: "IEND", payload: new Uint8Array() },
  ]);
}

/** A GIF of 1 × 1 whose one frame comes again and again. */
function manyFrames(count: number): Uint8Array {
  const head = Uint8Array.of(
    0x47,
    0x49,
    0x46,
    0x38,
    0x39,
    0x61,
    1,
    0,
    1,
    0,
    0x80,
    0,
    0,
    0,
    0,
    0,
    9,
    9,
    9,
  );
  const control = Uint8Array.of(0x21, 0xf9, 4, 0, 0, 0, 0, 0);
  const frame = Uint8Array.of(0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0);
  const frames = Array.from({ length: count }, () => joined([control, frame]));
  return joined([head, ...frames, Uint8Array.of(0x3b)]);
}

/** A TIFF whose directory is its own next one. */
function circleTiff(): Uint8Array {
  const bytes = new Uint8Array(8 + 2 + 12 + 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0]);
  view.setUint16(10, 256, true);
  view.setUint16(12, 4, true);
  view.setUint32(14, 1, true);
  view.setUint32(18, 16, true);
  view.setUint32(22, 8, true);
  return bytes;
}
