/**
 * What the step of a user's own file may reach, beyond what it is given: nothing, where it asks for
 * nothing. Each is `true` for everything of its sort, or a list.
 */
export interface StepPermissions {
  /** Hosts, with a port where only that is meant: "api.example.com", "localhost:8080". */
  readonly net?: Grant;
  /** Files and folders that it reads, relative to the recipe. */
  readonly read?: Grant;
  /** Files and folders that it writes, relative to the recipe. */
  readonly write?: Grant;
  /** Variables of the environment, by name. */
  readonly env?: Grant;
  /** Programs that it starts: they may do all that you may. */
  readonly run?: Grant;
  /** What it asks about the machine, by Deno's names: "hostname", "cpus". */
  readonly sys?: Grant;
  /** Native libraries that it loads: they may do all that you may. */
  readonly ffi?: Grant;
}

type Grant = boolean | readonly string[];

/** The same, checked: lists without repetitions, sorted; what is not asked for is left out. */
export type AskedPermissions = Readonly<
  Partial<Record<keyof StepPermissions, true | readonly string[]>>
>;

const sorts = ["net", "read", "write", "env", "run", "sys", "ffi"] as const;
type Sort = typeof sorts[number];

const shapes: Readonly<Record<Sort, { readonly pattern: RegExp; readonly wanted: string }>> = {
  net: {
    pattern: /^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?)(:[1-9]\d{0,4})?$/i,
    wanted: 'a host is wanted, such as "api.example.com" or "localhost:8080"',
  },
  read: path(),
  write: path(),
  env: { pattern: /^[A-Za-z_][A-Za-z0-9_]*$/, wanted: "the name of a variable is wanted" },
  run: { pattern: /^[^\p{Cc},]+$/u, wanted: "the name or path of a program is wanted" },
  sys: { pattern: /^[A-Za-z]+$/, wanted: 'a name such as "hostname" is wanted' },
  ffi: path(),
};

function path() {
  return {
    // "~" would be taken for a folder of that name.
    pattern: /^(?!~)[^\p{Cc}]+$/u,
    wanted: "a path is wanted, absolute or relative to the recipe",
  };
}

/** What is wrong with the permissions that a step asks for; undefined where nothing is. */
export function permissionsProblem(asked: unknown): string | undefined {
  if (asked === undefined) return undefined;
  if (typeof asked !== "object" || asked === null || Array.isArray(asked)) {
    return `its permissions are ${JSON.stringify(asked)} ({ net: [...] } is wanted)`;
  }
  for (const [sort, grant] of Object.entries(asked)) {
    if (!isSort(sort)) {
      const known = sorts.map((each) => `"${each}"`).join(", ");
      return `there is no permission "${sort}" (${known})`;
    }
    const problem = grantProblem(sort, grant);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function grantProblem(sort: Sort, grant: unknown): string | undefined {
  if (grant === undefined || typeof grant === "boolean") return undefined;
  if (!Array.isArray(grant)) {
    return `its permission "${sort}" is ${JSON.stringify(grant)} (a list, or true, is wanted)`;
  }
  const { pattern, wanted } = shapes[sort];
  const bad = grant.find((each) => typeof each !== "string" || !pattern.test(each));
  return bad === undefined
    ? undefined
    : `its permission "${sort}" has ${JSON.stringify(bad)} (${wanted})`;
}

function isSort(name: string): name is Sort {
  return (sorts as readonly string[]).includes(name);
}

/** Takes permissions that have no problem. */
export function askedPermissions(given: StepPermissions | undefined): AskedPermissions {
  const asked: Partial<Record<Sort, true | readonly string[]>> = {};
  for (const sort of sorts) {
    const grant = given?.[sort];
    if (grant === true) asked[sort] = true;
    else if (Array.isArray(grant) && grant.length > 0) asked[sort] = [...new Set(grant)].sort();
  }
  return asked;
}

export function asksForNothing(asked: AskedPermissions): boolean {
  return Object.keys(asked).length === 0;
}

const everything: Readonly<Record<Sort, string>> = {
  net: "net (every host)",
  read: "read (every file)",
  write: "write (every file)",
  env: "env (every variable)",
  run: "run (every program, which may do all that you may)",
  sys: "sys (everything about this machine)",
  ffi: "ffi (every native library, which may do all that you may)",
};

/** "net api.example.com, read ./lut", or "nothing". */
export function permissionWords(asked: AskedPermissions): string {
  const words = sorts.flatMap((sort) => {
    const grant = asked[sort];
    if (grant === undefined) return [];
    return grant === true ? [everything[sort]] : [`${sort} ${grant.join(" ")}`];
  });
  return words.length === 0 ? "nothing" : words.join(", ");
}

const denial =
  /(?:NotCapable: )?Requires ([a-z]+) access(?: to (?:"([^"]*)"|[^\s,]+))?, run again with the --allow-[a-z]+ flag/g;

/** A reason in which Deno's words about a missing permission are those of a step's author. */
export function withDeclarationHelp(reason: string): string {
  return reason.replace(denial, (_, sort: string, thing: string | undefined) => {
    if (sort === "import") {
      return `It loads code from "${thing}" while it runs, which no step may ` +
        `(save it beside the step and import it at the top)`;
    }
    if (!isSort(sort)) return `It needs ${sort} access, which no step can have`;
    const of = sort === "net" ? thing?.replace(/:(443|80)$/, "") : thing;
    const grant = of === undefined ? "true" : `[${JSON.stringify(of)}]`;
    return `It needs ${sort} access${thing === undefined ? "" : ` to "${thing}"`}, which it does ` +
      `not ask for (declare it in the step: permissions: { ${sort}: ${grant} })`;
  });
}
