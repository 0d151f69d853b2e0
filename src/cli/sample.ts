import { resolve } from "node:path";
import { callerFolder, UsageError } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";

/** `tintype sample FOLDER`: 24 pictures made from code, with what is true of them. */
export async function sample(folder: string): Promise<number> {
  const { makeSample } = await import("../sample/mod.ts");
  try {
    const truth = await makeSample(resolve(callerFolder(), folder));
    console.log(`${truth.files.length} pictures and truth.json in "${folder}"`);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("Cannot make sample")) {
      throw new UsageError(error.message);
    }
    throw error;
  }
  return exitCodes.complete;
}
