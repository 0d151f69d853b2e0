import sharp from "sharp";
import { releaseDecoders } from "../../src/imaging/decode.ts";
import { bigEndian, joined, type Piece } from "./pictures.ts";

const hasEncoder = await canEncode();

/** Whether `heif-enc` is there with its encoder of HEVC, in Debian from 13 on a package of its own. */
async function canEncode(): Promise<boolean> {
  const grey = sharp({ create: { width: 16, height: 16, channels: 3, background: "grey" } });
  try {
    const made = await heicOf(await grey.png().toBuffer(), { ending: "png" });
    return new TextDecoder("latin1").decode(made.subarray(8, 12)) === "heic";
  } catch {
    return false;
  }
}

/** A test on HEICs, ignored without the tool that makes them; no worker is left behind. */
export function heicTest(name: string, fn: () => Promise<void>): void {
  const shown = hasEncoder ? name : `${name} (skipped: heif-enc cannot make one)`;
  Deno.test({
    name: shown,
    ignore: !hasEncoder,
    async fn() {
      try {
        await fn();
      } finally {
        await releaseDecoders();
      }
    },
  });
}

/** A sample for several tests; empty where there is no tool to make it, and no test. */
export async function sampleOf(make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  return hasEncoder ? await make() : new Uint8Array();
}

