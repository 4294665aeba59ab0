import { notify } from './toast';

/** Copy text, and say so or why not; whether it was copied. */
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

/** The text on the clipboard; undefined, and a message, where the browser does not give it. */
export async function paste(): Promise<string | undefined> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    notify('The browser does not allow the page to read the clipboard');
    return undefined;
  }
}
