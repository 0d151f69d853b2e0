import { nearest } from "./suggestion.ts";

/** What is wanted of a value, as far as help with a slip goes. */
export interface WantedValue {
  readonly choices?: readonly unknown[];
  readonly types: readonly string[];
}

/** What was probably meant by a value that will not do: `Write the number alone: 85`. */
export function valueHelp(value: unknown, source: string, wanted: WantedValue): string | undefined {
  const { types, choices = [] } = wanted;
  const isSimple = typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
  if (!isSimple) return undefined;
  const near = nearest(String(value), choices.map(String));
  if (near !== undefined) return meant(value, choices.find((choice) => String(choice) === near));
  if (typeof value === "string") {
    const help = textHelp(value, types);
    if (help !== undefined) return help;
  } else if (types.includes("string")) {
    return `Put it in quotes: ${JSON.stringify(source)}`;
  }
  return types.includes("array") ? `Write it as a list: [${source}]` : undefined;
}

/** A choice of another type looks the same but for its quotes. */
function meant(value: unknown, choice: unknown): string {
  if (String(value) !== String(choice)) return `Did you mean ${JSON.stringify(choice)}?`;
  return typeof choice === "string"
    ? `Put it in quotes: ${JSON.stringify(choice)}`
    : `Write it without quotes: ${choice}`;
}

function textHelp(value: string, types: readonly string[]): string | undefined {
  const isNumber = types.includes("integer") || types.includes("number");
  if (isNumber && value.trim() !== "" && Number.isFinite(Number(value))) {
    return `Write it without quotes: ${value.trim()}`;
  }
  const number = /^\s*([-+]?[\d_,]*\.?\d+)\s*(px|pixels?|%|percent|ms|s|mb|kb)?\s*$/i.exec(value);
  if (isNumber && number !== null) {
    return `Write the number alone: ${Number(number[1]!.replace(/[_,]/g, ""))}`;
  }
  if (!types.includes("boolean")) return undefined;
  if (/^(true|false)$/i.test(value)) return `Write it without quotes: ${value.toLowerCase()}`;
  if (/^(yes|on|y)$/i.test(value)) return "Write true";
  return /^(no|off|n)$/i.test(value) ? "Write false" : undefined;
}
