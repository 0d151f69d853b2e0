import type { Services } from "../runtime/step.ts";
import { type Advisor, advisors, type AdvisorSettings } from "./advisor.ts";
import { GeminiAdvisor } from "./gemini.ts";
import { type Environment, OpenAICompatibleAdvisor, type RunCommand } from "./openai_compatible.ts";

export interface ServicesOptions {
  /** How other programs are asked; a child process when left out. */
  readonly runCommand?: RunCommand;
}

/** What steps may reach beyond this machine. Connects to nothing and loads no library until asked. */
export function createServices(env: Environment, options: ServicesOptions = {}): Services {
  const { runCommand = runChild } = options;
  const connect = (settings: AdvisorSettings): Advisor => {
    switch (settings.provider) {
      case "openai_compatible":
        return new OpenAICompatibleAdvisor(settings, { env, runCommand });
      case "gemini":
        return new GeminiAdvisor(settings, env);
    }
  };
  return new Map<string, unknown>([[advisors.name, connect]]);
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
