import { freeBytes } from "./buffer_memory.ts";
import type { ArtifactRef, Blob, Handle, Kind } from "./artifact.ts";

/** Where a handle gets its bytes. */
export type ReadBytes = (ref: ArtifactRef) => Promise<Uint8Array>;

interface Opened {
  readonly kind: Kind;
  value: Promise<unknown>;
}

class ScopedHandle implements Handle {
  constructor(
    readonly ref: ArtifactRef,
    readonly kind: Kind,
    readonly scope: HandleScope,
    readonly readBytes: ReadBytes,
  ) {}

  read(): Promise<unknown> {
    return this.scope.open(this.ref, this.kind, this.readBytes);
  }

  bytes(): Promise<Uint8Array> {
    return this.readBytes(this.ref);
  }
}

/** One object a member and no more: an `all` port may have 100,000. */
class MemberHandle<Owner> implements Handle {
  constructor(readonly ref: ArtifactRef, readonly owner: Owner, readonly port: MemberPort<Owner>) {}

  read(): Promise<unknown> {
    return open(this.ref, this.port.kind, () => this.bytes());
  }

  bytes(): Promise<Uint8Array> {
    return this.port.readBytes(this.ref, this.owner);
  }

  writtenFile(): string | undefined {
    return this.port.writtenFile(this.ref);
  }
}

/** Whether a value that a step returned is one of the handles it was given. */
export function isHandle(value: unknown): value is Handle {
  return value instanceof ScopedHandle || value instanceof MemberHandle;
}

/**
 * The opened artifacts of one item while it flows: whoever reads the same artifact gets the same
 * object, so its bytes are read and its pixels decoded once.
 */
export class HandleScope {
  readonly #opened = new Map<string, Opened>();
  readonly #owned: Uint8Array[] = [];

  /** `rank` is its item's place among those that began, from 0. */
  constructor(readonly readBytes: ReadBytes, readonly rank = 0) {}

  handle(ref: ArtifactRef, kind: Kind, readBytes: ReadBytes = this.readBytes): Handle {
    return new ScopedHandle(ref, kind, this, readBytes);
  }

  /** The artifact's value, opened when first asked for. */
  open(ref: ArtifactRef, kind: Kind, readBytes: ReadBytes = this.readBytes): Promise<unknown> {
    const key = `${kind.name} ${ref.hash}`;
    const known = this.#opened.get(key);
    if (known !== undefined) return known.value;
    const value = open(ref, kind, readBytes);
    this.#opened.set(key, { kind, value });
    // What could not be opened may be there again after it was made anew.
    value.catch(() => this.#opened.delete(key));
    return value;
  }

  /** Takes over bytes that nobody else has, to free them when the item is done: `end`. */
  own(bytes: Uint8Array): void {
    this.#owned.push(bytes);
  }

  /**
   * Frees pixels and lets go of bytes; what is read afterwards is opened again. Bytes that somebody has
   * still got, such as an item that waits for its batch, stay as they are.
   */
  async release(): Promise<void> {
    for (const { kind, value } of this.#opened.values()) {
      const opened = await value.catch(() => undefined);
      if (opened !== undefined) kind.release?.(opened);
    }
  }

  /** Frees pixels and bytes, when nobody needs any of it: bytes are empty from now on. */
  async end(): Promise<void> {
    await this.release();
    this.#owned.forEach(freeBytes);
    this.#owned.length = 0;
  }
}

/** What the members of an `all` port share. */
export interface MemberPort<Owner> {
  readonly kind: Kind;
  readonly readBytes: (ref: ArtifactRef, owner: Owner) => Promise<Uint8Array>;
  readonly writtenFile: (ref: ArtifactRef) => string | undefined;
}

/** A handle for a member of a collection: opened anew at each read, so that nothing piles up. */
export function memberHandle<Owner>(
  ref: ArtifactRef,
  owner: Owner,
  port: MemberPort<Owner>,
): Handle {
  return new MemberHandle(ref, owner, port);
}

async function open(ref: ArtifactRef, kind: Kind, readBytes: ReadBytes): Promise<unknown> {
  const { hash, byteLength } = ref;
  const blob: Blob = { hash, byteLength, bytes: () => readBytes(ref) };
  return await kind.open(blob);
}
