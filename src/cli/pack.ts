import type { Command } from "commander";
import { relative, resolve } from "node:path";
import { localDisk } from "../runtime/local_disk.ts";
import { packRun } from "../runtime/pack.ts";
import { NoPack, PackProblem } from "../runtime/pack_reader.ts";
import { RecordProblem } from "../runtime/recorded_run.ts";
import { type UnpackReport, unpackRun } from "../runtime/unpack.ts";
import { callerFolder, sessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { pasteable } from "./program.ts";
import { counted, printable, shellWord } from "./text.ts";
import { UsageError } from "./usage_error.ts";
import { waitNotice } from "./wait_notice.ts";

interface PackOptions {
  readonly out?: string;
  readonly withoutOriginals?: boolean;
}

/** `tintype pack [RUN]`: puts a run into one file; the newest when none is named. */
export async function pack(
  run: string | undefined,
  { out, withoutOriginals }: PackOptions,
  command: Command,
): Promise<number> {
  const report = await asUsage(() =>
    packRun(sessionOf(command), run ?? "last", {
      out,
      withOriginals: !withoutOriginals,
      onWait: waitNotice,
    })
  );
  for (const warning of report.warnings) console.error(`warning: ${printable(warning)}`);
  const { originals, tasks, files, bytes, path } = report;
  console.log(
    `run ${report.run} packed into "${relative(callerFolder(), path)}": ${
      counted(originals, "original")
    }, ${counted(tasks, "result")}, ${counted(files, "file")} outside; ${
      (bytes / 1e6).toFixed(1)
    } MB`,
  );
  return exitCodes.complete;
}

/** `tintype unpack FILE`: makes a folder of a pack, and says how its recipe is rerun. */
export async function unpack(
  file: string,
  options: { readonly to?: string },
  command: Command,
): Promise<number> {
  const stat = localDisk.stat(resolve(callerFolder(), file));
  if (stat?.isFile !== true) {
    const what = stat === undefined ? "there is no such file" : "it is a folder (a pack is wanted)";
    throw new UsageError(`Cannot unpack "${file}": ${what}`);
  }
  try {
    const report = await asUsage(() => unpackRun(sessionOf(command).options, file, options));
    for (const line of unpackLines(report)) console.log(printable(line));
    return exitCodes.complete;
  } catch (error) {
    if (!(error instanceof PackProblem)) throw error;
    const message = `Cannot unpack "${file}": ${error.message}`;
    if (error instanceof NoPack) throw new UsageError(message);
    console.error(`error: ${message}`);
    return exitCodes.failed;
  }
}

function unpackLines(report: UnpackReport): string[] {
  const { run, recipe, originals, tasks, missing, rewritten, pending } = report;
  const { hasStepFiles, packages } = report;
  const folder = relative(callerFolder(), report.folder) || ".";
  const places = missing.slice(0, 3).map(({ path }) => `"${path}"`).join(", ");
  return [
    `run ${run} of "${recipe}" unpacked into "${folder}": ${counted(originals, "original")}, ${
      counted(tasks, "result")
    }`,
    ...rewritten.length === 0 ? [] : [`written here, naming this folder: ${rewritten.join(", ")}`],
    ...pending.length === 0 ? [] : [`written by the rerun: ${pending.join(", ")}`],
    ...missing.length === 0
      ? []
      : [`first put ${counted(missing.length, "original")} into the folder: ${places}, …`],
    ...hasStepFiles
      ? ["it came with step files: code that the rerun executes; look at them first"]
      : [],
    ...packages.length === 0 ? [] : [
      `they import ${packages.join(", ")}: Deno's cache has that, or the rerun needs the network`,
    ],
    "rerun it, with nothing computed and nobody asked:",
    pasteable(
      `  cd ${shellWord(folder)} && tintype run ${shellWord(report.recipeFile)} --lock ${
        shellWord(report.lockFile)
      }`,
      { folder: report.folder },
    ),
  ];
}

async function asUsage<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof RecordProblem ? new UsageError(error.message) : error;
  }
}
