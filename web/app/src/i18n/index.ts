import { de } from './de';
import { en, type Texts } from './en';

const LANGUAGES: Readonly<Record<string, Texts>> = { en, de };

/** The first of the browser's languages that the page has; English otherwise. */
export function chooseLanguage(wanted: readonly string[]): string {
  const found = wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find((tag) => tag in LANGUAGES);
  return found ?? 'en';
}

export const language = chooseLanguage(typeof navigator === 'undefined' ? [] : navigator.languages);
export const texts: Texts = LANGUAGES[language] ?? en;

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

/** A size for people, in powers of 1000: `1.5 MB`. */
export function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(value, unit > 0 && value < 100 ? 1 : 0)}\u00a0${BYTE_UNITS[unit]}`;
}

/** A duration for people, with one or two units: `2 min 5 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const { hours, minutes, seconds: unit } = texts.unit;
  if (whole < 60) return `${whole}\u00a0${unit}`;
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0${minutes} ${whole % 60}\u00a0${unit}`;
  return `${Math.floor(whole / 3600)}\u00a0${hours} ${Math.floor((whole % 3600) / 60)}\u00a0${minutes}`;
}

export const fileCount = (count: number): string => `${number(count)} ${texts.unit.files(count)}`;
