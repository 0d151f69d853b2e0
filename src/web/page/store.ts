/// <reference lib="dom" />
import { isEmpty } from "../../captions/empty.ts";
import type {
  About,
  DatasetEvent,
  Edit,
  EditedState,
  Forecast,
  Picture,
  Progress,
} from "../dataset.ts";
import { parseFilter } from "../filter.ts";
import { listen, type Opened, server } from "./link.ts";
import { NotTaken, type Outbox, type SaveState } from "./outbox.ts";
import { adoptOutboxes, newOutbox } from "./outboxes.ts";

export type DialogName = "help" | "replace" | "preview" | "export" | "history" | "regenerate";

/** A message with what can be done about it. One that only informs leaves by itself. */
export interface Notice {
  readonly text: string;
  readonly actions?: readonly { readonly label: string; readonly does: () => void }[];
  readonly isUrgent?: boolean;
  /** The picture that it is about: it leaves when another one is opened. */
  readonly image?: string;
}

/** Whether a message waits for a person: it asks something, or went wrong. */
export function stays({ actions = [], isUrgent = false }: Notice): boolean {
  return isUrgent || actions.length > 0;
}

/** Time to read a message of one line. */
const noticeMs = 8000;

/** What undo takes back: how a picture stood. */
interface Standing {
  readonly caption: string;
  readonly state: Picture["state"];
  readonly locked: boolean;
}

interface Undoing {
  readonly before: Standing;
  after: Standing;
  atMs: number;
  readonly isTyping: boolean;
}

/** Typing that pauses for longer is taken back by itself. */
const typingMs = 1000;

/** All that the page knows. Components draw it anew when `subscribe` says so. */
export class Store {
  about: About | undefined;
  progress: Progress | undefined;
  filter = "";
  current: string | undefined;
  /** What a narrow screen shows. */
  pane: "grid" | "picture" = "grid";
  dialog: DialogName | undefined;
  notice: Notice | undefined;
  isConnected = true;
  /** What "caption anew" was asked for, while that is being confirmed. */
  asking: { readonly images: readonly string[]; readonly forecast: Forecast } | undefined;
  /** Whether letters are shortcuts. */
  hasLetterKeys = localStorage.getItem("tintype-letter-keys") !== "no";
  readonly outbox: Outbox;
  #fromServer = new Map<string, Picture>();
  #shown = new Map<string, Picture>();
  #order: readonly Picture[] = [];
  #visible: { readonly key: string; readonly pictures: readonly Picture[] } | undefined;
  readonly #undo = new Map<string, Undoing[]>();
  readonly #redo = new Map<string, Undoing[]>();
  readonly #subscribers = new Set<() => void>();
  #isDrawing = false;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly opened: Opened) {
    const options = {
      post: server.edits,
      onTaken: (outcome: Awaited<ReturnType<typeof server.edits>>) => {
        this.#take(outcome.pictures);
        for (const { image, caption } of outcome.overwritten) this.#tellOverwritten(image, caption);
      },
      onChange: () => this.changed(),
    };
    this.outbox = newOutbox(opened.about.id, options);
    this.#open(opened);
    adoptOutboxes(opened.about.id, { ...options, own: this.outbox.options.by });
    listen({
      event: (event) => this.#hear(event),
      open: () => {
        this.isConnected = true;
        this.outbox.retryNow();
        void server.dataset().then((fresh) => this.#open(fresh), () => {});
      },
      lost: () => {
        this.isConnected = false;
        this.changed();
      },
    });
  }

  subscribe(subscriber: () => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Has the page drawn anew, once for all that changes in one turn. */
  changed(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      for (const subscriber of this.#subscribers) subscriber();
    });
  }

  get pictures(): readonly Picture[] {
    return this.#order;
  }

  /** Those that the filter lets through; the one that is open stays until another one is. */
  get visible(): readonly Picture[] {
    const key = `${this.filter}\n${this.current ?? ""}`;
    if (this.#visible?.key !== key) {
      const holds = parseFilter(this.filter);
      const pictures = this.#order.filter((each) => each.sha256 === this.current || holds(each));
      this.#visible = { key, pictures };
    }
    return this.#visible.pictures;
  }

  /** The filter's pictures, without the one that is only open. */
  get filtered(): readonly Picture[] {
    return this.#order.filter(parseFilter(this.filter));
  }

  get picture(): Picture | undefined {
    return this.current === undefined ? undefined : this.#shown.get(this.current);
  }

  get saveState(): SaveState {
    return this.outbox.state;
  }

