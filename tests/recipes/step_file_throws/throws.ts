// A step file that cannot be loaded.
throw new Error("out of paint");
