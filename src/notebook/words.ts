import { escapeHtml } from "./html.ts";
import { type Display, display } from "./kernel.ts";

/** Sentences as paragraphs, which wrap between words; what a cell prints is broken anywhere. */
export function words(...paragraphs: readonly string[]): Display {
  const html = paragraphs.map((text) => `<p style="max-width:75ch">${escapeHtml(text)}</p>`);
  return {
    [display]: () => ({ "text/html": html.join(""), "text/plain": paragraphs.join("\n\n") }),
  };
}
