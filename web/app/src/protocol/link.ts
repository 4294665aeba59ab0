/** The share link, `https://host/#ROOM.SECRET`. Browsers do not send the part after `#`. */

import { type Bytes, fromBase64url, toBase64url } from '../crypto/bytes';

const FRAGMENT = /^([a-z2-7]{16})\.([A-Za-z0-9_-]{22})$/;

export interface Link {
  /** Origin of the server. */
  readonly server: string;
  readonly room: string;
  readonly secret: Bytes;
}

/** Parses a link, or its part after `#` for a page of `server`; null if it is not a link. */
export function parseLink(text: string, server: string): Link | null {
  const trimmed = text.trim();
  const hash = trimmed.indexOf('#');
  const found = FRAGMENT.exec(trimmed.slice(hash + 1));
  const secret = found ? fromBase64url(found[2]!) : null;
  // 22 characters hold 132 bits; the last 4 must be 0.
  if (!found || !secret || toBase64url(secret) !== found[2]) return null;
  const origin = hash > 0 ? originOf(trimmed.slice(0, hash)) : server;
  return !origin ? null : { server: origin, room: found[1]!, secret };
}

export function linkText(link: Link): string {
  return `${link.server}/#${link.room}.${toBase64url(link.secret)}`;
}

function originOf(address: string): string | null {
  try {
    const url = new URL(address);
    const isPlain = url.pathname === '/' && !url.search && !url.username && !url.password;
    return isPlain && /^https?:$/.test(url.protocol) ? url.origin : null;
  } catch {
    return null;
  }
}
