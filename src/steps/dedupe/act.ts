import { z } from "zod";
import { countQuarantined, type Moved, type Moving, Quarantine } from "../../dedupe/quarantine.ts";
import { countText, numberText } from "../../report/format.ts";
import { rowKind, type ValueOf } from "../../runtime/artifact.ts";
import { folder } from "../../runtime/params.ts";
import {
  all,
  defineStep,
  each,
  failed,
  type InputValues,
  type Member,
  one,
  produced,
  type StepContext,
} from "../../runtime/step.ts";
import { image } from "../kinds.ts";
import { files } from "../publish/files.ts";
import { choice } from "./kinds.ts";
import { previews } from "./previews.ts";

/** What can be done about pictures that are alike. */
export const actions = ["report", "publish", "quarantine"] as const;

/** What was done with a picture. */
export const deed = rowKind(
  "dedupe_deed",
  "what was done with a picture",
  z.object({
    /** `refused`: it was to be moved, and stayed. */
    outcome: z.enum(["left", "published", "quarantined", "refused"]),
    /** Below the folder that was acted in; null where it is where it was. */
    file: z.string().nullable(),
    /** Why it was refused. */
    problem: z.string().nullable(),
  }),
);

/** What was done in all. */
export const deeds = rowKind(
  "dedupe_deeds",
  "what was done with the pictures",
  z.object({
    action: z.enum(actions),
    kept: z.int(),
    set_aside: z.int(),
    published: z.int(),
    quarantined: z.int(),
    refused: z.int(),
    /** Files in the quarantine folder, those of earlier runs counted too. */
    in_quarantine: z.int(),
  }),
);

type Deed = ValueOf<typeof deed>;

const params = z.object({
  action: z.enum(actions).default("report").meta({
    description: "write nothing, copy what is kept, or move the rest into a quarantine folder",
  }),
  source: folder("the folder that was scanned"),
  folder: folder("where copies of what is kept go, or what is set aside is moved"),
});
type Params = z.output<typeof params>;

const inputs = {
  image: all(image, "the originals"),
  choice: all(choice, "what becomes of each"),
  previews: one(previews, "made before any original is moved", { isOptional: true }),
};
type Inputs = InputValues<typeof inputs>;

/**
 * Does what was chosen:
 *
 * - `report`: nothing is written;
 * - `publish`: what is kept is copied into the folder, byte for byte and under its own name, with the
 *   promises of `publish.files` (a manifest; a person's changes are kept);
 * - `quarantine`: what is set aside is moved into the folder, under its own path. A file is moved only
 *   with the bytes that it was judged by, and while the one that is kept for it is there with its own.
 *   Each move is in `quarantine.jsonl` before it is made, and `tintype undo FOLDER` takes all back.
 *   Links and what they lead to stay, nothing is written over, and nothing is deleted.
 *
 * What is set aside is named in the choices; a picture without a choice is never touched.
 */
export const dedupeAct = defineStep({
  name: "dedupe.act",
  version: 1,
  doc: "Reports, copies what is kept, or moves the rest into a quarantine that can be undone.",
  origin: "computed",
  world: "writes",
  usesItemName: true,
  isResult: true,
  inputs,
  params,
  outputs: {
    deed: each(deed, "what was done with each"),
    deeds: one(deeds, "what was done in all"),
  },
  async run(inputs, params, context) {
    const choices = await choicesOf(inputs);
    const done = new Map<Member, Deed>([...choices.keys()].map((member) => [member, left]));
    if (params.action !== "report") {
      const act = params.action === "publish" ? publish : quarantine;
      const acted = await act(inputs, choices, { params, context });
      if ("status" in acted) return acted;
      acted.forEach((each, member) => done.set(member, each));
    }
    const counts = await countsOf(choices, done, { params, context });
    context.summarize(sentence(counts, params));
    return produced({ deed: done, deeds: counts });
  },
  async isCurrent(inputs, params, context) {
    switch (params.action) {
      case "report":
        return true;
      case "publish":
        return await files.isCurrent!(
          keptOf(inputs, await choicesOf(inputs)),
          publishing(params),
          context,
        );
      case "quarantine":
        // What a scan has just found, and is to go, is still there.
        return ![...(await choicesOf(inputs)).values()].some(isAside);
    }
  },
});

type Choice = ValueOf<typeof choice>;
type Choices = ReadonlyMap<Member, Choice>;

interface Doing {
  readonly params: Params;
  readonly context: StepContext;
}

const left: Deed = { outcome: "left", file: null, problem: null };

function isAside({ action }: Choice): boolean {
  return action === "set_aside";
}

async function choicesOf({ choice }: Inputs): Promise<Map<Member, Choice>> {
  const choices = new Map<Member, Choice>();
  for (const [member, handle] of choice) choices.set(member, await handle.read());
  return choices;
}

