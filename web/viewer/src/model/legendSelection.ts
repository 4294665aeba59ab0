// The selected series of a panel: a list of names, or undefined for all.

export type Selection = string[] | undefined;

/** The selection after a click: only that series, or all if it was the only one. */
export function isolate(name: string, selection: Selection): Selection {
  return selection?.length === 1 && selection[0] === name ? undefined : [name];
}

/** The selection after a click with Ctrl, Cmd or Shift: adds or removes a series. Empty or complete means all. */
export function toggle(name: string, selection: Selection, all: string[]): Selection {
  const shown = visible(selection, all);
  const next = shown.has(name) ? all.filter((other) => shown.has(other) && other !== name) : all.filter((other) => shown.has(other) || other === name);
  return next.length && next.length < all.length ? next : undefined;
}

/** The visible names: the selected ones that exist, or all if none of them exists. */
export function visible(selection: Selection, all: string[]): Set<string> {
  const kept = all.filter((name) => selection?.includes(name));
  return new Set(kept.length ? kept : all);
}
