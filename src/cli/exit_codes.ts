/** What a command's exit code says. */
export const exitCodes = {
  complete: 0,
  /** Some items failed. */
  failed: 1,
  /** The recipe or the command line is wrong. */
  usage: 2,
  /** A person has to decide something first. */
  waiting: 3,
  interrupted: 130,
} as const;
