import type { Picture } from "./dataset.ts";

/** How many pictures there are, and files where these are more: "14 pictures (15 files)". */
export function pictureCount(pictures: readonly Picture[]): string {
  const files = pictures.reduce((sum, { copies }) => sum + 1 + copies.length, 0);
  const words = `${pictures.length} ${pictures.length === 1 ? "picture" : "pictures"}`;
  return files === pictures.length ? words : `${words} (${files} files)`;
}
