import { withStrictDecoder } from "./libheif_settings.ts";

/** A picture to decode, and what stands before its pixels in the answer. */
export interface HeicRequest {
  readonly bytes: Uint8Array;
  /** Upright, as the header says: another size is damage. */
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly head: Uint8Array;
}

/** What is used of libheif's C interface (libheif/heif*.h), by pointers into its memory. */
interface Native {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _heif_context_alloc(): number;
  _heif_context_free(context: number): void;
  _heif_context_read_from_memory_without_copy(
    error: number,
    context: number,
    bytes: number,
    length: number,
    options: number,
  ): void;
  _heif_context_get_primary_image_handle(error: number, context: number, handle: number): void;
  _heif_image_handle_release(handle: number): void;
  _heif_decoding_options_alloc(): number;
  _heif_decoding_options_free(options: number): void;
  _heif_decode_image(
    error: number,
    handle: number,
    image: number,
    colourSpace: number,
    chroma: number,
    options: number,
  ): void;
  _heif_image_release(image: number): void;
  _heif_image_get_width(image: number, channel: number): number;
  _heif_image_get_height(image: number, channel: number): number;
  _heif_image_get_plane_readonly2(image: number, channel: number, stride: number): number;
  _heif_image_get_decoding_warnings(
    image: number,
    first: number,
    warnings: number,
    most: number,
  ): number;
  _heif_image_is_premultiplied_alpha(image: number): number;
}

/** Of `heif_image.h`. */
const COLOUR_SPACE_RGB = 1;
const INTERLEAVED_CHANNEL = 10;
const interleavedChroma = { 3: 10, 4: 11 } as const;

/** Bytes within `heif_decoding_options` (heif_decoding.h), pointers being 4 long. */
const CONVERT_HDR_TO_8BIT = 20;
const STRICT_DECODING = 21;

/** Why a picture cannot be decoded. */
export type ProblemKind = "damaged" | "unsupported" | "too-large" | "cropped";

/** The reason behind a memory error that libheif's own limits caused (heif_error.h). */
const SECURITY_LIMIT_EXCEEDED = 1000;

/** By `heif_error_code` (heif_error.h); all others are damage. */
const problemKinds: Readonly<Record<number, ProblemKind>> = {
  3: "unsupported", // heif_error_Unsupported_filetype
  4: "unsupported", // heif_error_Unsupported_feature
  6: "too-large", // heif_error_Memory_allocation_error
};

export class HeicProblem extends Error {
  constructor(readonly kind: ProblemKind) {
    super(`Cannot decode a HEIC: it is ${kind}`);
  }
}

