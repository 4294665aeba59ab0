import type { MouseEvent, ReactNode } from 'react';
import { go } from './hooks';

interface Props {
  to: string;
  current?: boolean;
  /** Whether it leads to an explanation only. */
  muted?: boolean;
  /** What a screen reader says, where the text says too little by itself. */
  label?: string;
  children: ReactNode;
}

/** A link within the page: no reload, but a new tab where one is asked for. */
export function Inner({ to, current, muted, label, children }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
    scrollTo(0, 0);
  };
  return (
    <a href={to} className={muted ? 'muted' : undefined} onClick={follow} aria-current={current ? 'page' : undefined} aria-label={label}>
      {children}
    </a>
  );
}
