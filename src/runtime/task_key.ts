import { canonicalJson, type ContentHash, type Json, sha256, type TaskKey } from "./hash.ts";

/** Everything that can change a task's result. No path, no time, no machine, no secret. */
export interface KeyParts {
  readonly step: string;
  /** The step's version, or for a user's step file the fingerprint of its module graph. */
  readonly version: number | string;
  readonly params: Readonly<Record<string, Json>>;
  /** By port: a content hash; for an `all` port the hash over all of them. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, string>>;
  /** Only for steps that use the item's name. */
  readonly itemName?: string;
}

/** The parts that all tasks of a node share. */
export type NodeParts = Pick<KeyParts, "step" | "version" | "params" | "tools">;

/** The task key of DESIGN §4: sha256 of canonical JSON of the parts behind "task/1". */
export function taskKey(parts: KeyParts): TaskKey {
  return nodeKeyer(parts)(parts.inputs, parts.itemName);
}

/**
 * A function that gives the keys of one node's tasks. What is shared is written out once: a rerun
 * makes hundreds of thousands of keys.
 */
export function nodeKeyer(
  node: NodeParts,
): (inputs: Readonly<Record<string, string>>, itemName?: string) => TaskKey {
  const head = `["task/1",${canonicalJson(node.step)},${canonicalJson(node.version)},${
    canonicalJson(node.params)
  },`;
  const tools = canonicalJson(node.tools);
  return (inputs, itemName) => {
    const name = itemName === undefined ? "" : `,${JSON.stringify(itemName)}`;
    return sha256(`${head}${inputsJson(inputs)},${tools}${name}]`) as string as TaskKey;
  };
}

/** `canonicalJson` for the commonest case, one port. */
function inputsJson(inputs: Readonly<Record<string, string>>): string {
  const ports = Object.keys(inputs);
  if (ports.length === 1) {
    return `{${JSON.stringify(ports[0])}:${JSON.stringify(inputs[ports[0]!])}}`;
  }
  return canonicalJson(inputs);
}

/** One hash for the members of an `all` port, in their order; absent members count as "". */
export function collectionHash(hashes: readonly (ContentHash | "")[]): string {
  return `${hashes.length}:${sha256(hashes.join("\n"))}`;
}

/** One part of a key that is not what it was. */
export type Change =
  | { readonly part: "param"; readonly name: string; readonly before?: Json; readonly after?: Json }
  | {
    readonly part: "tool";
    readonly name: string;
    readonly before?: string;
    readonly after?: string;
  }
  | { readonly part: "input"; readonly name: string; readonly from?: string }
  | { readonly part: "step"; readonly before: string; readonly after: string }
  | { readonly part: "version"; readonly before: number | string; readonly after: number | string }
  | { readonly part: "item-name"; readonly before?: string; readonly after?: string };

/** The parts that differ, in a fixed order. */
export function changedParts(before: KeyParts, after: KeyParts): Change[] {
  const changes: Change[] = [];
  if (before.step !== after.step) {
    changes.push({ part: "step", before: before.step, after: after.step });
  }
  if (before.version !== after.version) {
    changes.push({ part: "version", before: before.version, after: after.version });
  }
  for (const name of keysOfBoth(before.params, after.params)) {
    if (isSame(before.params[name], after.params[name])) continue;
    changes.push({ part: "param", name, before: before.params[name], after: after.params[name] });
  }
  for (const name of keysOfBoth(before.tools, after.tools)) {
    if (before.tools[name] === after.tools[name]) continue;
    changes.push({ part: "tool", name, before: before.tools[name], after: after.tools[name] });
  }
  for (const name of keysOfBoth(before.inputs, after.inputs)) {
    if (before.inputs[name] !== after.inputs[name]) changes.push({ part: "input", name });
  }
  if (before.itemName !== after.itemName) {
    changes.push({ part: "item-name", before: before.itemName, after: after.itemName });
  }
  return changes;
}

function keysOfBoth(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

/** Why a task has to run. */
export type Reason =
  | { readonly type: "new" }
  | { readonly type: "changed"; readonly changes: readonly Change[] }
  | { readonly type: "forced" }
  | { readonly type: "lost"; readonly hash: string }
  | { readonly type: "unfinished" }
  | { readonly type: "outside-changed" }
  | { readonly type: "upstream"; readonly node: string };

/** A reason in words: `param short_side_px: 768 → 896`. */
export function reasonText(reason: Reason): string {
  switch (reason.type) {
    case "new":
      return "new";
    case "changed":
      return reason.changes.map(changeText).join("; ");
    case "forced":
      return "forced";
    case "lost":
      return "its stored result is gone";
    case "unfinished":
      return "it did not finish last time";
    case "outside-changed":
      return "what it wrote is not as it left it";
    case "upstream":
      return `after ${reason.node}`;
  }
}

function changeText(change: Change): string {
  switch (change.part) {
    case "param":
      return `param ${change.name}: ${shown(change.before)} → ${shown(change.after)}`;
    case "tool":
      return `tool ${change.name}: ${change.before ?? "none"} → ${change.after ?? "none"}`;
    case "input":
      return `input ${change.name}${
        change.from === undefined ? "" : ` (from ${change.from})`
      } changed`;
    case "step":
      return `step: ${change.before} → ${change.after}`;
    case "version":
      return typeof change.after === "string" && typeof change.before === "string"
        ? `code: ${change.before.slice(0, 8)} → ${change.after.slice(0, 8)}`
        : `version: ${change.before} → ${change.after}`;
    case "item-name":
      return `name: ${shown(change.before)} → ${shown(change.after)}`;
  }
}

function shown(value: Json | undefined): string {
  if (value === undefined) return "none";
  const text = canonicalJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
