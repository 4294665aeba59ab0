import type { Panel } from '../model/dashboard';

/** A text panel. Its content is shown as plain text: markup is not interpreted. */
export function Text({ panel }: { panel: Panel }) {
  return <p className="note">{String(panel.options?.content ?? '')}</p>;
}
