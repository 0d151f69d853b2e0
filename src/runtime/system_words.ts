const codes: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder",
  ENOTDIR: "it, or a part of its path, is a file",
  EEXIST: "it is there already",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "it is on a read-only file system",
  ENOSPC: "its disk is full",
  EMFILE: "too many open files",
  ELOOP: "its links lead in a ring",
  ENAMETOOLONG: "its name is too long",
};

const verbs: Readonly<Record<string, string>> = {
  open: "open",
  read: "read",
  readfile: "read",
  stat: "look at",
  lstat: "look at",
  scandir: "list",
  readdir: "list",
  mkdir: "make folder",
  write: "write",
  writefile: "write",
  rename: "rename",
  remove: "remove",
  unlink: "remove",
};

/** What the system says, in the words of our messages; its own where it says something rare. */
export function systemWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return codes[codeOf(error)] ?? error.message.replace(/ ?\(os error \d+\)/, "");
}

/** The same as a whole message, with what was tried on which path, where the system told that. */
export function systemMessage(error: Error): string {
  const words = codes[codeOf(error)];
  // Deno: "Not a directory (os error 20): mkdir '/a/b'"; Node: "ENOTDIR: not a directory, mkdir '/a/b'".
  const [, verb = "", path] = /[:,] ([a-z]+) '(.*)'$/s.exec(error.message) ?? [];
  if (words === undefined || path === undefined) return error.message;
  return `Cannot ${verbs[verb] ?? "use"} "${path}": ${words}`;
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
