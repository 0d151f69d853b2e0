import { sha256 } from "../../src/runtime/hash.ts";
import { catalog } from "../../src/steps/mod.ts";

const root = new URL("../../", import.meta.url);

/** A step's version and the fingerprint of the code that its results come from. */
export interface StepVersion {
  readonly version: number;
  readonly code: string;
}

/** Words about steps that change no result. */
const leftOut = [
  "src/runtime/step.ts",
  "src/runtime/step_permissions.ts",
  "src/runtime/params.ts",
  "src/runtime/disk.ts",
];

/** Every built-in step with the fingerprint of its module graph, comments and layout left out. */
export async function stepVersions(): Promise<Record<string, StepVersion>> {
  const files = stepFiles();
  const versions: Record<string, StepVersion> = {};
  for (const step of (await catalog.load()).steps()) {
    const file = files.get(step.name);
    if (file === undefined) throw new Error(`No file under src/steps defines "${step.name}"`);
    versions[step.name] = { version: step.version, code: await fingerprint(file) };
  }
  return versions;
}

/** By step name, the file that defines it. */
export function stepFiles(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const topic of Deno.readDirSync(new URL("src/steps/", root))) {
    if (!topic.isDirectory) continue;
    for (const file of Deno.readDirSync(new URL(`src/steps/${topic.name}/`, root))) {
      const path = `src/steps/${topic.name}/${file.name}`;
      const text = Deno.readTextFileSync(new URL(path, root));
      const name = /defineStep\(\{\s*name: "([^"]+)"/.exec(text)?.[1];
      if (name !== undefined) found.set(name, path);
    }
  }
  return found;
}

async function fingerprint(path: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    cwd: root.pathname,
  }).output();
  const info = JSON.parse(new TextDecoder().decode(stdout)) as { modules: { specifier: string }[] };
  const own = info.modules.map((module) => module.specifier)
    .filter((specifier) => specifier.startsWith(root.href))
    .map((specifier) => specifier.slice(root.href.length))
    .filter((each) => !leftOut.includes(each)).sort();
  const parts = own.map((each) => `${each}\n${code(Deno.readTextFileSync(new URL(each, root)))}`);
  return sha256(parts.join("\n")).slice(0, 16);
}

function code(text: string): string {
  return text.replace(/\/\*\*?[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").replace(/\s+/g, " ");
}

export const versionsFile = new URL("tests/project/step_versions.json", root);

if (import.meta.main) {
  Deno.writeTextFileSync(versionsFile, `${JSON.stringify(await stepVersions(), undefined, 2)}\n`);
}
