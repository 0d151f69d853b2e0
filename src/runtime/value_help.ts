import { alternatives, choicesOf, type JsonSchema } from "./json_schema.ts";
import { isNumberOf, numberHelp } from "./number_help.ts";
import { nearest } from "./suggestion.ts";

/** What was probably meant by a value that will not do: `Write the number alone: 85`. */
export function valueHelp(
  value: unknown,
  source: string,
  schemas: readonly JsonSchema[],
): string | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return undefined;
  }
  const slip = typeof value === "string" ? behindHelp(value, schemas) : undefined;
  if (slip !== undefined) return slip;
  const choices = choicesOf(schemas);
  const near = nearest(String(value), choices.map(String));
  if (near !== undefined) return meant(value, choices.find((choice) => String(choice) === near));
  const forms = schemas.flatMap(alternatives).filter(isOpen);
  const has = (type: string) => forms.some((form) => form.type === type);
  for (const form of forms) {
    const help = numberHelp(value, form, source);
    if (help !== undefined) return help;
  }
  if (has("boolean")) {
    const help = booleanHelp(value, source);
    if (help !== undefined) return help;
  }
  if (typeof value !== "string" && has("string")) return `Put it in quotes: "${source}"`;
  return has("array") ? `Write it as a list: [${listed(value, source)}]` : undefined;
}

/** `80,`, `80;` and `80 // high`, as other languages end a line. */
function behindHelp(value: string, schemas: readonly JsonSchema[]): string | undefined {
  const found = /^(.*[^\s,;])(?:([,;])|\s+(\/\/)\s.*)$/.exec(value.trim());
  const forms = schemas.flatMap(alternatives);
  if (found === null || forms.some(({ type }) => type === "array")) return undefined;
  const [, alone, sign] = found;
  const fits = choicesOf(schemas).some((choice) => String(choice) === alone) ||
    (/^(true|false)$/.test(alone!) && forms.some(({ type }) => type === "boolean")) ||
    forms.some((form) => isNumberOf(alone!, form));
  if (!fits) return undefined;
  return sign === undefined
    ? `A comment begins with "#": write ${alone} alone, or ${alone} # …`
    : `Remove the "${sign}": write ${alone}`;
}

/** Whether a form takes more than values that are named one by one. */
function isOpen(form: JsonSchema): boolean {
  return form.enum === undefined && form.const === undefined;
}

/** A choice of another type looks the same but for its quotes. */
function meant(value: unknown, choice: unknown): string {
  if (String(value) !== String(choice)) return `Did you mean ${JSON.stringify(choice)}?`;
  return typeof choice === "string"
    ? `Put it in quotes: ${JSON.stringify(choice)}`
    : `Write it without quotes: ${choice}`;
}

function booleanHelp(value: string | number | boolean, source: string): string | undefined {
  const text = String(value).toLowerCase();
  if (text === "true" || text === "false") {
    return /^["']/.test(source) ? `Write it without quotes: ${text}` : `Write ${text}`;
  }
  if (["yes", "on", "y", "1"].includes(text)) return "Write true";
  if (["no", "off", "n", "0"].includes(text)) return "Write false";
  const near = typeof value === "string" ? nearest(value, ["true", "false"]) : undefined;
  return near === undefined ? undefined : `Did you mean ${near}?`;
}

/**
 * `exact, same_picture` in one pair of quotes is two elements, and so are two lines below `|`; braces
 * of a glob may hold commas.
 */
function listed(value: string | number | boolean, source: string): string {
  if (typeof value !== "string") return source;
  const isBlock = value.includes("\n");
  if (!isBlock && (!value.includes(",") || /[{}[\]]/.test(value))) return source;
  const parts = value.split(isBlock ? "\n" : ",")
    .map((part) => part.replace(isBlock ? /^\s*-\s/ : "", "").trim())
    .filter((part) => part !== "");
  return parts.map((part) =>
    /^(?:[A-Za-z_][\w-]*|-?\d+(?:\.\d+)?)$/.test(part) ? part : JSON.stringify(part)
  )
    .join(", ");
}
