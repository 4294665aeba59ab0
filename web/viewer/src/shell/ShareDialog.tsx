import type { TimeRange } from '@grafana/data';
import { useRef, useState } from 'react';
import { type Address, writeAddress } from '../model/address';
import { absoluteRange, type RawRange } from '../model/timeRange';
import { copy } from './clipboard';
import { Dialog } from './Dialog';

interface Props {
  address: Address;
  /** The range that is shown, as it was chosen, and as the moments it stands for at present. */
  raw: RawRange;
  range: TimeRange;
  onClose: () => void;
}

/** A link to what is shown: the dashboard, its time range, variables, panel and legend selections. */
export function ShareDialog({ address, raw, range, onClose }: Props) {
  const [absolute, setAbsolute] = useState(true);
  const field = useRef<HTMLInputElement>(null);
  const link = shareLink(address, absolute ? absoluteRange(range) : raw);
  const take = async () => {
    if (!(await copy(link, 'Link'))) field.current?.select(); // Ctrl+C remains
  };
  return (
    <Dialog title="Share" onClose={onClose}>
      <label className="choice">
        <input type="checkbox" checked={absolute} onChange={() => setAbsolute(!absolute)} /> Lock time range
      </label>
      <p className="faint">
        {absolute ? 'The link shows the same moments whenever it is opened.' : 'The link shows the time up to the moment when it is opened.'} It
        asks for the password.
      </p>
      <div className="link">
        <input ref={field} aria-label="Link" readOnly value={link} onFocus={({ target }) => target.select()} />
        <button type="button" onClick={take}>Copy link</button>
      </div>
    </Dialog>
  );
}

/** The whole address of a view, with a time range of its own. */
export function shareLink(address: Address, range: RawRange): string {
  return location.origin + writeAddress({ ...address, ...range, kiosk: undefined });
}
