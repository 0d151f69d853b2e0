import { sha256 } from "./hash.ts";

/** One of `count` parts of a run's items, counted from 1: for splitting a set by hand. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** More parts than this are a slip of the keyboard. */
const mostShards = 10_000;

/** Reads `2/4`. Where it is no shard, says why as the end of a message. */
export function parseShard(text: string): Shard | { readonly problem: string } {
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim()) ?? [];
  if (index === undefined) return { problem: `"${text}" is no shard (i/n is wanted, such as 2/4)` };
  const shard = { index: Number(index), count: Number(count) };
  const problem = shardProblem(shard);
  return problem === undefined ? shard : { problem };
}

/** What is wrong with a shard, in words; undefined where nothing is. */
export function shardProblem({ index, count }: Shard): string | undefined {
  const isWhole = Number.isInteger(index) && Number.isInteger(count);
  if (!isWhole || count < 1 || count > mostShards) {
    return `${index}/${count} is no shard (i/n with n from 1 to ${mostShards} is wanted)`;
  }
  if (index >= 1 && index <= count) return undefined;
  const range = count === 1
    ? "there is 1, 1/1"
    : `there are ${count}, 1/${count} to ${count}/${count}`;
  return `there is no shard ${index} of ${count} (${range})`;
}

export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/** So many hexadecimal digits are a number that JavaScript holds exactly (52 of 53 bits). */
const digits = 13;

/**
 * Whether an item belongs to a shard, by its name alone: sha256 of the name's UTF-8, its first 52 bits
 * modulo the number of shards. The name is an item's path in the scanned folder with "/" between the
 * parts, so it is the same on every machine, whatever else lies in the folder there, and nobody has to
 * read a file to know whose it is. By content, each machine would read every file of all others. The
 * price: copies of a file may be done once a shard; merged they are one result, as keys are of content.
 * Names are brought to Unicode's NFC, since macOS may hand out the same name decomposed.
 */
export function isInShard(name: string, { index, count }: Shard): boolean {
  const number = parseInt(sha256(name.normalize("NFC")).slice(0, digits), 16);
  return number % count === index - 1;
}
