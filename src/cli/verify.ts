import type { Command } from "commander";
import { bytesText } from "../report/format.ts";
import { localDisk } from "../runtime/local_disk.ts";
import type { Finding } from "../runtime/verification.ts";
import { type VerifyReport, verifyWorkspace } from "../runtime/verify.ts";
import { checkPublished } from "../steps/publish/published_check.ts";
import { colours } from "./colours.ts";
import { knownSessionOf } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { type Hint, pasteableIn } from "./program.ts";
import { counted, printable } from "./text.ts";
import { waitNotice } from "./wait_notice.ts";

interface VerifyCommandOptions {
  readonly repair?: boolean;
  readonly sample?: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Findings of one kind shown one by one; the rest is a count. */
const shownFindings = 20;

/** `tintype verify`: exit code 0 where nothing was wrong, 1 where something was, repaired or not. */
export async function verify(options: VerifyCommandOptions, command: Command): Promise<number> {
  const session = knownSessionOf(command);
  const report = await verifyWorkspace(session, {
    repair: options.repair,
    sample: options.all ? "all" : options.sample,
    checkFolder: (folder) => checkPublished(localDisk, folder),
    onWait: waitNotice,
    onProgress: Deno.stderr.isTerminal() ? (words) => console.error(words) : undefined,
  });
  if (options.json) console.log(JSON.stringify(report, undefined, 2));
  else print(report, pasteableIn(session.options.workspace));
  return report.findings.length === 0 ? exitCodes.complete : exitCodes.failed;
}

function print(
  { artifacts, results, bytes, originals, published, repetition, findings, notes }: VerifyReport,
  hint: Hint,
) {
  const { error, warning } = colours();
  for (const note of notes) console.error(warning(`note: ${hint(printable(note))}`));
  const byCode = Map.groupBy(findings, ({ code }) => code);
  for (const [code, alike] of byCode) {
    console.error(error(`${code} (${alike.length.toLocaleString("en")})`));
    for (const finding of alike.slice(0, shownFindings)) {
      for (const line of linesOf(finding, hint)) console.error(`  ${line}`);
    }
    const more = alike.length - shownFindings;
    if (more > 0) console.error(`  … and ${more.toLocaleString("en")} more (see --json)`);
  }
  console.log(
    `Read ${counted(artifacts, "artifact")} (${bytesText(bytes)}), ${
      counted(results, "result")
    }, ` +
      `${counted(published.files, "published file")} in ${counted(published.folders, "folder")}` +
      (published.edited > 0 ? ` (${published.edited} changed by a person, kept)` : ""),
  );
  console.log(originalWords(originals));
  if (repetition !== undefined) {
    const { repeated, unreached } = repetition;
    const rest = unreached === 0
      ? ""
      : `, ${unreached.toLocaleString("en")} not reached (a photo, a step or a tool has changed)`;
    console.log(`Repeated ${counted(repeated, "task")}${rest}`);
  }
  console.log(endWords(findings));
}

function originalWords({ files, bytes, changed, gone }: VerifyReport["originals"]): string {
  const others = [
    ...changed > 0 ? [`${changed.toLocaleString("en")} changed since, not compared`] : [],
    ...gone > 0 ? [`${gone.toLocaleString("en")} not there any more`] : [],
  ];
  return `Read ${counted(files, "original")} (${bytesText(bytes)})` +
    (others.length === 0 ? "" : `; ${others.join(", ")}`);
}

function linesOf(
  { message, node, item, recipe, keys, setAside, help, isHealed }: Finding,
  hint: Hint,
): string[] {
  const origin = recipe === undefined || node === undefined
    ? ""
    : ` (${recipe}/${node}${item === undefined ? "" : `, ${item}`}` +
      `${keys.length > 1 ? ` and ${keys.length - 1} more` : ""})`;
  return [
    printable(message + origin),
    ...setAside === undefined ? [] : [`  set aside as ${printable(setAside)}`],
    ...isHealed ? ["  made again"] : help === undefined ? [] : [`  → ${hint(printable(help))}`],
  ];
}

function endWords(findings: readonly Finding[]): string {
  if (findings.length === 0) return "Nothing is wrong";
  const healed = findings.filter(({ isHealed }) => isHealed).length;
  const words = `${counted(findings.length, "thing")} ${
    findings.length === 1 ? "was" : "were"
  } wrong`;
  return healed === 0 ? words : `${words}, ${healed.toLocaleString("en")} made again`;
}