/** Kept pictures keep their names, folders and all. */
function publishing({ folder }: Params) {
  return { folder, name: "{name}", overwrite: false };
}

function keptOf({ image: originals }: Inputs, choices: Choices) {
  const isKept = (member: Member) => choices.get(member)?.action === "keep";
  return { originals, image: new Map([...originals].filter(([member]) => isKept(member))) };
}

async function publish(inputs: Inputs, choices: Choices, { params, context }: Doing) {
  const result = await files.run!(keptOf(inputs, choices), publishing(params), context);
  if (result.status !== "produced") return failed(reasonOf(result));
  const done = new Map<Member, Deed>();
  for (const [member, file] of result.outputs.file) {
    if ("file" in file) done.set(member, { outcome: "published", file: file.file, problem: null });
    else if ("status" in file) {
      const problem = reasonOf(file);
      done.set(member, { outcome: "refused", file: null, problem });
      context.warn(problem);
    }
  }
  return done;
}

function reasonOf(result: object): string {
  return "reason" in result ? String(result.reason) : "it did not work";
}

/** Moves what is set aside; nothing is done with the others. */
async function quarantine(inputs: Inputs, choices: Choices, { params, context }: Doing) {
  const done = new Map<Member, Deed>();
  const aside = plannedMoves(inputs, choices, context);
  if (aside.length === 0) return done;
  let place: Quarantine;
  try {
    place = await Quarantine.open(context.disk, params);
  } catch (error) {
    return failed(messageOf(error));
  }
  for (const { member, moving } of aside) {
    if (context.signal.aborted) {
      return failed(
        `It was stopped after ${numberText(done.size)} of ${countText(aside.length, "picture")}`,
      );
    }
    const moved = "refused" in moving ? moving : await unlessThrown(() => place.take(moving));
    done.set(member, deedOf(moved));
    if ("refused" in moved) context.warn(`"${moving.name}" was not moved: ${moved.refused}`);
  }
  return done;
}

interface PlannedMove {
  readonly member: Member;
  readonly moving: Moving | { readonly name: string; readonly refused: string };
}

/** What is to be moved, each with the picture that has to be there for it. */
function plannedMoves(
  { image }: Inputs,
  choices: Choices,
  { members }: StepContext,
): PlannedMove[] {
  const byName = new Map(members.map(({ member, name }) => [name, member]));
  return members.flatMap(({ member, name }): PlannedMove[] => {
    const [chosen, handle] = [choices.get(member), image.get(member)];
    if (chosen === undefined || handle === undefined || !isAside(chosen)) return [];
    const { kept_instead, reasons } = chosen;
    const moving = { name, sha256: handle.ref.hash, reason: reasons[0] ?? "" };
    if (kept_instead === null) return [{ member, moving }]; // a person said so of each
    const keeper = byName.get(kept_instead) ?? -1;
    const kept = image.get(keeper);
    if (kept === undefined || choices.get(keeper)?.action !== "keep") {
      const refused = `"${kept_instead}", which is to be kept for it, is not kept`;
      return [{ member, moving: { name, refused } }];
    }
    const keptFile = { name: kept_instead, sha256: kept.ref.hash };
    return [{ member, moving: { ...moving, kept: keptFile } }];
  });
}

async function unlessThrown(take: () => Promise<Moved>): Promise<Moved> {
  try {
    return await take();
  } catch (error) {
    return { refused: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function deedOf(moved: Moved): Deed {
  return "file" in moved
    ? { outcome: "quarantined", file: moved.file, problem: null }
    : { outcome: "refused", file: null, problem: moved.refused };
}

async function countsOf(
  choices: Choices,
  done: ReadonlyMap<Member, Deed>,
  { params: { action, folder }, context }: Doing,
) {
  const count = (outcome: Deed["outcome"]) =>
    [...done.values()].filter((each) => each.outcome === outcome).length;
  const set_aside = [...choices.values()].filter(isAside).length;
  return {
    action,
    kept: choices.size - set_aside,
    set_aside,
    published: count("published"),
    quarantined: count("quarantined"),
    refused: count("refused"),
    in_quarantine: action === "quarantine" ? await countQuarantined(context.disk, folder) : 0,
  };
}

function sentence(counts: ValueOf<typeof deeds>, { folder }: Params): string {
  const refused = counts.refused === 0 ? "" : `; ${countText(counts.refused, "picture")} refused`;
  switch (counts.action) {
    case "report":
      return `Nothing was moved or copied: ${
        countText(counts.set_aside, "picture")
      } would be set ` +
        "aside (set action to publish or quarantine)";
    case "publish":
      return `${countText(counts.published, "picture")} copied to "${folder}"${refused}`;
    case "quarantine":
      return `${countText(counts.quarantined, "picture")} moved to "${folder}"${refused}${
        counts.in_quarantine === 0 ? "" : `; undo: tintype undo "${folder}"`
      }`;
  }
}
