import assert from "node:assert/strict";
import { join } from "node:path";
import type { Handle } from "../../src/runtime/artifact.ts";
import type { Disk } from "../../src/runtime/disk.ts";
import { Image } from "../../src/imaging/image.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { localDisk } from "../../src/runtime/local_disk.ts";
import type { StepContext } from "../../src/runtime/step.ts";
import { files } from "../../src/steps/publish/files.ts";
import { checkPublished } from "../../src/steps/publish/published_check.ts";
import { manifestName } from "../../src/steps/publish/manifest.ts";

const names = ["a", "b", "c", "d", "e", "f"];

/** A folder that six made-up pictures are published into, again and again. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "tintype-published-" });
  readonly warnings: string[] = [];

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }

  /** Publishes pictures of some settings. */
  async publish(settings: string, { of = names, disk = localDisk }: Publishing = {}) {
    const members = of.map((name, member) => ({ member, name: `${name}.jpg` }));
    const image = new Map(of.map((name, member) => [member, handleOf(`${name} ${settings}`)]));
    const context: Partial<StepContext> = {
      members,
      owner: "test/files",
      isComplete: true,
      disk,
      warn: (text) => void this.warnings.push(text),
    };
    const params = { folder: this.path, name: "{stem}.{ext}", overwrite: false };
    return await files.run!({ image, originals: undefined }, params, context as StepContext);
  }

  /** The same, killed while it writes the file after so many. */
  async publishKilled(settings: string, { after, ...publishing }: Publishing & { after: number }) {
    const { promise: killed, resolve } = Promise.withResolvers<void>();
    let left = after;
    const never = new Promise<never>(() => {});
    const disk: Disk = {
      ...localDisk,
      async write(path, ...rest) {
        if (!path.endsWith(manifestName) && left-- <= 0) {
          resolve();
          return await never;
        }
        await localDisk.write(path, ...rest);
      },
    };
    await Promise.race([killed, this.publish(settings, { ...publishing, disk })]);
  }

  texts(): Record<string, string> {
    const found = [...Deno.readDirSync(this.path)].map(({ name }) => name)
      .filter((name) => name !== manifestName).sort();
    return Object.fromEntries(
      found.map((name) => [name, Deno.readTextFileSync(join(this.path, name))]),
    );
  }
}

interface Publishing {
  readonly of?: readonly string[];
  readonly disk?: Disk;
}

function handleOf(text: string): Handle<Image> {
  const bytes = new TextEncoder().encode(text);
  const ref = {
    kind: "image",
    hash: sha256(bytes),
    byteLength: bytes.length,
    facts: { format: "jpeg" },
  };
  const read = () => Promise.resolve(bytes);
  return { ref, read: () => Promise.resolve(new Image(read)), bytes: read };
}

function textsOf(settings: string, of: readonly string[] = names): Record<string, string> {
  return Object.fromEntries(of.map((name) => [`${name}.jpg`, `${name} ${settings}`]));
}

async function faultsOf(folder: Folder) {
  return (await checkPublished(localDisk, folder.path))!.faults;
}

Deno.test("what a killed run wrote is ours, whatever the settings are next", async () => {
  for (const before of [[], ["85"]]) {
    for (const after of [0, 1, 3, 5]) {
      using folder = new Folder();
      for (const settings of before) await folder.publish(settings);
      await folder.publishKilled("60", { after });
      assert.deepEqual(await faultsOf(folder), []);
      await folder.publishKilled("70", { after: 2 });
      await folder.publish("50");
      assert.deepEqual(folder.texts(), textsOf("50"), `${before} ${after}`);
      assert.deepEqual(folder.warnings, []);
      assert.deepEqual(await faultsOf(folder), []);
      assert.doesNotMatch(Deno.readTextFileSync(join(folder.path, manifestName)), /pending/);
    }
  }
});

Deno.test("what a killed run wrote for an item that is gone is removed", async () => {
  using folder = new Folder();
  await folder.publishKilled("60", { after: 4 });
  await folder.publish("60", { of: names.slice(2) });
  assert.deepEqual(folder.texts(), textsOf("60", names.slice(2)));
});

Deno.test("what a person wrote after a killed run is kept", async () => {
  using folder = new Folder();
  await folder.publish("85");
  await folder.publishKilled("60", { after: 3 });
  Deno.writeTextFileSync(join(folder.path, "a.jpg"), "by hand");
  Deno.writeTextFileSync(join(folder.path, "f.jpg"), "by hand too");
  await folder.publish("50");
  assert.deepEqual(folder.texts(), {
    ...textsOf("50"),
    "a.jpg": "by hand",
    "f.jpg": "by hand too",
  });
  assert.equal(folder.warnings.length, 2);
});

Deno.test("a disk that fills up loses no file that was written", async () => {
  using folder = new Folder();
  let writes = 0;
  const full: Disk = {
    ...localDisk,
    async write(path, ...rest) {
      // The announcement and four files have room.
      if (++writes > 5) throw new Error("No space left on device");
      await localDisk.write(path, ...rest);
    },
  };
  await assert.rejects(folder.publish("85", { disk: full }), /No space left/);
  assert.equal(Object.keys(folder.texts()).length, 4);
  await folder.publish("50");
  assert.deepEqual(folder.texts(), textsOf("50"));
});
