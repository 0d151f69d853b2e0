/**
 * Loads a module of this program when it is needed. Deno reads ahead whatever a literal `import()`
 * names, with all that it imports in turn, used or not: this path is none to it. `path` begins at the
 * module `from`, an `import.meta.url`.
 */
export async function loadModule<Module>(path: string, from: string): Promise<Module> {
  return await import(new URL(path, from).href);
}
