import { useEffect, useReducer } from 'preact/hooks';

const EVENTS = ['statechange', 'progress', 'manifest', 'text', 'warning'];

/** Draws the component again after each change of the session, at most once a frame. */
export function useSession(session: EventTarget | null): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
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
