/** When a picture was taken, as far as it is known. */
export interface Moment {
  /** Local time in ISO 8601 without zone, as precise as known: `2021-05-01T12:00:00.12`. */
  readonly local: string;
  /** Offset from UTC, `+02:00`; null where unknown. */
  readonly offset: string | null;
}

const zone = "(Z|UTC|[+-]\\d{2}:?\\d{2})";
const clock = `(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9})\\d*)?)?\\s*${zone}?`;
const written = new RegExp(`^(\\d{4})([-:/.])(\\d{1,2})\\2(\\d{1,2})(?:[T ]\\s*${clock})?$`);

/**
 * Reads a date as EXIF (`2021:05:01 12:00:00`) and XMP (`2021-05-01T12:00:00.12+02:00`) write it.
 * Undefined when it is none, or of no day or hour that there is.
 */
export function parseMoment(text: string): Moment | undefined {
  const match = written.exec(text.trim());
  if (match === null) return undefined;
  const [, year, , month, day, hour, minute, second, fraction, offset] = match;
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  const date = `${year}-${padded(month!)}-${padded(day!)}`;
  if (hour === undefined) return { local: date, offset: null };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return undefined;
  const seconds = second === undefined ? "" : `:${second}`;
  const parts = fraction === undefined ? "" : `.${fraction}`;
  const known = offset === undefined ? null : parseOffset(offset);
  if (known === undefined) return undefined;
  return { local: `${date}T${padded(hour)}:${minute}${seconds}${parts}`, offset: known };
}

/** Reads an offset from UTC as `+02:00`; undefined when it is none on Earth. */
export function parseOffset(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "Z" || trimmed === "UTC") return "+00:00";
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(trimmed) ?? [];
  if (sign === undefined || Number(hours) > 14 || Number(minutes) > 59) return undefined;
  return `${sign}${hours}:${minutes}`;
}

/** Whether a text that should be a date says that it is unknown: EXIF fills it with blanks. */
export function isBlankMoment(text: string): boolean {
  return /^[\s:]*$/.test(text);
}

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && year % 100 !== 0 || year % 400 === 0;
  const days = month === 2 && isLeap ? 29 : daysOfMonth[month - 1] ?? 0;
  return year > 0 && day >= 1 && day <= days;
}

function padded(digits: string): string {
  return digits.padStart(2, "0");
}
