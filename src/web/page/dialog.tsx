/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Store } from "./store.ts";

interface DialogProps {
  readonly store: Store;
  readonly title: string;
  readonly children: ComponentChildren;
}

/** A window over the page: focus stays in it, Escape closes it, and goes back to where it was. */
export function Dialog({ store, title, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const isGone = useRef(false);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current!;
    dialog.showModal();
    return () => {
      isGone.current = true;
      // As long as it is open, nothing else takes the focus.
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  // The browser tells of a dialog's end later, when the next one, or the same anew, may be open.
  const close = () => isGone.current || store.set({ dialog: undefined });
  return (
    <dialog
      ref={element}
      aria-labelledby="dialog-title"
      onCancel={close}
      onClose={close}
      onClick={({ target }) => target === element.current && close()}
    >
      <div class="dialog-body">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" onClick={close}>
            Close <kbd>Esc</kbd>
          </button>
        </header>
        {store.notice?.isUrgent && <p role="alert" class="note bad">{store.notice.text}</p>}
        {children}
      </div>
    </dialog>
  );
}
