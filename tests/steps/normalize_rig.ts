import { z } from "zod";
import { policyShape } from "../../src/baseline/policy.ts";
import { formatDiagnostic } from "../../src/runtime/diagnostic.ts";
import { defineStep, one, produced } from "../../src/runtime/step.ts";
import { policy } from "../../src/steps/baseline/kinds.ts";
import type { Change } from "../../src/steps/image/normalize.ts";
import type { PictureRig } from "../picture_rig.ts";
import { type Given, subjectSteps } from "./given_objects.ts";

/** Gives a policy, where the real recipe discovers one. */
const givenPolicy = defineStep({
  name: "test.policy",
  version: 1,
  doc: "Gives a policy.",
  origin: "computed",
  inputs: {},
  params: z.object({ settings: policyShape }),
  outputs: { policy: one(policy, "the policy") },
  run: (_, { settings }) => produced({ policy: settings }),
});

export type Row = Change & {
  readonly item: string;
  readonly status: string;
  readonly reason: string;
};

/** How pictures are normalized. */
export interface NormalizeOptions {
  readonly metadata?: string;
  readonly source?: string;
  /** What is in which picture: wired as objects, and cropped to where there are aspects. */
  readonly given?: Readonly<Record<string, Given>>;
  readonly aspects?: readonly string[];
  readonly minFacePx?: number;
  /** Whether how the pictures look is wired; true when left out. */
  readonly hasContent?: boolean;
}

function subjectRecipe({ given, aspects }: NormalizeOptions) {
  const nodes = [
    ...given ? [`objects: { use: test.objects, from: photos, with: ${flow({ given })} }`] : [],
    ...aspects
      ? [
        `crops: { use: image.crop_subject, from: { image: photos${
          given ? ", objects: objects" : ""
        } }, with: ${flow({ aspects })} }`,
      ]
      : [],
  ];
  const ports = [...given ? ["objects: objects"] : [], ...aspects ? ["box: crops"] : []];
  return { nodes: nodes.join("\n  "), ports: ports.map((port) => `, ${port}`).join("") };
}

const flow = JSON.stringify;

/** Normalizes ./photos into ./out by a policy; what became of each picture, by name. */
export async function normalized(
  rig: PictureRig,
  settings: Readonly<Record<string, unknown>>,
  options: NormalizeOptions = {},
): Promise<{ readonly rows: Map<string, Row>; readonly ran: number }> {
  const { metadata = "strip", source = "./photos", minFacePx = 0, hasContent = true } = options;
  const subject = subjectRecipe(options);
  const look = hasContent ? ", content: content" : "";
  const text = `
recipe: normalize_test
steps:
  photos: { use: ingest.scan, with: { folder: ${source} } }
  metadata: { use: inspect.metadata, from: photos }
  content: { use: inspect.content, from: photos }
  policy: { use: test.policy, with: { settings: ${JSON.stringify(settings)} } }
  ${subject.nodes}
  normalized:
    use: image.normalize
    from: { image: photos, metadata: metadata${look}, policy: policy${subject.ports} }
    with: { metadata: ${metadata}, min_face_px: ${minFacePx} }
  files: { use: publish.files, from: normalized.image, with: { folder: ./out, name: "{stem}.{ext}" } }
`;
  const { graph, diagnostics } = await rig.session.check(
    { path: rig.path("test.yaml"), text, steps: [givenPolicy, ...subjectSteps] },
    { needsValues: true },
  );
  if (graph === undefined) {
    throw new Error(diagnostics.map((each) => formatDiagnostic(each)).join("\n"));
  }
  const { counts } = await rig.session.run(graph, {});
  const rows = await rig.query(
    `SELECT *, image_hash AS hash FROM normalized ORDER BY item`,
  ) as unknown as Record<string, unknown>[];
  const unprefixed = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name.replace(/^change_/, ""),
        name === "change_steps" && typeof value === "string" ? JSON.parse(value) : value,
      ]),
    ) as unknown as Row
  );
  return { rows: new Map(unprefixed.map((row) => [row.item, row])), ran: counts.ran };
}

/** A picture as it was published. */
export function published(rig: PictureRig, name: string): Uint8Array {
  return Deno.readFileSync(rig.path(`out/${name}`));
}
