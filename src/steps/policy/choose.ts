import { basename } from "node:path";
import { z } from "zod";
import { parsePolicy } from "../../baseline/policy_file.ts";
import { rowKind } from "../../runtime/artifact.ts";
import { file } from "../../runtime/params.ts";
import { defineStep, failed, one, produced } from "../../runtime/step.ts";
import { policy } from "../baseline/kinds.ts";

/** Where the policy that is applied comes from; `file` is a name without folders, or null. */
export const choice = rowKind(
  "choice",
  "where the applied policy comes from",
  z.object({ source: z.enum(["recommended", "file"]), file: z.string().nullable() }),
);

const params = z.object({
  file: file("a policy of your own, YAML or JSON; the recommended one where there is no such file")
    .optional(),
});

/** A policy has a dozen lines; more than this is some other file. */
const mostBytes = 100_000;

/**
 * Chooses the policy that is applied: the one in `file`, where that exists, else the recommended one.
 * The file has the keys of a policy, as the table of this step shows them; what it leaves out has the
 * default, not the recommended value. A file that cannot be used fails the step, since whoever wrote it
 * does not want something else.
 */
export const choose = defineStep({
  name: "policy.choose",
  version: 1,
  doc:
    "Chooses the policy that is applied: yours from a file where there is one, or the recommended.",
  origin: "human",
  world: "reads",
  inputs: { policy: one(policy, "the recommended one") },
  params,
  outputs: {
    policy: one(policy, "the one that is applied"),
    choice: one(choice, "where it comes from"),
  },
  async run(inputs, { file: path }, { disk, summarize }) {
    const found = path === undefined ? undefined : disk.stat(path);
    if (path === undefined || found === undefined) {
      const none = path === undefined ? "" : ` (there is no "${basename(path)}")`;
      summarize(`the recommended policy is applied${none}`);
      return produced({ policy: inputs.policy, choice: { source: "recommended", file: null } });
    }
    if (!found.isFile) return failed(`Cannot read policy "${path}": it is not a file`);
    if (found.size > mostBytes) {
      return failed(`Cannot read policy "${path}": ${found.size} bytes are no policy`);
    }
    const { policy, problem } = await parsePolicy(await disk.read(path), path);
    if (policy === undefined) return failed(problem);
    summarize(`the policy in "${basename(path)}" is applied`);
    return produced({ policy, choice: { source: "file", file: basename(path) } });
  },
});
