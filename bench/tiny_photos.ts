import { join } from "node:path";
import sharp from "sharp";

const perFolder = 1000;

/** The names that `writeTinyPhotos` gives, with "/" between folder and file. */
export function tinyPhotoNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const folder = String(Math.floor(index / perFolder)).padStart(3, "0");
    return `${folder}/photo_${String(index).padStart(6, "0")}.jpg`;
  });
}

/**
 * Writes JPEGs of 16 × 16 pixels, a thousand a folder. No two have the same content, with or without
 * their metadata: a comment and an entry of the quantisation table hold the number. Their times are
 * set an hour back, as those of photos are, since times of this very moment are not trusted.
 */
export async function writeTinyPhotos(folder: string, count: number): Promise<void> {
  const pattern = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) => at * 7 % 251);
  const base = await sharp(pattern, { raw: { width: 16, height: 16, channels: 3 } })
    .jpeg({ quality: 80 }).toBuffer();
  const anHourAgo = Date.now() / 1000 - 3600;
  tinyPhotoNames(count).forEach((name, index) => {
    const path = join(folder, name);
    if (index % perFolder === 0) Deno.mkdirSync(join(path, ".."), { recursive: true });
    Deno.writeFileSync(path, numbered(base, index));
    Deno.utimeSync(path, anHourAgo, anHourAgo);
  });
}

/** Comment segments begin with 0xFF 0xFE and their length (ITU-T T.81, B.2.4.5). */
const commentHead = [0xff, 0xfe, 0, 2 + 6];

function numbered(jpeg: Uint8Array, index: number): Uint8Array {
  const digits = new TextEncoder().encode(String(index).padStart(6, "0"));
  const bytes = new Uint8Array([
    ...jpeg.subarray(0, 2),
    ...commentHead,
    ...digits,
    ...jpeg.subarray(2),
  ]);
  const table = firstTable(bytes);
  // The three finest frequencies, whose coefficients are zero: 1 to 255 each.
  for (let at = 0, rest = index; at < 3; at++, rest = Math.floor(rest / 255)) {
    bytes[table + 63 - at] = 1 + rest % 255;
  }
  return bytes;
}

/** Where the 64 entries of the first quantisation table begin (ITU-T T.81, B.2.4.1). */
function firstTable(jpeg: Uint8Array): number {
  const at = jpeg.findIndex((byte, index) => byte === 0xff && jpeg[index + 1] === 0xdb);
  return at + 5;
}
