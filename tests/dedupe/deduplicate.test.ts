import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Content } from "../../src/dedupe/content.ts";
import { type DedupeOptions, deduplicate } from "../../src/dedupe/deduplicate.ts";
import { thumbnailBytes } from "../../src/dedupe/thumbnail.ts";

const settings: DedupeOptions = {
  threshold: 0.9,
  sameDistance: 4,
  hashSimilarDistance: 8,
  orientations: false,
  burstSeconds: 3,
  alike: {},
};

function sha(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

interface Look {
  readonly hash?: bigint;
  readonly phash?: bigint;
  readonly black?: bigint;
  readonly pixels?: string;
  readonly size?: readonly [number, number];
  readonly isFlat?: boolean;
  readonly grey?: number;
  readonly vector?: readonly number[];
  readonly at?: string;
  readonly copies?: number;
}

const hex = (hash: bigint) => hash.toString(16).padStart(16, "0");

/** A content; what is not said is as no other's. */
function content(name: string, look: Look = {}): Content {
  const own = BigInt(`0x${sha(name).slice(0, 16)}`);
  const hash = look.hash ?? own;
  const [width, height] = look.size ?? [400, 300];
  return {
    sha256: sha(name),
    fingerprint: {
      pixels: look.pixels ?? name,
      width,
      height,
      dhash: hex(hash),
      phash: hex(look.phash ?? hash),
      dhash_black: look.black === undefined ? null : hex(look.black),
      phash_black: look.black === undefined ? null : hex(look.black),
      is_flat: look.isFlat ?? false,
      dhash_orientations: [],
      phash_orientations: [],
    },
    thumbnail: look.grey === undefined ? undefined : new Uint8Array(thumbnailBytes).fill(look.grey),
    embedding: look.vector === undefined ? undefined : Float32Array.from(look.vector),
    shot: look.at === undefined ? undefined : { camera: "Cam", takenAt: look.at, from: "exif" },
    copies: look.copies ?? 1,
  };
}

async function found(
  looks: Readonly<Record<string, Look>>,
  options: Partial<DedupeOptions> = {},
) {
  const names = new Map(Object.keys(looks).map((name) => [sha(name), name]));
  const contents = Object.entries(looks).map(([name, look]) => content(name, look));
  contents.sort((x, y) => x.sha256 < y.sha256 ? -1 : 1);
  const result = await deduplicate(contents, { ...settings, ...options });
  const groups = result.groups.map(({ verdict, members }) =>
    `${verdict}: ${members.map((each) => names.get(each)).sort().join(" ")}`
  );
  return { ...result, named: groups.sort() };
}

/** On the unit circle, by degrees. */
function direction(degrees: number): number[] {
  const angle = degrees * Math.PI / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

Deno.test("equal files are exact, near hashes the same picture, near vectors similar", async () => {
  const { named, verdicts } = await found({
    a: { copies: 2, vector: direction(0), hash: 0xf0f0n },
    b: { vector: direction(5), hash: 0xf0f1n },
    c: { vector: direction(15) },
    d: { vector: direction(90) },
  });
  assert.deepEqual(named, ["exact: a", "same_picture: a b", "similar: a b c"]);
  const of = (name: string) => verdicts.find(({ sha256 }) => sha256 === sha(name))!;
  assert.equal(of("a").verdict, "exact");
  assert.equal(of("b").verdict, "same_picture");
  assert.equal(of("c").verdict, "similar");
  assert.equal(of("d").verdict, null);
  assert.notEqual(of("d").nearest, null);
});

Deno.test("a chain does not put its ends together", async () => {
  // The threshold of 0.9 is an angle of 25.8 degrees: a~b, b~c, a≁c; b is nearer to c.
  const { named } = await found({
    a: { vector: direction(0) },
    b: { vector: direction(20) },
    c: { vector: direction(38) },
  });
  assert.deepEqual(named, ["similar: b c"]);
});

Deno.test("one hash, one background, the aspect or the thumbnail can tell pictures apart", async () => {
  const pairs: Record<string, [Look, Look]> = {
    "phash only": [{ hash: 0n, phash: 0xffffffn }, { hash: 0n, phash: 0n }],
    "on black": [{ hash: 0n, black: 0xffffn }, { hash: 0n, black: 0n }],
    "aspect": [{ hash: 0n, size: [400, 300] }, { hash: 0n, size: [400, 320] }],
    "thumbnail": [{ hash: 0n, grey: 100 }, { hash: 0n, grey: 107 }],
    "flat": [{ hash: 0n, isFlat: true }, { hash: 0n, isFlat: true }],
    "5 bits": [{ hash: 0n }, { hash: 0b11111n }],
    "another shot": [{ hash: 0n, at: "2024-05-01T12:00:00" }, {
      hash: 0n,
      at: "2024-05-01T12:00:01",
    }],
  };
  for (const [what, [one, other]] of Object.entries(pairs)) {
    const { groups } = await found({ one, other }, { hashSimilarDistance: 0 });
    assert.deepEqual(groups.filter(({ verdict }) => verdict === "same_picture"), [], what);
  }
  const same: Record<string, [Look, Look]> = {
    "4 bits": [{ hash: 0n }, { hash: 0b1111n }],
    "flat, equal pixels": [{ isFlat: true, pixels: "p" }, { isFlat: true, pixels: "p" }],
    "scaled": [{ hash: 0n, size: [400, 300] }, { hash: 0n, size: [133, 100] }],
    "thumbnail": [{ hash: 0n, grey: 100 }, { hash: 0n, grey: 106 }],
    "less precise time": [{ hash: 0n, at: "2024-05-01T12:00:00" }, {
      hash: 0n,
      at: "2024-05-01T12:00:00.12",
    }],
  };
  for (const [what, [one, other]] of Object.entries(same)) {
    const { named } = await found({ one, other });
    assert.ok(named.includes("same_picture: one other"), what);
  }
});

Deno.test("a person's word puts a pair together, or keeps it apart", async () => {
  const key = (one: string, other: string) => [sha(one), sha(other)].sort().join(":");
  const looks = {
    a: { vector: direction(0), hash: 0n },
    b: { vector: direction(1), hash: 0n },
    c: { vector: direction(80) },
    d: { vector: direction(85) },
  };
  const apart = await found(looks, { alike: { [key("a", "b")]: false, [key("b", "c")]: true } });
  assert.deepEqual(apart.named, ["similar: b c"]);
  assert.ok(apart.pairs.some(({ a, b, verdict }) => `${a}:${b}` === key("a", "b") && !verdict));
  const both = await found(looks, {
    alike: { [key("a", "b")]: false, [key("a", "c")]: true, [key("b", "c")]: true },
  });
  assert.match(both.warnings.join(), /1 pairs decided to be alike are not grouped/);
});

Deno.test("frames of one camera in a row are a burst, copies of one frame are not", async () => {
  const at = (second: number) => `2024-05-01T12:00:0${second}`;
  const burst = await found({
    a: { vector: direction(0), at: at(0) },
    b: { vector: direction(2), at: at(2) },
    c: { vector: direction(4), at: at(4) },
  });
  assert.deepEqual(burst.groups.map(({ is_burst }) => is_burst), [true]);
  const slow = await found({
    a: { vector: direction(0), at: at(0) },
    b: { vector: direction(2), at: at(5) },
  });
  assert.deepEqual(slow.groups.map(({ is_burst }) => is_burst), [false]);
  const copies = await found({
    a: { vector: direction(0), at: at(0), hash: 0n },
    b: { vector: direction(1), at: at(0), hash: 1n },
  });
  assert.deepEqual(copies.groups.map(({ is_burst }) => is_burst), [false]);
});

Deno.test("without embeddings hashes decide what is similar, and a warning says so", async () => {
  const { named, similarBy, warnings, cosineHistogram } = await found({
    a: { hash: 0n },
    b: { hash: 0b1111111n },
    c: {},
  });
  assert.deepEqual(named, ["similar: a b"]);
  assert.equal(similarBy, "hashes");
  assert.match(warnings.join(), /judged by hashes alone/);
  assert.equal(cosineHistogram, null);
});

Deno.test("none, and one, have no groups", async () => {
  const sets: Record<string, Look>[] = [{}, { a: { vector: direction(3) } }];
  for (const looks of sets) {
    const { groups, pairs, verdicts } = await found(looks);
    assert.deepEqual([groups, pairs], [[], []]);
    assert.ok(verdicts.every(({ nearest, verdict }) => nearest === null && verdict === null));
  }
});

Deno.test("the histogram counts each pair once, and the nearest below the threshold are told", async () => {
  const looks = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`p${at}`, { vector: direction(at * 6) }]),
  );
  const { cosineHistogram, pairs } = await found(looks, { threshold: 0.999 });
  assert.equal(cosineHistogram!.reduce((sum, count) => sum + count, 0), 60 * 59 / 2);
  assert.equal(pairs.length, 100);
  assert.ok(pairs.every(({ verdict }) => verdict === null));
  assert.ok(Math.abs(pairs[0]!.cosine! - Math.cos(Math.PI / 30)) < 1e-6);
});

