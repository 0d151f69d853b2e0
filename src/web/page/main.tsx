/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import { render } from "preact";
import { App } from "./app.tsx";
import { hearKeys } from "./keys.ts";
import { server } from "./link.ts";
import { Store } from "./store.ts";

/** Opens the dataset, once the server answers, and draws the page. */
async function start(): Promise<void> {
  const root = document.querySelector("#app")!;
  const opened = await server.dataset().catch(() => undefined);
  if (opened === undefined) {
    root.textContent = "The server does not answer. Is tintype still running? Trying again …";
    setTimeout(() => void start(), 1000);
    return;
  }
  const store = new Store(opened);
  store.open(store.visible[0]?.sha256);
  hearKeys(store);
  addEventListener("beforeunload", (event) => {
    if (store.saveState.type !== "saved") event.preventDefault();
  });
  root.textContent = "";
  render(<App store={store} />, root);
}

void start();
