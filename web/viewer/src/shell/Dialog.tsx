import { type MouseEvent, type ReactNode, useEffect, useId, useRef } from 'react';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog. Escape, the close button or a click on the backdrop closes it. */
export function Dialog({ title, onClose, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  const clicked = (event: MouseEvent) => event.target === element.current && onClose(); // the backdrop
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose} onClick={clicked}>
      <div className="content">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" aria-label="Close" onClick={onClose}>×</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
