/**
 * Returns the link that opened the page and removes its secret from the address bar and the history. null if
 * there is none.
 */
export function takeLink(): string | null {
  const { hash, href } = location;
  if (hash.length <= 1) return null;
  history.replaceState(history.state, '', location.pathname);
  return href;
}
