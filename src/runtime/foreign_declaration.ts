import { z } from "zod";
import type { Encoded, Kind } from "./artifact.ts";
import { checkedEncoded } from "./foreign_result.ts";
import { paramFacts } from "./params.ts";
import type { KindFacts, Loaded, Parsed, PortFacts, StepDeclaration } from "./step_messages.ts";
import type { Port } from "./step.ts";

const text = z.string().max(10_000);
const name = z.string().min(1).max(200);
const kind = z.object({
  name,
  doc: text,
  columns: z.array(
    z.object({ name, type: z.enum(["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "JSON"]) }),
  ).max(500),
  isRow: z.boolean(),
});
const port = (...flows: [string, ...string[]]) =>
  z.object({ kind, flow: z.enum(flows), doc: text, isOptional: z.boolean() });

const declaration = z.object({
  name,
  version: z.number(),
  doc: text,
  origin: z.enum(["computed", "remote", "human"]),
  world: z.enum(["reads", "writes"]).optional(),
  pool: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/).optional(),
  usesItemName: z.boolean().optional(),
  usesAbsent: z.boolean().optional(),
  isResult: z.boolean().optional(),
  inputs: z.record(name, port("each", "all", "one")),
  outputs: z.record(name, port("each", "one", "many")),
  paramsSchema: z.looseObject({ type: z.literal("object") }),
  permissions: z.unknown(),
  methods: z.array(z.enum(["run", "prepare", "runBatch", "tools", "forecast", "isCurrent"])),
  batchSize: z.int().min(1).optional(),
});

const issue = z.object({
  code: text,
  path: z.array(z.union([z.string(), z.number()])),
  message: text,
  get errors() {
    return z.array(z.array(issue)).optional();
  },
});

const loaded = z.discriminatedUnion("type", [
  z.object({ type: z.literal("declared"), declaration }),
  z.object({ type: z.literal("no-step"), problem: text }),
  z.object({ type: z.literal("broken"), name: text, message: z.string(), stack: z.string() }),
]);

const parsed = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("fine"),
    params: z.record(z.string(), z.unknown()),
    unusedPorts: z.array(name),
  }),
  z.object({ type: z.literal("wrong"), issues: z.array(issue).min(1) }),
  z.object({ type: z.literal("threw"), message: text }),
]);

/** How a step file loaded, as its worker sent it. Throws `TypeError` where it is not of that form. */
export function checkedLoaded(sent: unknown): Loaded {
  return checked(loaded, sent) as unknown as Loaded;
}

/** What a step's schema said, as its worker sent it. Throws `TypeError` where it is not of that form. */
export function checkedParsed(sent: unknown): Parsed {
  return checked(parsed, sent) as Parsed;
}

function checked<Schema extends z.ZodType>(schema: Schema, sent: unknown): z.output<Schema> {
  const result = schema.safeParse(sent);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const at = path.filter((part) => part !== "declaration").join(".");
  throw new TypeError(`what it declares has an odd ${at === "" ? "form" : `"${at}"`}: ${message}`);
}

/**
 * A schema that stands for one in a worker: it shows the same JSON Schema, and `parse` says what the
 * worker's said. Throws `TypeError` for a JSON Schema that cannot be read.
 */
export function foreignParams(
  { paramsSchema }: StepDeclaration,
  parse: (values: unknown) => Parsed,
): z.ZodObject {
  const params = z.object({});
  params._zod.toJSONSchema = () => structuredClone(paramsSchema);
  const answer = (values: unknown) => {
    const said = parse(values);
    if (said.type === "threw") throw new Error(said.message);
    return said.type === "fine"
      ? { success: true, data: said.params }
      : { success: false, error: { issues: said.issues } };
  };
  Object.defineProperty(params, "safeParse", { value: answer });
  try {
    paramFacts(params);
  } catch {
    throw new TypeError("the schema of its parameters cannot be read");
  }
  return params;
}

/**
 * Ports of a step in a worker, by name. A kind that this process knows, and that looks the same, encodes
 * and checks what the worker made; any other is encoded there, and only its bytes come here.
 */
export function foreignPorts(
  ports: Readonly<Record<string, PortFacts>>,
  known: ReadonlyMap<string, Kind>,
): Record<string, Port> {
  return Object.fromEntries(
    Object.entries(ports).map(([name, { kind, ...port }]) => {
      const own = known.get(kind.name);
      const isShared = own !== undefined && isAlike(own, kind);
      return [name, { ...port, kind: isShared ? careful(own) : opaque(kind) }];
    }),
  );
}

function isAlike(own: Kind, facts: KindFacts): boolean {
  const columns = (each: Pick<KindFacts, "columns">) =>
    each.columns.map(({ name, type }) => `${name} ${type}`).join();
  return own.isRow === facts.isRow && columns(own) === columns(facts);
}

/** A kind of this process that is given what its types do not let through elsewhere. */
function careful(own: Kind): Kind {
  return { ...own, encode: (made) => checkedEncoded(own.encode(made), own) };
}

/** A kind that this process does not encode. */
interface OpaqueKind extends Kind {
  readonly isOpaque: true;
}

export function isOpaque(kind: Kind): boolean {
  return "isOpaque" in kind;
}

/** A kind whose values only the worker opens and encodes. */
function opaque(facts: KindFacts): OpaqueKind {
  return {
    ...facts,
    open: (blob) => blob,
    isOpaque: true,
    encode(made) {
      const encoded = checkedEncoded(made as Encoded, facts);
      if (facts.isRow) assertRow(encoded.bytes, facts);
      return encoded;
    },
  };
}

/** Tables are made of rows. */
function assertRow(bytes: Uint8Array, { name }: KindFacts) {
  const row: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return;
  throw new TypeError(`It made a ${name} that is no map`);
}
