/**
 * The service worker: the page without a network, downloads that stream to the disk, and files shared from
 * other apps. It never touches a request to the API and keeps nothing but the page's own files.
 */
/// <reference lib="webworker" />
import { transact } from '../database';
import { addPending } from '../telemetry/pending';
import {
  DOWNLOAD_PREFIX,
  SILENCE_LIMIT_MS,
  type PageToPort,
  type PortToPage,
  type WorkerMessage,
} from './downloadProtocol';
import { COUNTING_CACHE, SHARE_PATH, SHARED_MARKER } from './names';

declare const self: ServiceWorkerGlobalScope;
/** The built files and a hash of them all, given by the build. */
declare const PRECACHE: readonly string[];
declare const BUILD: string;

const CACHE = `tallow-${BUILD}`;
const MAX_SHARED_FILES = 1000;

interface Download {
  readonly name: string;
  readonly size: number;
  readonly port: MessagePort;
  heardAt: number;
}

const downloads = new Map<string, Download>();

/** Counts an event for the next report, unless the person does not want that. The page tells by a cache. */
async function countEvent(event: 'install' | 'activate' | 'fetch' | 'message' | 'error'): Promise<void> {
  if (await caches.has(COUNTING_CACHE)) await addPending('service_worker_events_total', { event });
}

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(PRECACHE.map((path) => new Request(path, { cache: 'reload' }))))
      .then(() => countEvent('install')),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith('tallow-') && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
      await countEvent('activate');
    })(),
  );
});

self.addEventListener('error', () => void countEvent('error'));
self.addEventListener('unhandledrejection', () => void countEvent('error'));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  const answer = route(event.request, url);
  if (!answer) return;
  event.respondWith(answer);
  event.waitUntil(answer.then(() => countEvent('fetch')).catch(() => countEvent('error')));
});

/** The response of this worker; null: the network answers. */
function route(request: Request, url: URL): Promise<Response> | null {
  if (request.method === 'POST' && url.pathname === SHARE_PATH) return takeShare(request);
  if (request.method !== 'GET') return null;
  if (url.pathname.startsWith(DOWNLOAD_PREFIX))
    return startDownload(url.pathname.slice(DOWNLOAD_PREFIX.length));
  if (request.mode === 'navigate' && url.pathname === '/') return fromCache('/', request);
  return PRECACHE.includes(url.pathname) ? fromCache(url.pathname, request) : null;
}

async function fromCache(path: string, request: Request): Promise<Response> {
  return (await (await caches.open(CACHE)).match(path)) ?? fetch(request);
}

/** Keeps shared files on the device and opens the page, which sends nothing before the person says so. */
async function takeShare(request: Request): Promise<Response> {
  const form = await request.formData();
  const files = form
    .getAll('files')
    .filter((value): value is File => value instanceof File && value.size > 0);
  const text = ['title', 'text', 'url']
    .map((name) => form.get(name))
    .filter((value) => typeof value === 'string' && value);
  await transact('shared', 'readwrite', (store) => {
    store.clear();
    if (files.length > 0) for (const file of files.slice(0, MAX_SHARED_FILES)) store.add(file);
    else if (text.length > 0) store.add(text.join('\n'));
  });
  return Response.redirect(`/${SHARED_MARKER}`, 303);
}

self.addEventListener('message', (event) => {
  const message = event.data as WorkerMessage;
  if (message.type === 'skip-waiting') event.waitUntil(self.skipWaiting());
  else if (message.type === 'download' && event.ports[0]) {
    const download = { name: message.name, size: message.size, port: event.ports[0], heardAt: Date.now() };
    downloads.set(message.id, download);
    answer(download, { type: 'ready' });
  } else if (message.type === 'keep-alive') {
    const download = downloads.get(message.id);
    if (!download) return; // this worker was ended and started again: its stream is lost
    download.heardAt = Date.now();
    answer(download, { type: 'pong' });
    return; // not counted: how many there are depends on the time a download takes
  }
  event.waitUntil(countEvent('message'));
});

const answer = (download: Download, message: PortToPage) => download.port.postMessage(message);

async function startDownload(id: string): Promise<Response> {
  const download = downloads.get(id);
  if (!download) return new Response('This download has ended.\n', { status: 404 });
  answer(download, { type: 'started' });
  return new Response(streamOf(id, download), {
    headers: {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename*=UTF-8''${encodeName(download.name)}`,
      'content-length': String(download.size),
      'content-security-policy': "default-src 'none'",
      'x-content-type-options': 'nosniff',
    },
  });
}

/** RFC 8187: what is not an attribute character is percent-encoded. */
const encodeName = (name: string): string =>
  encodeURIComponent(name).replace(
    /['()*]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function streamOf(id: string, download: Download): ReadableStream<Uint8Array> {
  let finish: () => void = () => undefined;
  let timer: ReturnType<typeof setInterval>;
  const end = () => {
    clearInterval(timer);
    downloads.delete(id);
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        download.port.onmessage = (event: MessageEvent<PageToPort>) => {
          download.heardAt = Date.now();
          const message = event.data;
          if (message.type === 'chunk') controller.enqueue(message.chunk);
          else if (message.type === 'end') controller.close();
          else controller.error(new Error('the transfer has ended'));
          if (message.type !== 'chunk') end();
          finish();
        };
        timer = setInterval(() => {
          if (Date.now() - download.heardAt < SILENCE_LIMIT_MS) return;
          controller.error(new Error('the page has gone'));
          end();
          finish();
        }, SILENCE_LIMIT_MS / 10);
      },
      pull() {
        answer(download, { type: 'pull' });
        return new Promise<void>((resolve) => (finish = resolve));
      },
      cancel() {
        answer(download, { type: 'cancelled' });
        end();
      },
    },
    { highWaterMark: 2 },
  );
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(
    (async () => {
      const [first] = await self.clients.matchAll({ type: 'window' });
      await (first ? first.focus() : self.clients.openWindow('/'));
    })(),
  );
});
