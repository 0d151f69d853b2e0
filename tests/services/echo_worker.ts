/** For tests of `WorkerPool`: does as it is told. */
export async function compute(input: unknown): Promise<unknown> {
  if (typeof input === "object" && input !== null && "pixels" in input) {
    return (input.pixels as Uint8Array).reduce((sum, value) => sum + value, 0);
  }
  switch (input) {
    case "throw":
      throw new RangeError("told to throw");
    case "break":
      setTimeout(() => {
        throw new Error("told to break");
      });
      return await new Promise(() => {});
    case "wait":
      return await new Promise(() => {});
    case "function":
      return () => {};
    default:
      return input;
  }
}
