import { cpuUsage } from "node:process";

const mostTries = 3;

/**
 * Begins to measure; what comes back gives the milliseconds of CPU that this process, with all its
 * threads, has used since. What else the machine does has no part in it.
 */
export function cpuTimer(): () => number {
  const start = cpuUsage();
  return () => {
    const { user, system } = cpuUsage(start);
    return (user + system) / 1000;
  };
}

/**
 * The least CPU that one of three calls took, in milliseconds: what others do to the caches and the
 * clock of a core can only add to it. Ends with the first call below `enoughMs`.
 */
export function leastCpuMs(call: () => void, enoughMs: number): number {
  let least = Infinity;
  for (let tries = 0; tries < mostTries && least >= enoughMs; tries++) {
    const cpuMs = cpuTimer();
    call();
    least = Math.min(least, cpuMs());
  }
  return least;
}
