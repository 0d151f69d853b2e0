import { fromFileUrl } from "../../src/runtime/file_url.ts";

const script = fromFileUrl(new URL("./serve.ts", import.meta.url));

/** A review server in a process of its own. */
export class ServerProcess {
  private constructor(
    readonly process: Deno.ChildProcess,
    readonly url: string,
    readonly output: ReadableStreamDefaultReader<string>,
  ) {}

  /** Resolves when it listens. */
  static async start(folder: string, port: number): Promise<ServerProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, folder, String(port)],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("\n")) {
      const { value, done } = await output.read();
      if (done) throw new Error("The server ended before it listened");
      said += value;
    }
    return new ServerProcess(process, said.trim(), output);
  }

  /** As `kill -9` does: it has no chance to write anything. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.status;
    await this.output.cancel();
  }
}
