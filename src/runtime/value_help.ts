import { alternatives, choicesOf, type JsonSchema } from "./json_schema.ts";
import { numberHelp } from "./number_help.ts";
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
  const choices = choicesOf(schemas);
  const near = nearest(String(value), choices.map(String));
  if (near !== undefined) return meant(value, choices.find((choice) => String(choice) === near));
  const forms = schemas.flatMap(alternatives).filter(isOpen);
  const has = (type: string) => forms.some((form) => form.type === type);
  for (const form of forms) {
    const help = numberHelp(value, form);
    if (help !== undefined) return help;
  }
  if (has("boolean")) {
    const help = booleanHelp(value, source);
    if (help !== undefined) return help;
  }
  if (typeof value !== "string" && has("string")) return `Put it in quotes: "${source}"`;
  return has("array") ? `Write it as a list: [${listed(value, source)}]` : undefined;
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
  return ["no", "off", "n", "0"].includes(text) ? "Write false" : undefined;
}

/** `exact, same_picture` in one pair of quotes is two elements; braces of a glob may hold commas. */
function listed(value: string | number | boolean, source: string): string {
  if (typeof value !== "string" || !value.includes(",") || /[{}[\]]/.test(value)) return source;
  const parts = value.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return parts.map((part) =>
    /^(?:[A-Za-z_][\w-]*|-?\d+(?:\.\d+)?)$/.test(part) ? part : JSON.stringify(part)
  )
    .join(", ");
}
