import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { resolve } from "node:path";
import { coverEnvironment } from "../runtime/environment.ts";
import { loadModule } from "../runtime/load_module.ts";
import { parseShard } from "../runtime/shard.ts";
import { nearest } from "../runtime/suggestion.ts";
import { version } from "../runtime/version.ts";
import type { Device } from "../services/mod.ts";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { commandNames, pasteable, pasteableIn, usualWorkspace } from "./program.ts";
import { systemMessage } from "../runtime/system_words.ts";
import { UsageError } from "./usage_error.ts";

/** A command: its arguments, its options, and the command itself; gives the exit code. */
type CommandAction = (...parts: never[]) => number | Promise<number>;

/** Reads the command line and gives the exit code. Each command loads its own modules when it runs. */
export async function main(args: readonly string[]): Promise<number> {
  coverEnvironment();
  let code: number = exitCodes.complete;
  const does =
    <Module>(path: string, name: keyof Module & string) => async (...parts: unknown[]) => {
      const module = await loadModule<Module>(path, import.meta.url);
      code = await (module[name] as CommandAction)(...parts as never[]);
    };
  const program = new Command("tintype")
    .description("Turns a folder of photos into a dataset, by recipe, cached by content")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withCommandNames(text)) })
    .configureHelp({ showGlobalOptions: true })
    .option("--workspace <folder>", "where cache, store and runs are", usualWorkspace)
    .on("beforeAllHelp", refuseUnknown);

  program.command("run <recipe>")
    .description("run a recipe; what is known already is not done again")
    .addOption(settingOption())
    .option("-j, --jobs <n>", "how many pictures to work on at the same time", positive)
    .addOption(poolOption())
    .option("--until <node>", "run this node and what it needs, nothing after it")
    .addOption(forceOption())
    .option("--limit <n>", "only the first n pictures", positive)
    .addOption(shardOption())
    .option("--watch", "stay, and run again whenever something that the recipe reads changes")
    .addOption(deviceOption())
    .option("--overwrite", "replace what is there and differs, where the recipe asks for that")
    .option("--lock <file>", "with the settings, versions and models of that run's lock.json")
    .addOption(allowStepsOption())
    .option("--json", "print events, one a line")
    .action(
      does<typeof import("./run.ts")>("./run.ts", "run"),
    );

  program.command("review <recipe>")
    .description("review captions in the browser while the recipe runs, and export them")
    .addOption(settingOption())
    .option(
      "--port <n>",
      "serve at this port; where it was last, or a free one, when left out",
      port,
    )
    .option("--no-open", "do not open the browser")
    .addOption(allowStepsOption())
    .action(
      does<typeof import("./review.ts")>("./review.ts", "review"),
    );

  program.command("plan <recipe>")
    .description("say what a run would do and why; writes nothing")
    .addOption(settingOption())
    .option("--until <node>", "plan this node and what it needs")
    .addOption(forceOption())
    .option("--limit <n>", "only the first n pictures", positive)
    .addOption(shardOption())
    .option("--json", "print the plan as JSON")
    .action(
      does<typeof import("./plan.ts")>("./plan.ts", "plan"),
    );

  program.command("check <recipe>")
    .description("find everything that is wrong with a recipe")
    .addOption(settingOption())
    .option("--json", "print what is wrong as JSON")
    .action(
      does<typeof import("./check.ts")>("./check.ts", "check"),
    );

  program.command("why <target>")
    .description("say why a node, or the tasks of an item, ran in the last run")
    .option("--run <run>", "another run than the last")
    .option("--json", "print JSON")
    .action(
      does<typeof import("./why.ts")>("./why.ts", "why"),
    );

  program.command("runs")
    .description("list the runs of the workspace")
    .option("--json", "print JSON")
    .action(
      does<typeof import("./runs.ts")>("./runs.ts", "runs"),
    );

  program.command("errors")
    .description("group what failed or was left out in a run, and say what to do about it")
    .option("--run <run>", "another run than the last")
    .option("--json", "print JSON")
    .action(
      does<typeof import("./errors.ts")>("./errors.ts", "errors"),
    );

  program.command("verify")
    .description("check everything that was kept and published; set aside what is wrong")
    .option("--repair", "make again what is lost or damaged")
    .addOption(
      new Option("--sample <n>", "do n tasks of the last run again and compare their bytes")
        .argParser(positive),
    )
    .addOption(new Option("--all", "do all tasks of the last run again").conflicts("sample"))
    .option("--json", "print JSON")
    .action(
      does<typeof import("./verify.ts")>("./verify.ts", "verify"),
    );

  const cache = program.command("cache").description("what the workspace holds: stats, gc, merge");
  cache.command("stats").description("say what is there, by step and by run")
    .option("--json", "print JSON")
    .action(does<typeof import("./cache.ts")>("./cache.ts", "stats"));
  cache.command("gc").description("remove what no run needs; says only what it would, at first")
    .option("--older-than <span>", "also runs that began longer ago, such as 30d", timeSpan)
    .option("--max-size <size>", "also the oldest runs, down to a size such as 10GB", byteSize)
    .option("--keep-runs <n>", "the newest runs of each recipe that stay; 1 when left out", count)
    .option("--apply", "remove it")
    .option("--json", "print JSON")
    .action(does<typeof import("./cache.ts")>("./cache.ts", "gc"));
  cache.command("merge <workspaces...>")
    .description("take over what other workspaces have, such as those of shards")
    .option("--json", "print JSON")
    .action(does<typeof import("./merge.ts")>("./merge.ts", "merge"));

  program.command("replay [run]")
    .description("do a run again beside the cache, and say bit for bit what differs and why")
    .option("-j, --jobs <n>", "how many pictures to work on at the same time", positive)
    .option("--json", "print the differences as JSON")
    .action(
      does<typeof import("./replay.ts")>("./replay.ts", "replay"),
    );

  program.command("pack [run]")
    .description("put a run with its results and originals into one file")
    .option("--out <file>", 'where it goes; "<run>.tintype" when left out')
    .option("--without-originals", "pack what the originals are, and not their bytes")
    .action(
      does<typeof import("./pack.ts")>("./pack.ts", "pack"),
    );

  program.command("unpack <file>")
    .description("make a folder of a pack, in which its recipe reruns with everything cached")
    .option("--to <folder>", "the folder; the pack's name when left out")
    .action(
      does<typeof import("./pack.ts")>("./pack.ts", "unpack"),
    );

  program.command("restore-names <folder>")
    .description("copy a normalized dataset's pictures back under the names of their originals")
    .option(
      "--to <folder>",
      'where the copies go; "restored" in the dataset\'s folder when left out',
    )
    .action(
      does<typeof import("./restore_names.ts")>("./restore_names.ts", "restoreNames"),
    );

  program.command("undo <folder>")
    .description("move the pictures of a quarantine folder back to where they were")
    .option("--source <folder>", "where their folder is now, if it is not where it was")
    .action(
      does<typeof import("./undo.ts")>("./undo.ts", "undo"),
    );

  const models = program.command("models")
    .description("the models that steps use: list, pull, verify; fit-niqe");
  models.command("list").description("what there is, and what is here")
    .option("--json", "print JSON")
    .action(does<typeof import("./models.ts")>("./models.ts", "list"));
  models.command("pull [names...]").description("download models and those that they work with")
    .action(does<typeof import("./models.ts")>("./models.ts", "pull"));
  models.command("verify [names...]").description("check the files by sha256")
    .action(does<typeof import("./models.ts")>("./models.ts", "verify"));
  models.command("fit-niqe <folder>")
    .description("fit NIQE's model of good pictures to photos of your own")
    .option("--out <file>", 'where the model goes; "niqe.json" when left out')
    .action(does<typeof import("./fit_niqe.ts")>("./fit_niqe.ts", "fitNiqe"));

  program.command("query <sql>")
    .description("ask what the runs found: views items, tasks, calls, runs, and one for each node")
    .option("--run <run>", "the tables of another run than the last")
    .addOption(new Option("--json", "print a JSON array").conflicts("csv"))
    .addOption(new Option("--csv", "print CSV"))
    .action(
      does<typeof import("./query.ts")>("./query.ts", "query"),
    );

  program.command("steps")
    .description("list the steps of the catalogue")
    .option("--json", "print JSON")
    .action(
      does<typeof import("./steps.ts")>("./steps.ts", "steps"),
    );

  program.command("describe <step>")
    .description("show a step's inputs, parameters and outputs")
    .option("--json", "print JSON")
    .action(
      does<typeof import("./steps.ts")>("./steps.ts", "describe"),
    );

  program.command("schema")
    .description("print the JSON schema of recipes, for editors")
    .action(does<typeof import("./steps.ts")>("./steps.ts", "schema"));

  program.command("sample <folder>")
    .description("render 24 sample pictures into a folder")
    .action(
      does<typeof import("./sample.ts")>("./sample.ts", "sample"),
    );

  program.command("help [command...]")
    .description("show help for a command")
    .action(async (names: string[]) => {
      await program.parseAsync([...names, "--help"], { from: "user" });
    });

  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    // What the system refuses (a folder that cannot be written) is no bug either.
    const isRefusal = error instanceof Error &&
      ("code" in error || error instanceof Deno.errors.NotCapable);
    if (!(error instanceof UsageError) && !isRefusal) throw error;
    const hint = pasteableIn(
      resolve(callerFolder(), program.opts<{ readonly workspace: string }>().workspace),
    );
    console.error(`error: ${hint(systemMessage(error))}`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}