  set(change: Partial<Pick<Store, "filter" | "dialog" | "pane" | "hasLetterKeys">>) {
    Object.assign(this, change);
    if (change.hasLetterKeys !== undefined) {
      localStorage.setItem("tintype-letter-keys", change.hasLetterKeys ? "yes" : "no");
    }
    this.changed();
  }

  /** Shows a message in place of the one before; undefined takes that away. */
  notify(notice: Notice | undefined): void {
    clearTimeout(this.#leaving);
    this.notice = notice;
    if (notice !== undefined && !stays(notice)) {
      this.#leaving = setTimeout(() => this.notify(undefined), noticeMs);
    }
    this.changed();
  }

  open(image: string | undefined): void {
    this.current = image;
    if (this.notice?.image !== undefined && this.notice.image !== image) this.notify(undefined);
    this.changed();
  }

  /** The picture so many places further in what is shown. */
  neighbour(steps: number): Picture | undefined {
    const { visible } = this;
    const at = visible.findIndex(({ sha256 }) => sha256 === this.current);
    return at < 0 ? visible[0] : visible[at + steps];
  }

  type(caption: string): void {
    const picture = this.picture;
    if (picture === undefined || picture.locked || picture.caption === caption) return;
    this.#change(picture, { caption }, true);
  }

  change(picture: Picture, change: Partial<Standing>): void {
    this.#change(picture, change, false);
  }

  /** Approves, or takes the approval back. */
  approve(picture: Picture): void {
    if (!canApprove(picture)) return;
    const taken = picture.source === "person" ? "edited" : "auto";
    this.change(picture, { state: picture.state === "approved" ? taken : "approved" });
  }

  canUndo(image: string): boolean {
    return (this.#undo.get(image)?.length ?? 0) > 0;
  }

  canRedo(image: string): boolean {
    return (this.#redo.get(image)?.length ?? 0) > 0;
  }

  undo(image: string): void {
    const last = this.#undo.get(image)?.pop();
    if (last === undefined) return;
    this.#redo.set(image, [...this.#redo.get(image) ?? [], last]);
    this.#become(image, last.before);
  }

  redo(image: string): void {
    const last = this.#redo.get(image)?.pop();
    if (last === undefined) return;
    this.#undo.set(image, [...this.#undo.get(image) ?? [], { ...last, isTyping: false }]);
    this.#become(image, last.after);
  }

  /** Asks for new captions; where that is more than one, or costs something, a person is asked first. */
  async askAnew(which: "one" | "filtered"): Promise<void> {
    const one = this.picture === undefined ? [] : [this.picture];
    const images = (which === "one" ? one : this.filtered).map(({ sha256 }) => sha256);
    if (images.length === 0) return;
    await this.tell(async () => {
      const forecast = await server.forecast(images);
      this.asking = { images, forecast };
      if (forecast.pictures === 1 && forecast.cost === null) await this.regenerate();
      else this.set({ dialog: "regenerate" });
    });
  }

  /** Does what `askAnew` asked for. */
  async regenerate(): Promise<void> {
    const { images = [] } = this.asking ?? {};
    this.set({ dialog: undefined });
    await this.tell(async () => {
      const { pictures, locked } = await server.regenerate(images);
      const left = locked > 0 ? `; ${locked} locked left as they are` : "";
      const text = pictures === 0 ? "Nothing to do" : `${pictures} to be captioned anew`;
      this.notify({ text: `${text}${left}.` });
    });
  }

  look(): void {
    void this.tell(async () => void await server.look());
  }

  /** Does something with the server, and says so where it does not work. */
  async tell(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isReason = error instanceof NotTaken;
      const text = isReason ? error.message : "The server does not answer; try again in a moment.";
      this.notify({ text, isUrgent: true });
    }
  }

  #change(picture: Picture, change: Partial<Standing>, isTyping: boolean) {
    const image = picture.sha256;
    const now = performance.now();
    const before = standingOf(picture);
    this.#become(image, { ...before, ...change });
    const after = standingOf(this.#shown.get(image)!);
    const undo = this.#undo.get(image) ?? [];
    const last = undo.at(-1);
    if (isTyping && last?.isTyping && now - last.atMs < typingMs) {
      Object.assign(last, { after, atMs: now });
    } else undo.push({ before, after, atMs: now, isTyping });
    this.#undo.set(image, undo);
    this.#redo.delete(image);
  }

  /** Sends what differs: the caption first, since a changed caption is an edited one. */
  #become(image: string, wanted: Standing) {
    const from = this.#shown.get(image)!;
    const edits: Parameters<Outbox["add"]>[0][number][] = [];
    if (from.caption !== wanted.caption) {
      edits.push({ image, field: "caption", before: from.caption, after: wanted.caption });
    }
    const isCaption = edits.length > 0;
    const isMeant = isCaption
      ? wanted.state !== from.state && ["approved", "needs_review"].includes(wanted.state)
      : wanted.state !== from.state;
    if (isMeant && isEdited(wanted.state)) {
      edits.push({ image, field: "state", before: from.state, after: wanted.state });
    }
    if (from.locked !== wanted.locked) {
      edits.push({ image, field: "locked", before: from.locked, after: wanted.locked });
    }
    if (edits.length === 0) return;
    this.outbox.add(edits);
    this.#draw([image]);
  }

  #open({ about, pictures, progress }: Opened) {
    this.about = about;
    this.progress = progress;
    const there = new Set(pictures.map(({ sha256 }) => sha256));
    for (const image of this.#fromServer.keys()) {
      if (!there.has(image)) this.#remove(image);
    }
    this.#take(pictures);
  }

