import type { TimeRange } from '@grafana/data';
import { useRef, useState } from 'react';
import { type Address, writeAddress } from '../model/address';
import { absoluteRange, type RawRange } from '../model/timeRange';
import { copy } from './clipboard';
import { Dialog } from './Dialog';

interface Props {
  address: Address;
  /** The range as chosen (`raw`), and as absolute times. */
  raw: RawRange;
  range: TimeRange;
  onClose: () => void;
}

/** A link to the current view: dashboard, time range, variables, panel and legend selections. */
export function ShareDialog({ address, raw, range, onClose }: Props) {
  const [absolute, setAbsolute] = useState(true);
  const field = useRef<HTMLInputElement>(null);
  const link = shareLink(address, absolute ? absoluteRange(range) : raw);
  const take = async () => {
    if (!(await copy(link, 'Link'))) field.current?.select(); // so that Ctrl+C copies it
  };
  return (
    <Dialog title="Share" onClose={onClose}>
      <label className="choice">
        <input type="checkbox" checked={absolute} onChange={() => setAbsolute(!absolute)} /> Lock time range
      </label>
      <p className="faint">
        {absolute ? 'The link always shows the same times.' : 'The link shows the time range relative to when it is opened.'} Opening
        it requires the password.
      </p>
      <div className="link">
        <input ref={field} aria-label="Link" readOnly value={link} onFocus={({ target }) => target.select()} />
        <button type="button" onClick={take}>Copy link</button>
      </div>
    </Dialog>
  );
}

/** The full URL of a view with the given time range. */
export function shareLink(address: Address, range: RawRange): string {
  return location.origin + writeAddress({ ...address, ...range, kiosk: undefined });
}
