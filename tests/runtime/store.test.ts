import assert from "node:assert/strict";
import { join } from "node:path";
import type { ArtifactRef } from "../../src/runtime/artifact.ts";
import { ActionCache } from "../../src/runtime/cache.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import { ArtifactStore, inlineLimit } from "../../src/runtime/store.ts";

Deno.test("only what a process has written itself need not be read to be copied", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "tintype-store-" });
  const cache = ActionCache.open(join(folder, "cache.sqlite"));
  const store = () => new ArtifactStore(join(folder, "store"), cache, localDisk);
  const first = store();
  const put = async (value: number, length: number): Promise<ArtifactRef> => {
    const bytes = new Uint8Array(length).fill(value);
    const hash = sha256(bytes);
    await first.put(bytes, hash);
    return { kind: "image", hash, byteLength: length };
  };
  const large = await put(1, inlineLimit + 1);
  const small = await put(2, inlineLimit);
  assert.deepEqual(Deno.readFileSync(first.writtenFile(large)!), await first.read(large));
  assert.equal(first.writtenFile(small), undefined); // it is in the cache's file
  const second = store();
  assert.equal(second.writtenFile(large), undefined);
  await second.put(await first.read(large), large.hash);
  assert.equal(second.writtenFile(large), undefined); // it was there, unread
  first.discard(large);
  assert.equal(first.writtenFile(large), undefined);
  cache.close();
  Deno.removeSync(folder, { recursive: true });
});
