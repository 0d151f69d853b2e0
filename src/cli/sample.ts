import { resolve } from "node:path";
import { makeSample, SampleError } from "../sample/mod.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { UsageError } from "./usage_error.ts";

/** `tintype sample FOLDER`: 24 pictures made from code, with what is true of them. */
export async function sample(folder: string): Promise<number> {
  if (Deno.stderr.isTerminal()) console.error("Painting 24 pictures, which takes some seconds");
  try {
    const { pictures } = await makeSample(resolve(callerFolder(), folder));
    console.log(`${pictures.length} pictures and truth.json in "${folder}"`);
    return exitCodes.complete;
  } catch (error) {
    if (error instanceof SampleError) throw new UsageError(error.message);
    throw error;
  }
}
