import { notify } from './toast';

/** Copy text and show a message; returns whether it was copied. */
export async function copy(text: string, what: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`${what} copied`);
    return true;
  } catch {
    notify(`The browser does not allow the page to copy the ${what.toLowerCase()}`);
    return false;
  }
}

/** The text on the clipboard; if the browser refuses, undefined and a message. */
export async function paste(): Promise<string | undefined> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    notify('The browser does not allow the page to read the clipboard');
    return undefined;
  }
}
