import type { Kind } from "./artifact.ts";
import { chosenOf, type ItemChoice } from "./chosen_items.ts";
import { type GraphNode, outputPorts } from "./graph.ts";
import type { Json } from "./hash.ts";
import { Item } from "./items.ts";
import { keyedParams } from "./params.ts";
import { type Performer, serviceOf } from "./performer.ts";
import type { PlannedGroup } from "./plan.ts";
import type { Resolution, Resolver } from "./resolver.ts";
import { isSource, sourceSpace } from "./stages.ts";
import type { Born, Services, ToolContext } from "./step.ts";
import type { NodeParts } from "./task_key.ts";

type Tools = Readonly<Record<string, string>>;

interface PartsOptions {
  readonly lastTools?: () => Tools | undefined;
  readonly signal?: AbortSignal;
}

/**
 * What all tasks of a node share in their keys; asks the services for models. Where this process may not
 * load native libraries, a plan takes their versions to be those that the node had when it last ran.
 */
export async function partsOf(
  node: GraphNode,
  services: Services,
  { lastTools, signal }: PartsOptions = {},
): Promise<NodeParts> {
  const { step, params } = node;
  const tools = await toolsOf(node, services, signal).catch((error: unknown) => {
    if (lastTools === undefined || mayLoadLibraries()) throw error;
    return lastTools() ?? {};
  });
  return {
    step: step.name,
    version: node.version,
    // A scan's parameters choose items; what is found in a file does not depend on them.
    params: isSource(node) ? {} : keyedParams(step.params, params) as Record<string, Json>,
    tools,
  };
}

async function toolsOf(
  node: GraphNode,
  services: Services,
  signal: AbortSignal | undefined,
): Promise<Tools> {
  const { step, params } = node;
  const context: ToolContext = { service: (key) => serviceOf(services, node, key), signal };
  const tools = { ...await step.tools?.(params, context) };
  if (!isSource(node)) return tools;
  for (const [, port] of outputPorts(step)) {
    Object.assign(tools, await port.kind.identifyTools?.());
  }
  return tools;
}

function mayLoadLibraries(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Says beside each group of tasks to run what it would cost, where the step knows. */
export async function withForecasts(
  groups: readonly PlannedGroup[],
  nodes: readonly GraphNode[],
  services: Services,
): Promise<PlannedGroup[]> {
  return await Promise.all(groups.map(async (group) => {
    const node = nodes.find(({ id }) => id === group.node)!;
    if (group.verdict !== "run" && group.verdict !== "perhaps") return group;
    const context: ToolContext = { service: (key) => serviceOf(services, node, key) };
    const forecast = await node.step.forecast?.(group.count, node.params, context);
    return forecast === undefined ? group : { ...group, forecast };
  }));
}

/** What each scan finds, by node; nothing of it is read. Throws where one cannot. */
export async function scanAll(
  nodes: readonly GraphNode[],
  performer: Performer,
): Promise<ReadonlyMap<string, readonly Born<Kind>[]>> {
  const found = new Map<string, readonly Born<Kind>[]>();
  for (const node of nodes.filter(isSource)) {
    const { result } = await performer.scan(node, { refs: {}, keyed: {} });
    if (result.status !== "produced") throw new Error(result.reason);
    found.set(node.id, Object.values(result.outputs)[0] as readonly Born<Kind>[]);
  }
  return found;
}

/** Names the items of a scan, reading none of them. */
export async function scanForPlan(
  node: GraphNode,
  performer: Performer,
  resolver: Resolver,
  choice: ItemChoice,
): Promise<{ readonly problem?: string }> {
  const { result } = await performer.scan(node, { refs: {}, keyed: {} });
  if (result.status !== "produced") return { problem: result.reason };
  const [, port] = sourceSpace(node).split(".") as [string, string];
  const space = resolver.space(node, port);
  const born = result.outputs[port] as readonly Born<never>[];
  const { kept, isLimited } = chosenOf(born, node, choice);
  for (const birth of kept) {
    if ("file" in birth) space.items.push(new Item(birth.name, birth.file));
  }
  space.isCut = isLimited || (result.isPartial ?? false);
  resolver.settle(node, undefined, "produced");
  return {};
}

/** Reads something outside for a plan; what it makes is kept in memory. */
export async function lookForPlan(
  node: GraphNode,
  performer: Performer,
  resolver: Resolver,
): Promise<Resolution> {
  const resolution = resolver.resolve(node, undefined);
  if (resolution.type === "blocked") return resolution;
  const { inputs } = resolution;
  const performed = await performer.perform(node, undefined, inputs, performer.newScope());
  return performed.type === "stored"
    ? resolver.resolveSeen(node, inputs, performed.result)
    : { type: "blocked", status: "held-up", by: node.id };
}
