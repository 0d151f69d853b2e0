const shownNames = 5;

/** Names for a person: the first ones in quotes, and how many more there are. */
export function listed(names: readonly string[]): string {
  return shortened(names.map((name) => `"${name}"`));
}

/** The first of many texts, and how many more there are. */
export function shortened(texts: readonly string[]): string {
  const more = texts.length - shownNames;
  return texts.slice(0, shownNames).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
