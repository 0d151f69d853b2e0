import { bitsOf, hammingPairs } from "../search/hamming.ts";
import {
  type Content,
  type HashDistance,
  hashDistance,
  hashesOf,
  mayBeSame,
  thumbnailsApart,
  turnedHashes,
} from "./content.ts";
import { completeGroups, Links } from "./grouping.ts";

/** Levels by which thumbnails differ that cannot be told apart. */
const nodeRadius = 1;

/** Contents that cannot be told apart by what hashes are compared with. */
export interface Node {
  /** Places of contents, ascending; the first stands for all. */
  readonly contents: number[];
  /** How far the thumbnail of one is from that of the first, at most. */
  radius: number;
}

export interface SamePictures {
  readonly nodes: readonly Node[];
  /** Which node a content is in. */
  readonly nodeOf: Uint32Array;
  readonly links: Links;
  /** Groups of contents that are the same picture, single ones too; ascending. */
  readonly pictures: readonly (readonly number[])[];
}

export interface SamePictureOptions {
  /** Bits of 64. */
  readonly distance: number;
  readonly orientations: boolean;
  /** Pairs of contents that a person told apart. */
  readonly apart: readonly (readonly [number, number])[];
  /** Contents that a person has decided something about. */
  readonly decided: ReadonlySet<number>;
}

/**
 * Groups contents that are the same picture: equal decoded pixels, or dHash and pHash both within the
 * distance, on white and on black, with sides in the same ratio and thumbnails that agree. Flat pictures
 * (hashes say nothing of them) are the same by their pixels alone, and what the camera says are two
 * shots is not the same.
 *
 * What thumbnails may differ by (`thumbnailsAgree`) is measured. Of 94 photographs 98 % of the copies
 * are found that are scaled to 50 %, 96 % at JPEG quality 15, all from 30 on, 97 % at 448 px, 89 % at a
 * quarter; of 149 pages, drawings and icons 83 % at 50 % and 90 % at quality 90. Of 1,400 pairs of one
 * form, receipt, dialog, label or caption with other words, and of 3,500 icons on four grounds, none is
 * taken for the same but those that are drawn the same. What is not told apart is a change of about a
 * ten-thousandth of the picture: a clock of 14 px in a screenshot that is recompressed.
 */
export function samePictures(
  contents: readonly Content[],
  options: SamePictureOptions,
): SamePictures {
  const { nodes, nodeOf } = nodesOf(contents, options.decided);
  const links = new Links(nodes.length);
  linkEqualPixels(contents, nodes, links);
  eachNearPair(contents, nodes, options, (a, b, distance) => {
    if (links.isLinked(a, b)) return;
    const [one, other] = [contents[nodes[a]!.contents[0]!]!, contents[nodes[b]!.contents[0]!]!];
    const slack = nodes[a]!.radius + nodes[b]!.radius;
    if (!mayBeSame(one, other, { orientation: distance.orientation, slack })) return;
    links.add(a, b, -distance.dhash - distance.phash);
  });
  const apart = options.apart.map(([a, b]) => [nodeOf[a]!, nodeOf[b]!] as const);
  const { groups } = completeGroups(links, { apart });
  return { nodes, nodeOf, links, pictures: picturesOf(nodes, groups) };
}

function picturesOf(nodes: readonly Node[], groups: readonly (readonly number[])[]) {
  const grouped = new Set(groups.flat());
  const single = nodes.flatMap((node, at) => grouped.has(at) ? [] : [node.contents]);
  const joined = groups.map((group) => group.flatMap((at) => nodes[at]!.contents));
  const pictures = [...single, ...joined].map((each) => [...each].sort((a, b) => a - b));
  return pictures.sort((a, b) => a[0]! - b[0]!);
}

/**
 * Puts together what would be linked with the same others: equal hashes, size and shot, and thumbnails
 * that differ from the first's by rounding.
 */
function nodesOf(contents: readonly Content[], decided: ReadonlySet<number>) {
  const byKey = new Map<string, Node[]>();
  const nodes: Node[] = [];
  const nodeOf = new Uint32Array(contents.length);
  const numbers = new Map<Node, number>();
  contents.forEach((content, place) => {
    const key = decided.has(place) ? content.sha256 : keyOf(content);
    const alike = byKey.get(key) ?? [];
    byKey.set(key, alike);
    let node = alike.find(({ contents: [first] }) =>
      thumbnailsApart(contents[first!]!, content, nodeRadius) <= nodeRadius
    );
    if (node === undefined) {
      node = { contents: [], radius: 0 };
      numbers.set(node, nodes.length);
      nodes.push(node);
      alike.push(node);
    } else {
      const first = contents[node.contents[0]!]!;
      node.radius = Math.max(node.radius, thumbnailsApart(first, content, nodeRadius));
    }
    node.contents.push(place);
    nodeOf[place] = numbers.get(node)!;
  });
  return { nodes, nodeOf };
}

