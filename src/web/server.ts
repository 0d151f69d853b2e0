import { Hono } from "hono";
import { z } from "zod";
import { Rejection } from "../runtime/rejection.ts";
import type { Dataset, DatasetEvent, Served } from "./dataset.ts";
import { guard } from "./guard.ts";

/** A text file of the page, under a name that changes with it. */
export interface Asset {
  /** "/page-3f2a….js" */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export interface PageFiles {
  readonly html: string;
  readonly assets: readonly Asset[];
}

export interface ServerOptions {
  readonly dataset: Dataset;
  /** Makes the page; called at once, and again where that did not work. Throws with the reason. */
  readonly page: () => Promise<PageFiles>;
  /** 0 for a free one. */
  readonly port: number;
}

export interface ReviewServer {
  /** "http://127.0.0.1:8123/" */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves a dataset's review on the loopback interface. Throws where the port is taken. */
export function serveReview({ dataset, page, port }: ServerOptions): ReviewServer {
  let hosts: readonly string[] = [];
  const streams = new AbortController();
  const made = keptOnceMade(page);
  // It is made while the browser starts; what goes wrong is said when it asks.
  made().catch(() => {});
  const app = routes(dataset, made, { hosts: () => hosts, signal: streams.signal });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    (request) => app.fetch(request),
  );
  const { port: chosen } = server.addr;
  hosts = [`127.0.0.1:${chosen}`, `localhost:${chosen}`];
  return {
    url: `http://127.0.0.1:${chosen}/`,
    port: chosen,
    async close() {
      streams.abort();
      await server.shutdown();
    },
  };
}

/** Makes something once; what did not work is tried again by the next who asks. */
function keptOnceMade<Made>(make: () => Promise<Made>): () => Promise<Made> {
  let made: Promise<Made> | undefined;
  return () =>
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const ofPicture = { number: z.int().min(1), image: hash };
const mostCharacters = 20_000;
const text = z.string().max(mostCharacters);

const editsShape = z.strictObject({
  by: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
  edits: z.array(z.discriminatedUnion("field", [
    z.strictObject({ field: z.literal("caption"), ...ofPicture, before: text, after: text }),
    z.strictObject({
      field: z.literal("state"),
      ...ofPicture,
      before: z.string().max(40),
      after: z.enum(["auto", "edited", "approved", "needs_review"]),
    }),
    z.strictObject({
      field: z.literal("locked"),
      ...ofPicture,
      before: z.boolean(),
      after: z.boolean(),
    }),
  ])).max(1000),
});
const imagesShape = z.strictObject({ images: z.array(hash).max(100_000) });
const exportShape = z.strictObject({ overwrite: z.boolean() });
const nothing = z.strictObject({});

interface RouteOptions {
  readonly hosts: () => readonly string[];
  readonly signal: AbortSignal;
}

function routes(dataset: Dataset, page: ServerOptions["page"], { hosts, signal }: RouteOptions) {
  const app = new Hono();
  app.use(guard(hosts));
  app.onError((error) => {
    const isAsked = error instanceof z.ZodError || error instanceof SyntaxError;
    const problem = isAsked ? `Cannot read the request: ${error.message}` : error.message;
    return Response.json({ problem }, { status: isAsked ? 400 : 500 });
  });
  app.notFound(() => Response.json({ problem: "there is no such thing here" }, { status: 404 }));

  app.get("/", async () => {
    const { html } = await page();
    return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
  });
  app.get("/favicon.ico", () => new Response(undefined, { status: 204 }));
  for (const size of ["thumbnail", "large"] as const) {
    app.get(`/${size}/:sha256`, async (context) => {
      const { success, data } = hash.safeParse(context.req.param("sha256"));
      return served(success ? await view(dataset, data, size) : undefined);
    });
  }
  app.get("/zip/:sha256", async (context) => {
    const { success, data } = hash.safeParse(context.req.param("sha256"));
    const zip = success ? await dataset.zip(data) : undefined;
    const name = encodeURIComponent(zip?.name ?? "");
    return served(zip, { "content-disposition": `attachment; filename*=UTF-8''${name}` });
  });

  app.get("/api/dataset", () =>
    Response.json({
      about: dataset.about(),
      pictures: dataset.pictures(),
      progress: dataset.progress(),
    }));
  app.get("/api/events", () => events(dataset, signal));
  app.get(
    "/api/history/:sha256",
    (context) => Response.json(dataset.history(hash.parse(context.req.param("sha256")))),
  );
  app.get("/api/preview", async () => Response.json(await dataset.preview()));
  app.post("/api/edits", async ({ req }) => {
    const { by, edits } = editsShape.parse(await req.json());
    return Response.json(await dataset.edit(by, edits));
  });
  app.post("/api/forecast", async ({ req }) => {
    const { images } = imagesShape.parse(await req.json());
    return Response.json(await dataset.forecast(images));
  });
  app.post("/api/regenerate", async ({ req }) => {
    const { images } = imagesShape.parse(await req.json());
    return Response.json(dataset.regenerate(images));
  });
  app.post("/api/look", async ({ req }) => {
    nothing.parse(await req.json());
    dataset.lookAgain();
    return Response.json({});
  });
  app.post(
    "/api/export",
    async ({ req }) => Response.json(await dataset.export(exportShape.parse(await req.json()))),
  );
  app.get("/:asset", async (context) => {
    const { assets } = await page();
    const asset = assets.find(({ path }) => path === context.req.path);
    return asset === undefined
      ? context.notFound()
      : new Response(asset.text, { headers: { "content-type": asset.type, ...forever } });
  });
  return app;
}

/** What is named by its content never changes. */
const forever = { "cache-control": "private, max-age=31536000, immutable" };

async function view(dataset: Dataset, sha256: string, size: "thumbnail" | "large") {
  try {
    return await dataset.view(sha256, size);
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  }
}

function served(file: Served | undefined, headers: Readonly<Record<string, string>> = {}) {
  if (file === undefined) {
    return Response.json({ problem: "there is no such picture here" }, { status: 404 });
  }
  return new Response(file.bytes as Uint8Array<ArrayBuffer>, {
    headers: { "content-type": file.type, ...forever, ...headers },
  });
}

/** A connection that says nothing for so long is taken for lost by some; a comment keeps it. */
const beatMs = 15_000;

/** What happens, as server-sent events (HTML Living Standard, 9.2). */
function events(dataset: Dataset, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (line: string) => controller.enqueue(encoder.encode(`${line}\n\n`));
      const tell = (event: DatasetEvent) => send(`data: ${JSON.stringify(event)}`);
      const beat = setInterval(() => send(": still here"), beatMs);
      const silence = dataset.listen(tell);
      stop = () => {
        clearInterval(beat);
        silence();
        signal.removeEventListener("abort", end);
      };
      const end = () => {
        stop();
        controller.close();
      };
      signal.addEventListener("abort", end);
      send("retry: 500");
      tell({ type: "progress", progress: dataset.progress() });
    },
    cancel: () => stop(),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
