import { useMemo, useState } from 'react';

interface Legends {
  isShown: (panel: number) => boolean;
  toggle: (panel: number) => void;
  toggleAll: () => void;
}

/** Which panels of a dashboard show their legend. */
export function useLegends(): Legends {
  const [{ all, others }, setShown] = useState({ all: true, others: new Set<number>() });
  return useMemo(
    () => ({
      isShown: (panel) => all !== others.has(panel),
      toggle: (panel) => setShown((now) => ({ all: now.all, others: toggled(now.others, panel) })),
      toggleAll: () => setShown((now) => ({ all: !now.all, others: new Set() })),
    }),
    [all, others],
  );
}

function toggled(panels: Set<number>, panel: number): Set<number> {
  const next = new Set(panels);
  if (!next.delete(panel)) next.add(panel);
  return next;
}
