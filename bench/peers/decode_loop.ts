import { join } from "node:path";
import sharp from "sharp";

/**
 * Decodes every picture of a folder to raw pixels at full size, two at a time, and lets go of them: the
 * least that hashing all pixels takes. One thread a picture, since two are under way.
 */
const [source] = Deno.args as [string];
sharp.cache(false);
sharp.concurrency(1);

const names = Array.from(Deno.readDirSync(source), (entry) => entry.name).sort();

async function work() {
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    await sharp(await Deno.readFile(join(source, name))).rotate().raw().toBuffer();
  }
}

await Promise.all([work(), work()]);