/** Pictures whose hashes differ by a bit or two from one another, and their vectors by little. */
function nearlyAlike(count: number): Content[] {
  const contents = Array.from({ length: count }, (_, at) => {
    const hash = 1n << BigInt(at % 61) ^ 1n << BigInt(Math.floor(at / 61) % 63);
    const phash = 1n << BigInt(Math.floor(at / 61 / 63) % 60);
    return content(`p${at}`, { hash, phash, vector: direction(at % 1000 / 1000) });
  });
  return contents.sort((x, y) => x.sha256 < y.sha256 ? -1 : 1);
}

Deno.test("thousands that are nearly alike are one group", async () => {
  const { groups } = await deduplicate(nearlyAlike(2000), settings);
  assert.deepEqual(groups.map(({ verdict, members }) => [verdict, members.length]), [
    ["same_picture", 2000],
  ]);
});

Deno.test("10,000 pictures with one look take no quadratic time", async () => {
  const alike = (count: number) =>
    Array.from({ length: count }, (_, at) => content(`q${at}`, { hash: 7n, vector: direction(1) }))
      .sort((x, y) => x.sha256 < y.sha256 ? -1 : 1);
  const timed = async (count: number) => {
    const started = performance.now();
    const { groups, pairs } = await deduplicate(alike(count), settings);
    assert.equal(groups[0]!.images, count);
    assert.ok(pairs.length <= 20_000);
    return performance.now() - started;
  };
  await timed(500);
  const small = await timed(2500);
  const large = await timed(10_000);
  assert.ok(large < 12 * small + 200, `${large} ms against ${small} ms`);
});
