/** A text that diagnostics point into: a recipe, or a command-line setting. */
export class SourceFile {
  readonly #lineStarts: readonly number[];

  readonly text: string;

  /**
   * `path` is what messages show; it need not exist on disk (`--set` is one). A byte order mark is no
   * part of the text, and lines that end in carriage returns alone read as any others.
   */
  constructor(readonly path: string, content: string) {
    const marked = content.includes("\n") ? content : content.replaceAll("\r", "\n");
    const text = marked.replace(/^\uFEFF/, "");
    this.text = text;
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  /** Line and column of an offset, both counted from 1, columns in UTF-16 code units. */
  position(offset: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#lineStarts[low]! + 1 };
  }

  /** The offset of a line and column, both counted from 1. */
  offset(line: number, column: number): number {
    return (this.#lineStarts[line - 1] ?? this.text.length) + column - 1;
  }

  /** The text of a line (counted from 1) without its line end. */
  lineText(line: number): string {
    const start = this.#lineStarts[line - 1] ?? this.text.length;
    const end = this.#lineStarts[line] ?? this.text.length + 1;
    return this.text.slice(start, end - 1).replace(/\r$/, "");
  }
}

/** A stretch of a source text: UTF-16 offsets, `start` included, `end` not. */
export interface Span {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}
