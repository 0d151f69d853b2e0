/** Blocks that a tar archive is made of (POSIX 1003.1, pax, "ustar Interchange Format"). */
const blockBytes = 512;

/**
 * The bytes of one file in a published npm package, as they come: a gzipped tar archive, whose names
 * begin with a folder (mostly `package`) that is no part of `path`. Ends without a byte where the
 * archive has no such file; throws where it is no such archive.
 */
export async function* fileInPackage(
  tarball: ReadableStream<Uint8Array<ArrayBuffer>>,
  path: string,
): AsyncGenerator<Uint8Array> {
  const source = new ByteSource(tarball.pipeThrough(new DecompressionStream("gzip")));
  try {
    let longName: string | undefined;
    for (;;) {
      const header = await source.take(blockBytes);
      if (header.every((byte) => byte === 0)) return;
      const { name, size, type } = headerOf(header);
      const padded = Math.ceil(size / blockBytes) * blockBytes;
      if (type === "x") {
        longName = paxPath(await source.take(padded), size);
        continue;
      }
      const isWanted = withoutFirstFolder(longName ?? name) === path && /^[0\0]$/.test(type);
      longName = undefined;
      if (!isWanted) {
        for await (const _ of source.pieces(padded));
        continue;
      }
      yield* source.pieces(size);
      return;
    }
  } finally {
    await source.cancel();
  }
}

function headerOf(header: Uint8Array) {
  const text = (start: number, length: number) =>
    new TextDecoder().decode(header.subarray(start, start + length)).replace(/\0.*$/s, "");
  const size = parseInt(text(124, 12).trim(), 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("it is no tar archive");
  const prefix = text(257, 5) === "ustar" ? text(345, 155) : "";
  const name = prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
  return { name, size, type: String.fromCharCode(header[156]!) };
}

/** The path of a pax header, whose records are `<length> <key>=<value>\n`. */
function paxPath(block: Uint8Array, size: number): string | undefined {
  const text = new TextDecoder().decode(block.subarray(0, size));
  return /^\d+ path=(.*)$/m.exec(text)?.[1];
}

function withoutFirstFolder(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

/** A stream from which so many bytes are taken at a time. */
class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    let at = 0;
    for await (const piece of this.pieces(length)) {
      taken.set(piece, at);
      at += piece.length;
    }
    return taken;
  }

  /** The next bytes as they come, together `length`. */
  async *pieces(length: number): AsyncGenerator<Uint8Array> {
    while (length > 0) {
      if (this.#rest.length === 0) {
        const { value } = await this.#reader.read();
        if (value === undefined) throw new Error("its archive ends too soon");
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(piece.length);
      length -= piece.length;
      yield piece;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
