/** This tab's session storage: no other tab reads it, and it is gone with the tab. */

export function tabStorage(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // storage is switched off
  }
}

/** Keeps a value as JSON. False if the storage is full or switched off. */
export function keepInTab(key: string, value: unknown): boolean {
  try {
    tabStorage()?.setItem(key, JSON.stringify(value));
    return tabStorage() !== null;
  } catch {
    return false;
  }
}