/** How Emscripten's modules are made. */
type Create = (options: {
  readonly print: () => void;
  readonly printErr: () => void;
  instantiateWasm(
    this: { readonly wasmBinary: Uint8Array },
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
}) => unknown;

/**
 * libheif as a decoder of primary pictures; give it what `libheif-js` exports. Throws where that is of
 * another version than is known (`withStrictDecoder`).
 */
export function libheifOf(create: Create) {
  let isSetUp = false;
  const native = create({
    print() {},
    printErr() {},
    instantiateWasm(imports, receive) {
      const module = new WebAssembly.Module(withStrictDecoder(this.wasmBinary));
      const instance = new WebAssembly.Instance(module, imports);
      receive(instance);
      isSetUp = true;
      return instance.exports;
    },
  }) as Native;
  // Where this fails the bundle goes on with what it would have made itself, and says so later.
  if (!isSetUp) throw new Error("Cannot set up libheif: its build is not the one that is known");
  return {
    heapBytes: () => native.HEAPU8.byteLength,
    /**
     * The primary picture, upright by the container's rotation, mirror and crop, behind the head. Throws
     * `HeicProblem`; what libheif itself throws is damage that it did not expect.
     */
    decode: (request: HeicRequest) => decode(native, request),
  };
}

function decode(native: Native, request: HeicRequest): Uint8Array<ArrayBuffer> {
  using room = new Room(native);
  const { bytes } = request;
  const content = room.take(native._malloc(bytes.length), native._free);
  native.HEAPU8.set(bytes, content);
  const context = room.take(native._heif_context_alloc(), native._heif_context_free);
  room.call((error) =>
    native._heif_context_read_from_memory_without_copy(error, context, content, bytes.length, 0)
  );
  const handle = room.got(
    (error, out) => native._heif_context_get_primary_image_handle(error, context, out),
    native._heif_image_handle_release,
  );
  const options = room.take(
    native._heif_decoding_options_alloc(),
    native._heif_decoding_options_free,
  );
  native.HEAPU8[options + CONVERT_HDR_TO_8BIT] = 1;
  native.HEAPU8[options + STRICT_DECODING] = 1;
  const chroma = interleavedChroma[request.channels];
  const image = room.got(
    (error, out) =>
      native._heif_decode_image(error, handle, out, COLOUR_SPACE_RGB, chroma, options),
    native._heif_image_release,
  );
  if (native._heif_image_get_decoding_warnings(image, 0, 0, 0) > 0) {
    throw new HeicProblem("damaged");
  }
  return copied(native, room, image, request);
}

function copied(native: Native, room: Room, image: number, request: HeicRequest) {
  const { width, height, channels, head } = request;
  const foundWidth = native._heif_image_get_width(image, INTERLEAVED_CHANNEL);
  const foundHeight = native._heif_image_get_height(image, INTERLEAVED_CHANNEL);
  if (foundWidth !== width || foundHeight !== height) throw new HeicProblem("damaged");
  const plane = native._heif_image_get_plane_readonly2(image, INTERLEAVED_CHANNEL, room.out);
  const stride = native.HEAPU32[room.out >> 2]!;
  const rowBytes = width * channels;
  const made = new Uint8Array(head.length + rowBytes * height);
  made.set(head);
  for (let row = 0; row < height; row++) {
    const from = plane + row * stride;
    made.set(native.HEAPU8.subarray(from, from + rowBytes), head.length + row * rowBytes);
  }
  const isPremultiplied = channels === 4 && native._heif_image_is_premultiplied_alpha(image) !== 0;
  if (isPremultiplied) divideByAlpha(made.subarray(head.length));
  return made;
}

function divideByAlpha(pixels: Uint8Array): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const alpha = pixels[at + 3]!;
    if (alpha === 0 || alpha === 255) continue;
    for (let channel = at; channel < at + 3; channel++) {
      pixels[channel] = Math.min(255, Math.round(pixels[channel]! * 255 / alpha));
    }
  }
}

/** What a decode holds of libheif's memory, given back in the end, the last first. */
class Room implements Disposable {
  /** Where calls put what they give. */
  readonly out: number;
  readonly #native: Native;
  readonly #error: number;
  readonly #giveBack: (() => void)[] = [];

  constructor(native: Native) {
    this.#native = native;
    this.#error = this.take(native._malloc(12), native._free);
    this.out = this.take(native._malloc(8), native._free);
  }

  take(pointer: number, free: (pointer: number) => void): number {
    if (pointer === 0) throw new HeicProblem("too-large");
    this.#giveBack.push(() => free(pointer));
    return pointer;
  }

  /** A `heif_error` is 12 bytes, its code first, that the caller makes room for. */
  call(native: (error: number) => void): void {
    native(this.#error);
    const { HEAPU32 } = this.#native;
    const [code, reason] = HEAPU32.subarray(this.#error >> 2);
    if (code === 0) return;
    const kind = problemKinds[code!] ?? "damaged";
    // Sizes are within the limits by the header; libheif 1.23 has a limit by the size after a crop.
    const isCrop = kind === "too-large" && reason === SECURITY_LIMIT_EXCEEDED;
    throw new HeicProblem(isCrop ? "cropped" : kind);
  }

  got(native: (error: number, out: number) => void, free: (pointer: number) => void): number {
    this.call((error) => native(error, this.out));
    return this.take(this.#native.HEAPU32[this.out >> 2]!, free);
  }

  [Symbol.dispose](): void {
    for (const giveBack of this.#giveBack.reverse()) giveBack();
  }
}
