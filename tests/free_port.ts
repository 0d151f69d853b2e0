/** Systems take the ports of outgoing connections from above this (Linux from 32,768, others from 49,152). */
const [least, count] = [20_000, 10_000];

let next = Deno.pid * 37 % count;

/**
 * A port that nobody has, and that no outgoing connection is given by chance: it stays free between a
 * server and the one that takes its place, and where nobody is to listen, nobody does.
 */
export function freePort(): number {
  for (let tries = 0; tries < count; tries++) {
    const port = least + next++ % count;
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return listener.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`Cannot find a free port from ${least} on: all ${count} are taken`);
}