function keyOf(content: Content): string {
  const { fingerprint: { is_flat, pixels, width, height }, shot } = content;
  const taken = shot === undefined ? "" : `${shot.from} ${shot.camera} ${shot.takenAt}`;
  return is_flat ? pixels : [...hashesOf(content), width, height, taken].join(" ");
}

function linkEqualPixels(contents: readonly Content[], nodes: readonly Node[], links: Links) {
  const byPixels = new Map<string, Set<number>>();
  nodes.forEach((node, at) => {
    for (const place of node.contents) {
      const { pixels } = contents[place]!.fingerprint;
      byPixels.set(pixels, (byPixels.get(pixels) ?? new Set()).add(at));
    }
  });
  for (const same of byPixels.values()) {
    const equal = [...same];
    equal.forEach((a, at) => {
      for (const b of equal.slice(at + 1)) if (!links.isLinked(a, b)) links.add(a, b, 1);
    });
  }
}

/** Nodes whose first contents have the same hashes under an orientation. */
interface Row {
  readonly hashes: readonly string[];
  readonly orientation: number;
  readonly nodes: number[];
}

/**
 * Visits nodes with hashes within the distance, `a` < `b`; a pair may come more than once where
 * orientations are compared. The distance is that of the nodes' first contents.
 */
export function eachNearPair(
  contents: readonly Content[],
  nodes: readonly Node[],
  { distance, orientations }: Pick<SamePictureOptions, "distance" | "orientations">,
  visit: (a: number, b: number, distance: HashDistance) => void,
): void {
  const firstOf = (node: number) => contents[nodes[node]!.contents[0]!]!;
  const meet = (a: number, b: number, distance?: HashDistance) => {
    if (a === b) return;
    const [low, high] = a < b ? [a, b] : [b, a];
    visit(low, high, distance ?? hashDistance(firstOf(low), firstOf(high), orientations)!);
  };
  const rows = rowsOf(nodes.map((_, at) => firstOf(at)), orientations);
  for (const row of rows) {
    if (row.orientation !== 1) continue;
    row.nodes.forEach((a, at) => {
      for (let next = at + 1; next < row.nodes.length; next++) meet(a, row.nodes[next]!, equal);
    });
  }
  const columns = [0, 1, 2, 3].map((column) =>
    BigUint64Array.from(rows, ({ hashes }) => BigInt(`0x${hashes[column]}`))
  );
  const [d, p, dBlack, pBlack] = columns.map(({ buffer }) => new Int32Array(buffer));
  hammingPairs(columns, {
    distance,
    visit: (i, j) => {
      const [one, other] = [rows[i]!, rows[j]!];
      if (one.orientation !== 1 && other.orientation !== 1) return;
      const dhash = Math.max(bitsApart(d!, i, j), bitsApart(dBlack!, i, j));
      const phash = Math.max(bitsApart(p!, i, j), bitsApart(pBlack!, i, j));
      const isUpright = one.orientation === 1 && other.orientation === 1;
      const found = isUpright ? { dhash, phash, orientation: 1 } : undefined;
      for (const a of one.nodes) for (const b of other.nodes) meet(a, b, found);
    },
  });
}

const equal: HashDistance = { dhash: 0, phash: 0, orientation: 1 };

function bitsApart(words: Int32Array, i: number, j: number): number {
  return bitsOf(words[2 * i]! ^ words[2 * j]!, words[2 * i + 1]! ^ words[2 * j + 1]!);
}

function rowsOf(firsts: readonly Content[], orientations: boolean): Row[] {
  const rows = new Map<string, Row>();
  firsts.forEach((content, node) => {
    if (content.fingerprint.is_flat) return;
    for (let orientation = 1; orientation <= (orientations ? 8 : 1); orientation++) {
      const hashes = orientation === 1 ? hashesOf(content) : turnedHashes(content, orientation);
      if (hashes === undefined) continue;
      const key = `${orientation === 1} ${hashes.join(" ")}`;
      const row = rows.get(key) ?? { hashes, orientation, nodes: [] };
      if (row.nodes.at(-1) !== node) row.nodes.push(node);
      rows.set(key, row);
    }
  });
  return [...rows.values()];
}
