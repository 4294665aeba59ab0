import type { MouseEvent, ReactNode } from 'react';
import { go } from './hooks';

interface Props {
  to: string;
  current?: boolean;
  /** Whether the target only explains why it cannot be shown. */
  muted?: boolean;
  /** The accessible name, if the text is not sufficient. */
  label?: string;
  children: ReactNode;
}

/** A link within the page that does not reload it. Modifier keys open a new tab as usual. */
export function InternalLink({ to, current, muted, label, children }: Props) {
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
