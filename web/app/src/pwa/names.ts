/** Names that the page, its service worker and the server share. */

/** Where the operating system posts shared files. The server refuses it unread. */
export const SHARE_PATH = '/share';
/** Query with which the service worker opens the page for shared files. */
export const SHARED_MARKER = '?shared';
/** Exists while counts may be collected: a service worker can read no setting of the page. */
export const COUNTING_CACHE = 'counting-allowed';
