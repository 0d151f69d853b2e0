/**
 * What libheif says to each new decoder of HEVC in its build for the web (decoder_libde265.cc), as
 * WebAssembly: `set_parameter_bool(decoder, 7, 1)`, no deblocking, and `(decoder, 8, 1)`, no SAO.
 */
const asBuilt = [0x41, 7, 0x41, 1, 0x10, 0xf0, 0x02, 0x20, 0, 0x41, 8, 0x41, 1, 0x10, 0xf0, 0x02];

/** Parameter 6 instead: pictures that are decoded with errors are not given; and SAO is left on. */
const asWanted = [0x41, 6, 0x41, 1, 0x10, 0xf0, 0x02, 0x20, 0, 0x41, 8, 0x41, 0, 0x10, 0xf0, 0x02];

/** There are two ways to begin a decoder. */
const places = 2;

/**
 * libheif's WebAssembly with the settings of other builds. Its own leave out the filters that HEVC ends
 * with, which is faster and shows blocks, and give a damaged picture as far as it got, with what memory
 * held before in place of the rest. Throws where it is another version than these bytes are of.
 */
export function withStrictDecoder(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(wasm);
  let found = 0;
  for (let at = changed.indexOf(0x41); at >= 0; at = changed.indexOf(0x41, at + 1)) {
    if (!asBuilt.every((byte, nth) => changed[at + nth] === byte)) continue;
    changed.set(asWanted, at);
    found++;
  }
  if (found === places) return changed;
  throw new Error(`Cannot set up libheif: it has ${found} places to do so (${places} are wanted)`);
}
