import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useId, useRef } from 'preact/hooks';
import { useAction } from '../hooks';
import { Form } from './form';

export interface DialogProps {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children?: ComponentChildren;
}

/** A modal dialog for as long as it is rendered. Focus goes in, stays in, and returns to where it was. */
export function Dialog({ title, onClose, wide, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="button quiet icon" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** `onClose` for after an answer: nothing where the dialog was left meanwhile, since another may be open by then. */
export function useStillOpen(onClose: () => void): () => void {
  const open = useRef(true);
  useEffect(() => () => void (open.current = false), []);
  return useCallback(() => open.current && onClose(), [onClose]);
}

export interface ConfirmProps {
  title: string;
  /** The word on the button that does it. */
  verb: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
  children?: ComponentChildren;
}

/** Asks before something that cannot be taken back, and stays open with the reason when it fails. */
export function Confirm({ title, verb, onConfirm, onClose, children }: ConfirmProps) {
  const action = useAction();
  const close = useStillOpen(onClose);
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        action={action}
        submit={verb}
        danger
        onCancel={onClose}
        onSubmit={async () => {
          await onConfirm();
          close();
        }}
      >
        {children}
      </Form>
    </Dialog>
  );
}
