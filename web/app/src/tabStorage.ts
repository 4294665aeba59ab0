/** This tab's session storage: no other tab reads it, and it is gone with the tab. */

export function tabStorage(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // storage is switched off
  }
}

/** Holds the place of what is kept later. */
const PLACE = 'tallow.place';

/** Keeps a text, if `free` characters remain for others. False if the storage is full or switched off. */
export function keepInTab(key: string, text: string, free = 0): boolean {
  const storage = tabStorage();
  if (storage === null) return false;
  try {
    if (free > 0) storage.setItem(PLACE, ' '.repeat(free));
    storage.setItem(key, text);
    return true;
  } catch {
    return false;
  } finally {
    if (free > 0) storage.removeItem(PLACE);
  }
}