const subcommandNames = ["cache stats", "cache gc", "cache merge"]
  .concat(["list", "pull", "verify", "fit-niqe"].map((name) => `models ${name}`));

/** Help on a command that is not there is refused as the command itself is. */
function refuseUnknown({ command }: { readonly command: Command }) {
  const [name] = command.args[0] === "help" ? command.args.slice(1) : command.args;
  if (name === undefined || name.startsWith("-")) return;
  if (command.commands.some((each) => each.name() === name)) return;
  if (command.commands.length > 0) command.parse([name], { from: "user" });
}

/** Of a command that is not there, what it may be besides a slip of the keyboard, which commander names. */
function withCommandNames(text: string): string {
  const given = /^error: unknown command '(.*)'/.exec(text)?.[1];
  if (given === undefined || text.includes("Did you mean")) return text;
  const near = nearest(given, [...commandNames, ...subcommandNames]);
  const help = near === undefined ? "tintype --help lists them" : `Did you mean ${near}?`;
  return `${text.trimEnd()}\n(${pasteable(help)})\n`;
}

function settingOption(): Option {
  return new Option("--set <name=value>", "set a parameter of the recipe (repeatable)")
    .argParser((text: string, before: Record<string, string> | undefined) => {
      const at = text.indexOf("=");
      if (at < 1) throw new InvalidArgumentError('Write it as name=value, such as "quality=80".');
      return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
    });
}

