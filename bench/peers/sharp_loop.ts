import { join } from "node:path";
import sharp from "sharp";

/**
 * What people write without Tintype: a loop over sharp. Arguments: the folder of the photos, the folder
 * for the proxies, their width and height, the threads a picture (`default` for as many as sharp
 * likes), and how many pictures at a time.
 */
const [source, out, width, height, threads, atOnce] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
  string,
];
if (threads !== "default") sharp.concurrency(Number(threads));

const names = Array.from(Deno.readDirSync(source), (entry) => entry.name).sort();

async function work() {
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    await sharp(join(source, name))
      .rotate()
      .resize({ width: Number(width), height: Number(height), fit: "fill" })
      .jpeg({ quality: 85 })
      .toFile(join(out, name));
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, work));
