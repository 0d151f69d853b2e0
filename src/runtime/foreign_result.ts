import { resolve } from "node:path";
import type { Encoded, Facts, Handle, Kind } from "./artifact.ts";
import type { AnyStep, OutputPorts, Port, StepResult } from "./step.ts";
import { type AskedPermissions, withDeclarationHelp } from "./step_permissions.ts";

/** What a call was given, and may therefore give back. */
export interface GivenToCall {
  readonly step: AnyStep;
  /** By the numbers that its worker knows them by. */
  readonly handles: readonly { readonly handle: Handle }[];
  /** With absolute paths. */
  readonly permissions: AskedPermissions;
  /** Where a path leads through links; throws where nothing is there. */
  realPath(path: string): string;
}

type Result = StepResult<Record<string, unknown>>;
type Fields = Readonly<Record<string, unknown>>;

/** Reasons and lines of a step are cut here: they go into tables, journals and terminals. */
const mostLetters = 4_000;

/** Tables hold rows by the hundred thousand. */
const mostRowBytes = 4_000_000;

/** Facts lie beside a result in the cache. */
const mostFactLetters = 64_000;

/** The longest that a step may ask to be left alone for before it is tried again. */
const mostWaitMs = 3_600_000;

/**
 * The result of a call as its worker sent it, which may be anything: handles that were given to the call,
 * values for the kinds of the step's ports to encode, names. Throws `TypeError` for all else.
 */
export function checkedResult(sent: unknown, given: GivenToCall): Result {
  const result = fields(sent);
  switch (result["status"]) {
    case "produced":
      return {
        status: "produced",
        outputs: outputs(fields(result["outputs"]), given),
        ...flag(result, "isPartial"),
        ...flag(result, "isProvisional"),
      };
    case "rejected": {
      const { numbers } = result;
      return {
        ...verdict(result, "rejected"),
        ...numbers === undefined ? {} : { numbers: finiteNumbers(numbers) },
      };
    }
    case "waiting":
      return verdict(result, "waiting");
    case "failed": {
      const wait = result["retryAfterMs"];
      return {
        ...verdict(result, "failed"),
        ...flag(result, "isRetriable"),
        ...flag(result, "stopsNode"),
        ...typeof wait === "number" && wait >= 0
          ? { retryAfterMs: Math.min(wait, mostWaitMs) }
          : {},
      };
    }
    default:
      throw new TypeError("It returned nothing that a step can (produced({ … }) is wanted)");
  }
}

/** A line of a step's, as long as it may be. */
export function checkedText(sent: unknown): string {
  const isPlain = ["string", "number", "boolean", "undefined"].includes(typeof sent);
  return isPlain ? String(sent).slice(0, mostLetters) : "(no text)";
}

/** What kinds encode to, also where they were given what they do not take. */
export function checkedEncoded(
  encoded: Encoded,
  { name, isRow }: Pick<Kind, "name" | "isRow">,
): Encoded {
  const { bytes, facts } = encoded;
  if (!(bytes instanceof Uint8Array)) throw new TypeError("It made no bytes (an array is wanted)");
  if (isRow && bytes.length > mostRowBytes) {
    throw new TypeError(
      `It made a ${name} of ${inMb(bytes.length)} MB (a row has at most ${inMb(mostRowBytes)} MB)`,
    );
  }
  return { bytes: ownBytes(bytes), ...facts === undefined ? {} : { facts: checkedFacts(facts) } };
}

function outputs(sent: Fields, given: GivenToCall): Record<string, unknown> {
  const ports = Object.entries(given.step.outputs as OutputPorts);
  return Object.fromEntries(ports.map(([name, port]) => [name, output(sent[name], port, given)]));
}

function output(sent: unknown, { kind, flow }: Port, given: GivenToCall): unknown {
  if (sent === undefined) return undefined;
  if (flow === "many") return list(sent).map((each) => birth(fields(each), kind, given));
  if (!(sent instanceof Map)) return value(fields(sent), kind, given);
  return new Map(
    Array.from(sent, ([member, each]) => [wholeNumber(member), memberOutput(each, kind, given)]),
  );
}

