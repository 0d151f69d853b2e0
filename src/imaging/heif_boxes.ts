import { latin1 } from "./wording.ts";

/** A box of ISO/IEC 14496-12, section 4.2: a view of the file. */
interface Box {
  readonly type: string;
  readonly content: DataView;
}

/** Code points of ITU-T H.273 that say what a picture's colours mean. */
export interface CodedColours {
  readonly primaries: number;
  readonly transfer: number;
}

/**
 * The colours that the primary picture of a HEIF file is coded in: its `colr` box of type `nclx`
 * (ISO/IEC 14496-12, section 12.1.5). Undefined where there is none or the boxes are damaged.
 */
export function codedColours(heif: Uint8Array): CodedColours | undefined {
  try {
    const meta = find(boxesIn(viewOf(heif)), "meta");
    return meta === undefined ? undefined : coloursIn(boxesIn(meta, 4));
  } catch (error) {
    if (error instanceof RangeError) return undefined; // a box says more than there is
    throw error;
  }
}

function coloursIn(meta: readonly Box[]): CodedColours | undefined {
  const [primary, container] = [find(meta, "pitm"), find(meta, "iprp")];
  if (primary === undefined || container === undefined) return undefined;
  const item = primary.getUint8(0) === 0 ? primary.getUint16(4) : primary.getUint32(4);
  const properties = boxesIn(container);
  const all = boxesIn(find(properties, "ipco") ?? new DataView(new ArrayBuffer(0)));
  for (const { type, content } of properties) {
    if (type !== "ipma") continue;
    for (const index of propertiesOf(content, item)) {
      const colours = coloursOf(all[index - 1]);
      if (colours !== undefined) return colours;
    }
  }
  return undefined;
}

function coloursOf(box: Box | undefined): CodedColours | undefined {
  if (box?.type !== "colr" || textAt(box.content, 0) !== "nclx") return undefined;
  return { primaries: box.content.getUint16(4), transfer: box.content.getUint16(6) };
}

/** The numbers, from 1, of an item's properties (ISO/IEC 23008-12, section 9.3.2). */
function propertiesOf(associations: DataView, wanted: number): number[] {
  const isLong = associations.getUint8(0) > 0;
  const isWide = associations.getUint8(3) % 2 === 1;
  let at = 8;
  for (let left = associations.getUint32(4); left > 0; left--) {
    const item = isLong ? associations.getUint32(at) : associations.getUint16(at);
    at += isLong ? 4 : 2;
    const count = associations.getUint8(at++);
    const own = Array.from(
      { length: count },
      (_, nth) =>
        isWide
          ? associations.getUint16(at + nth * 2) & 0x7fff
          : associations.getUint8(at + nth) & 127,
    );
    if (item === wanted) return own;
    at += count * (isWide ? 2 : 1);
  }
  return [];
}

/** A size of 0 reaches to the end, one of 1 is followed by a longer one. */
function boxesIn(view: DataView, start = 0): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= view.byteLength;) {
    const short = view.getUint32(at);
    const size = short === 1
      ? Number(view.getBigUint64(at + 8))
      : short === 0
      ? view.byteLength - at
      : short;
    const head = short === 1 ? 16 : 8;
    if (size < head) return boxes;
    const length = Math.min(size, view.byteLength - at) - head;
    const content = new DataView(view.buffer, view.byteOffset + at + head, length);
    boxes.push({ type: textAt(view, at + 4), content });
    at += size;
  }
  return boxes;
}

function find(boxes: readonly Box[], type: string): DataView | undefined {
  return boxes.find((box) => box.type === type)?.content;
}

function textAt(view: DataView, at: number): string {
  return latin1(viewedBytes(view), at, at + 4);
}

function viewedBytes({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
