import { dirname } from "node:path";
import { localDisk } from "../runtime/local_disk.ts";
import type { ModelEntry } from "../vision/registry.ts";
import { byHand, byteWords, checkFile, modelPath, sha256OfFile } from "./model_files.ts";

/** A model cannot be downloaded; the message says what a person can do. */
export class PullProblem extends Error {
  override readonly name = "PullProblem";

  constructor(
    message: string,
    /** Nothing answered: it will be the same for other models. */
    readonly isOffline: boolean,
  ) {
    super(message);
  }
}

export interface PullOptions {
  /** Of model files. */
  readonly folder: string;
  /** Called as bytes come, with those that were there from an earlier time. */
  readonly onProgress?: (doneBytes: number) => void;
  readonly signal?: AbortSignal;
  /** Without a slash at the end. */
  readonly npmRegistry?: string;
  /** A server that sends nothing for so long is given up. */
  readonly silenceMs?: number;
}

const defaultRegistry = "https://registry.npmjs.org";

/** A connection that breaks off is taken up again so often, as long as each brought something. */
const maxAnswers = 8;

/**
 * Brings a model's file into the folder: downloaded to `<file>.part`, where a later call goes on,
 * checked by size and sha256, and renamed into place. "here" when it was there already. Throws
 * `PullProblem`, and the signal's reason.
 */
export async function pullModel(
  entry: ModelEntry,
  options: PullOptions,
): Promise<"here" | "pulled"> {
  if ((await checkFile(options.folder, entry)).status === "fine") return "here";
  return await new Pull(entry, options).run();
}

/** How one answer of a server ended. */
type Ending = "complete" | "broken-off" | "start-over";

class Pull {
  readonly #path: string;
  readonly #partPath: string;

  constructor(readonly entry: ModelEntry, readonly options: PullOptions) {
    this.#path = modelPath(options.folder, entry);
    this.#partPath = `${this.#path}.part`;
  }

