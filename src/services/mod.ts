import { loadModule } from "../runtime/load_module.ts";
import type { Services } from "../runtime/step.ts";
import { type Advisor, advisors, type AdvisorSettings } from "./advisor.ts";
import { type Computing, computing } from "./computing.ts";
import { type Inference, inference } from "./inference.ts";
import type { Device } from "./onnx_providers.ts";
import type { Environment, RunCommand } from "./openai_compatible.ts";
import { vision, type VisionModels } from "./vision.ts";

export type { Device } from "./onnx_providers.ts";

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

/**
 * What steps may reach beyond this machine. Connects to nothing and loads no module until a step asks:
 * most runs ask for none of it.
 */
export function createServices(env: Environment, options: ServicesOptions = {}): Services {
  const { runCommand = runChild, cwd = Deno.cwd(), device, onNotice } = options;
  return new Map<string, unknown>([
    [advisors.name, (settings: AdvisorSettings) => laterAdvisor(settings, { env, runCommand })],
    [vision.name, laterVision({ env, runCommand })],
    [inference.name, laterInference({ env, cwd, device, onNotice })],
    [computing.name, laterComputing()],
  ]);
}

interface Surroundings {
  readonly env: Environment;
  readonly runCommand: RunCommand;
}

function laterAdvisor(
  { provider, ...given }: AdvisorSettings,
  { env, runCommand }: Surroundings,
): Advisor {
  const settings = { ...given, retries: 1, called: "the advisor" };
  const it = once(async (): Promise<Advisor> => {
    switch (provider) {
      case "openai_compatible": {
        const { OpenAICompatibleModel } = await load<typeof import("./openai_compatible.ts")>(
          "./openai_compatible.ts",
        );
        return new OpenAICompatibleModel(settings, { env, runCommand });
      }
      case "gemini": {
        const { GeminiModel } = await load<typeof import("./gemini.ts")>("./gemini.ts");
        return new GeminiModel(settings, env);
      }
    }
  });
  return { ask: async (question) => await (await it.get()).ask(question) };
}

function laterVision(surroundings: Surroundings): VisionModels {
  const it = once(async () => {
    const { RemoteVision } = await load<typeof import("./vision_models.ts")>("./vision_models.ts");
    return new RemoteVision(surroundings);
  });
  return {
    connect: async (settings) => await (await it.get()).connect(settings),
    release: async () => await (await it.got)?.release(),
  };
}

function laterInference(
  { env, cwd, ...options }:
    & { readonly env: Environment; readonly cwd: string }
    & Pick<ServicesOptions, "device" | "onNotice">,
): Inference {
  const it = once(async () => {
    const { OnnxInference } = await load<typeof import("./onnx.ts")>("./onnx.ts");
    const { modelFolder } = await load<typeof import("./model_files.ts")>("./model_files.ts");
    return new OnnxInference({ folder: modelFolder(env, cwd), ...options });
  });
  return {
    entry: async (name) => await (await it.get()).entry(name),
    isHere: async (name) => await (await it.get()).isHere(name),
    open: async (name) => await (await it.get()).open(name),
    readFile: async (name) => await (await it.get()).readFile(name),
    release: async () => await (await it.got)?.release(),
  };
}

function laterComputing(): Computing {
  const it = once(async () => {
    const { WorkerPool } = await load<typeof import("./worker_pool.ts")>("./worker_pool.ts");
    return new WorkerPool();
  });
  return {
    call: async (module, input, transfer) => await (await it.get()).call(module, input, transfer),
    release: async () => await (await it.got)?.release(),
  };
}

/** What is made when it is first asked for, or again after it failed; `got` is undefined until then. */
function once<Value>(make: () => Promise<Value>) {
  let made: Promise<Value> | undefined;
  const begin = () =>
    make().catch((error) => {
      made = undefined;
      throw error;
    });
  return {
    get: () => made ??= begin(),
    get got() {
      return made;
    },
  };
}

async function load<Module>(path: string): Promise<Module> {
  return await loadModule(path, import.meta.url);
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
