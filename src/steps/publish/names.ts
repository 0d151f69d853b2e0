import { extname } from "node:path/posix";
import { createHmac } from "node:crypto";
import { sha256 } from "../../runtime/hash.ts";
import { nearest } from "../../runtime/suggestion.ts";

/** What a name pattern may hold. */
export const placeholders = ["stem", "id", "ext", "hash", "index", "dir", "uuid", "name"] as const;

/** The extension of a format's files. */
export const extensions: Readonly<Record<string, string>> = { jpeg: "jpg", tiff: "tif" };

/** What is known of a file that gets a name. */
export interface Named {
  /** The item's name: a path relative to the scanned folder. */
  readonly item: string;
  readonly hash: string;
  readonly format: string;
  /** From 1, in the order of the items. */
  readonly index: number;
  readonly count: number;
  /** For `{uuid}`, as `secretUuid` makes it. */
  readonly uuid?: string;
}

/** Whether names of a pattern need a salt. */
export function usesUuid(pattern: string): boolean {
  return pattern.includes("{uuid}");
}

/** Whether they say nothing of their sources besides. */
export function isSecret(pattern: string): boolean {
  return usesUuid(pattern) && !/\{(name|stem|id|hash|index|dir)\}/.test(pattern);
}

/**
 * A UUID that stands for a content under a salt: the same on every run, and no way back without the
 * salt. The first 122 bits of HMAC-SHA256(salt, `<hash>:<copy>`), as version 8 of RFC 9562, section 5.8.
 * `copy` numbers pictures with the very same content, from 0.
 */
export function secretUuid(salt: Uint8Array, hash: string, copy: number): string {
  const digest = createHmac("sha256", salt).update(`${hash}:${copy}`).digest("hex");
  const variant = (8 + parseInt(digest[16]!, 16) % 4).toString(16);
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ];
  return parts.join("-");
}

/** A placeholder of a pattern that is none, and the one that was probably meant. */
export interface UnknownPlaceholder {
  readonly part: string;
  readonly message: string;
  readonly help?: string;
}

export function unknownPlaceholders(pattern: string): readonly UnknownPlaceholder[] {
  const known: readonly string[] = placeholders;
  const all = known.map((each) => `{${each}}`).join(" ");
  return [...pattern.matchAll(/\{([^{}]*)\}/g)]
    .filter(([, name]) => !known.includes(name!))
    .map(([part, name]) => {
      const near = nearest(name!, known) ?? known.find((each) => name!.includes(each));
      const help = near === undefined ? undefined : `Did you mean {${near}}?`;
      return { part, message: `"${part}" is not known (${all} are)`, help };
    });
}

/** Why a pattern cannot be used, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  const [unknown] = unknownPlaceholders(pattern);
  if (unknown !== undefined) return unknown.message;
  const rest = pattern.replace(/\{[^{}]*\}/g, "");
  if (/[{}]/.test(rest)) return "a brace is not closed";
  if (pattern.startsWith("/") || /^[A-Za-z]:/.test(pattern)) return "it leaves the folder";
  if (rest.split(/[/\\]/).includes("..")) return 'it leaves the folder ("..")';
  if (rest.includes("\\")) return 'folders are parted by "/"';
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f]/.test(rest)) return "it holds a control character";
  const names = /\{(name|stem|id|hash|index|uuid)\}/.test(pattern);
  return names ? undefined : "every file would get the same name (add {stem}, {id} or {index})";
}

/**
 * Names files by a pattern. `{name}` the item's whole name as it is; `{stem}` the item's name without folder and extension; `{dir}` its
 * folder; `{id}` 8 hexadecimal digits that stand for the item's whole path; `{hash}` the first 12 of
 * the published content's sha256; `{index}` its number, padded with zeros; `{ext}` by the format;
 * `{uuid}` a name that reveals neither source nor order.
 */
export function fileNamer(pattern: string): (named: Named) => string {
  const parts = pattern.split(/\{([^{}]*)\}/); // texts and placeholders in turn
  return (named) => {
    let name = "";
    for (let at = 0; at < parts.length; at++) {
      name += at % 2 === 0 ? parts[at]! : valueOf(parts[at]!, named);
    }
    return name.includes("/") ? name.replace(/\/{2,}/g, "/").replace(/^\//, "") : name;
  };
}

function valueOf(placeholder: string, named: Named): string {
  const base = named.item.slice(named.item.lastIndexOf("/") + 1);
  switch (placeholder) {
    case "name":
      return named.item;
    case "stem":
      return base.slice(0, base.length - extname(base).length);
    case "dir":
      return named.item.slice(0, Math.max(0, named.item.length - base.length - 1));
    case "id":
      return sha256(named.item).slice(0, 8);
    case "hash":
      return named.hash.slice(0, 12);
    case "index":
      return String(named.index).padStart(Math.max(4, String(named.count).length), "0");
    case "uuid":
      return named.uuid ?? "";
    case "ext":
      return extensions[named.format] ?? named.format;
    default:
      throw new RangeError(`There is no placeholder "{${placeholder}}"`);
  }
}

/** Why a name cannot be a file's, or undefined. */
export function nameProblem(name: string): string | undefined {
  for (const part of name.split("/")) {
    if (part === "" || part === "." || part === "..") return "it leaves the folder or is empty";
    const bytes = new TextEncoder().encode(part).length;
    if (bytes > 255) return `it is ${bytes} bytes long (255 at most)`;
  }
  return undefined;
}

/** Names that some file system takes for the same: case and Unicode form do not count. */
export function collisionKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
