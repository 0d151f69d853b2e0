/**
 * Whether a caption has no words. Trainers take such a file as it is, and learn the picture without a
 * description; that is a slip more often than a wish.
 */
export function isEmpty(text: string): boolean {
  return text.trim() === "";
}
