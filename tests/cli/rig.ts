import type { PictureRig } from "../picture_rig.ts";

export const mainModule = new URL("../../src/cli/main.ts", import.meta.url).pathname;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tintype` as its own process, standing in the rig's folder. */
export async function tintype(
  rig: PictureRig,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", mainModule, ...args],
    cwd: rig.folder,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The arguments of the shipped proxy recipe on ./photos. */
export const proxyArgs = [
  "run",
  "proxy",
  "--set",
  "source=photos",
  "--set",
  "out=proxies",
] as const;
