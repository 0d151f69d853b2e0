import { type Html, html, trusted, visibleName } from "./html.ts";
import { pageStyle } from "./page_style.ts";

export interface PageOptions {
  readonly title: string;
  /** Rules besides those that all reports have. */
  readonly style?: string;
}

/** A whole page without scripts and without anything from outside. */
export function pageText({ title, style = "" }: PageOptions, body: Html): string {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>${visibleName(title)}</title>
        <style>${trusted(pageStyle + style)}</style>
      </head>
      <body>
        <main>
          ${body}
        </main>
      </body>
    </html>
  `.text;
}
