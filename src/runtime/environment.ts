import process from "node:process";

/** The variables of the environment. */
export interface Environment {
  get(name: string): string | undefined;
}

/** The environment of this process: empty where it may not be read, as for a mere check. */
export const environment: Environment = {
  get(name) {
    try {
      return Deno.env.get(name);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return undefined;
      throw error;
    }
  },
};

/**
 * Lets libraries look into the environment as `environment` does. They read variables of their own (yaml
 * one for its debugging), and where that is refused it would be an error of whatever called them.
 */
export function coverEnvironment(): void {
  if (Deno.permissions.querySync({ name: "env" }).state === "granted") return;
  process.env = new Proxy<Record<string, string | undefined>>({}, {
    get: (own, name) => typeof name === "string" ? own[name] ?? environment.get(name) : undefined,
    has: (own, name) => name in own || environment.get(String(name)) !== undefined,
  });
}
