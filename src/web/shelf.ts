import type { Caption } from "../captions/caption.ts";
import { withTrigger } from "../captions/compose.ts";
import type { DecisionLog } from "../decisions/log_file.ts";
import type { ArtifactRef } from "../runtime/artifact.ts";
import {
  decidedCaption,
  folderOf,
  folderTrigger,
  writtenCaption,
} from "../steps/caption/compose.ts";
import type { Picture } from "./dataset.ts";

/** A file of the dataset, as the last look at its folder found it. */
export interface FoundFile {
  /** Path in the folder. */
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly format: string;
  readonly width: number;
  readonly height: number;
}

/** Why a file has no caption. */
export interface Trouble {
  readonly state: "failed" | "waiting";
  readonly reason: string;
  /** It cannot be read, so that no words for it would help. */
  readonly isUnreadable?: boolean;
}

/** What is known of a dataset's pictures: what runs found, and what a person decided on top. */
export class Shelf {
  readonly #files = new Map<string, FoundFile>();
  readonly #said = new Map<string, Caption>();
  readonly #troubles = new Map<string, Trouble>();
  /** What files' names end in once exported, by the names that they have. */
  readonly #endings = new Map<string, string | undefined>();
  /** Names by picture. */
  readonly #names = new Map<string, string[]>();
  readonly #revisions = new Map<string, number>();
  /** Counts on from the clock, so that it grows over restarts of the server. */
  #revision: number;

  constructor(
    readonly options: {
      readonly log: DecisionLog;
      /** Of `caption.compose`: a word, or "{folder}". */
      readonly trigger: string;
      /** Whether a person's words count for a picture that could not be captioned. */
      readonly exportsWritten: boolean;
      /** Milliseconds since 1970. */
      readonly startedMs: number;
    },
  ) {
    this.#revision = options.startedMs;
  }

  get count(): number {
    return this.#files.size;
  }

  /** A file that is there; what was said of other bytes under its name no longer counts. */
  found(name: string, { hash, byteLength, facts }: ArtifactRef): void {
    const before = this.#files.get(name);
    if (before !== undefined && before.sha256 !== hash) this.remove(name);
    this.#files.set(name, {
      name,
      sha256: hash,
      bytes: byteLength,
      format: String(facts?.["format"] ?? ""),
      width: Number(facts?.["width"] ?? 0),
      height: Number(facts?.["height"] ?? 0),
    });
    const names = this.#names.get(hash) ?? [];
    if (!names.includes(name)) this.#names.set(hash, [...names, name].sort());
  }

  captioned(name: string, said: Caption): void {
    this.#said.set(name, said);
    this.#troubles.delete(name);
  }

  troubled(name: string, trouble: Trouble): void {
    this.#troubles.set(name, trouble);
  }

  /** What a file's name ends in once exported; undefined where nothing could be made of it. */
  endsIn(name: string, ending: string | undefined): void {
    this.#endings.set(name, ending);
  }

  endingOf(name: string): string | undefined {
    return this.#endings.get(name);
  }

  /** Files of which it is not known what they are exported as. */
  get unprepared(): readonly FoundFile[] {
    return this.files().filter(({ name }) => !this.#endings.has(name));
  }

  /** Takes files away that are gone; gives the pictures that are gone with them. */
  keepOnly(names: ReadonlySet<string>): string[] {
    const gone = [...this.#files.values()].filter(({ name }) => !names.has(name));
    for (const { name } of gone) this.remove(name);
    return gone.map(({ sha256 }) => sha256).filter((sha256) => !this.#names.has(sha256));
  }

  remove(name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    this.#files.delete(name);
    this.#said.delete(name);
    this.#troubles.delete(name);
    this.#endings.delete(name);
    const left = this.#names.get(file.sha256)!.filter((each) => each !== name);
    if (left.length > 0) this.#names.set(file.sha256, left);
    else this.#names.delete(file.sha256);
  }

  /** The picture is to be shown anew. */
  touch(sha256: string): void {
    this.#revisions.set(sha256, ++this.#revision);
  }

  files(): readonly FoundFile[] {
    return [...this.#files.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  file(name: string): FoundFile | undefined {
    return this.#files.get(name);
  }

  /** The files that have a picture's bytes, by name. */
  filesOf(sha256: string): readonly FoundFile[] {
    return (this.#names.get(sha256) ?? []).map((name) => this.#files.get(name)!);
  }

  /** What the model said of a picture. */
  saidOf(sha256: string): Caption | undefined {
    return this.filesOf(sha256).map(({ name }) => this.#said.get(name))
      .find((said) => said !== undefined);
  }

  triggerOf(name: string): string {
    const { trigger } = this.options;
    return trigger === folderTrigger ? folderOf(name) : trigger;
  }

  pictures(): readonly Picture[] {
    return this.files().filter(({ name, sha256 }) => this.#names.get(sha256)![0] === name)
      .map(({ sha256 }) => this.picture(sha256)!);
  }

  picture(sha256: string): Picture | undefined {
    const [file, ...copies] = this.filesOf(sha256);
    if (file === undefined) return undefined;
    const { name, bytes, width, height } = file;
    const triggers = new Set([file, ...copies].map(({ name }) => this.triggerOf(name)));
    return {
      sha256,
      name,
      copies: copies.map((each) => each.name),
      repeats: copies.length + 1 - triggers.size,
      width,
      height,
      bytes,
      trigger: this.triggerOf(name),
      revision: this.#revisions.get(sha256) ?? this.options.startedMs,
      ...this.captionOf(file),
    };
  }

  /** A file's caption as it stands, as `caption.compose` will put it together. */
  captionOf({ name, sha256 }: FoundFile) {
    const decided = this.options.log.captionOf(sha256);
    const trigger = this.triggerOf(name);
    const trouble = this.#troubles.get(name);
    const said = this.#said.get(name) ?? this.saidOf(sha256);
    const reason = trouble?.reason ?? null;
    const written = said === undefined && trouble !== undefined && !trouble.isUnreadable &&
        this.options.exportsWritten
      ? writtenCaption(decided, trigger)
      : undefined;
    if (said === undefined && written === undefined) {
      return {
        state: trouble?.state ?? "waiting" as const,
        caption: withTrigger(decided.text ?? "", trigger),
        source: decided.text === undefined ? null : "person" as const,
        model: null,
        locked: decided.locked ?? false,
        problems: [],
        reason,
      };
    }
    const { state, text, source, model, locked, problems } = written ??
      decidedCaption(said!, decided, trigger);
    return { state, caption: text, source, model, locked, problems, reason };
  }
}
