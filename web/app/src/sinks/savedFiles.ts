/** What a transfer left for the person to save, and how a page saves a file. */

export interface SavedFile {
  readonly path: string;
  readonly blob: Blob;
  readonly modified: number;
  /** Its CRC-32, for a ZIP file. */
  crc32(): Promise<number>;
}

export const baseName = (path: string): string => path.split('/').pop() || path;

/** Saves a verified file into the browser's downloads. The browser reads it from the disk, not from memory. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  // The URL is not revoked: the browser may read from it as long as the page is open.
}

/** The folder that all paths share, as a name for the ZIP file. */
export function archiveName(paths: readonly string[]): string {
  const top = new Set(paths.map((path) => (path.includes('/') ? path.split('/')[0] : '')));
  const [only] = top;
  return `${top.size === 1 && only ? only : 'tallow'}.zip`;
}
