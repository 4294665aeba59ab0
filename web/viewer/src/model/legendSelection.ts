// Which series of a panel are shown: a list of names, or undefined for all of them.

export type Selection = string[] | undefined;

/** A click on a name: that series alone, or all again where it was alone already. */
export function isolate(name: string, selection: Selection): Selection {
  return selection?.length === 1 && selection[0] === name ? undefined : [name];
}

/** A click with Ctrl, Cmd or Shift: one series more or less. None left, or none missing, is all. */
export function toggle(name: string, selection: Selection, all: string[]): Selection {
  const shown = visible(selection, all);
  const next = shown.has(name) ? all.filter((other) => shown.has(other) && other !== name) : all.filter((other) => shown.has(other) || other === name);
  return next.length && next.length < all.length ? next : undefined;
}

/** The names that are shown: those selected, as far as they exist, and all where none of them does. */
export function visible(selection: Selection, all: string[]): Set<string> {
  const kept = all.filter((name) => selection?.includes(name));
  return new Set(kept.length ? kept : all);
}
