import { styleText } from "node:util";
import type { DiagnosticColours } from "../runtime/diagnostic.ts";
import { environment } from "../runtime/environment.ts";

type Style = Parameters<typeof styleText>[0];

/** Colours for standard error: none where it is no terminal, or where NO_COLOR is set. */
export function colours(): DiagnosticColours & { good(text: string): string } {
  const isOn = Deno.stderr.isTerminal() && (environment.get("NO_COLOR") ?? "") === "";
  const paint = (style: Style) => (text: string) =>
    isOn ? styleText(style, text, { validateStream: false }) : text;
  return {
    error: paint(["bold", "red"]),
    warning: paint("yellow"),
    good: paint("green"),
    dim: paint("dim"),
    strong: paint("bold"),
  };
}
