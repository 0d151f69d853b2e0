/** How an axis is divided. */
export type Scale = "linear" | "log";

/** From least to most; both finite, `to` at least `from`. */
export interface Domain {
  readonly from: number;
  readonly to: number;
}

/**
 * A domain that has room on both sides of all numbers: 2 % of their range, and 5 % of the number
 * itself where there is only one. Not finite ones are passed over; 0 to 1 where none is left. A `log`
 * scale has positive numbers alone.
 */
export function domainOf(numbers: readonly number[], scale: Scale): Domain {
  const usable = numbers.filter((each) =>
    Number.isFinite(each) && (scale === "linear" || each > 0)
  );
  if (usable.length === 0) return scale === "log" ? { from: 1, to: 10 } : { from: 0, to: 1 };
  const [least, most] = usable.reduce(
    ([low, high], each) => [Math.min(low, each), Math.max(high, each)],
    [Infinity, -Infinity],
  );
  if (scale === "log") {
    const room = least === most ? 1.05 : (most / least) ** 0.02;
    return { from: least / room, to: most * room };
  }
  const room = least === most ? Math.abs(least) * 0.05 || 0.5 : (most - least) * 0.02;
  return { from: least - room, to: most + room };
}

/**
 * At most `most` round numbers of a log domain, as even as can be: 1, 2, 5 of each power of ten, or 1 and
 * 3, or the powers alone, or round steps where the domain is narrow. Vega's own choice labels all of
 * them, one over the other.
 */
export function logTicks({ from, to }: Domain, most = 6): number[] {
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    powers.push(10 ** power);
  }
  const inside = (digits: readonly number[]) =>
    powers.flatMap((power) => digits.map((digit) => Number((digit * power).toPrecision(12))))
      .filter((each) => each >= from && each <= to);
  const fine = inside([1, 2, 5]);
  if (fine.length < 3) return linearTicks({ from, to });
  const even = [fine, inside([1, 3]), inside([1])].find(({ length }) => length <= most);
  if (even !== undefined) return even;
  const coarse = inside([1]);
  return coarse.filter((_, index) => index % Math.ceil(coarse.length / most) === 0);
}

/** Three to six multiples of 1, 2 or 5 times a power of ten. */
export function linearTicks({ from, to }: Domain): number[] {
  const rough = (to - from) / 5;
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)!;
  const ticks: number[] = [];
  for (let each = Math.ceil(from / step); each * step <= to; each++) {
    ticks.push(Number((each * step).toPrecision(12)));
  }
  return ticks;
}

/** Labels of a log axis that fit beside each other: "100 kB" takes more room than "1,000". */
export function mostTicks(unit: string): number {
  return unit === "bytes" ? 5 : 6;
}

/** A Vega expression for labels in a unit: bytes as kB and MB, shares in percent, commas in large numbers. */
export function labelExpression(unit: string): string {
  if (unit === "bytes") {
    return "datum.value >= 1e9 ? format(datum.value / 1e9, '~r') + ' GB' : datum.value >= 1e6 ? " +
      "format(datum.value / 1e6, '~r') + ' MB' : datum.value >= 1e3 ? " +
      "format(datum.value / 1e3, '~r') + ' kB' : format(datum.value, '~r') + ' B'";
  }
  if (unit === "share") return "format(datum.value * 100, '~g') + ' %'";
  return "abs(datum.value) >= 1000 ? format(datum.value, ',~f') : format(datum.value, '~g')";
}

/**
 * Leaves out labels that would touch. Without a canvas Vega takes a text for half as wide again as it is,
 * 15 pixels for "300 kB", so that labels which seem to overlap by less do not.
 */
export const labelSpacing = { labelOverlap: "greedy", labelSeparation: -12 } as const;
