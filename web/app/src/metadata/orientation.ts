/**
 * The orientation in EXIF: the only field that a picture needs to look right (Exif 2.32, section 4.6.4; TIFF
 * 6.0, section 2). Only the first directory is read, so that a chain of directories cannot loop.
 */
import { asciiBytes, joinParts, number16, number32, type Part, type PictureReader } from './picture';

export const EXIF_HEADER = 'Exif\0\0';
const TAG = 0x0112;
const ENTRY_BYTES = 12;

/** EXIF that holds only the orientation; empty for the normal one, and for EXIF that cannot be read. */
export function orientationOnly(picture: PictureReader, start: number, end: number): Part {
  const from = picture.has(EXIF_HEADER, start) ? start + EXIF_HEADER.length : start;
  const orientation = read(picture, from, end);
  if (orientation < 2 || orientation > 8) return new Uint8Array();
  return joinParts(
    asciiBytes('MM\0*'), number32(8), number16(1), number16(TAG), number16(3), number32(1),
    number16(orientation), number16(0), number32(0),
  ); // prettier-ignore
}

function read(picture: PictureReader, start: number, end: number): number {
  const little = picture.has('II*\0', start);
  if ((!little && !picture.has('MM\0*', start)) || end - start < 8) return 0;
  const { view } = picture;
  const table = start + view.getUint32(start + 4, little);
  if (table + 2 > end) return 0;
  const count = Math.min(view.getUint16(table, little), Math.floor((end - table - 2) / ENTRY_BYTES));
  for (let index = 0; index < count; index += 1) {
    const at = table + 2 + index * ENTRY_BYTES;
    if (view.getUint16(at, little) !== TAG || view.getUint32(at + 4, little) !== 1) continue;
    const type = view.getUint16(at + 2, little);
    if (type === 1) return view.getUint8(at + 8);
    if (type === 3) return view.getUint16(at + 8, little);
    if (type === 4) return view.getUint32(at + 8, little);
  }
  return 0;
}
