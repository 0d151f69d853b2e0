import { join } from "node:path";
import { type CacheLedger, refsOf } from "./cache_ledger.ts";
import { type Disk, temporaryPrefix } from "./disk.ts";
import { sha256 } from "./hash.ts";
import { type StoreFile, storeFiles } from "./needs.ts";
import { inlineLimit } from "./store.ts";

export type FindingCode =
  | "corrupt-artifact"
  | "missing-artifact"
  | "damaged-result"
  | "damaged-cache"
  | "original-damaged"
  | "original-unreadable"
  | "published-missing"
  | "published-damaged"
  | "published-changed"
  | "published-unreadable"
  | "not-deterministic"
  | "not-repeatable";

/** One thing that is not as it should be. */
export interface Finding {
  readonly code: FindingCode;
  /** One sentence, without a full stop. */
  readonly message: string;
  /** The artifact's sha256. */
  readonly hash?: string;
  /** The file, where it is one outside of the store. */
  readonly path?: string;
  /** Where what was wrong has been moved to. */
  readonly setAside?: string;
  readonly recipe?: string;
  readonly node?: string;
  readonly step?: string;
  readonly item?: string;
  /** Keys of the results that need what is lost. */
  readonly keys: readonly string[];
  /** What can be done. */
  readonly help?: string;
  /** After a repair: whether it is as it should be again. */
  readonly isHealed?: boolean;
}

export interface VerificationEffects {
  readonly workspace: string;
  readonly disk: Disk;
  readonly ledger: CacheLedger;
  /** Hears how many artifacts have been read. */
  readonly onProgress?: (count: number) => void;
  readonly signal?: AbortSignal;
}

/** What was looked at, and what was wrong. */
export interface StoreCheck {
  readonly artifacts: number;
  readonly results: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
  /** Files in the store that are not ours: left as they are. */
  readonly foreign: readonly string[];
}

/**
 * Reads every artifact and every result of a workspace. What is not what its hash says is moved to the
 * quarantine, and a result that names a lost small artifact is taken out of the cache, so that a run makes
 * both again. To be called with the workspace locked.
 */
export async function checkWorkspace(effects: VerificationEffects): Promise<StoreCheck> {
  return await new StoreVerifier(effects).check();
}

/** A lost artifact, by what a reference to it says. */
interface Lost {
  readonly byteLength: number;
  readonly keys: string[];
}

class StoreVerifier {
  readonly #quarantine: Quarantine;
  readonly #findings: Finding[] = [];
  /** Finding by hash, before it is known which results need it. */
  readonly #corrupt = new Map<string, { readonly what: string; readonly setAside: string }>();
  readonly #whole = new Map<string, number>();
  #artifacts = 0;
  #bytes = 0;

  constructor(readonly effects: VerificationEffects) {
    this.#quarantine = new Quarantine(effects.disk, join(effects.workspace, "quarantine"));
  }

  async check(): Promise<StoreCheck> {
    const { disk, workspace, ledger } = this.effects;
    const isTemporary = (name: string) => name.startsWith(temporaryPrefix);
    const { files, foreign } = storeFiles(disk, join(workspace, "store"), isTemporary);
    for (const file of files) await this.#checkFile(file);
    await this.#checkBlobs();
    await this.#checkRows();
    const { results, lost } = this.#lostArtifacts();
    this.#reportLost(lost);
    const inline = [...lost.values()].filter(({ byteLength }) => byteLength <= inlineLimit);
    // The cache takes small artifacts for granted; without its result, one is made again.
    ledger.removeTasks(inline.flatMap(({ keys }) => keys));
    return {
      artifacts: this.#artifacts,
      results,
      bytes: this.#bytes,
      findings: this.#findings,
      foreign,
    };
  }

