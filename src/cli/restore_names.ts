import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { sha256 } from "../runtime/hash.ts";
import { localDisk } from "../runtime/local_disk.ts";
import type { MappingRow } from "../steps/publish/mapping.ts";
import { callerFolder, UsageError } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";

interface RestoreOptions {
  readonly to?: string;
}

/** A picture's file, and the path below the target that its original's name gives. */
interface Restored {
  readonly file: string;
  readonly name: string;
  readonly hash: string | null;
}

/**
 * `tintype restore-names FOLDER`: copies a dataset's pictures to a folder where they have the names of
 * their originals again, each in its subfolder, with the extension that fits the format. The dataset
 * stays as it is, and no file is written over.
 */
export async function restoreNames(folder: string, options: RestoreOptions): Promise<number> {
  const dataset = resolve(callerFolder(), folder);
  const target = resolve(callerFolder(), options.to ?? join(dataset, "restored"));
  const rows = readMapping(dataset);
  const pictures = planOf(rows);
  const problems: string[] = [];
  let [copied, there] = [0, 0];
  for (const { file, name, hash } of pictures) {
    const [source, path] = [inside(dataset, file), inside(target, name)];
    const found = await readIfThere(source);
    if (found === undefined) problems.push(`"${file}" is not there any more`);
    else if (localDisk.stat(path) !== undefined) {
      const isSame = sha256(await localDisk.read(path)) === sha256(found);
      if (isSame) there++;
      else problems.push(`"${name}" is in the way in "${target}", and is another file`);
    } else {
      if (hash !== null && sha256(found) !== hash) {
        console.warn(`warning: "${file}" was changed since it was published; copied as it is`);
      }
      localDisk.makeFolder(dirname(path));
      await localDisk.write(path, found);
      copied++;
    }
  }
  const known = there === 0 ? "" : `, ${there} there already`;
  console.log(`${copied} pictures copied to "${target}" under their original names${known}`);
  for (const problem of problems) console.error(`not restored: ${problem}`);
  return problems.length === 0 ? exitCodes.complete : exitCodes.failed;
}

function readMapping(dataset: string): MappingRow[] {
  const path = join(dataset, "mapping.jsonl");
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(
      `Cannot restore names in "${dataset}": there is no mapping.jsonl (the folder that a run of ` +
        "normalize wrote is wanted)",
    );
  }
  return text.split("\n").filter((line) => line !== "").map((line, index) => {
    try {
      return JSON.parse(line) as MappingRow;
    } catch {
      throw new UsageError(`Cannot read "${path}": line ${index + 1} is not JSON`);
    }
  });
}

/** Two originals that now have one name (a.jpg and a.png, both as JPEG) keep their old extensions too. */
function planOf(rows: readonly MappingRow[]): Restored[] {
  const published = rows.filter((row) => row.file !== null);
  const names = published.map((row) => withExtension(row.original, extname(row.file!)));
  const count = new Map<string, number>();
  for (const name of names) count.set(name.toLowerCase(), (count.get(name.toLowerCase()) ?? 0) + 1);
  return published.map((row, index) => {
    const isAlone = count.get(names[index]!.toLowerCase()) === 1;
    const name = isAlone ? names[index]! : `${row.original}${extname(row.file!)}`;
    return { file: row.file!, name, hash: row.file_sha256 };
  });
}

const sameExtension: Readonly<Record<string, string>> = { ".jpeg": ".jpg", ".jpe": ".jpg" };

/** The original's own extension where it means the same format. */
function withExtension(name: string, extension: string): string {
  const own = extname(name);
  const lower = own.toLowerCase();
  if ((sameExtension[lower] ?? lower) === extension) return name;
  return name.slice(0, name.length - own.length) + extension;
}

/** A path of the mapping below a folder; a mapping is a file that anybody may have written. */
function inside(folder: string, path: string): string {
  const full = resolve(folder, path);
  const way = relative(folder, full);
  if (way !== "" && !way.startsWith(`..${sep}`) && way !== "..") return full;
  throw new UsageError(`Cannot restore "${path}": it leaves "${folder}"`);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return localDisk.stat(path)?.isFile ? await localDisk.read(path) : undefined;
}
