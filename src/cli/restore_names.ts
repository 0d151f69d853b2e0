import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { sha256 } from "../runtime/hash.ts";
import { localDisk } from "../runtime/local_disk.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { systemWords } from "../runtime/system_words.ts";
import { UsageError } from "./usage_error.ts";

interface RestoreOptions {
  readonly to?: string;
}

/** What is needed of a row of the mapping, which is a file that anybody may have written. */
const rowShape = z.object({
  original: z.string().min(1),
  file: z.string().nullable(),
  file_sha256: z.string().nullish(),
});

type Row = z.output<typeof rowShape>;

/** A published picture of the mapping. */
type Published = Row & { readonly file: string };

/** A picture's file, and where its copy goes. */
interface Restored {
  readonly source: string;
  readonly path: string;
  /** As it is said in messages: relative to the dataset, and to the target. */
  readonly file: string;
  readonly name: string;
  readonly hash?: string | null;
}

/**
 * `tintype restore-names FOLDER`: copies a dataset's pictures to a folder where they have the names of
 * their originals again, each in its subfolder, with the extension that fits the format. The dataset
 * stays as it is, and no file is written over.
 */
export async function restoreNames(folder: string, options: RestoreOptions): Promise<number> {
  const dataset = resolve(callerFolder(), folder);
  const target = resolve(callerFolder(), options.to ?? join(dataset, "restored"));
  const pictures = planOf(readMapping(dataset), { dataset, target });
  const problems: string[] = [];
  let [copied, there] = [0, 0];
  for (const picture of pictures) {
    const outcome = await restore(picture, target);
    if (outcome === "copied") copied++;
    else if (outcome === "there") there++;
    else problems.push(outcome.problem);
  }
  const known = there === 0 ? "" : `, ${there} there already`;
  console.log(
    `${copied} ${copied === 1 ? "picture" : "pictures"} copied to "${target}" under ` +
      `${copied === 1 ? "its original name" : "their original names"}${known}`,
  );
  for (const problem of problems) console.error(`not restored: ${problem}`);
  return problems.length === 0 ? exitCodes.complete : exitCodes.failed;
}

type Outcome = "copied" | "there" | { readonly problem: string };

async function restore(picture: Restored, target: string): Promise<Outcome> {
  const { source, path, file, name, hash } = picture;
  try {
    const found = await readIfThere(source);
    if (found === undefined) return { problem: `"${file}" is not there any more` };
    // A link that leads nowhere is in the way too.
    if (localDisk.stat(path, { followLinks: false }) !== undefined) {
      const standing = await readIfThere(path);
      return standing !== undefined && sha256(standing) === sha256(found)
        ? "there"
        : { problem: `"${name}" is in the way in "${target}", and is another file` };
    }
    if (hash != null && sha256(found) !== hash) {
      console.warn(`warning: "${file}" was changed since it was published; copied as it is`);
    }
    localDisk.makeFolder(dirname(path));
    await localDisk.write(path, found);
    return "copied";
  } catch (error) {
    return { problem: `"${name}": ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readMapping(dataset: string): Row[] {
  const path = join(dataset, "mapping.jsonl");
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    const what = isMissing ? "there is no mapping.jsonl" : `mapping.jsonl: ${systemWords(error)}`;
    throw new UsageError(
      `Cannot restore names in "${dataset}": ${what} (the folder that a run of normalize wrote is ` +
        "wanted)",
    );
  }
  return text.split("\n").flatMap((line, index) =>
    line === "" ? [] : [readRow(line, `"${path}": line ${index + 1}`)]
  );
}

function readRow(line: string, where: string): Row {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    throw new UsageError(`Cannot read ${where} is not JSON`);
  }
  const { success, data } = rowShape.safeParse(row);
  if (success) return data;
  throw new UsageError(`Cannot read ${where} is no row of a mapping ("original" and "file")`);
}

interface Places {
  readonly dataset: string;
  readonly target: string;
}

/** Where every picture goes. Throws, before anything is written, where one would leave its folder. */
function planOf(rows: readonly Row[], { dataset, target }: Places): Restored[] {
  const published = rows.filter((row): row is Published => row.file !== null);
  const names = restoredNames(published);
  return published.map((row, index) => {
    const { file, file_sha256: hash } = row;
    const name = names[index]!;
    return { source: inside(dataset, file), path: inside(target, name), file, name, hash };
  });
}

/**
 * The name of each picture. One whose format is still that of its original has the original's name. One
 * in a new format has the extension of that, and where another picture or folder is called so (a.png,
 * now a JPEG, beside a.jpg), its old extension too: `a.png.jpg`. A difference in case alone is none,
 * since some file systems make none.
 */
function restoredNames(rows: readonly Published[]): string[] {
  const wanted = rows.map((row) => withExtension(row.original, extname(row.file)));
  const taken = new Set<string>();
  rows.forEach(({ original }, index) => {
    if (wanted[index] === original) taken.add(folded(original));
    for (let at = original.indexOf("/"); at !== -1; at = original.indexOf("/", at + 1)) {
      taken.add(folded(original.slice(0, at)));
    }
  });
  return rows.map(({ original, file }, index) => {
    if (wanted[index] === original) return original;
    const extension = extname(file);
    let name = wanted[index]!;
    for (let copy = 1; taken.has(folded(name)); copy++) {
      name = `${original}${copy === 1 ? "" : ` (${copy})`}${extension}`;
    }
    taken.add(folded(name));
    return name;
  });
}

/** As a file system that makes no difference of case or of Unicode form sees a name. */
function folded(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

const sameExtension: Readonly<Record<string, string>> = {
  ".jpeg": ".jpg",
  ".jpe": ".jpg",
  ".jfif": ".jpg",
  ".tiff": ".tif",
};

/** The original's own extension where it means the same format. */
function withExtension(name: string, extension: string): string {
  const own = extname(name);
  const lower = own.toLowerCase();
  if ((sameExtension[lower] ?? lower) === extension) return name;
  return name.slice(0, name.length - own.length) + extension;
}

/** A path of the mapping below a folder. */
function inside(folder: string, path: string): string {
  const full = resolve(folder, path);
  const way = relative(folder, full);
  if (way !== "" && !way.startsWith(`..${sep}`) && way !== "..") return full;
  throw new UsageError(`Cannot restore "${path}": it leaves "${folder}"`);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return localDisk.stat(path)?.isFile ? await localDisk.read(path) : undefined;
}
