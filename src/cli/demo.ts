import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { callerFolder } from "./context.ts";
import { exitCodes } from "./exit_codes.ts";
import { main } from "./main.ts";
import { pasteable, taskCommand } from "./program.ts";
import { shellWord } from "./text.ts";
import { UsageError } from "./usage_error.ts";

const folderName = "tintype-demo";

/**
 * `deno task demo [FOLDER]`: proxies of a folder of pictures, of a sample set when none is given.
 * Everything it makes lies in one folder where the caller stands.
 */
async function demo(args: readonly string[]): Promise<number> {
  const caller = callerFolder();
  const out = join(caller, folderName);
  const source = args[0] === undefined ? join(out, "photos") : resolve(caller, args[0]);
  if (args.length > 1) throw new UsageError("Give one folder, or none for a sample set");
  if (args[0] === undefined && !existsSync(join(source, "truth.json"))) {
    const code = await main(["sample", source]);
    if (code !== exitCodes.complete) return code;
  }
  if (!existsSync(source)) throw new UsageError(`There is no folder "${args[0]}"`);
  const workspace = join(out, ".tintype");
  const proxies = join(out, "proxies");
  const settings = ["--set", `source=${source}`, "--set", `out=${proxies}`];
  const code = await main(["run", "proxy", "--workspace", workspace, ...settings]);
  if (!existsSync(proxies)) return code;
  const shown = relative(caller, proxies) || ".";
  const flag = `--workspace ${shellWord(relative(caller, workspace))}`;
  const again = taskCommand("demo", caller) ?? "deno task demo";
  console.log(`\nThe proxies are in ${shown}. Go on from here:`);
  const folder = args[0] === undefined ? "" : ` ${shellWord(args[0])}`;
  console.log(`  ${again}${folder}    # again: nothing is done twice`);
  console.log(pasteable(`  tintype query ${flag} "select * from savings"`));
  console.log(pasteable(`  tintype why ${flag} proxies`));
  return code;
}

if (import.meta.main) {
  try {
    Deno.exit(await demo(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(exitCodes.usage);
  }
}
