import type { ErrorCode } from '../types';
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

/** A duration for people, with one or two units: `2 min 5 s`, `5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const units = [
    [Math.floor(whole / 3600), texts.unit.hours],
    [Math.floor((whole % 3600) / 60), texts.unit.minutes],
    [whole % 60, texts.unit.seconds],
  ] as const;
  const first = units.findIndex(([amount]) => amount > 0);
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}\u00a0${unit}`)
    .join(' ');
}

/** Numbers and sizes of what is sent: `2 files, 4 KB`. `folders`: the empty ones, named if there is no file. */
export function contents(what: { isText: boolean; files: number; folders: number }, bytes: number): string {
  const { isText, files, folders } = what;
  const counted =
    files > 0 || folders === 0
      ? `${number(files)} ${texts.unit.files(files)}`
      : `${number(folders)} ${texts.unit.folders(folders)}`;
  return texts.send.contents(isText ? texts.send.textItem : counted, size(bytes));
}

/** A quarter of the way, as it is announced: `25 % transferred`. */
export const percent = (share: number): string =>
  texts.progress.percent(new Intl.NumberFormat(language, { style: 'percent' }).format(share));

/** What happened and what to do, for the person on this side. */
export const errorText = (code: ErrorCode, role: 'sender' | 'receiver'): string =>
  (role === 'sender' && texts.senderError[code]) || texts.error[code];
