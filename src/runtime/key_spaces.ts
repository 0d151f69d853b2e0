import type { Related } from "./diagnostic.ts";
import { spaceOfOutput } from "./graph.ts";
import type { Known, WiringContext } from "./known_node.ts";
import type { Port } from "./step.ts";

/** An input with the items that its wire brings. */
interface Side {
  readonly input: string;
  readonly space: string;
}

/** Follows the items of each scan along the wires, and reports nodes that mix those of two. */
export class KeySpaces {
  /** Wires that are told to mix items: their nodes by the two scans. */
  readonly #mixed = new Map<string, Set<string>>();

  constructor(readonly context: WiringContext) {}

  /** Gives a node its space; returns the inputs that bring other items than most of its inputs do. */
  find(known: Known): readonly string[] {
    const sides = Object.keys(known.wires).flatMap((input) => this.#sideOf(known, input));
    const main = mostOf(sides);
    known.space = main?.space;
    const others = sides.filter(({ space }) => space !== main?.space);
    for (const other of others) this.#report(known, main!, other);
    return others.map(({ input }) => input);
  }

  #sideOf(known: Known, input: string): readonly Side[] {
    const wire = known.wires[input]!;
    const producer = this.context.known.get(wire.node)!;
    const space = producer.isBroken ? undefined : spaceOf(producer, wire.port);
    const { flow } = (known.step.inputs as Record<string, Port>)[input]!;
    return flow === "one" || space === undefined ? [] : [{ input, space }];
  }

  #report(known: Known, main: Side, other: Side) {
    known.isBroken = true;
    if (this.#isTold(known, [main, other])) return;
    const born = ({ space }: Side) => `the items of "${makerOf(space)}"`;
    const related: Related[] = [{
      message: `"${main.input}" has ${born(main)}`,
      span: known.wireSpans[main.input]!,
    }];
    this.context.report(
      "mixed-items",
      `Node "${known.declaration.id}" mixes ${born(main)} with ${born(other)}`,
      known.wireSpans[other.input]!,
      { related, help: this.#help([main.space, other.space]) },
    );
  }

  /** A node that follows the wrong scan meets the items of the other at every node that uses both. */
  #isTold({ wires }: Known, sides: readonly Side[]): boolean {
    const spaces = sides.map(({ space }) => space).sort().join(" ");
    const told = this.#mixed.get(spaces) ?? new Set();
    this.#mixed.set(spaces, told);
    // What a scan itself gives is wired to each of them anew, perhaps wrongly each time.
    const followers = sides.filter(({ input, space }) =>
      !space.startsWith(`${wires[input]!.node}.`)
    )
      .map(({ input }) => wires[input]!.node);
    const isTold = followers.some((id) => told.has(id));
    for (const id of followers) told.add(id);
    return isTold;
  }

  #help(spaces: readonly string[]): string {
    const maker = spaces.map(makerOf).find((id) =>
      this.context.known.get(id)!.step.world !== "reads"
    );
    return maker === undefined
      ? "Both inputs must come from the same scan, or from nodes that follow it"
      : `"${maker}" makes new items of those it is given: take both inputs from nodes that follow it, or both from before`;
  }
}

/** A side whose items most inputs have; the first of them where none has more. */
function mostOf(sides: readonly Side[]): Side | undefined {
  const count = ({ space }: Side) => sides.filter((each) => each.space === space).length;
  return sides.toSorted((a, b) => count(b) - count(a))[0];
}

/** The node that a space is born at. */
function makerOf(space: string): string {
  return space.slice(0, space.indexOf("."));
}

function spaceOf({ declaration: { id }, step, space }: Known, port: string): string | undefined {
  return spaceOfOutput({ id, step, space, version: 1, params: {}, wires: {} }, port);
}
