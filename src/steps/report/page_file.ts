import { join } from "node:path";
import type { Handle } from "../../runtime/artifact.ts";
import type { Disk } from "../../runtime/disk.ts";
import { canonicalJson, type Json, sha256 } from "../../runtime/hash.ts";
import type { Collection, StepContext } from "../../runtime/step.ts";
import { version } from "../../runtime/version.ts";

/** What reports are called in their folder. */
export const pageName = "report.html";

/**
 * What a page is of: the hash of everything that it shows. It stands at the end of the file, so that a
 * look at the file tells whether it is the one.
 */
export function pageSubject(
  inputs: Readonly<Record<string, Handle | Collection | undefined>>,
  shown: Json,
  context: Pick<StepContext, "members" | "absent">,
): string {
  const names = new Map(context.members.map(({ member, name }) => [member, name]));
  const ports = Object.entries(inputs).sort(([a], [b]) => a < b ? -1 : 1).map(([port, value]) => [
    port,
    value instanceof Map
      ? [...value as Collection].map(([member, { ref }]) => [names.get(member) ?? "", ref.hash])
      : (value as Handle | undefined)?.ref.hash ?? null,
  ]);
  const absent = context.absent.map(({ name, node, step, status, reason }) => [
    name,
    node,
    step,
    status,
    reason,
  ]);
  return sha256(canonicalJson([ports, shown, absent, version] as Json));
}

/**
 * Writes a page into its folder, with a seal: what it is of, and the hash of all before the seal. A file
 * that is there and not as a page was left, such as one with a person's notes, is kept beside it under
 * another name. Gives the size in bytes.
 */
export async function writePage(
  folder: string,
  { page, subject }: { readonly page: string; readonly subject: string },
  { disk, warn }: Pick<StepContext, "disk" | "warn">,
): Promise<number> {
  const bytes = sealed(page, subject);
  disk.makeFolder(folder);
  const kept = await keepForeign(disk, folder);
  if (kept !== undefined) {
    warn(`"${pageName}" was not as Tintype wrote it, and is kept as "${kept}"`);
  }
  await disk.write(join(folder, pageName), bytes);
  return bytes.length;
}

/** Whether the page in a folder is there as it was written, and of this. */
export async function isPageCurrent(
  folder: string,
  subject: string,
  disk: Disk,
): Promise<boolean> {
  return await sealOf(disk, join(folder, pageName)) === subject;
}

function sealed(page: string, subject: string): Uint8Array {
  const body = new TextEncoder().encode(page);
  const seal = new TextEncoder().encode(`<!-- tintype ${subject} ${sha256(body)} -->\n`);
  const bytes = new Uint8Array(body.length + seal.length);
  bytes.set(body);
  bytes.set(seal, body.length);
  return bytes;
}

const sealPattern = /<!-- tintype (\S+) (\S+) -->\n$/;

/** What the page at a path is of; undefined where there is none, or not as it was written. */
async function sealOf(disk: Disk, path: string): Promise<string | undefined> {
  if (disk.stat(path)?.isFile !== true) return undefined;
  const bytes = await disk.read(path);
  const tail = new TextDecoder("latin1").decode(bytes.subarray(-1000));
  const found = sealPattern.exec(tail);
  if (found === null) return undefined;
  const body = bytes.subarray(0, bytes.length - found[0].length);
  return sha256(body) === found[2] ? found[1] : undefined;
}

async function keepForeign(disk: Disk, folder: string): Promise<string | undefined> {
  const path = join(folder, pageName);
  if (disk.stat(path) === undefined || await sealOf(disk, path) !== undefined) return undefined;
  const bytes = await disk.read(path);
  const kept = `report.kept-${sha256(bytes).slice(0, 8)}.html`;
  await disk.write(join(folder, kept), bytes);
  return kept;
}
