import { dirname, join } from "node:path";

/**
 * Writes a `build.ninja` that makes two files of each source, one from the other: the graph of a
 * recipe with two steps an item. The files are empty, which the shell does without another process:
 * the rerun is what is measured, and 200,000 processes take minutes.
 */
export function writeNinjaBuild(folder: string, source: string, names: readonly string[]): void {
  const lines = ["rule make", "  command = : > $out"];
  const folders = new Set<string>();
  for (const name of names) {
    folders.add(dirname(name));
    lines.push(`build out1/${name}: make ${join(source, name)}`);
    lines.push(`build out2/${name}: make out1/${name}`);
  }
  for (const each of folders) {
    Deno.mkdirSync(join(folder, "out1", each), { recursive: true });
    Deno.mkdirSync(join(folder, "out2", each), { recursive: true });
  }
  Deno.writeTextFileSync(join(folder, "build.ninja"), `${lines.join("\n")}\n`);
}
