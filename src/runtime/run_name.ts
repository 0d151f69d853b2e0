/**
 * The name of a run that begins now: `20261121-033012-123`, UTC. Names sort by the runs' order, also
 * where the clock was set back or two runs begin in one millisecond: then it is the millisecond after
 * the last one's.
 */
export function nextRunName(existing: Iterable<string>, now: Date): string {
  let last = "";
  for (const name of existing) if (namePattern.test(name) && name > last) last = name;
  const name = nameAt(now.getTime());
  return name > last ? name : nameAt(timeOf(last) + 1);
}

const namePattern = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-(\d{3})$/;

function nameAt(ms: number): string {
  const digits = new Date(ms).toISOString().replace(/[^0-9]/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${digits.slice(14, 17)}`;
}

function timeOf(name: string): number {
  const [year, month, day, ...rest] = namePattern.exec(name)!.slice(1).map(Number);
  const [hour, minute, second, ms] = rest;
  return Date.UTC(year!, month! - 1, day, hour, minute, second, ms);
}
