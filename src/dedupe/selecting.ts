import { type DecisionState, pairKey } from "../decisions/decisions.ts";
import { type choice, type Pair, type Verdict, verdicts } from "../steps/dedupe/kinds.ts";
import type { ValueOf } from "../runtime/artifact.ts";
import {
  byName,
  type Candidate,
  type Comparison,
  comparisonBy,
  type ComparisonOptions,
  type Criterion,
} from "./criteria.ts";

/** What becomes of a picture, and why. */
export type Choice = ValueOf<typeof choice>;

export interface SelectOptions extends ComparisonOptions {
  /** The verdicts that are acted on. */
  readonly within: readonly Verdict[];
  /** What decides first; names decide where all of it leaves a tie. */
  readonly order: readonly Criterion[];
  readonly decisions?: Pick<DecisionState, "keep" | "alike">;
  /** Compared pairs, for the distances in the reasons. */
  readonly pairs?: readonly Pair[];
}

/**
 * What becomes of each picture, by name. A picture is judged once, in its widest group of `within`.
 *
 * Of each group the best by `order` is kept. What a person decided comes first: a picture that is to be
 * kept is kept (one file of it, where there are copies to the byte), and then the rules choose no other;
 * one that is not to be kept is set aside with all its copies, and the next best is kept. Two pictures
 * that a person called unlike are not set aside for one another. A group loses its last picture only
 * where a person said so of each. The same input gives the same choices, whatever its order.
 */
export function selectKeepers(
  candidates: readonly Candidate[],
  options: SelectOptions,
): Map<string, Choice> {
  const groups = new Map<string, Candidate[]>();
  const choices = new Map<string, Choice>();
  for (const candidate of candidates) {
    const group = judgedGroup(candidate, options.within);
    if (group === null) choices.set(candidate.name, aloneChoice(candidate, options));
    else if (groups.has(group)) groups.get(group)!.push(candidate);
    else groups.set(group, [candidate]);
  }
  const pairs = new Map(options.pairs?.map((pair) => [pairKey(pair.a, pair.b), pair]));
  for (const [id, members] of groups) {
    new Judgement(id, members, { ...options, pairs }).into(choices);
  }
  return choices;
}

/** The widest of a picture's groups that are acted on. */
function judgedGroup({ groups }: Candidate, within: readonly Verdict[]): string | null {
  const widest = verdicts.findLast((each) => within.includes(each) && groups[each] !== null);
  return widest === undefined ? null : groups[widest];
}

/** For a picture like no other; a person's word counts here too. */
function aloneChoice({ sha256, groups }: Candidate, { decisions }: SelectOptions): Choice {
  const said = decisions?.keep[sha256];
  const base = { group: null, verdict: null, is_keeper: false, kept_instead: null } as const;
  if (said === undefined) {
    const other = verdicts.find((verdict) => groups[verdict] !== null);
    const why = other === undefined
      ? "no other picture is like it"
      : `others are like it by "${other}" alone, which is not acted on`;
    return { ...base, action: "keep", reasons: [why], decided_by: "rules" };
  }
  return said
    ? { ...base, action: "keep", reasons: [personKeeps], decided_by: "person" }
    : { ...base, action: "set_aside", reasons: [personDrops], decided_by: "person" };
}

const personKeeps = "a person decided to keep it";
const personDrops = "a person decided not to keep it";

interface JudgeOptions extends Omit<SelectOptions, "pairs"> {
  readonly pairs: ReadonlyMap<string, Pair>;
}

/** One group's keepers, and for whom the others are set aside. */
class Judgement {
  /** Best first. */
  readonly #ranked: readonly Candidate[];
  readonly #comparisons: readonly Comparison[];
  readonly #kept: Candidate[] = [];
  readonly #keptByPerson = new Set<Candidate>();

