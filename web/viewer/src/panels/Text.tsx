import type { Panel } from '../model/dashboard';

/** A note. Its text is shown as it stands: markup of a file is not run. */
export function Text({ panel }: { panel: Panel }) {
  return <p className="note">{String(panel.options?.content ?? '')}</p>;
}
