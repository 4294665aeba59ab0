const LONGEST = 40;

/** An external value for use in a message: quoted, and truncated if it is long. */
export function quoted(text: string): string {
  return `“${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}”`;
}
