import type { MiddlewareHandler } from "hono";

/** Everything is this server's own; nothing of it is framed, cached beside it, or sniffed. */
const headers: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The most that a page sends at once: 500 long captions are less than 1 MB. */
const mostBytes = 8_000_000;

/**
 * Lets only this server's own pages in. A name that somebody else's DNS points at this machine comes with
 * another Host, and a page from elsewhere with another Origin or fetch site. What changes something is a
 * POST as JSON, which no form of another site can send.
 */
export function guard(hosts: () => readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context;
    const problem = problemWith(req.raw, hosts());
    if (problem === undefined) await next();
    else context.res = Response.json({ problem: problem.text }, { status: problem.status });
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
    if (!context.res.headers.has("cache-control")) {
      context.res.headers.set("cache-control", "no-store");
    }
  };
}

function problemWith(
  { method, headers }: Request,
  hosts: readonly string[],
): { readonly status: number; readonly text: string } | undefined {
  const host = headers.get("host") ?? "";
  if (!hosts.includes(host)) return { status: 421, text: `"${host}" is not served here` };
  const origin = headers.get("origin");
  if (origin !== null && !hosts.some((each) => origin === `http://${each}`)) {
    return { status: 403, text: `pages of "${origin}" may not ask here` };
  }
  const site = headers.get("sec-fetch-site") ?? "none";
  if (site !== "none" && site !== "same-origin") {
    return { status: 403, text: "pages of other sites may not ask here" };
  }
  if (method === "GET" || method === "HEAD") return undefined;
  if (method !== "POST") return { status: 405, text: `${method} is not known here` };
  if (origin === null) return { status: 403, text: "a change needs the Origin of this page" };
  if (!/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) {
    return { status: 415, text: "a change is sent as application/json" };
  }
  if (Number(headers.get("content-length") ?? Infinity) > mostBytes) {
    return { status: 413, text: `a change has at most ${mostBytes} bytes, and says how many` };
  }
  return undefined;
}
