/** Text that is HTML already; everything else that a template is given is escaped. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** What a template takes: nothing shows for null, undefined and false, lists one after the other. */
export type HtmlPart = Html | string | number | null | undefined | false | readonly HtmlPart[];

/**
 * HTML with values put in, escaped for text and for attributes in double quotes.
 *
 * ```ts ignore
 * html`<td title="${name}">${name}</td>`
 * ```
 *
 * A number that is not finite is a bug and throws: no page says NaN.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let text = strings[0]!;
  parts.forEach((part, index) => text += rendered(part) + strings[index + 1]!);
  return new Html(text);
}

/** Trusts a text to be HTML: an SVG that was drawn here, a style sheet. */
export function trusted(text: string): Html {
  return new Html(text);
}

function rendered(part: HtmlPart): string {
  if (part instanceof Html) return part.text;
  if (part === null || part === undefined || part === false) return "";
  if (typeof part === "object") return part.map(rendered).join("");
  if (typeof part === "string") return escapeHtml(part);
  if (Number.isFinite(part)) return String(part);
  throw new RangeError(`Cannot show a number in HTML: it is ${part} (a finite one is wanted)`);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Safe as text, and as an attribute in quotes; what XML and HTML cannot hold becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character]!);
}

/**
 * A name from outside, as nobody can misread it: apart from its surroundings in direction, and with
 * invisible and direction-changing characters written out (`⟨U+202E⟩`).
 */
export function nameHtml(name: string): Html {
  return html`<bdi class="name">${visibleName(name)}</bdi>`;
}

/** The same as text, for attributes. */
export function visibleName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, codePoint);
}

/** A text of more than one line that others wrote, such as a model's: line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, codePoint);
}

function codePoint(character: string): string {
  return `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
