import type { ArtifactRef, Kind } from "./artifact.ts";
import type { StoredBirth, StoredMember, StoredOutput } from "./cache.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import { isHandle } from "./handles.ts";
import { sha256 } from "./hash.ts";
import { type Born, type Failed, isPerItem, type Member, type Rejected } from "./step.ts";
import type { ArtifactStore } from "./store.ts";

/** What a step returned, as the cache keeps it. */
export interface KeptOutputs {
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  /** Members that an `all` step failed on, with the reasons. */
  readonly failedMembers: ReadonlyMap<Member, string>;
}

/**
 * Encodes and stores what a step returned; handles that it passed on are kept as references.
 * `memberCount` is how many members its `all` ports had. Throws `TypeError` for outputs that are not
 * of the step's own definition.
 */
export async function keepOutputs(
  store: ArtifactStore,
  node: GraphNode,
  returned: Readonly<Record<string, unknown>>,
  memberCount: number,
): Promise<KeptOutputs> {
  const outputs: Record<string, StoredOutput> = {};
  const failedMembers = new Map<Member, string>();
  for (const [port, { kind, flow }] of outputPorts(node.step)) {
    const value = returned[port];
    if (value === undefined) {
      throw new TypeError(`${nameOf(node)} gave nothing for output "${port}"`);
    }
    if (flow === "many") {
      outputs[port] = await keepBorn(store, node, port, value as readonly Born<Kind>[]);
    } else if (flow === "each" && !isPerItem(node.step)) {
      const members: StoredMember[] = new Array(memberCount).fill(null);
      for (const [member, each] of value as ReadonlyMap<Member, unknown>) {
        if (!isVerdict(each)) members[member] = await keep(store, kind, each);
        else if (each.status === "failed") failedMembers.set(member, each.reason);
        else members[member] = { rejected: each.reason, numbers: each.numbers };
      }
      if (members.length > memberCount) {
        throw new TypeError(
          `${nameOf(node)} spoke of member ${members.length - 1} of ${memberCount}`,
        );
      }
      outputs[port] = { members };
    } else outputs[port] = { one: await keep(store, kind, value) };
  }
  return { outputs, failedMembers };
}

/** Stores the values that new items were born with. */
export async function keepBorn(
  store: ArtifactStore,
  node: GraphNode,
  port: string,
  born: readonly Born<Kind>[],
): Promise<StoredOutput> {
  const { kind } = node.step.outputs[port];
  const kept: StoredBirth[] = [];
  const names = new Set<string>();
  for (const birth of born) {
    if (names.has(birth.name)) {
      throw new TypeError(`${nameOf(node)} gave birth to two items named "${birth.name}"`);
    }
    names.add(birth.name);
    if ("value" in birth) {
      kept.push({ name: birth.name, ref: await keep(store, kind, birth.value) });
    }
  }
  return { born: kept };
}

async function keep(store: ArtifactStore, kind: Kind, value: unknown): Promise<ArtifactRef> {
  if (isHandle(value)) {
    if (value.ref.kind === kind.name) return value.ref;
    throw new TypeError(`A handle of ${value.ref.kind} was passed on as ${kind.name}`);
  }
  const { bytes, facts } = kind.encode(value);
  const hash = sha256(bytes);
  await store.put(bytes, hash);
  return { kind: kind.name, hash, byteLength: bytes.length, facts };
}

function isVerdict(value: unknown): value is Rejected | Failed {
  if (typeof value !== "object" || value === null || !("status" in value)) return false;
  return value.status === "rejected" || value.status === "failed";
}

function nameOf(node: GraphNode): string {
  return `Step "${node.step.name}"`;
}
