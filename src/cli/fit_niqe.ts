import { basename, join, resolve } from "node:path";
import { Image } from "../imaging/image.ts";
import { localDisk } from "../runtime/local_disk.ts";
import { Rejection } from "../runtime/rejection.ts";
import { fitNiqeModel, LEAST_BLOCKS, LEAST_SHARPNESS } from "../quality/fit_niqe.ts";
import type { SharpBlocks, SharpBlocksInput } from "../quality/quality_worker.ts";
import { WorkerPool } from "../services/worker_pool.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { UsageError } from "./usage_error.ts";

interface FitOptions {
  /** Where the model goes; `niqe.json` when left out. */
  readonly out?: string;
}

/** Photos are measured at most this long, as `inspect.quality` measures them. */
const MAX_SIDE_PX = 2048;

const qualityWorker = new URL("../quality/quality_worker.ts", import.meta.url);

const pictureName = /\.(jpe?g|jpe|jfif|a?png|webp|tiff?|avif|heic|heif)$/i;

/** `tintype models fit-niqe FOLDER`: fits NIQE's pristine model to good photos of one's own. */
export async function fitNiqe(folder: string, { out = "niqe.json" }: FitOptions): Promise<number> {
  const path = resolve(callerFolder(), folder);
  if (localDisk.stat(path)?.isFolder !== true) {
    throw new UsageError(`Cannot fit NIQE to "${folder}": there is no such folder`);
  }
  const names = picturesIn(path);
  const blocks: Float64Array[] = [];
  let used = 0;
  for await (const { name, found } of blocksOf(path, names)) {
    if (typeof found === "string") console.error(`${name} is left out: ${found}`);
    else if (found.length > 0) used++;
    if (typeof found !== "string") blocks.push(...found);
  }
  const what = `${blocks.length} sharp blocks of ${used} photos`;
  if (blocks.length < LEAST_BLOCKS) {
    console.error(
      `Cannot fit NIQE to "${folder}": it has ${what} (${LEAST_BLOCKS} blocks or more are wanted; add photos)`,
    );
    return exitCodes.failed;
  }
  const target = resolve(callerFolder(), out);
  const model = fitNiqeModel(blocks, basename(target).replace(/\.json$/, ""));
  const text = JSON.stringify({ ...model, photos: used, blocks: blocks.length });
  await localDisk.write(target, new TextEncoder().encode(`${text}\n`));
  console.log(`Fitted NIQE to ${what}: ${out}\nUse it with niqe_model: ${out}`);
  return exitCodes.complete;
}

/** Paths below the folder, in a stable order. */
function picturesIn(folder: string, prefix = ""): string[] {
  const entries = [...localDisk.list(join(folder, prefix))]
    .sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isFolder, isFile }) => {
    if (isFolder && !name.startsWith(".")) return picturesIn(folder, join(prefix, name));
    return isFile && pictureName.test(name) ? [join(prefix, name)] : [];
  });
}

/** Each photo's sharp blocks, or why it has none, in order; as many at once as there are cores. */
async function* blocksOf(folder: string, names: readonly string[]) {
  const pool = new WorkerPool();
  try {
    const atOnce = navigator.hardwareConcurrency;
    for (let first = 0; first < names.length; first += atOnce) {
      const some = names.slice(first, first + atOnce);
      yield* await Promise.all(
        some.map(async (name) => ({ name, found: await sharpBlocks(join(folder, name), pool) })),
      );
    }
  } finally {
    await pool.release();
  }
}

async function sharpBlocks(path: string, pool: WorkerPool): Promise<SharpBlocks | string> {
  try {
    const opened = new Image(() => localDisk.read(path));
    const { width, height, channels, pixels } = await opened.raster({ max_side_px: MAX_SIDE_PX });
    const own = pixels.slice();
    const input: SharpBlocksInput = {
      task: "sharp-blocks",
      pixels: { width, height, channels, pixels: own },
      luma: "y",
      leastSharpness: LEAST_SHARPNESS,
    };
    return await pool.call<SharpBlocksInput, SharpBlocks>(qualityWorker, input, [own.buffer]);
  } catch (error) {
    if (error instanceof Rejection) return error.message;
    throw error;
  }
}
