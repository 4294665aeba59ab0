import { useLayoutEffect, useReducer } from 'preact/hooks';

const EVENTS = ['statechange', 'progress', 'manifest', 'text', 'change'];

/**
 * Draws the component again after each change of the session; after progress, at most once a frame.
 *
 * It listens as soon as the component is drawn. A tab in the background draws no frames, so that a plain effect
 * would run up to a second later and miss what changes meanwhile.
 */
export function useSession(session: EventTarget | null): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => {
    if (!session) return;
    let planned = 0;
    const plan = () => {
      planned ||= requestAnimationFrame(() => {
        planned = 0;
        redraw(undefined);
      });
    };
    const now = () => redraw(undefined);
    for (const name of EVENTS) session.addEventListener(name, name === 'progress' ? plan : now);
    return () => {
      cancelAnimationFrame(planned);
      for (const name of EVENTS) session.removeEventListener(name, name === 'progress' ? plan : now);
    };
  }, [session]);
}
