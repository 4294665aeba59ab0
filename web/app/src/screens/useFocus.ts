import { useEffect } from 'preact/hooks';

/** The heading of the screen takes the focus: a screen reader reads it, and the keyboard goes on below it. */
export const focusHeading = (): void => document.querySelector<HTMLElement>('main h1')?.focus();

/** If the element with the focus is removed, the heading takes the focus; the browser would start at the top again. */
export function useFocusAfterRemoval(): void {
  useEffect(() => {
    let focused: EventTarget | null = null;
    const remember = (event: FocusEvent) => (focused = event.target);
    const forget = () => (focused = null);
    const observer = new MutationObserver(() => {
      if (!(focused instanceof Element) || focused.isConnected) return;
      focused = null;
      if (document.activeElement === document.body) focusHeading();
    });
    addEventListener('focusin', remember);
    addEventListener('pointerdown', forget, true); // the person turned to something else
    observer.observe(document.body, { childList: true, subtree: true });
    return () => {
      removeEventListener('focusin', remember);
      removeEventListener('pointerdown', forget, true);
      observer.disconnect();
    };
  }, []);
}
