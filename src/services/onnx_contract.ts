import type { ModelEntry } from "../vision/registry.ts";
import type { Network, TensorFacts } from "./onnx_runner.ts";

type Contract = ModelEntry["inputs"][number];

/** Where a network is another than its entry says, as the ends of sentences; empty where it is not. */
export function contractFaults(entry: ModelEntry, network: Network): readonly string[] {
  return [
    ...sideFaults("input", entry.inputs, network.inputs),
    ...sideFaults("output", entry.outputs, network.outputs),
    ...network.inputs
      .filter(({ name }) => !entry.inputs.some((wanted) => wanted.name === name))
      .map((input) => `its input ${factsText(input)} is not in models.yaml`),
  ];
}

/** Whether many items can go in one call. */
export function isBatchFree({ inputs }: ModelEntry, network: Network): boolean {
  return inputs.every(({ name, dims }) =>
    typeof dims[0] === "string" &&
    typeof network.inputs.find((input) => input.name === name)?.dims[0] === "string"
  );
}

function sideFaults(
  side: "input" | "output",
  wanted: readonly Contract[],
  found: readonly TensorFacts[],
): readonly string[] {
  return wanted.flatMap((contract) => {
    const facts = found.find(({ name }) => name === contract.name);
    if (facts === undefined) {
      const has = found.map(factsText).join(", ");
      return [`it has no ${side} ${factsText(contract)} (its ${side}s: ${has})`];
    }
    const isAlike = facts.type === contract.type && areDimsAlike(side, contract.dims, facts.dims);
    return isAlike ? [] : [`its ${side} ${factsText(facts)} is wanted as ${factsText(contract)}`];
  });
}

/** What is free in the network takes any number; a batch of one is served one by one. */
function areDimsAlike(
  side: "input" | "output",
  wanted: Contract["dims"],
  found: TensorFacts["dims"],
): boolean {
  // Exporters leave the shape of an output open where they cannot derive it.
  if (side === "output" && found.length === 0) return true;
  return wanted.length === found.length && wanted.every((dim, at) => {
    const other = found[at]!;
    if (typeof other === "string" || dim === other) return true;
    return typeof dim === "string" && (side === "output" || (at === 0 && other === 1));
  });
}

function factsText({ name, type, dims }: TensorFacts): string {
  const shown = dims.map((dim) => dim === "" ? "?" : String(dim)).join(", ");
  return `"${name}" (${type}, [${shown}])`;
}
