const shownNames = 5;

/** Names for a person: the first ones in quotes, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, shownNames).map((name) => `"${name}"`).join(", ");
  const more = names.length - shownNames;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
