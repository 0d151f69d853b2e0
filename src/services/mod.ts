import type { Services } from "../runtime/step.ts";
import { type Advisor, advisors, type AdvisorSettings } from "./advisor.ts";
import { computing } from "./computing.ts";
import { GeminiModel } from "./gemini.ts";
import { inference } from "./inference.ts";
import { modelFolder } from "./model_files.ts";
import { type Device, OnnxInference } from "./onnx.ts";
import { type Environment, OpenAICompatibleModel, type RunCommand } from "./openai_compatible.ts";
import { vision } from "./vision.ts";
import { RemoteVision } from "./vision_models.ts";
import { WorkerPool } from "./worker_pool.ts";

export { type Device, devices } from "./onnx.ts";

export interface ServicesOptions {
  /** How other programs are asked; a child process when left out. */
  readonly runCommand?: RunCommand;
  /** Where relative places in the environment begin; the program's current folder when left out. */
  readonly cwd?: string;
  /** What models run on; the best there is when left out. */
  readonly device?: Device;
  /** Hears a line about which slower device is used instead, and why. */
  readonly onNotice?: (line: string) => void;
}

/** What steps may reach beyond this machine. Connects to nothing and loads no library until asked. */
export function createServices(env: Environment, options: ServicesOptions = {}): Services {
  const { runCommand = runChild, cwd = Deno.cwd(), device, onNotice } = options;
  const connect = ({ provider, ...given }: AdvisorSettings): Advisor => {
    const settings = { ...given, retries: 1, called: "the advisor" };
    switch (provider) {
      case "openai_compatible":
        return new OpenAICompatibleModel(settings, { env, runCommand });
      case "gemini":
        return new GeminiModel(settings, env);
    }
  };
  return new Map<string, unknown>([
    [advisors.name, connect],
    [vision.name, new RemoteVision({ env, runCommand })],
    [inference.name, new OnnxInference({ folder: modelFolder(env, cwd), device, onNotice })],
    [computing.name, new WorkerPool()],
  ]);
}

async function runChild(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      signal,
    });
    return new TextDecoder().decode((await child.output()).stdout);
  } catch {
    // Not installed, not allowed, or too slow: then it cannot say where it is.
    return undefined;
  }
}