  async #checkFile({ hash, path, bytes }: StoreFile) {
    this.effects.signal?.throwIfAborted();
    this.#read(bytes);
    const found = sha256(await this.effects.disk.read(path));
    if (found === hash) {
      this.#whole.set(hash, bytes);
      return;
    }
    const setAside = await this.#quarantine.take(path, hash, { found });
    this.#corrupt.set(hash, { what: `its bytes have sha256 ${found.slice(0, 12)}…`, setAside });
  }

  async #checkBlobs() {
    const wrong: { readonly hash: string; readonly bytes: Uint8Array }[] = [];
    for (const { hash, bytes } of this.effects.ledger.blobs()) {
      this.#read(bytes.length);
      if (sha256(bytes) !== hash) wrong.push({ hash, bytes });
    }
    for (const { hash, bytes } of wrong) {
      const found = sha256(bytes);
      const setAside = await this.#quarantine.put(bytes, hash, { found });
      this.#corrupt.set(hash, { what: `its bytes have sha256 ${found.slice(0, 12)}…`, setAside });
    }
    this.effects.ledger.removeBlobs(wrong.map(({ hash }) => hash));
  }

  /** Takes results away that are not as they were written: they would be believed. */
  async #checkRows() {
    const { ledger } = this.effects;
    const rows = [...ledger.unsoundTasks()];
    for (const { key, row } of rows) {
      const setAside = await this.#quarantine.put(new TextEncoder().encode(row), `${key}.json`);
      this.#findings.push({
        code: "damaged-result",
        message: `Result ${key.slice(0, 12)}… of the cache is not as it was written`,
        setAside,
        keys: [key],
      });
    }
    ledger.removeTasks(rows.map(({ key }) => key));
  }

  /** Artifacts that results name and that are not there; originals are nowhere but outside. */
  #lostArtifacts() {
    const { ledger } = this.effects;
    const lost = new Map<string, Lost>();
    const originals = new Set<string>();
    let results = 0;
    for (const { key, inputs, result } of ledger.tasks()) {
      results++;
      const { file } = inputs;
      for (const { hash, byteLength } of refsOf(result)) {
        // The first look at a file from outside names the file itself.
        if (hash === file) originals.add(hash);
        else if (!this.#has(hash, byteLength)) {
          const entry = lost.get(hash) ?? { byteLength, keys: [] };
          entry.keys.push(key);
          lost.set(hash, entry);
        }
      }
    }
    for (const hash of originals) lost.delete(hash);
    return { results, lost };
  }

  #has(hash: string, byteLength: number): boolean {
    return byteLength <= inlineLimit
      ? this.effects.ledger.hasBlob(hash)
      : this.#whole.get(hash) === byteLength;
  }

  #reportLost(lost: ReadonlyMap<string, Lost>) {
    for (const [hash, { what, setAside }] of this.#corrupt) {
      this.#findings.push({
        code: "corrupt-artifact",
        message: `Artifact ${hash.slice(0, 12)}… is corrupt: ${what}`,
        hash,
        setAside,
        keys: lost.get(hash)?.keys ?? [],
      });
    }
    for (const [hash, { keys }] of lost) {
      if (this.#corrupt.has(hash)) continue;
      this.#findings.push({
        code: "missing-artifact",
        message: `Artifact ${hash.slice(0, 12)}… is missing`,
        hash,
        keys,
      });
    }
  }

  #read(bytes: number) {
    this.#artifacts++;
    this.#bytes += bytes;
    this.effects.onProgress?.(this.#artifacts);
  }
}

/** The folder for what is wrong: nothing in it is ever written over, used or removed. */
export class Quarantine {
  constructor(readonly disk: Disk, readonly folder: string) {}

  /** Moves a file; gives where it is now. */
  async take(path: string, name: string, facts: Readonly<Record<string, string>> = {}) {
    const to = this.#freePath(name);
    await this.disk.move(path, to);
    await this.#log({ from: path, to, ...facts });
    return to;
  }

  /** Keeps bytes that lay in no file of their own. */
  async put(bytes: Uint8Array, name: string, facts: Readonly<Record<string, string>> = {}) {
    const to = this.#freePath(name);
    await this.disk.write(to, bytes, { sync: true });
    await this.#log({ from: "cache.sqlite", to, ...facts });
    return to;
  }

  #freePath(name: string): string {
    this.disk.makeFolder(this.folder);
    // A damaged name may be anything.
    const safe = name.replace(/[^\w.-]/g, "_").slice(0, 100);
    for (let count = 1;; count++) {
      const path = join(this.folder, count === 1 ? safe : `${safe}.${count}`);
      if (this.disk.stat(path, { followLinks: false }) === undefined) return path;
    }
  }

  async #log(line: Readonly<Record<string, string>>) {
    const text = `${JSON.stringify(line)}\n`;
    await this.disk.append(join(this.folder, "log.jsonl"), new TextEncoder().encode(text));
  }
}