  constructor(
    readonly id: string,
    members: readonly Candidate[],
    readonly options: JudgeOptions,
  ) {
    const { order, formats } = options;
    this.#comparisons = [
      ...order.map((criterion) => comparisonBy(criterion, members, { formats })),
      ...(order.includes("name") ? [] : [byName]),
    ];
    this.#ranked = members.toSorted((a, b) => {
      for (const { compare } of this.#comparisons) {
        const difference = compare(a, b);
        if (difference !== 0) return difference;
      }
      return 0;
    });
  }

  into(choices: Map<string, Choice>): void {
    this.#keepDecided();
    this.#keepBest();
    this.#keepUnlike();
    for (const member of this.#ranked) {
      choices.set(
        member.name,
        this.#kept.includes(member) ? this.#keeperChoice(member) : this.#otherChoice(member),
      );
    }
  }

  #keepDecided() {
    for (const member of this.#ranked) {
      if (this.#said(member) !== true) continue;
      if (this.#kept.some(({ sha256 }) => sha256 === member.sha256)) continue;
      this.#kept.push(member);
      this.#keptByPerson.add(member);
    }
  }

  #keepBest() {
    if (this.#kept.length > 0) return;
    const best = this.#ranked.find((member) => this.#said(member) !== false);
    if (best !== undefined) this.#kept.push(best);
  }

  /** A picture that a person called unlike every keeper has nobody to stand in for it. */
  #keepUnlike() {
    for (const member of this.#ranked) {
      if (this.#kept.includes(member) || this.#said(member) === false) continue;
      if (this.#standIn(member) === undefined) this.#kept.push(member);
    }
  }

  #said({ sha256 }: Candidate): boolean | undefined {
    return this.options.decisions?.keep[sha256];
  }

  /** The best keeper that a person did not call unlike it. */
  #standIn(member: Candidate): Candidate | undefined {
    return this.#kept.find((keeper) => !this.#areUnlike(keeper, member));
  }

  #areUnlike(a: Candidate, b: Candidate): boolean {
    return this.options.decisions?.alike[pairKey(a.sha256, b.sha256)] === false;
  }

  #keeperChoice(member: Candidate): Choice {
    const others = this.#ranked.filter((each) => !this.#kept.includes(each));
    const runnerUp = others.find(({ sha256 }) => sha256 !== member.sha256) ?? others[0];
    const unlike = this.#kept.find((each) => each !== member && this.#areUnlike(each, member));
    const isByPerson = this.#keptByPerson.has(member);
    const reasons = isByPerson
      ? [personKeeps]
      : unlike !== undefined && this.#kept[0] !== member
      ? [`a person decided that it is not like "${unlike.name}"`]
      : runnerUp === undefined
      ? [this.#aloneInGroup()]
      : this.#bestReasons(member, runnerUp);
    const decided = isByPerson || unlike !== undefined && this.#kept[0] !== member;
    return {
      action: "keep",
      group: this.id,
      verdict: this.#closest(member, this.#ranked.filter((each) => each !== member)),
      is_keeper: true,
      kept_instead: null,
      reasons,
      decided_by: decided ? "person" : "rules",
    };
  }

  #aloneInGroup(): string {
    return this.#ranked.length === 1
      ? "the others of its group are judged in another one"
      : "a person decided that the others are not like it";
  }

  /** Why the best is better than the one after it. */
  #bestReasons(member: Candidate, runnerUp: Candidate): string[] {
    const lead = `the best of ${this.#ranked.length}`;
    if (this.#ranked[0] !== member) return [`${lead} that a person did not decide against`];
    const [first = "nothing tells them apart", ...more] = this.#differences(member, runnerUp);
    return [`${lead}: ${first}`, ...more];
  }

  #otherChoice(member: Candidate): Choice {
    const isDropped = this.#said(member) === false;
    const keeper = this.#standIn(member) ?? (isDropped ? this.#kept[0] : undefined);
    const likeness = keeper === undefined ? [] : this.#likeness(keeper, member);
    const isByPerson = isDropped || (keeper !== undefined && this.#keptByPerson.has(keeper));
    const differences = keeper === undefined || isDropped ? [] : this.#differences(keeper, member);
    const decisive = isDropped
      ? [personDrops]
      : isByPerson && keeper?.sha256 !== member.sha256
      ? [`a person decided to keep "${keeper!.name}"`]
      : [];
    const [first, ...more] = [...decisive, ...differences];
    return {
      action: "set_aside",
      group: this.id,
      verdict: this.#closest(member, keeper === undefined ? this.#ranked : [keeper]),
      is_keeper: false,
      kept_instead: keeper?.name ?? null,
      reasons: [...(first === undefined ? [] : [first]), ...likeness, ...more],
      decided_by: isByPerson ? "person" : "rules",
    };
  }

  /**
   * Where two differ by the criteria, in their order; what speaks for the second one says so. Names
   * always differ, and count as a reason only where they decide.
   */
  #differences(keeper: Candidate, other: Candidate): string[] {
    const differing = this.#comparisons.filter(({ compare }) => compare(keeper, other) !== 0);
    return differing.filter((each, index) => each !== byName || index === 0)
      .map(({ compare, words }) =>
        compare(keeper, other) < 0 ? words(keeper, other) : `in spite of ${words(other, keeper)}`
      );
  }

  /** How alike two are, in numbers. */
  #likeness(a: Candidate, b: Candidate): string[] {
    if (a.sha256 === b.sha256) return ["the same bytes"];
    const pair = this.options.pairs.get(pairKey(a.sha256, b.sha256));
    return pair === undefined ? [] : [pairWords(pair)];
  }

  /** The strictest verdict that a picture shares with any of the others. */
  #closest(member: Candidate, others: readonly Candidate[]): Verdict | null {
    const isShared = (verdict: Verdict) =>
      member.groups[verdict] !== null &&
      others.some((each) => each !== member && each.groups[verdict] === member.groups[verdict]);
    return verdicts.find(isShared) ?? verdicts.find((each) => member.groups[each] === this.id) ??
      null;
  }
}

const verdictWords: Readonly<Record<Verdict, string>> = {
  exact: "the same bytes",
  same_picture: "the same picture",
  similar: "similar",
};

/** `the same picture: dHash 1, pHash 2 of 64 bits apart; cosine 0.981`. */
export function pairWords(pair: Pair): string {
  const numbers = distanceWords(pair);
  const words = pair.verdict === null ? "compared" : verdictWords[pair.verdict];
  return numbers === "" ? words : `${words}: ${numbers}`;
}

/** The numbers that two pictures were compared by, as far as there are any. */
export function distanceWords({ dhash_distance, phash_distance, cosine }: Pair): string {
  const bits = [["dHash", dhash_distance], ["pHash", phash_distance]]
    .filter(([, bits]) => bits !== null).map(([name, bits]) => `${name} ${bits}`);
  return [
    bits.length === 0 ? "" : `${bits.join(", ")} of 64 bits apart`,
    cosine === null ? "" : `cosine ${cosine.toFixed(3)}`,
  ].filter((part) => part !== "").join("; ");
}
