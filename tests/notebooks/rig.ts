import { join } from "node:path";
import { fromFileUrl } from "../../src/runtime/file_url.ts";

export const notebooks = fromFileUrl(new URL("../../notebooks/", import.meta.url));

export interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Cell {
  readonly cell_type: "code" | "markdown";
  readonly source: string | readonly string[];
  readonly execution_count?: number | null;
  readonly outputs?: readonly Output[];
}

export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly kernelspec: { readonly name: string } };
}

/** Whether notebooks can be executed here. */
export async function findJupyter(): Promise<boolean> {
  try {
    return (await new Deno.Command("jupyter", { args: ["nbconvert", "--version"] }).output())
      .success;
  } catch {
    return false;
  }
}

/** Jupyter with the Deno kernel in a folder of its own. */
export class Jupyter implements AsyncDisposable {
  static async open(): Promise<Jupyter> {
    const place = Deno.realPathSync(await Deno.makeTempDir({ prefix: "tintype-jupyter-" }));
    const jupyter = new Jupyter(place, await denoFolder());
    // The kernel's installer takes its place from the system's variables, never from Jupyter's.
    await jupyter.#command(Deno.execPath(), ["jupyter", "--install"], {
      HOME: join(place, "home"),
    });
    return jupyter;
  }

  private constructor(readonly place: string, readonly denoFolder: string) {}

  /** Runs a notebook as it is committed; throws what it printed when a cell fails. */
  async execute(name: string, env: Readonly<Record<string, string>>): Promise<readonly Cell[]> {
    const args = ["--to", "notebook", "--execute", join(notebooks, `${name}.ipynb`)];
    await this.#command("jupyter", ["nbconvert", "--output-dir", this.place, ...args], env);
    const text = Deno.readTextFileSync(join(this.place, `${name}.ipynb`));
    return (JSON.parse(text) as Notebook).cells;
  }

  async #command(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const home = join(this.place, "home");
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      env: {
        DENO_DIR: this.denoFolder,
        NO_COLOR: "1",
        XDG_DATA_HOME: home,
        JUPYTER_PATH: [join(home, "jupyter"), join(home, "Library", "Jupyter")]
          .join(Deno.build.os === "windows" ? ";" : ":"),
        JUPYTER_DATA_DIR: join(home, "jupyter"),
        JUPYTER_CONFIG_DIR: join(home, "config"),
        JUPYTER_RUNTIME_DIR: join(home, "runtime"),
        IPYTHONDIR: join(home, "ipython"),
        ...env,
      },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.place, { recursive: true });
  }
}

/** Where this Deno keeps packages, so that the kernel, with another home, fetches nothing. */
async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
}

export function joined(source: string | readonly string[]): string {
  return typeof source === "string" ? source : source.join("");
}

/** What cells printed and showed, as plain text. */
export function textOf(cells: readonly Cell[]): string {
  return cells.flatMap(({ outputs = [] }) => outputs).map(({ text, data }) =>
    joined(text ?? data?.["text/plain"] as string | readonly string[] | undefined ?? "")
  ).join("\n");
}

/** What cells showed as HTML. */
export function htmlOf(cells: readonly Cell[]): string {
  return cells.flatMap(({ outputs = [] }) => outputs).map(({ data }) =>
    joined(data?.["text/html"] as string | readonly string[] | undefined ?? "")
  ).join("\n");
}
