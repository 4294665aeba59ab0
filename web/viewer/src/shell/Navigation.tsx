import { type Address, otherDashboard } from '../model/address';
import { type Listed, shortTitle } from '../model/dashboard';
import { InternalLink } from './InternalLink';

interface Props {
  listed: Listed[];
  address: Address;
  dark: boolean;
  onTheme: () => void;
  onHelp: () => void;
}

/** Links to the dashboards, and the controls of the whole page. */
export function Navigation({ listed, address, dark, onTheme, onHelp }: Props) {
  return (
    <nav aria-label="Dashboards">
      <img src="/icon.svg" alt="" width="20" height="20" />
      <div className="boards">
        {listed.map(({ uid, title, reason }) => (
          <InternalLink key={uid} to={otherDashboard(address, uid)} current={uid === address.uid} muted={reason !== undefined}>
            {shortTitle(title)}
          </InternalLink>
        ))}
      </div>
      <button type="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={onHelp}>?</button>
      <button type="button" onClick={onTheme}>{dark ? 'Light' : 'Dark'}</button>
      <form method="post" action="/logout">
        <button type="submit">Log out</button>
      </form>
    </nav>
  );
}
