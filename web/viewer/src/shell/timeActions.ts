import type { TimeRange } from '@grafana/data';
import { absoluteRange, copiedRange, pastedRange, type RawRange, shiftRange, zoomRange } from '../model/timeRange';
import { copy, paste } from './clipboard';
import { notify } from './toast';
import type { Actions } from './useShortcuts';

/** The shortcuts that change the time range, copy it and paste it. */
export function timeActions(range: TimeRange, onRange: (range: RawRange) => void): Actions {
  const go = (next: RawRange | undefined) => next && onRange(next);
  return {
    earlier: () => go(shiftRange(range, -1, Date.now())),
    later: () => go(shiftRange(range, 1, Date.now())),
    zoomIn: () => onRange(zoomRange(range, 0.5, Date.now())),
    zoomOut: () => onRange(zoomRange(range, 2, Date.now())),
    absolute: () => onRange(absoluteRange(range)),
    copyRange: () => void copy(copiedRange(range), 'Time range'),
    pasteRange: () => void pasteRange(onRange),
  };
}

async function pasteRange(onRange: (range: RawRange) => void): Promise<void> {
  const text = await paste();
  if (text === undefined) return;
  const range = pastedRange(text);
  if (range) onRange(range);
  else notify('There is no time range on the clipboard');
}
