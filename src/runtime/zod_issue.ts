/** The part of a zod issue that is read here. */
export interface Issue {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Of a union: what each of its forms says; empty where a fixed member names no form. */
  readonly errors?: readonly (readonly Issue[])[];
  /** Of a step's own check (`addIssue`): the part of the text that is wrong, and what to do about it. */
  readonly params?: { readonly part?: string; readonly help?: string };
}

/**
 * Issues without unions: where a value is meant as one of a union's forms, what that form says of its
 * parts; where it could be none, one issue about the value.
 */
export function flatIssues(issues: readonly Issue[]): readonly Issue[] {
  return issues.flatMap((issue): readonly Issue[] => {
    if (issue.code !== "invalid_union" || issue.errors === undefined) return [issue];
    const forms = issue.errors.map(flatIssues);
    // A form that says something only of the parts, or of the value's size, is the one meant.
    const meant = forms.filter((form) => form.length > 0 && form.every(isAboutMore));
    const [best] = [...meant].sort((a, b) => a.length - b.length);
    if (best === undefined) return [issue];
    return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  });
}

function isAboutMore({ code, path }: Issue): boolean {
  return path.length > 0 || (code !== "invalid_type" && code !== "invalid_value" &&
    code !== "invalid_union");
}
