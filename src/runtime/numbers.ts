/**
 * A number as messages show it: `4,096`, and with at most that many decimals `3.3`. Done by hand since
 * the first use of `Intl` takes 15 ms, as long as checking a recipe.
 */
export function grouping(value: number, decimals = 0): string {
  const [whole, fraction = ""] = value.toFixed(decimals).split(".") as [string, string?];
  const kept = fraction.replace(/0+$/, "");
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return kept === "" ? grouped : `${grouped}.${kept}`;
}
