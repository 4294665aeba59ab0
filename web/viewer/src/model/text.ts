const LONGEST = 40;

/** A value from outside in a sentence: in quotation marks, and cut where it is long. */
export function quoted(text: string): string {
  return `“${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}”`;
}
