import type { JsonSchema } from "./json_schema.ts";

/** What was meant by a value that is no number of this form, or out of its range. */
export function numberHelp(
  value: string | number | boolean,
  form: JsonSchema,
  source: string,
): string | undefined {
  if (form.type !== "number" && form.type !== "integer") return undefined;
  if (typeof value === "number") return value < 10 ? undefined : percentHelp(value, form);
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const plain = Number(value);
  if (!Number.isNaN(plain)) {
    return isWithin(plain, form) ? plainHelp(value.trim(), plain, source) : undefined;
  }
  const parts = /^([-+]?[\d_,]*\.?\d+)\s*([a-z]*|%)$/i.exec(value.trim());
  return parts === null ? undefined : partsHelp(parts[1]!, parts[2]!.toLowerCase(), form);
}

/** Whether a text is a number that a form takes. */
export function isNumberOf(text: string, form: JsonSchema): boolean {
  const isNumeric = form.type === "number" || form.type === "integer";
  return isNumeric && text.trim() !== "" && isWithin(Number(text), form);
}

/** What makes a text of a number: quotes, a block of lines, or a form that YAML does not have. */
function plainHelp(written: string, number: number, source: string): string {
  if (/^0b/i.test(written)) return `Write ${number}`;
  return /^[|>]/.test(source)
    ? `Write it in the line of its key: ${written}`
    : `Write it without quotes: ${written}`;
}

function partsHelp(digits: string, unit: string, form: JsonSchema): string | undefined {
  if (/^[-+]?\d+,\d+$/.test(digits) && unit === "") {
    const decimal = Number(digits.replace(",", "."));
    const isThousands = /,\d{3}$/.test(digits) && !isWithin(decimal, form);
    if (!isThousands) return isWithin(decimal, form) ? `Write ${decimal}` : undefined;
  }
  const number = Number(digits.replace(/[_,]/g, ""));
  if (percents.includes(unit) && isFraction(form)) return percentHelp(number, form);
  const wanted = form["unit"] as string | undefined;
  const factor = factorBetween(unit, wanted);
  if (factor === undefined) return undefined;
  const converted = Number((number * factor).toPrecision(12));
  if (!isWithin(converted, form)) return undefined;
  return factor === 1
    ? `Write the number alone: ${converted}`
    : `Write it in ${secondsIn.get(wanted!) === 1 ? "seconds" : wanted}: ${converted}`;
}

function percentHelp(percent: number, form: JsonSchema): string | undefined {
  const fraction = Number((percent / 100).toPrecision(12));
  return isFraction(form) && isWithin(fraction, form)
    ? `Write it as a fraction: ${fraction}`
    : undefined;
}

const percents = ["%", "percent"];

const secondsIn: ReadonlyMap<string, number> = new Map([
  ["ms", 0.001],
  ["s", 1],
  ["sec", 1],
  ["seconds", 1],
  ["m", 60],
  ["min", 60],
  ["minutes", 60],
  ["h", 3600],
]);

/** Units that are written after numbers, by the name that parameters have for them. */
const sameUnits: ReadonlyMap<string, string> = new Map([
  ["", ""],
  ["px", "px"],
  ["pixel", "px"],
  ["pixels", "px"],
  ["%", "%"],
  ["percent", "%"],
  ["mb", "mb"],
  ["kb", "kb"],
]);

/** By what a number of one unit is multiplied for another; undefined where it cannot be. */
function factorBetween(unit: string, wanted: string | undefined): number | undefined {
  const [from, to] = [secondsIn.get(unit), secondsIn.get(wanted ?? unit)];
  if (from !== undefined && to !== undefined) return from / to;
  const name = sameUnits.get(unit);
  return name !== undefined && (name === "" || name === (wanted?.toLowerCase() ?? name))
    ? 1
    : undefined;
}

function isFraction({ type, minimum, maximum, ...form }: JsonSchema): boolean {
  const least = minimum ?? form.exclusiveMinimum ?? -Infinity;
  const most = maximum ?? form.exclusiveMaximum ?? Infinity;
  return type === "number" && least >= 0 && most <= 1;
}

function isWithin(value: number, form: JsonSchema): boolean {
  return (form.type === "number" || Number.isInteger(value)) &&
    value >= (form.minimum ?? -Infinity) && value <= (form.maximum ?? Infinity) &&
    value > (form.exclusiveMinimum ?? -Infinity) && value < (form.exclusiveMaximum ?? Infinity);
}
