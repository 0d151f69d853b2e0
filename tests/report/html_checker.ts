/** An element as the checker met it. */
export interface MetElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a page turned out to hold. */
export interface CheckedPage {
  readonly problems: readonly string[];
  readonly elements: readonly MetElement[];
  /** What is read, without style sheets and comments, entities resolved, spaces as one. */
  readonly text: string;
}

const voidElements = new Set(["meta", "br", "img", "link", "hr", "input"]);
const token =
  /<!--([\s\S]*?)-->|<!doctype html>|<\/([a-z][a-z0-9]*)>|<([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z][A-Za-z0-9:_-]*(?:="[^"<>]*")?)*)\s*(\/?)>/y;

/**
 * Reads a page more strictly than browsers do: every element closed in order, every attribute in
 * double quotes and named once, no stray "<" or "&", ids unique.
 */
export function checkPage(page: string): CheckedPage {
  const problems: string[] = [];
  const elements: MetElement[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  let text = "";
  for (let at = 0; at < page.length;) {
    if (page[at] !== "<") {
      const end = page.indexOf("<", at) === -1 ? page.length : page.indexOf("<", at);
      const piece = page.slice(at, end);
      if (open.at(-1) !== "style") {
        if (/&(?!(amp|lt|gt|quot|#39);)/.test(piece)) problems.push(`stray "&": ${piece}`);
        text += unescaped(piece) + " ";
      }
      at = end;
      continue;
    }
    token.lastIndex = at;
    const found = token.exec(page);
    if (found === null) {
      problems.push(`no tag at ${at}: ${page.slice(at, at + 80)}`);
      at++;
      continue;
    }
    at = token.lastIndex;
    const [, , closing, opening, written = "", slash] = found;
    if (closing !== undefined) {
      const expected = open.pop();
      if (expected !== closing) problems.push(`</${closing}> closes <${expected}> before ${at}`);
    }
    if (opening === undefined) continue;
    const attributes: Record<string, string> = {};
    for (const [, name, value = ""] of written.matchAll(/([A-Za-z][\w:-]*)(?:="([^"]*)")?/g)) {
      if (Object.hasOwn(attributes, name!)) {
        problems.push(`attribute ${name} twice on <${opening}>`);
      }
      if (/&(?!(amp|lt|gt|quot|#39);)/.test(value)) problems.push(`stray "&" in ${name}: ${value}`);
      attributes[name!] = unescaped(value);
    }
    elements.push({ name: opening, attributes });
    if (attributes["id"] !== undefined) {
      if (ids.has(attributes["id"])) problems.push(`id ${attributes["id"]} twice`);
      ids.add(attributes["id"]);
    }
    if (!voidElements.has(opening) && slash !== "/") open.push(opening);
  }
  if (open.length > 0) problems.push(`left open: ${open.join(" ")}`);
  return { problems, elements, text: text.replace(/\s+/g, " ") };
}

function unescaped(text: string): string {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'").replace(/&amp;/g, "&");
}
