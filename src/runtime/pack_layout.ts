import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Json } from "./hash.ts";

/** What the places of a run are found by. */
export interface LayoutOptions {
  /** Where relative places began. */
  readonly cwd: string;
  readonly home?: string;
  readonly workspace: string;
  /** The values of the recipe's parameters. */
  readonly settings: Readonly<Record<string, Json>>;
  /** Absolute paths of the folders and files that steps were given. */
  readonly places: readonly string[];
}

/** Where what lies outside of the caller's folder goes. */
const outsideFolder = "outside";

/** A folder or file that moves as a whole. */
interface Root {
  /** On this machine. */
  readonly path: string;
  /** In the unpacked folder: relative, "/" between the parts, "." for the folder itself. */
  readonly target: string;
}

/**
 * Where things lie in an unpacked folder, which stands for the folder that relative paths began in. What
 * was in that folder keeps its place in it, so that relative settings stay as they are; what was
 * elsewhere goes below `outside/`, and the texts that name it are changed. No path of this machine is
 * left in a text that went through `rewrite`.
 */
export class PackLayout {
  readonly #roots: readonly Root[];
  readonly #forms: readonly { readonly pattern: RegExp; readonly by: string }[];
  /** The paths of this machine that nothing packed should hold. */
  readonly paths: readonly string[];

  constructor(readonly options: LayoutOptions) {
    this.#roots = rootsOf(options);
    const { cwd, home, workspace } = options;
    const general = [
      { path: workspace, target: ".tintype" },
      { path: cwd, target: "." },
      ...home === undefined ? [] : [{ path: home, target: "~" }],
    ].filter(({ path }) => path !== "/");
    const all = [...this.#roots, ...general];
    this.paths = [...new Set(all.map(({ path }) => path))].filter((path) => path.length > 4);
    this.#forms = all.flatMap((root) => formsOf(root, options))
      // The longest first: a folder in a folder has its own name.
      .toSorted((a, b) => b.form.length - a.form.length)
      .map(({ form, by }) => ({ pattern: patternOf(form), by }));
  }

  /** Where a file of this machine lies in the unpacked folder; undefined where it is in no place. */
  targetOf(path: string): string | undefined {
    const root = this.#roots.find((each) => isInside(path, each.path));
    return root === undefined ? undefined : targetBelow(root, path);
  }

  /** A text with the places named as they are in the unpacked folder. */
  rewrite(text: string): string {
    return this.#forms.reduce((done, { pattern, by }) =>
      // A folder itself is ".", what is in it needs no "./".
      done.replace(pattern, (_, slash: string | undefined) =>
        by === "." ? slash === undefined ? "." : "" : by + (slash ?? "")), text);
  }

  /** The same for every text in a value. */
  rewriteJson(value: Json): Json {
    if (typeof value === "string") return this.rewrite(value);
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((each) => this.rewriteJson(each));
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, this.rewriteJson(each ?? null)]),
    );
  }
}

/** Whether a path is a folder itself or something in it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

function rootsOf(options: LayoutOptions): Root[] {
  const paths = new Set([...settingPlaces(options), ...options.places]);
  const roots: Root[] = [];
  const taken = new Set<string>();
  // Parents first, so that what is in them moves with them.
  for (const path of [...paths].sort((a, b) => a.length - b.length)) {
    const parent = roots.findLast((root) => isInside(path, root.path));
    const target = parent !== undefined
      ? targetBelow(parent, path)
      : isInside(path, options.cwd)
      ? targetBelow({ path: options.cwd, target: "." }, path)
      : freeName(basename(path) || "root", taken);
    roots.push({ path, target });
  }
  // The deepest first, for looking up.
  return roots.reverse();
}

function freeName(name: string, taken: Set<string>): string {
  let free = `${outsideFolder}/${name}`;
  for (let number = 2; taken.has(free); number++) free = `${outsideFolder}/${name}-${number}`;
  taken.add(free);
  return free;
}

function targetBelow(root: Root, path: string): string {
  const rest = relative(root.path, path).split(sep).join("/");
  if (rest === "") return root.target;
  return root.target === "." ? rest : `${root.target}/${rest}`;
}

/** Settings that name a place, or a folder that places are in. */
function settingPlaces({ settings, places, cwd, home }: LayoutOptions): string[] {
  return Object.values(settings).flatMap((value) => {
    if (typeof value !== "string" || value === "") return [];
    const path = resolve(cwd, withHome(value, home));
    const isPlace = places.includes(path);
    const holdsPlaces = !isInside(cwd, path) && places.some((place) => isInside(place, path));
    return isPlace || holdsPlaces ? [path] : [];
  });
}

function withHome(text: string, home: string | undefined): string {
  const isAtHome = home !== undefined && (text === "~" || text.startsWith("~/"));
  return isAtHome ? join(home, text.slice(1)) : text;
}

/** How a text may name a root that is to be named otherwise. */
function formsOf({ path, target }: Root, { cwd, home }: LayoutOptions) {
  const forms = [path];
  const isAtHome = home !== undefined && home !== "/" && isInside(path, home) && path !== home;
  if (isAtHome) forms.push(`~/${relative(home, path)}`);
  const fromCwd = relative(cwd, path);
  if (fromCwd.startsWith("..") && target !== "~") forms.push(fromCwd);
  return forms.filter((form) => isAbsolute(form) || form !== "..").map((form) => ({
    form,
    by: target,
  }));
}

/** The form as a whole path: nothing that goes on before it, and its end or a slash behind it. */
function patternOf(form: string): RegExp {
  const escaped = form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const letter = "[\\p{L}\\p{N}_~-]";
  const before = `(?<!${letter}|\\.|(?:${letter}|\\.)/)`;
  // A full stop behind it ends a sentence, unless a name goes on after it.
  return new RegExp(`${before}${escaped}(?:(/)(?=.)|(?!${letter}|\\.${letter}))`, "gu");
}
