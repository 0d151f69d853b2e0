/** How a task ended that has no value, in the words of journal and tables. */
export type Shortfall = "failed" | "rejected" | "waiting" | "skipped";

/** What stands behind a reason: the same for every wording, item and number. */
export interface Cause {
  /** Stable, for queries and scripts: "file-truncated". */
  readonly code: string;
  /** What it is, for a person: "the file is cut short". */
  readonly title: string;
  /** What a person can do about it, as a sentence without a full stop. */
  readonly advice: string;
}

interface Rule extends Cause {
  readonly pattern: RegExp;
}

/**
 * The known causes, the more certain first. A reason is one sentence of ours, of the system or of a
 * server; what it is about is told by its words, since a code of its own would have to pass through
 * every decoder and every library that can fail.
 */
const rules: readonly Rule[] = [
  {
    code: "nothing-to-go-by",
    title: "an earlier step has nothing of it",
    pattern:
      /^it has no (?:proxy|metadata|fingerprint|embedding|caption)$|^its pixels cannot be read$/i,
    advice: "an earlier step left the item out, and says why",
  },
  {
    code: "file-empty",
    title: "the file is empty",
    pattern: /\bfile is empty\b/i,
    advice: "copy the file again from where it came, or take it out of the folder",
  },
  {
    code: "file-changed",
    title: "the file was changed during the run",
    pattern: /was (?:changed|removed) while the run was under way/i,
    advice: "run again when nothing else writes to the folder",
  },
  {
    code: "disk-full",
    title: "the disk is full",
    pattern:
      /\bENOSPC\b|no space left|not enough space|disk (?:is )?full|are needed.* (?:is|are) free/i,
    advice:
      "free space on that disk (tintype cache gc says what the workspace could give), run again",
  },
  {
    code: "out-of-memory",
    title: "memory ran out",
    pattern: /\bENOMEM\b|out of memory|cannot allocate|allocation failed|array buffer allocation/i,
    advice: "run with a smaller --jobs, or take larger pictures out",
  },
  {
    code: "too-many-open-files",
    title: "too many files were open at once",
    pattern: /\bEMFILE\b|\bENFILE\b|too many open files/i,
    advice: "raise the limit of open files (ulimit -n), or run with a smaller --jobs",
  },
  {
    code: "permission-denied",
    title: "it may not be read or written",
    pattern: /permission denied|\bEACCES\b|\bEPERM\b|operation not permitted|requires \w+ access/i,
    advice: "give this user the right to read the source and to write the output, run again",
  },
  {
    code: "read-only",
    title: "the disk cannot be written to",
    pattern: /\bEROFS\b|read-only file system/i,
    advice: "choose an output folder on a disk that can be written",
  },
  {
    code: "would-overwrite",
    title: "something else is there already",
    pattern:
      /already and would change|did not write is there|something is in the way|EEXIST|is there already/i,
    advice: "move what is there away, or run with --overwrite to replace it",
  },
  {
    code: "no-key",
    title: "the provider's key is missing",
    pattern: /there is no key|no api key|holds characters that no key has|key .*is not set/i,
    advice: "set the provider's key in the environment, or choose another provider",
  },
  {
    code: "quota-spent",
    title: "the provider's quota is used up",
    pattern: /quota of the day|quota .*used up \(HTTP (?!429)|insufficient (?:quota|credit|funds)/i,
    advice: "wait until the quota is renewed, or take another model or plan; what is done is kept",
  },
  {
    code: "too-many-requests",
    title: "the provider was asked too often",
    pattern: /\bHTTP 429\b|too much to do|rate limit|throttl/i,
    advice: 'lower "requests_per_minute" or "concurrency" of the step, run again later',
  },
  {
    code: "key-refused",
    title: "the provider refuses the key",
    pattern:
      /\bHTTP 40[13]\b|invalid.{0,12}\bkey\b|\bkey\b.{0,24}(?:not valid|invalid|refused|wrong)|unauthorized/i,
    advice: "check that the key is right, belongs to this provider, and may use this model",
  },
  {
    code: "no-network",
    title: "the server cannot be reached",
    pattern:
      /nothing answers there|ECONNREFUSED|ENOTFOUND|dns error|network is unreachable|error sending request/i,
    advice: "start the server or check its address and this machine's network, run again",
  },
  {
    code: "no-answer-in-time",
    title: "no answer came in time",
    pattern: /no answer came within|timed? ?out|ETIMEDOUT/i,
    advice: 'raise "timeout_s" of the step, or take a smaller model',
  },
  {
    code: "model-refused",
    title: "the model refuses to answer",
    pattern: /the model refuses|content.?filter|would not (?:answer|speak)/i,
    advice: "describe this picture by hand, or try another model",
  },
  {
    code: "model-missing",
    title: "a model is missing or cannot be used",
    pattern:
      /tintype models pull|no models\.yaml has it|cannot (?:use|find|open|load|run|read) (?:niqe )?models?|onnxruntime|model .*(?:not found|not there|does not exist)|\bHTTP 404\b|give a "model" that/i,
    advice: "tintype models list shows what is here; pull the model, or name another",
  },
  {
    code: "bad-answer",
    title: "the model's answer cannot be used",
    pattern:
      /gives no direction|not a whole JSON object|answers with a web page|its answer|answered .*(?:not|no) JSON/i,
    advice: "run again; if it stays, take another model or check the server's address",
  },
  {
    code: "server-error",
    title: "the server has an error",
    pattern: /\bHTTP (?:[45]\d\d|3\d\d)\b|broke off in the middle/i,
    advice: "run again later; the server's own log or status page says why",
  },
  {
    code: "run-stopped",
    title: "the run was stopped",
    pattern: /the run was given up|it was stopped after|aborted/i,
    advice: "run again: it goes on from where it stopped",
  },
  {
    code: "too-many-pixels",
    title: "the picture is too large",
    pattern:
      /pixels is over the limit|(?:frames|tiles), over the limit|over the limit of .*(?:pixels|px)|exceeds .*pixel limit/i,
    advice: "shrink the picture or save it anew with another program, or take it out of the folder",
  },
  {
    code: "not-an-image",
    title: "the file is not a picture",
    pattern: /\bnot an image\b|\bnot a (?:JPEG|PNG|WebP|GIF|TIFF|picture)\b/i,
    advice: "take the file out of the folder, or give it the ending that fits what it is",
  },
  {
    code: "format-unsupported",
    title: "this kind of picture cannot be used",
    pattern:
      /has \d+ channels|this build (?:cannot decode|has no decoder|decodes)|camera raw file|unsupported (?:image )?format|which the trainer does not read/i,
    advice: "convert the picture to JPEG or PNG and put that in its place",
  },
  {
    code: "file-truncated",
    title: "the file is cut short",
    pattern:
      /\bends? (?:after [\d,. ]+(?:of|bytes)|early|before)|\bends after\b|before its (?:IEND|trailer)|beyond the end|premature end|unexpected end|truncated/i,
    advice: "copy the file again from where it came, or take it out of the folder",
  },
  {
    code: "file-damaged",
    title: "the file is damaged",
    pattern:
      /\bdamaged\b|\bcorrupt|\bbroken\b.*\b(?:pixels|header|TIFF|names)\b|^TIFF is broken|impossible length|has no (?:frame header|picture chunk|IHDR)|IHDR is wanted|no chunk where one|cannot be decoded|pixels cannot be read|bits a sample|colour components|is 0 × |× 0 pixels|checksum/i,
    advice: "copy the file again from where it came, open and save it anew, or take it out",
  },
  {
    code: "name-collision",
    title: "two pictures would have the same name",
    pattern: /would be the same file|add \{id\} or \{dir\}|two items named|same name/i,
    advice: "put {id} or {dir} into the name pattern of the step that publishes",
  },
  {
    code: "file-missing",
    title: "a file or folder is not there",
    pattern: /it is not there|no such (?:file|folder)|\bENOENT\b|does not exist|was removed/i,
    advice: "check the path, and that its disk is mounted",
  },
  {
    code: "worker-broke",
    title: "the work was broken off",
    pattern: /its worker broke|workers were released|the worker has ended|the session is closed/i,
    advice: "run again; with a smaller --jobs if it stays, since memory may have run out",
  },
  {
    code: "step-mistake",
    title: "the step's code has a mistake",
    // What V8 says of one.
    pattern:
      /^(?:Cannot (?:read|set) propert(?:y|ies) of|Cannot (?:access|destructure) |Assignment to constant|Maximum call stack)|^\S+ is not (?:a function|a constructor|defined|iterable)\b/,
    advice: "correct the step if its file is yours, otherwise report it with the reason",
  },
  {
    code: "service-missing",
    title: "a service is missing",
    pattern: /which this session has not/i,
    advice: "open the session with the service that the step wants",
  },
  {
    code: "wrong-setting",
    title: "a setting or a file is wrong",
    pattern:
      /^Cannot (?:read (?:policy|decisions|manifest)|scan folder|keep faces|crop|group|label|caption|export a dataset|move pictures)|it is no salt/i,
    advice: "correct the file or the parameter that the reason names",
  },
  {
    code: "cannot-write",
    title: "it cannot be written",
    pattern: /^Cannot (?:write|publish)/i,
    advice: "see that the output folder is there, can be written to, and has nothing in the way",
  },
];

const rest: Readonly<Record<Shortfall, Cause>> = {
  failed: {
    code: "unexpected",
    title: "the reason is not a known one",
    advice: "run again; if it stays the same, report it with the reason and the step's name",
  },
  rejected: {
    code: "left-out",
    title: "the step's settings say so",
    advice: "the step judged it by its parameters: tintype describe STEP says which can be changed",
  },
  waiting: {
    code: "person-wanted",
    title: "a person is to decide",
    advice: "decide what the reason asks for, then run again",
  },
  skipped: {
    code: "after-another",
    title: "what it waits for is not there",
    advice: "it follows when what it waited for is cured",
  },
};

/** What stands behind how a task ended; always the same for the same words. */
export function causeOf(outcome: Shortfall, reason: string | undefined): Cause {
  if (outcome === "waiting" || outcome === "skipped") return rest[outcome];
  const rule = rules.find(({ pattern }) => pattern.test(reason ?? ""));
  if (rule === undefined) return rest[outcome];
  const { code, title, advice } = rule;
  return { code, title, advice };
}

/** The code of a task's end, as journal and tables have it; none where there is a value, or another's fault. */
export function codeOf(outcome: string, reason: string | undefined): string | undefined {
  return outcome === "failed" || outcome === "rejected" || outcome === "waiting"
    ? causeOf(outcome, reason).code
    : undefined;
}

/** Whether a cause is only what no rule knows, so that its reason's words tell more. */
export function isUnknownCause({ code }: Cause): boolean {
  return Object.values(rest).some((cause) => cause.code === code);
}

/** All codes there are, in the order in which they are tried. */
export const causeCodes: readonly string[] = [
  ...rules.map(({ code }) => code),
  ...Object.values(rest).map(({ code }) => code),
];

/** Numbers, as a whole with separators and a decimal part; not those of a word ("SOF3") or a status. */
const number = /(?<![\p{L}\p{N}_])(?<!HTTP )[-−+]?\d+(?:[,.\u202f ]\d{3}(?!\d))*(?:\.\d+)?/gu;

/** Long hexadecimal digits: hashes, addresses. */
const digest = /\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi;

/** Two and more parts with slashes between them. */
const path = /(?<![\p{L}\p{N}_])(?:[A-Za-z]:)?[\\/]?(?:[^\s"'\\/:;,()]+[\\/])+[^\s"'\\/:;,()]*/gu;

/**
 * A reason without what only one item has: names and numbers are "…" and "N", so that alike reasons are
 * the same text. Quoted words that look like parameters (`"timeout_s"`) stay: they say what to change.
 */
export function patternOf(reason: string, item?: string): string {
  const known = item === undefined || item.length < 3 ? reason : reason.replaceAll(item, "…");
  return known
    .replace(/"([^"\n]*)"/g, (quoted, text: string) => isKey(text) ? quoted : '"…"')
    .replace(path, "…")
    .replace(digest, "…")
    .replace(number, "N")
    .replace(/N(?: ?[×x] ?N)+/g, "N × N");
}

function isKey(text: string): boolean {
  return /^[a-z]+(?:_[a-z]+)*$/.test(text);
}

/** What a reason itself says can be done: its last brackets, or an instruction behind a semicolon. */
export function wayOutOf(reason: string): string | undefined {
  const bracket = /\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$/.exec(reason)?.[1];
  if (bracket !== undefined) {
    const text = bracket.replace(/^HTTP \d{3}(?:;\s*)?/, "").trim();
    // What is wanted says what was wrong, and not yet how to come by it.
    const isNoWay = text === "" ||
      /^os error \d+$|\b(?:is|are) wanted$|^(?:reading|setting) '/.test(text);
    return isNoWay ? undefined : text;
  }
  return /;\s*((?:run|restore|remove|put|set|convert|try|raise|choose|use)\b[^;]*(?:;[^;]*)?)$/i
    .exec(reason)?.[1];
}
