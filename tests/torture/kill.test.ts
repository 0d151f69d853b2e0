import assert from "node:assert/strict";
import { CountingModel, type Tormented, tormented, Torturer } from "./killing.ts";
import { chance } from "./malformed.ts";

/** As many as a minute allows; `bench/torture.ts` does hundreds. */
const killsOf: Readonly<Record<string, number>> = {
  "proxy": 5,
  "normalize": 5,
  "dedupe quarantine": 5,
  "caption by a model": 5,
};

async function survives(about: Tormented, kills: number) {
  using torturer = await Torturer.create();
  await using model = about.settings["provider"] === undefined ? undefined : new CountingModel();
  const reference = await torturer.reference(about, model?.env);
  const random = chance(20261121);
  for (let done = 0; done < kills;) {
    const torment = await torturer.torment(about, {
      reference,
      kills: Math.min(3, kills - done),
      random,
      model,
    });
    assert.deepEqual(torment.faults, []);
    done += torment.kills;
  }
}

for (const about of tormented) {
  const kills = killsOf[about.name];
  if (kills === undefined) continue;
  Deno.test({
    name:
      `${about.name} killed ${kills} times: the same files, nothing left over, nothing done twice`,
    ignore: Deno.build.os === "windows", // has no process groups to kill
    fn: () => survives(about, kills),
  });
}