function memberOutput(sent: unknown, kind: Kind, given: GivenToCall): unknown {
  const message = fields(sent);
  return "verdict" in message
    ? checkedResult(message["verdict"], given)
    : value(message, kind, given);
}

/** A handle that the call was given, or what the port's kind makes of a value. */
function value(message: Fields, kind: Kind, { handles }: GivenToCall): unknown {
  if ("handle" in message) {
    const found = handles[wholeNumber(message["handle"])];
    if (found === undefined) throw new TypeError("It passed on a handle that it was not given");
    return found.handle;
  }
  if ("made" in message) return message["made"];
  if ("encoded" in message) return fields(message["encoded"]);
  throw new TypeError(`It gave no ${kind.name}`);
}

function birth(sent: Fields, kind: Kind, given: GivenToCall) {
  const name = sent["name"];
  if (typeof name !== "string" || name === "") throw new TypeError("It named an item with no text");
  if (sent["file"] === undefined) return { name, value: value(fields(sent["value"]), kind, given) };
  const file = fields(sent["file"]);
  const path = resolve(String(file["path"]));
  // It is this process that will read the file, which may read more than the step.
  if (!mayRead(path, given)) {
    throw new TypeError(
      `It names file "${path}", which it may not read (declare it in the step: permissions: { read: [${
        JSON.stringify(path)
      }] })`,
    );
  }
  const number = (field: string) => finiteNumber(file[field]);
  const [size, mtimeMs, inode] = [number("size"), number("mtimeMs"), number("inode")];
  return { name, file: { path, size, mtimeMs, inode } };
}

/** By where links lead: a folder that it may read can have links to others in it. */
function mayRead(path: string, { permissions: { read }, realPath }: GivenToCall): boolean {
  if (read === undefined || read === true) return read === true;
  const real = realPath(path);
  return read.some((granted) => isWithin(path, granted) && isWithin(real, realPath(granted)));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder.replace(/\/$/, "")}/`);
}

function verdict<const Status extends string>(sent: Fields, status: Status) {
  const reason = checkedText(sent["reason"]);
  return { status, reason: status === "failed" ? withDeclarationHelp(reason) : reason };
}

function flag<const Name extends string>(
  sent: Fields,
  name: Name,
): { readonly [N in Name]?: true } {
  return (sent[name] === true ? { [name]: true } : {}) as { readonly [N in Name]?: true };
}

function fields(sent: unknown): Fields {
  if (typeof sent === "object" && sent !== null) return sent as Fields;
  throw new TypeError(`It returned ${typeof sent} where its worker sends fields`);
}

function list(sent: unknown): readonly unknown[] {
  if (Array.isArray(sent)) return sent;
  throw new TypeError("It gave no list of new items");
}

function finiteNumbers(sent: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields(sent)).filter(([, each]) => Number.isFinite(each)),
  ) as Record<string, number>;
}

function finiteNumber(sent: unknown): number {
  if (typeof sent === "number" && Number.isFinite(sent)) return sent;
  throw new TypeError(`It gave ${JSON.stringify(sent)} where a number is wanted`);
}

function wholeNumber(sent: unknown): number {
  if (typeof sent === "number" && Number.isSafeInteger(sent) && sent >= 0) return sent;
  throw new TypeError(`It gave ${JSON.stringify(sent)} where the number of a member is wanted`);
}

function checkedFacts(sent: unknown): Facts {
  const entries = Object.entries(fields(sent));
  if (JSON.stringify(sent).length > mostFactLetters) {
    throw new TypeError(`Its facts are longer than ${mostFactLetters} letters`);
  }
  const bad = entries.find(([, each]) =>
    each !== null && !["string", "boolean"].includes(typeof each) && !Number.isFinite(each)
  );
  if (bad === undefined) return Object.fromEntries(entries) as Facts;
  throw new TypeError(`Its fact "${bad[0]}" is ${typeof bad[1]} (a plain value is wanted)`);
}

function inMb(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}

/** Memory that a worker shares could change after it was hashed. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}
