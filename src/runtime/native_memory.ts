/** Parameters of glibc's `mallopt` (malloc.h), and what they are set to. */
const settings: readonly (readonly [parameter: number, value: number])[] = [
  [-3, 2 ** 27], // M_MMAP_THRESHOLD: blocks up to 128 MiB, a picture of 40 megapixels, come from the heap
  [-1, 2 ** 28], // M_TRIM_THRESHOLD: up to 256 MiB at its end are kept for the next picture
  [-8, 1], // M_ARENA_MAX: threads that are new have no heap of their own
];

let isDone = false;

/**
 * Lets native libraries use the memory of one picture for the next. glibc gives each large block back to
 * the system, and takes new pages for the next one, each by a fault: a quarter of the time in which 60
 * photographs of 12 megapixels are decoded in full. What is kept is at most 256 MiB, beside what is in use,
 * which is too much for runs that decode nothing large: 240 MB more for 100,000 pictures of a few kilobytes.
 *
 * Does nothing where this process may not call native code, as it must to decode, or has another libc.
 */
export function keepNativeMemory(): void {
  if (isDone || Deno.build.os !== "linux") return;
  isDone = true;
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
    const libc = Deno.dlopen("libc.so.6", {
      mallopt: { parameters: ["i32", "i32"], result: "i32" },
    });
    for (const [parameter, value] of settings) libc.symbols.mallopt(parameter, value);
    libc.close();
  } catch {
    // musl has no mallopt, and its own ways
  }
}