function deviceOption(): Option {
  return new Option("--device <name>", "what models run on; the best there is when left out")
    .choices(["auto", "cuda", "coreml", "dml", "webgpu", "cpu"] satisfies Device[]);
}

function forceOption(): Option {
  return new Option(
    "--force <node[:items]>",
    "do this node's tasks again, or those of items by name or pattern (repeatable)",
  )
    .argParser((text: string, before: string[] | undefined) => [...before ?? [], text]);
}

function allowStepsOption(): Option {
  return new Option("--allow-steps", "let step files have the permissions that they ask for");
}

function shardOption(): Option {
  return new Option("--shard <i/n>", "only the ith of n parts of the pictures, by their paths")
    .argParser((text: string) => {
      const shard = parseShard(text);
      if ("problem" in shard) throw new InvalidArgumentError(`${sentence(shard.problem)}.`);
      return shard;
    });
}

function sentence(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function poolOption(): Option {
  return new Option("--pool <name=n>", "the limit of another pool, such as onnx=2 (repeatable)")
    .argParser((text: string, before: Record<string, number> | undefined) => {
      const [, name, limit] = /^([a-z][a-z0-9_]*)=(.+)$/.exec(text) ?? [];
      if (name === undefined) {
        throw new InvalidArgumentError('Write it as name=n, such as "onnx=2".');
      }
      return { ...before, [name]: positive(limit!) };
    });
}

function positive(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("A whole number from 1 is wanted.");
  return Number(text);
}

function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError("A port is wanted, 1 to 65535.");
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("A whole number from 0 is wanted.");
  return Number(text);
}

const spanMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds. */
function timeSpan(text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d+)?) ?([mhdw])$/.exec(text.trim()) ?? [];
  if (unit !== undefined) return Number(number) * spanMs[unit]!;
  throw new InvalidArgumentError(
    "Write a number and m, h, d or w (minutes to weeks), such as 30d.",
  );
}

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

function byteSize(text: string): number {
  const [, number, unit] = /^(\d{1,12}(?:\.\d+)?) ?([kmgt]?i?b)$/i.exec(text.trim()) ?? [];
  const factor = unitBytes[unit?.toUpperCase() ?? ""];
  if (factor !== undefined) return Math.round(Number(number) * factor);
  throw new InvalidArgumentError("Write a number and B, kB, MB, GB or TB, such as 10GB.");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