  async run(): Promise<"pulled"> {
    const { source } = this.entry;
    if ("local" in source) throw this.#problem("it is nowhere to be downloaded");
    localDisk.makeFolder(dirname(this.#path));
    const file = await Deno.open(this.#partPath, { read: true, write: true, create: true });
    try {
      if (!await file.tryLock(true)) {
        throw this.#problem("another process is downloading it", { isSource: false });
      }
      this.#checkSpace((await file.stat()).size);
      if ("url" in source) await this.#fromAddress(source.url, file);
      else await this.#fromPackage(source, file);
      await file.syncData();
    } finally {
      const { size } = await file.stat();
      file.close();
      if (size === 0) localDisk.remove(this.#partPath);
    }
    Deno.renameSync(this.#partPath, this.#path);
    return "pulled";
  }

  #checkSpace(partBytes: number) {
    const free = localDisk.freeBytes(this.#path);
    const wanted = this.entry.bytes - partBytes;
    if (free >= wanted) return;
    const what = `${byteWords(free)} are free at "${dirname(this.#path)}"`;
    throw this.#problem(`${what} (${byteWords(wanted)} are wanted)`, { isSource: false });
  }

  async #fromAddress(url: string, file: Deno.FsFile): Promise<void> {
    const { bytes } = this.entry;
    if ((await file.stat()).size > bytes) await file.truncate(0);
    const found = (await file.stat()).size;
    await this.#fill(url, file);
    const sha256 = await sha256OfFile(this.#partPath);
    if (sha256 === this.entry.sha256) return;
    await file.truncate(0);
    if (found === 0) throw this.#wrongDigest(sha256);
    // What an earlier time left may be of another file.
    await this.#fill(url, file);
    const again = await sha256OfFile(this.#partPath);
    if (again === this.entry.sha256) return;
    await file.truncate(0);
    throw this.#wrongDigest(again);
  }

  /** Asks until the file has all its bytes, each time from where it ends. */
  async #fill(url: string, file: Deno.FsFile): Promise<void> {
    const { bytes } = this.entry;
    for (let answers = 1;; answers++) {
      const start = (await file.stat()).size;
      if (start === bytes) return;
      const ending = await this.#ask(url, file, start);
      if (ending === "complete") return;
      const end = (await file.stat()).size;
      if (ending === "start-over" && answers < maxAnswers) continue;
      if (ending === "start-over") throw this.#problem("the server gives other parts than asked");
      if (end > start && answers < maxAnswers) continue;
      const what = `the connection broke off after ${byteWords(end)} of ${byteWords(bytes)}`;
      throw this.#problem(`${what}; what came is kept, so that the next pull goes on from there`);
    }
  }

  async #ask(url: string, file: Deno.FsFile, start: number): Promise<Ending> {
    using silence = new Silence(this.options);
    // A packed answer has other lengths, and cannot be resumed.
    const headers = new Headers({ "accept-encoding": "identity" });
    if (start > 0) headers.set("range", `bytes=${start}-`);
    const response = await this.#fetch(url, { headers, signal: silence.signal });
    const startsAt = response.status === 206 ? rangeStart(response) : 0;
    const isElsewhere = response.status === 206 && startsAt !== start;
    if (response.status === 416 || startsAt === undefined || isElsewhere) {
      await response.body?.cancel();
      await file.truncate(0);
      return "start-over";
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw this.#problem(`the server answers HTTP ${response.status}`);
    }
    if (startsAt === 0) await file.truncate(0);
    await this.#checkLength(response, startsAt);
    await file.seek(startsAt, Deno.SeekMode.Start);
    return await this.#receive(response, file, { startsAt, silence });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      this.options.signal?.throwIfAborted();
      const host = URL.parse(url)?.host ?? url;
      if (init.signal?.aborted) throw this.#problem(`${host} says nothing`, { isOffline: true });
      const words = connectionWords(error);
      throw this.#problem(`nothing answers at ${host}${words}`, { isOffline: true });
    }
  }

  /** Found before a gigabyte of something else has come. */
  async #checkLength(response: Response, startsAt: number) {
    const length = Number(response.headers.get("content-length") ?? NaN);
    const isPacked = response.headers.has("content-encoding");
    if (Number.isNaN(length) || isPacked || startsAt + length === this.entry.bytes) return;
    await response.body?.cancel();
    const has = `the file there has ${byteWords(startsAt + length)}`;
    throw this.#problem(`${has} (${byteWords(this.entry.bytes)} are wanted)`);
  }

  async #receive(
    response: Response,
    file: Deno.FsFile,
    { startsAt, silence }: { readonly startsAt: number; readonly silence: Silence },
  ): Promise<Ending> {
    const { entry: { bytes }, options: { onProgress, signal } } = this;
    let done = startsAt;
    onProgress?.(done);
    try {
      for await (const chunk of response.body ?? []) {
        silence.heard();
        done += chunk.length;
        if (done > bytes) break;
        await writeAll(file, chunk);
        onProgress?.(done);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (isOfDisk(error)) throw error;
      return "broken-off";
    }
    if (done > bytes) {
      await file.truncate(0);
      throw this.#problem(`the file there is longer than ${byteWords(bytes)}`);
    }
    return done === bytes ? "complete" : "broken-off";
  }

  /** From the package's archive; not resumed. */
  async #fromPackage(
    { npm, path }: { readonly npm: string; readonly path: string },
    file: Deno.FsFile,
  ): Promise<void> {
    using silence = new Silence(this.options);
    await file.truncate(0);
    const { fileInPackage } = await import("./npm_package.ts");
    const tarball = await this.#ok(await this.#tarball(npm, silence.signal), silence.signal);
    let done = 0;
    try {
      for await (const chunk of fileInPackage(tarball.body!, path)) {
        silence.heard();
        done += chunk.length;
        if (done > this.entry.bytes) break;
        await writeAll(file, chunk);
        this.options.onProgress?.(done);
      }
    } catch (error) {
      await file.truncate(0);
      this.options.signal?.throwIfAborted();
      if (isOfDisk(error)) throw error;
      throw this.#problem(`the archive of ${npm} cannot be read`);
    }
    await this.#checkPackaged(file, done);
  }

  async #checkPackaged(file: Deno.FsFile, done: number): Promise<void> {
    const { bytes, sha256 } = this.entry;
    const found = done === bytes ? await sha256OfFile(this.#partPath) : undefined;
    if (found === sha256) return;
    await file.truncate(0);
    if (done === 0) throw this.#problem("the package has no such file");
    if (found !== undefined) throw this.#wrongDigest(found);
    const has = done > bytes ? "more bytes" : byteWords(done);
    throw this.#problem(`the file in the package has ${has} (${byteWords(bytes)} are wanted)`);
  }

  /** The address of a package's archive, by the registry. */
  async #tarball(npm: string, signal: AbortSignal): Promise<string> {
    const [, name, version] = /^((?:@[\w.-]+\/)?[\w.-]+)@([\w.+-]+)$/.exec(npm) ?? [];
    if (name === undefined) {
      throw this.#problem(`"${npm}" names no version of a package (such as "name@1.2.3")`);
    }
    const registry = this.options.npmRegistry ?? defaultRegistry;
    const response = await this.#ok(`${registry}/${name.replace("/", "%2f")}/${version}`, signal);
    const metadata = await response.json().catch(() => undefined) as
      | { readonly dist?: { readonly tarball?: unknown } }
      | undefined;
    const address = metadata?.dist?.tarball;
    if (typeof address === "string" && URL.canParse(address)) return address;
    throw this.#problem(`${registry} does not say where the archive of ${npm} is`);
  }

  async #ok(url: string, signal: AbortSignal): Promise<Response> {
    const response = await this.#fetch(url, { signal });
    if (response.ok && response.body !== null) return response;
    await response.body?.cancel();
    throw this.#problem(`${URL.parse(url)?.host} answers HTTP ${response.status}`);
  }

  #wrongDigest(sha256: string): PullProblem {
    return this.#problem(
      `what came has sha256 ${sha256} (${this.entry.sha256} is wanted), and was not kept`,
    );
  }

  #problem(
    what: string,
    { isOffline = false, isSource = true } = {},
  ): PullProblem {
    const { entry, options: { folder } } = this;
    const help = isSource ? `. By hand: ${byHand(entry, folder)}` : "";
    return new PullProblem(`Cannot download model "${entry.name}": ${what}${help}`, isOffline);
  }
}

/** Fires when nothing was heard for too long, and when the caller gives up. */
class Silence implements Disposable {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  readonly #silenceMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ signal, silenceMs = 60_000 }: PullOptions) {
    this.#silenceMs = silenceMs;
    const { signal: own } = this.#controller;
    this.signal = signal === undefined ? own : AbortSignal.any([own, signal]);
    this.heard();
  }

  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.#silenceMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Where a partial answer begins: `content-range: bytes 500-999/1000` (RFC 9110, section 14.4). */
function rangeStart({ headers }: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

/** What Deno says of a connection that did not come about, such as " (Connection refused)". */
function connectionWords(error: unknown): string {
  const { message, cause } = error as Error;
  const text = cause instanceof Error ? cause.message : message;
  const why = /connection \w+|dns error|invalid peer certificate|timed out|ports? \d+ .*/i.exec(
    text,
  );
  return why === null ? "" : ` (${why[0]})`;
}

/** Whether the file system refused something: its errors have a name such as ENOSPC. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
}
