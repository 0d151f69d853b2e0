/// <reference lib="dom" />
import type {
  About,
  DatasetEvent,
  Edit,
  EditOutcome,
  ExportOutcome,
  Forecast,
  HistoryEntry,
  Picture,
  Preview,
  Progress,
} from "../dataset.ts";
import { NotTaken } from "./outbox.ts";

export interface Opened {
  readonly about: About;
  readonly pictures: readonly Picture[];
  readonly progress: Progress;
}

/** An answer that takes longer than this is lost; a change is sent again then. */
const patienceMs = 15_000;

async function ask<Answer>(path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(
    path,
    body === undefined ? { signal } : {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    },
  );
  if (response.ok) return await response.json() as Answer;
  const problem = await response.json().then((answer: { problem?: string }) => answer.problem)
    .catch(() => undefined);
  throw new NotTaken(problem ?? `The server answered ${response.status}`);
}

/** What the page asks the server. All throw `NotTaken` with its reason, or a `TypeError` offline. */
export const server = {
  dataset: () => ask<Opened>("/api/dataset"),
  history: (image: string) => ask<HistoryEntry[]>(`/api/history/${image}`),
  preview: () => ask<Preview>("/api/preview"),
  edits: (by: string, edits: readonly Edit[]) =>
    ask<EditOutcome>("/api/edits", { by, edits }, AbortSignal.timeout(patienceMs)),
  forecast: (images: readonly string[]) => ask<Forecast>("/api/forecast", { images }),
  regenerate: (images: readonly string[]) => ask<Forecast>("/api/regenerate", { images }),
  look: () => ask<object>("/api/look", {}),
  export: (overwrite: boolean) => ask<ExportOutcome>("/api/export", { overwrite }),
};

export interface Listener {
  event(event: DatasetEvent): void;
  /** The connection stands: what came meanwhile has to be fetched. */
  open(): void;
  lost(): void;
}

/**
 * Hears the server's events for as long as the page is seen: browsers allow six connections to a server,
 * and hidden tabs would use them up.
 */
export function listen(listener: Listener): void {
  let source: EventSource | undefined;
  const connect = () => {
    source?.close();
    source = new EventSource("/api/events");
    source.onopen = () => listener.open();
    source.onmessage = ({ data }: MessageEvent<string>) =>
      listener.event(JSON.parse(data) as DatasetEvent);
    source.onerror = () => {
      listener.lost();
      // An answer that is no stream ends it for good; else the browser tries by itself.
      if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
    };
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") source?.close();
    else connect();
  });
  addEventListener("online", connect);
  connect();
}
