import { extname, join } from "node:path";
import { z } from "zod";
import { countText, listText } from "../../report/format.ts";
import { folder } from "../../runtime/params.ts";
import type { Disk } from "../../runtime/disk.ts";
import {
  defineStep,
  failed,
  many,
  type OutsideFile,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { image } from "../kinds.ts";
import { manifestName } from "../publish/manifest.ts";

const endings = "jpg,jpeg,jpe,jfif,png,apng,webp,gif,tif,tiff,avif,heic,heif,bmp";
const pictures = `**/*.{${endings}}`;
/** What picomatch makes of that, which takes 10 ms to load. */
const hasPictureEnding = new RegExp(`\\.(?:${endings.replaceAll(",", "|")})$`, "i");

/**
 * Finds the pictures in a folder, in a stable order: folder by folder, names by UTF-16 code unit.
 * Each becomes an item named by its path in the folder, with "/" between the parts.
 *
 * Links to folders are followed once each. Folders that cannot be read are named in a warning, and
 * nothing counts as removed then. Folders that Tintype published into are passed over. Without `include`
 * of the recipe's own, files that are no pictures by their ending are counted in the summary.
 */
export const scan = defineStep({
  name: "ingest.scan",
  version: 1,
  doc: "Finds the pictures in a folder; each becomes an item.",
  origin: "computed",
  world: "reads",
  inputs: {},
  params: z.object({
    folder: folder("where the originals are"),
    include: z.array(z.string().min(1)).min(1).default([pictures]).meta({
      description: "glob patterns of what to take, letter case ignored",
    }),
    exclude: z.array(z.string().min(1)).default([]).meta({
      description: "glob patterns of what to leave out, letter case ignored",
    }),
    hidden: z.boolean().default(false).meta({
      description: "take files and folders whose name begins with a dot",
    }),
  }),
  outputs: { images: many(image, "the pictures found") },
  async run(_, params, context) {
    const root = context.disk.stat(params.folder);
    if (root === undefined) return failed(`Cannot scan folder "${params.folder}": it is not there`);
    if (!root.isFolder) return failed(`Cannot scan folder "${params.folder}": it is a file`);
    const walk = new Walk(await filtersOf(params), context);
    const found = walk.below(params.folder);
    walk.reportUnnamed();
    walk.reportOthers();
    if (walk.rootProblem !== undefined) {
      return failed(`Cannot scan folder "${params.folder}": ${walk.rootProblem}`);
    }
    if (found.length === 0) context.warn(`No pictures in "${params.folder}"`);
    return produced({ images: found }, { isPartial: walk.isPartial });
  },
});

interface Found {
  readonly name: string;
  readonly file: OutsideFile;
}

interface ScanParams {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly hidden: boolean;
}

/** What a walk takes, by names as items have them. */
interface Filters {
  readonly hidden: boolean;
  /** Whether the recipe leaves open what to take. */
  readonly isDefault: boolean;
  isIncluded(name: string): boolean;
  isExcluded(name: string): boolean;
}

async function filtersOf({ include, exclude, hidden }: ScanParams): Promise<Filters> {
  const isDefault = include.length === 1 && include[0] === pictures;
  if (isDefault && exclude.length === 0) {
    return {
      hidden,
      isDefault,
      isIncluded: (name) => hasPictureEnding.test(name),
      isExcluded: () => false,
    };
  }
  const { default: picomatch } = await import("picomatch");
  return {
    hidden,
    isDefault,
    isIncluded: picomatch([...include], { nocase: true, dot: hidden }),
    isExcluded: picomatch([...exclude], { nocase: true, dot: true }),
  };
}

/** Endings of files passed over that the summary names. */
const shownEndings = 8;

class Walk {
  isPartial = false;
  rootProblem: string | undefined;
  readonly #disk: Disk;
  readonly #found: Found[] = [];
  readonly #seen = new Set<string>();
  /** Names that are not UTF-8, as they are listed. */
  readonly #unnamed: string[] = [];
  /** How many files are no pictures by their ending, by that ending. */
  readonly #others = new Map<string, number>();

  constructor(readonly filters: Filters, readonly context: StepContext) {
    this.#disk = context.disk;
  }

  below(root: string): Found[] {
    this.#folder(root, "");
    return this.#found;
  }

  /** Says what cannot be opened because its name is no text; nothing counts as removed then. */
  reportUnnamed() {
    const count = this.#unnamed.length;
    if (count === 0) return;
    this.isPartial = true;
    const shown = this.#unnamed.slice(0, 3).map((name) => `"${name}"`).join(", ");
    const more = count > 3 ? ` and ${count - 3} more` : "";
    this.context.warn(
      `${count} ${count === 1 ? "name is" : "names are"} not UTF-8, so that what has ` +
        `${count === 1 ? "it" : "them"} cannot be read: ${shown}${more} (rename to include)`,
    );
  }

  /** Says what lies there besides: raw photos, videos, sidecars, pictures without an ending. */
  reportOthers() {
    if (this.#others.size === 0) return;
    const byCount = [...this.#others].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const shown = byCount.slice(0, shownEndings).map(([ending, files]) => `${files} ${ending}`);
    const more = byCount.length - shown.length;
    this.context.summarize(
      `passed over by their endings: ${
        listText(more > 0 ? [...shown, countText(more, "other ending")] : shown)
      }`,
    );
  }

  #folder(path: string, prefix: string) {
    const entries = this.#list(path, prefix);
    for (const entry of entries) {
      const { name } = entry;
      if (name.startsWith(".") && !this.filters.hidden) continue;
      if (this.#isUnnamed(`${path}/${name}`, name)) {
        this.#unnamed.push(prefix + name);
        continue;
      }
      const item = prefix + name;
      const full = `${path}/${name}`;
      if (entry.isFolder) this.#enter(full, item);
      else if (entry.isSymlink) this.#link(full, item);
      else if (entry.isFile) this.#file(full, item);
    }
  }

  /**
   * Whether an entry's name is not UTF-8. The platform lists such a name with U+FFFD in it, under which
   * nothing is there; where something is, it is that which really has this name.
   */
  #isUnnamed(path: string, name: string): boolean {
    return name.includes("\ufffd") && this.#disk.stat(path, { followLinks: false }) === undefined;
  }

  /** The entries of a folder by name; none where it cannot be read, or was read before. */
  #list(path: string, prefix: string) {
    try {
      const real = this.#disk.realPath(path);
      if (this.#seen.has(real)) {
        this.context.warn(`Folder "${prefix}" was passed over: a link leads to it twice`);
        return [];
      }
      this.#seen.add(real);
      const entries = [...this.#disk.list(path)].sort((a, b) => a.name < b.name ? -1 : 1);
      // Two of one name: at most one has it, the other's is not UTF-8.
      const isTwin = (at: number) => entries[at]!.name === entries[at - 1]?.name;
      entries.forEach(({ name }, at) => isTwin(at) && this.#unnamed.push(prefix + name));
      return entries.filter((_, at) => !isTwin(at));
    } catch (error) {
      this.isPartial = true;
      const reason = reasonOf(error);
      if (prefix === "") this.rootProblem = reason;
      this.context.warn(`Cannot read folder "${prefix}": ${reason}`);
      return [];
    }
  }

  #enter(path: string, item: string) {
    if (this.filters.isExcluded(item)) return;
    if (this.#disk.stat(join(path, manifestName)) !== undefined) {
      this.context.warn(`Folder "${item}" was passed over: Tintype published it`);
      return;
    }
    this.#folder(path, `${item}/`);
  }

  #link(path: string, item: string) {
    const target = this.#disk.stat(path);
    if (target === undefined) this.context.warn(`Link "${item}" leads nowhere`);
    else if (target.isFolder) this.#enter(path, item);
    else if (target.isFile) this.#file(path, item);
  }

  #file(path: string, item: string) {
    if (this.filters.isExcluded(item)) return;
    if (!this.filters.isIncluded(item)) return this.#passOver(item);
    const stat = this.#disk.stat(path);
    if (stat === undefined) return; // removed since the folder was listed
    const { size, mtimeMs, inode } = stat;
    this.#found.push({ name: item, file: { path, size, mtimeMs, inode } });
  }

  #passOver(item: string) {
    if (!this.filters.isDefault) return;
    const ending = extname(item).toLowerCase() || "without ending";
    this.#others.set(ending, (this.#others.get(ending) ?? 0) + 1);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && /denied/i.test(`${error.name} ${error.message}`)) {
    return "permission denied";
  }
  return error instanceof Error ? error.message : String(error);
}
