import { type Provider, providers } from "./onnx_runner.ts";

/** What a person may ask for. */
export const devices = ["auto", ...providers] as const;

export type Device = (typeof devices)[number];

/** A provider to try, or why it need not be tried. */
export interface Candidate {
  readonly provider: Provider;
  readonly obstacle?: string;
}

/**
 * The providers to try, best first; "cpu" is always the last. For "auto" those that this build of
 * onnxruntime has; a WebGPU without a graphics device would compute on the CPU, slowly.
 */
export function candidates(
  device: Device,
  backends: readonly string[],
  hasGraphicsDevice: () => boolean,
): readonly Candidate[] {
  const asked = device === "auto"
    ? providers.filter((provider) => backends.includes(provider))
    : [device];
  const found = asked.filter((provider) => provider !== "cpu").map((provider): Candidate => {
    if (!backends.includes(provider)) {
      return { provider, obstacle: "this build of onnxruntime-node does not have it" };
    }
    const isBare = provider === "webgpu" && !hasGraphicsDevice();
    return isBare ? { provider, obstacle: "there is no graphics device" } : { provider };
  });
  return [...found, { provider: "cpu" }];
}

/**
 * Whether this machine has a graphics device: on Linux a render node, NVIDIA's or WSL's device;
 * other systems always have one that is as good as it gets.
 */
export function hasGraphicsDevice(): boolean {
  if (Deno.build.os !== "linux") return true;
  const found = namesIn(["/dev", "/dev/dri"]);
  return ["nvidia0", "dxg"].some((name) => found.has(name)) ||
    [...found].some((name) => name.startsWith("renderD"));
}

/** Deno lets a process look into /dev only where everything is allowed to it; `ls` may look. */
function namesIn(folders: readonly string[]): ReadonlySet<string> {
  const command = new Deno.Command("ls", { args: [...folders], stderr: "null" });
  try {
    return new Set(new TextDecoder().decode(command.outputSync().stdout).split("\n"));
  } catch {
    return new Set(); // there is no "ls", or it may not be started
  }
}

const titles: Readonly<Record<Provider, string>> = {
  cuda: "CUDA",
  coreml: "CoreML",
  dml: "DirectML",
  webgpu: "WebGPU",
  cpu: "the CPU",
};

/** A provider as people call it. */
export function providerTitle(provider: Provider): string {
  return titles[provider];
}

/** What onnxruntime says, without the place in its source: one line, at most 200 characters. */
export function runtimeWords(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replace(/\s+/g, " ").replace(/^\/\S+\.(?:cc|h|cpp):\d+ /, "").trim();
  // A function's signature stands before what it says.
  const said = line.replace(/^.*?\)(?:::<lambda\(\)>)? (?=[A-Z\[]|\S+ was false)/, "");
  return (said.length > 200 ? `${said.slice(0, 199)}…` : said).replace(/\.$/, "");
}

/** Whether memory did not suffice: the words of onnxruntime, CUDA, cuBLAS, DirectML, Dawn and V8. */
export function isOutOfMemory(error: unknown): boolean {
  return /failed to allocate|out[ _]?of[ _]?memory|bad[ _]?alloc|alloc(?:ation)?[ _]failed|resource[ _]?exhausted|(?:insufficient|not enough) memory|cannot allocate|smaller than requested bytes/i
    .test(error instanceof Error ? error.message : String(error));
}