  #hear(event: DatasetEvent) {
    if (event.type === "progress") this.progress = event.progress;
    else if (event.type === "removed") event.images.forEach((image) => this.#remove(image));
    else {
      const open = this.picture;
      this.#take(event.pictures);
      const isOther = event.by !== undefined && event.by !== this.outbox.options.by;
      const now = this.picture;
      if (isOther && open !== undefined && now !== undefined && open.caption !== now.caption) {
        this.#tellChanged(open.sha256, open.caption);
      }
    }
    this.changed();
  }

  /** What the server says, unless something newer is known. */
  #take(pictures: readonly Picture[]) {
    const newer = pictures.filter(({ sha256, revision }) =>
      revision > (this.#fromServer.get(sha256)?.revision ?? -1)
    );
    for (const picture of newer) this.#fromServer.set(picture.sha256, picture);
    this.#draw(pictures.map(({ sha256 }) => sha256));
  }

  #remove(image: string) {
    this.#fromServer.delete(image);
    this.#shown.delete(image);
    if (this.current === image) this.current = undefined;
    this.#draw([]);
  }

  /** Puts what is on its way to the server over what the server says. */
  #draw(images: readonly string[]) {
    for (const image of images) {
      const picture = this.#fromServer.get(image);
      if (picture === undefined) continue;
      const pending = this.outbox.pending.filter((edit) => edit.image === image);
      this.#shown.set(image, pending.reduce(withEdit, picture));
    }
    this.#order = [...this.#shown.values()].sort((a, b) => a.name < b.name ? -1 : 1);
    this.#visible = undefined;
    this.changed();
  }

  #tellOverwritten(image: string, theirs: string) {
    const name = this.#shown.get(image)?.name ?? "A picture";
    const text =
      `${name} was changed in another tab meanwhile. Your text holds now; the other one, ` +
      `“${theirs}”, is in its history.`;
    this.notify({ text, actions: [this.#restoring(image, theirs, "Take the other text")] });
  }

  #tellChanged(image: string, ours: string) {
    const text = "This caption was changed in another tab; it shows the newest text.";
    this.notify({ text, image, actions: [this.#restoring(image, ours, "Put my text back")] });
  }

  #restoring(image: string, caption: string, label: string) {
    const does = () => {
      const picture = this.#shown.get(image);
      if (picture !== undefined) this.change(picture, { caption });
      this.notify(undefined);
    };
    return { label, does };
  }
}

function standingOf({ caption, state, locked }: Picture): Standing {
  return { caption, state, locked };
}

/** Whether there is a caption to approve. */
export function canApprove({ state, caption }: Picture): boolean {
  return isEdited(state) && !isEmpty(caption);
}

function isEdited(state: Picture["state"]): state is EditedState {
  return state !== "failed" && state !== "waiting";
}

/** How a picture stands once the server has a change. */
function withEdit(picture: Picture, edit: Edit): Picture {
  switch (edit.field) {
    case "caption": {
      const written = isEmpty(edit.after) ? "needs_review" : "edited";
      const state = isEdited(picture.state) ? written : picture.state;
      return { ...picture, caption: edit.after, state, source: "person", problems: [] };
    }
    case "state":
      return isEdited(picture.state) ? { ...picture, state: edit.after } : picture;
    case "locked":
      return { ...picture, locked: edit.after };
  }
}
