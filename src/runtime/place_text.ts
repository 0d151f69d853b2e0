import { type Located, type LocatedScalar, writtenText } from "./located.ts";

/** What is wrong with a place on disk that holds a tab, a line feed or the like, or is on the net. */
export interface PlaceProblem {
  readonly words: string;
  readonly help: string;
}

/** Looks for addresses, and for control characters: escapes of double quotes, or a block of lines. */
export function placeProblem(located: Located | undefined): PlaceProblem | undefined {
  if (located?.type !== "scalar" || typeof located.value !== "string") return undefined;
  if (/^(?!file:)[a-z][a-z0-9+]+:\/\//i.test(located.value)) {
    const help = "Copy the files to this machine, and write where they are";
    return { words: "is an address, not a place on disk", help };
  }
  // deno-lint-ignore no-control-regex
  const control = /[\u0000-\u001f]/.exec(located.value)?.[0];
  if (control === undefined) return undefined;
  const name = names.get(control) ?? "a control character";
  return { words: `holds ${name}, as no path does`, help: helpWith(located) };
}

const names: ReadonlyMap<string, string> = new Map([["\t", "a tab"], ["\n", "a line feed"]]);

function helpWith({ span, writtenAt }: LocatedScalar): string {
  const source = writtenText(writtenAt ?? span);
  const isSimple = /^"[^'"\n]*"$/.test(source);
  return isSimple
    ? `Write it in single quotes, '${
      source.slice(1, -1).replaceAll("\\\\", "\\")
    }', or with / for \\`
    : "Write it on one line, in single quotes";
}
