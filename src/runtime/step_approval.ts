import { basename, dirname, join, resolve } from "node:path";
import type { ActionCache } from "./cache.ts";
import { fromFileUrl } from "./file_url.ts";
import { type AskingStep, type BoundStep, boundStepOf } from "./bound_steps.ts";
import type { GraphNode } from "./graph.ts";
import { canonicalJson } from "./hash.ts";
import { localDisk } from "./local_disk.ts";
import { permissionWords } from "./step_permissions.ts";

/** Says whether step files may have what they ask for: a person, or a program's own rule. */
export type AllowSteps = boolean | ((asking: readonly AskingStep[]) => boolean | Promise<boolean>);

/** Step files ask for permissions that nobody has allowed. */
export class StepsNotAllowed extends Error {
  override readonly name = "StepsNotAllowed";

  constructor(readonly steps: readonly AskingStep[]) {
    const each = steps.map(({ use, permissions }) =>
      `${use} asks for ${permissionWords(permissions)}`
    );
    super(`Cannot run step files that ask for permissions: ${each.join("; ")}`);
  }
}

/** A step file asks for what no step may have. */
export class StepAsksTooMuch extends Error {
  override readonly name = "StepAsksTooMuch";
}

/**
 * Lets step files have what they ask for, where that was allowed in this workspace before, or `allow`
 * says so now, which the workspace then remembers: by file and permissions, so that other permissions are
 * asked about again, and other code is not. A function hears of all that the workspace has not seen, also
 * of those that ask for nothing. Throws `StepsNotAllowed`, and `StepAsksTooMuch` before anybody is asked.
 */
export async function allowSteps(
  nodes: readonly GraphNode[],
  workspace: string,
  allow: AllowSteps = false,
): Promise<void> {
  for (const step of boundSteps(nodes)) {
    const problem = writeProblem(step, nodes, workspace);
    if (problem !== undefined) throw new StepAsksTooMuch(`Cannot run ${step.use}: ${problem}`);
  }
  recallAllowed(nodes, workspace);
  const known = allowedIn(workspace);
  const unseen = [...boundSteps(nodes)].filter((step) => !known.has(permissionKey(step)));
  const asking = unseen.filter((step) => !step.isApproved);
  if (unseen.length === 0 || (asking.length === 0 && typeof allow !== "function")) return;
  const isAllowed = typeof allow === "function" ? await allow(unseen) : allow;
  if (!isAllowed) throw new StepsNotAllowed(asking);
  for (const step of asking) step.approve();
  remember(workspace, [...known, ...unseen.map(permissionKey)]);
}

function remember(workspace: string, allowed: readonly string[]): void {
  Deno.mkdirSync(workspace, { recursive: true });
  const file: ApprovalFile = {
    folder: identityOf(workspace),
    allowed: [...new Set(allowed)].sort(),
  };
  Deno.writeTextFileSync(approvalPath(workspace), `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Lets step files have what was allowed before, and asks nobody. */
export function recallAllowed(nodes: readonly GraphNode[], workspace: string): void {
  const allowed = allowedIn(workspace);
  for (const step of boundSteps(nodes)) {
    const mayBe = writeProblem(step, nodes, workspace) === undefined;
    if (mayBe && allowed.has(permissionKey(step))) step.approve();
  }
}

/** The step files of some nodes that ask for permissions or not, each once. */
export function stepFilesOf(nodes: readonly GraphNode[]): readonly AskingStep[] {
  return [...boundSteps(nodes)];
}

/** Readies step files for a run of so many items at a time; the next check finds their modules known. */
export function prepareSteps(
  nodes: readonly GraphNode[],
  { jobs, cache }: { readonly jobs: number; readonly cache: ActionCache },
): void {
  for (const step of boundSteps(nodes)) {
    step.limit(jobs);
    if (step.graph.files.length > 0) cache.putModuleGraph(step.path, JSON.stringify(step.graph));
  }
}

/** Ends the workers of step files. */
export async function releaseSteps(nodes: readonly GraphNode[]): Promise<void> {
  await Promise.all(Array.from(boundSteps(nodes), (step) => step.release()));
}

const ownFolder = fromFileUrl(new URL("../", import.meta.url));

/**
 * A step that may write over what was allowed, over itself or over Tintype could give itself whatever it
 * likes the next time. Says what is wrong; undefined where nothing is.
 */
function writeProblem(
  { granted: { write }, permissions }: BoundStep,
  nodes: readonly GraphNode[],
  workspace: string,
): string | undefined {
  if (write === undefined) return undefined;
  const wanted = "(folders for what it makes are wanted)";
  if (write === true) return `it asks to write every file, the workspace and itself too ${wanted}`;
  const declared = permissions.write as readonly string[];
  const modules = [...boundSteps(nodes)].flatMap(({ graph }) => graph.files);
  const folders = [workspace, ownFolder].map(realPath);
  const files = modules.map(({ path }) => realPath(path));
  for (const [index, place] of write.map(realPath).entries()) {
    const asks = `it asks to write "${declared[index]}"`;
    const around = folders.find((folder) => isWithin(place, folder));
    if (around !== undefined) return `${asks}, which belongs to "${around}" ${wanted}`;
    const held = [...folders, ...files].find((path) => isWithin(path, place));
    if (held !== undefined) return `${asks}, with which goes "${held}" ${wanted}`;
  }
  return undefined;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder.replace(/\/$/, "") || path.startsWith(`${folder.replace(/\/$/, "")}/`);
}

function boundSteps(nodes: readonly GraphNode[]): ReadonlySet<BoundStep> {
  return new Set(nodes.flatMap(({ step }) => boundStepOf(step) ?? []));
}

interface ApprovalFile {
  /** Where the workspace was, so that one that came from elsewhere brings no approvals along. */
  readonly folder: string;
  readonly allowed: readonly string[];
}

function approvalPath(workspace: string): string {
  return join(workspace, "allowed_steps.json");
}

function allowedIn(workspace: string): ReadonlySet<string> {
  try {
    const file = JSON.parse(Deno.readTextFileSync(approvalPath(workspace))) as ApprovalFile;
    return new Set(file.folder === identityOf(workspace) ? file.allowed : []);
  } catch {
    return new Set(); // there is none, or none that can be read: then they are asked about again
  }
}

/** The path alone could be guessed by whoever sends a folder with a workspace in it. */
function identityOf(workspace: string): string {
  return `${localDisk.stat(workspace)?.inode ?? ""} ${workspace}`;
}

/** By what is really meant: a path relative to another recipe, or a link to another place, is another. */
function permissionKey({ path, granted }: AskingStep): string {
  const permissions = { ...granted };
  for (const sort of ["read", "write"] as const) {
    const places = granted[sort];
    if (Array.isArray(places)) permissions[sort] = places.map(realPath);
  }
  return canonicalJson({ path, permissions });
}

/** Where a path leads, also one of which only a beginning is there. */
function realPath(path: string): string {
  if (localDisk.stat(path) !== undefined) return localDisk.realPath(path);
  const folder = dirname(path);
  if (folder === path) return path;
  const isLink = localDisk.stat(path, { followLinks: false }) !== undefined;
  return resolve(realPath(folder), isLink ? Deno.readLinkSync(path) : basename(path));
}
