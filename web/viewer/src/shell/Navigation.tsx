import { type Address, otherDashboard } from '../model/address';
import { type Listed, shortTitle } from '../model/dashboard';
import { Inner } from './Inner';

interface Props {
  listed: Listed[];
  address: Address;
  dark: boolean;
  onTheme: () => void;
  onHelp: () => void;
}

/** The dashboards by name, and what belongs to the whole page. */
export function Navigation({ listed, address, dark, onTheme, onHelp }: Props) {
  return (
    <nav aria-label="Dashboards">
      <img src="/icon.svg" alt="" width="20" height="20" />
      <div className="boards">
        {listed.map(({ uid, title, reason }) => (
          <Inner key={uid} to={otherDashboard(address, uid)} current={uid === address.uid} muted={reason !== undefined}>
            {shortTitle(title)}
          </Inner>
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
