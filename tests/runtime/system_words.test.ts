import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { causeOf } from "../../src/runtime/cause.ts";
import { systemMessage, systemWords } from "../../src/runtime/system_words.ts";

/** What is thrown, by Deno itself. */
function thrownBy(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("what Deno and Node say of a path becomes a sentence of ours", async () => {
  const none = thrownBy(() => Deno.readTextFileSync("/nowhere/a"));
  assert.equal(systemMessage(none), 'Cannot read "/nowhere/a": there is no such file or folder');
  assert.equal(systemWords(none), "there is no such file or folder");
  const folder = thrownBy(() => Deno.mkdirSync("/"));
  assert.equal(systemMessage(folder), 'Cannot make folder "/": it is there already');
  const node = await readFile("/nowhere/a").catch((error: Error) => error) as Error;
  assert.equal(systemMessage(node), 'Cannot open "/nowhere/a": there is no such file or folder');
});

Deno.test("any other error stays as it is", () => {
  for (const error of [new Error("out of paint"), new TypeError("a: stat 'b'")]) {
    assert.equal(systemMessage(error), error.message);
    assert.equal(systemWords(error), error.message);
  }
});

Deno.test("causes are found in our words as in the system's", () => {
  const codes = {
    ENOENT: "file-missing",
    EACCES: "permission-denied",
    EROFS: "read-only",
    ENOSPC: "disk-full",
    EMFILE: "too-many-open-files",
    EEXIST: "would-overwrite",
  };
  for (const [code, cause] of Object.entries(codes)) {
    const error = Object.assign(new Error(`words (os error 1): open '/a'`), { code });
    assert.equal(causeOf("failed", systemMessage(error)).code, cause, systemMessage(error));
  }
});