/** What `heif-enc` (Debian's libheif-examples) makes of a JPEG or PNG, with its options. */
export async function heicOf(
  source: Uint8Array,
  { ending = "jpg", options = [], others = [] }: {
    readonly ending?: "jpg" | "png";
    readonly options?: readonly string[];
    /** Further pictures, after the primary one. */
    readonly others?: readonly Uint8Array[];
  } = {},
): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "tintype-heic-" });
  try {
    const to = `${folder}/made.heic`;
    const from = [source, ...others].map((bytes, at) => {
      const path = `${folder}/${at}.${ending}`;
      Deno.writeFileSync(path, bytes);
      return path;
    });
    const args = ["-q", "95", ...options, ...from, "-o", to];
    const { success, stderr } = await new Deno.Command("heif-enc", { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Deno.readFile(to);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A counterclockwise rotation by quarter turns (ISO/IEC 23008-12, section 6.5.10). */
export const rotation = (quarters: number) => box("irot", [quarters]);

/** Mirrored, by 0 the upper and the lower half, by 1 left and right (section 6.5.12). */
export const mirror = (axis: number) => box("imir", [axis]);

/** A crop around the middle (section 6.5.9, ISO/IEC 14496-12, section 12.1.4). */
export const crop = (width: number, height: number) =>
  box("clap", ...[width, 1, height, 1, 0, 1, 0, 1].map((number) => bigEndian(number, 4)));

/** A colour box of code points, full range (ISO/IEC 14496-12, section 12.1.5). */
export const codedColours = (primaries: number, transfer: number) =>
  box("colr", "nclx", bigEndian(primaries, 2), bigEndian(transfer, 2), [0, 6, 0x80]);

export function box(type: string, ...content: readonly Piece[]): Uint8Array {
  const inside = joined(...content);
  return joined(bigEndian(inside.length + 8, 4), type, inside);
}

/**
 * The file with more properties of its first item, the primary one. Its `meta` moves to the end, so that
 * nothing else does; `without` names a property that is taken away.
 */
export function withProperties(
  heic: Uint8Array,
  properties: readonly Uint8Array[],
  { without }: { readonly without?: string } = {},
): Uint8Array {
  const meta = boxes(heic).find(({ type }) => type === "meta")!;
  const inside = boxes(meta.content.subarray(4)).map((part) =>
    part.type === "iprp" ? box("iprp", ...changed(part.content, properties, without)) : part.whole
  );
  const freed = heic.slice();
  freed.set(joined("free"), meta.start + 4);
  return joined(freed, box("meta", meta.content.subarray(0, 4), ...inside));
}

function changed(iprp: Uint8Array, added: readonly Uint8Array[], without?: string) {
  const [ipco, ipma] = boxes(iprp);
  const known = boxes(ipco!.content).map(({ type, whole }) =>
    type === without ? box("free") : whole
  );
  const numbers = added.map((_, at) => known.length + at + 1);
  // Version 0 with one byte for each: flags, entries, item, how many, their numbers.
  const content = ipma!.content.slice();
  const count = content[10]!;
  content[10] = count + numbers.length;
  const split = 11 + count;
  return [
    box("ipco", ...known, ...added),
    box("ipma", content.subarray(0, split), numbers, content.subarray(split)),
  ];
}

function boxes(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: { type: string; start: number; whole: Uint8Array; content: Uint8Array }[] = [];
  for (let start = 0; start + 8 <= bytes.length;) {
    const end = start + view.getUint32(start);
    const type = new TextDecoder("latin1").decode(bytes.subarray(start + 4, start + 8));
    const whole = bytes.subarray(start, end);
    found.push({ type, start, whole, content: whole.subarray(8) });
    start = end;
  }
  return found;
}

/**
 * A picture in tiles, as phones write them: four HEICs of one size and one sort, in two rows, cut to
 * width × height (ISO/IEC 23008-12, section 6.6.2.3).
 */
export function gridOf(
  tiles: readonly Uint8Array[],
  { tile, width, height }: {
    readonly tile: readonly [width: number, height: number];
    readonly width: number;
    readonly height: number;
  },
): Uint8Array {
  const data = tiles.map((each) => boxes(each).find(({ type }) => type === "mdat")!.content);
  const config = propertyOf(tiles[0]!, "hvcC");
  const entry = (item: number, type: string, flags: number) =>
    box("infe", [2, 0, 0, flags], bigEndian(item, 2), [0, 0], type, [0]);
  const grid = joined([0, 0, 1, 1], bigEndian(width, 2), bigEndian(height, 2));
  const size = (across: number, down: number) =>
    box("ispe", [0, 0, 0, 0], bigEndian(across, 4), bigEndian(down, 4));
  const metaWith = (starts: readonly number[]) =>
    box(
      "meta",
      [0, 0, 0, 0],
      box("hdlr", Array<number>(8).fill(0), "pict", Array<number>(13).fill(0)),
      box("pitm", [0, 0, 0, 0], bigEndian(5, 2)),
      box(
        "iloc",
        [1, 0, 0, 0, 0x44, 0],
        bigEndian(5, 2),
        ...data.map(({ length }, at) => location(at + 1, 0, starts[at]!, length)),
        location(5, 1, 0, grid.length),
      ),
      box(
        "iinf",
        [0, 0, 0, 0],
        bigEndian(5, 2),
        ...[1, 2, 3, 4].map((item) => entry(item, "hvc1", 1)),
        entry(5, "grid", 0),
      ),
      box("iref", [0, 0, 0, 0], box("dimg", [0, 5, 0, 4, 0, 1, 0, 2, 0, 3, 0, 4])),
      box(
        "iprp",
        box("ipco", config, size(...tile), size(width, height)),
        box(
          "ipma",
          [0, 0, 0, 0],
          bigEndian(5, 4),
          [1, 2, 3, 4].flatMap((item) => [0, item, 2, 0x81, 2]),
          [0, 5, 1, 3],
        ),
      ),
      box("idat", grid),
    );
  const head = box("ftyp", "heic", [0, 0, 0, 0], "mif1heic");
  let start = head.length + metaWith([0, 0, 0, 0]).length + 8;
  const starts = data.map(({ length }) => (start += length) - length);
  return joined(head, metaWith(starts), box("mdat", ...data));
}

function location(item: number, method: number, offset: number, length: number): Uint8Array {
  const place = joined(bigEndian(offset, 4), bigEndian(length, 4));
  return joined(bigEndian(item, 2), [0, method, 0, 0, 0, 1], place);
}

function propertyOf(heic: Uint8Array, wanted: string): Uint8Array {
  const inside = (whole: Uint8Array, type: string) =>
    boxes(whole).find((each) => each.type === type)!.content;
  const ipco = inside(inside(inside(heic, "meta").subarray(4), "iprp"), "ipco");
  return boxes(ipco).find(({ type }) => type === wanted)!.whole;
}
