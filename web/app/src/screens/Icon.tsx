/** Line icons, drawn with the colour of the text. They are decoration: the words beside them say the same. */
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  cross: 'M6 6l12 12M18 6L6 18',
  down: 'M12 4v11m-5-5l5 5 5-5M5 20h14',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  folder: 'M3 6h6l2 2h10v11H3z',
  gear: 'M4 7h10m4 0h2M4 17h2m4 0h10M14 4.500v5M10 14.500v5',
  share: 'M12 15V4m-4 4l4-4 4 4M6 12H5v8h14v-8h-1',
  text: 'M5 6h14M5 12h14M5 18h9',
  up: 'M12 16V5m-5 5l5-5 5 5M5 20h14',
  warning: 'M12 4l9 16H3zM12 10v4m0 2.500v.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
