/** The person's settings. They stay in this browser; only the number of changes is reported. */

export const SETTINGS = {
  relay_preference: ['auto', 'relay', 'direct'],
  telemetry: ['on', 'off'],
  notifications: ['off', 'on'],
  theme: ['auto', 'light', 'dark'],
  keep_metadata: ['off', 'on'],
} as const;

export type SettingName = keyof typeof SETTINGS;
export type SettingValue<Name extends SettingName> = (typeof SETTINGS)[Name][number];
type Values = { readonly [Name in SettingName]: SettingValue<Name> };

const KEY = 'tallow.settings';
const changed = new EventTarget();

let current: Values = load();

function load(): Values {
  let stored: Record<string, unknown> = {};
  try {
    stored = (JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {}) as Record<string, unknown>;
  } catch {
    // no storage, or something else wrote it: the defaults
  }
  const pick = (name: SettingName): string => {
    const accepted: readonly string[] = SETTINGS[name];
    const value = stored[name];
    return typeof value === 'string' && accepted.includes(value) ? value : (accepted[0] as string);
  };
  const names = Object.keys(SETTINGS) as SettingName[];
  return Object.fromEntries(names.map((name) => [name, pick(name)])) as unknown as Values;
}

export const settings = (): Values => current;

/** Changes a setting. Returns whether its value differs from before. */
export function changeSetting<Name extends SettingName>(name: Name, value: SettingValue<Name>): boolean {
  if (current[name] === value) return false;
  current = { ...current, [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // a browser without storage keeps the setting until the page is closed
  }
  changed.dispatchEvent(new CustomEvent('change', { detail: name }));
  return true;
}

/** Calls `listener` after each change, also one in another tab. Returns a function that ends this. */
export function onSettingChange(listener: (name: SettingName | null) => void): () => void {
  const here = (event: Event) => listener((event as CustomEvent<SettingName>).detail);
  const inOtherTab = (event: StorageEvent) => {
    if (event.key !== KEY) return;
    current = load();
    listener(null);
  };
  changed.addEventListener('change', here);
  addEventListener('storage', inOtherTab);
  return () => {
    changed.removeEventListener('change', here);
    removeEventListener('storage', inOtherTab);
  };
}
