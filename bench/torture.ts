import { parseArgs } from "node:util";
import { chance } from "../tests/torture/malformed.ts";
import { CountingModel, tormented, Torturer } from "../tests/torture/killing.ts";

const usage = `deno run -A bench/torture.ts [--kills n] [--recipe name] [--seed n]

Kills runs of the shipped recipes by SIGKILL at random moments, lets each come to its end, and compares
with an undisturbed run: outputs, temporary files, tasks and calls done twice.
  --kills n      so many of each recipe (40)
  --recipe name  this one only: ${tormented.map(({ name }) => `"${name}"`).join(", ")}
  --seed n       of the moments (1)`;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    kills: { type: "string", default: "40" },
    recipe: { type: "string" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});

/** Kills before a run is let come to its end: at least one, at most this many. */
const mostInARow = 5;

if (values.help) {
  console.log(usage);
} else {
  using torturer = await Torturer.create();
  const random = chance(Number(values.seed));
  let [kills, rounds, bad] = [0, 0, 0];
  for (const about of tormented) {
    if (values.recipe !== undefined && about.name !== values.recipe) continue;
    await using model = about.settings["provider"] === undefined ? undefined : new CountingModel();
    const reference = await torturer.reference(about, model?.env);
    let own = 0;
    let calls = 0;
    while (own < Number(values.kills)) {
      const torment = await torturer.torment(about, {
        reference,
        kills: 1 + Math.floor(random() * mostInARow),
        random,
        model,
      });
      own += torment.kills;
      calls += model?.repeated ?? 0;
      rounds++;
      if (torment.faults.length > 0) bad++;
      for (const fault of torment.faults) console.log(`  ${about.name}: ${fault}`);
      if (torment.faults.length > 0) Deno.exit(1);
    }
    kills += own;
    const again = model === undefined ? "" : `, ${calls} calls in flight made again`;
    console.log(
      `${about.name}: ${own} kills, ${Math.round(reference.tookMs)} ms undisturbed${again}`,
    );
  }
  console.log(`${kills} kills in ${rounds} rounds, ${bad} with a fault`);
  if (bad > 0) Deno.exit(1);
}
