import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import stored from "../../models/niqe_default.json" with { type: "json" };
import { sha256 } from "../runtime/hash.ts";
import type { NiqeModel } from "./niqe.ts";
import { parseNiqeModel } from "./niqe_model.ts";

/** A model that is ready for use, and what its results are known by. */
export interface NamedNiqeModel {
  readonly model: NiqeModel;
  /** The model's own name, or the file's. */
  readonly name: string;
  /** Of the file; of our own model, of its numbers. */
  readonly sha256: string;
}

/** A model has some 1,400 numbers; more than this is some other file. */
const mostBytes = 1_000_000;

/** Our own model, as `models/README-niqe.md` says it was made. */
export function defaultNiqeModel(): NamedNiqeModel {
  const text = JSON.stringify(stored);
  return { model: parseNiqeModel(text), name: stored.name, sha256: sha256(text) };
}

/** Reads a model's file; throws an `Error` with what is wrong and what is wanted. */
export async function readNiqeModel(path: string): Promise<NamedNiqeModel> {
  const bytes = await readFile(path).catch((error) => {
    throw problem(path, error.code === "ENOENT" ? "there is no such file" : error.message);
  });
  if (bytes.length > mostBytes) throw problem(path, `it has ${bytes.length} bytes`);
  try {
    const model = parseNiqeModel(new TextDecoder().decode(bytes));
    return { model, name: model.name ?? basename(path), sha256: sha256(bytes) };
  } catch (error) {
    throw problem(path, (error as Error).message);
  }
}

function problem(path: string, what: string): Error {
  return new Error(
    `Cannot read NIQE model "${path}": ${what} (tintype models fit-niqe writes what is wanted)`,
  );
}
