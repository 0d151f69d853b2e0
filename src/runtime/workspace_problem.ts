/** The workspace cannot be written, so that no result could be kept: the run ends. */
export class WorkspaceProblem extends Error {
  override readonly name = "WorkspaceProblem";
  readonly code: string;

  constructor(readonly workspace: string, { code, words }: Refusal, cause: unknown) {
    super(`Cannot write to workspace "${workspace}": ${words}`, { cause });
    this.code = code;
  }
}

interface Refusal {
  readonly code: string;
  readonly words: string;
}

const full = "its disk is full (free some space and run again; what was finished is kept)";
const forbidden = "permission denied (choose another place with --workspace)";
const readOnly = "it is on a read-only disk (choose another place with --workspace)";

const refusals: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: "its disk quota is used up (free some space and run again; what was finished is kept)",
  EROFS: readOnly,
  EACCES: forbidden,
  EPERM: forbidden,
  ENOTDIR: "a part of its path is a file (choose another place with --workspace)",
  EIO: "its disk has an input or output error",
};

/** SQLite's words for its result codes (sqlite3_errstr): Deno leaves the code itself out of some errors. */
const sqliteRefusals: Readonly<Record<string, Refusal>> = {
  "database or disk is full": { code: "ENOSPC", words: full },
  "attempt to write a readonly database": { code: "EACCES", words: forbidden },
  "unable to open database file": { code: "EACCES", words: forbidden },
  "disk I/O error": { code: "EIO", words: refusals["EIO"]! },
};

/** What the system says where it refuses to write; undefined for any other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? String(error.code) : "";
  if (code === "ERR_SQLITE_ERROR") return sqliteRefusals[error.message];
  const words = refusals[code];
  return words === undefined ? undefined : { code, words };
}
