/**
 * The page's small databases: what waits to be reported, what was reported, files shared from other apps, and handles
 * and names of files that are sent. The page and its service worker both use them. Where a browser has none, nothing is kept.
 */

const VERSION = 1;

/**
 * Stores by name. `pending`: counts by fact. `sent`: reports. `shared`: files of the share target. `handles`: of the
 * files of a transfer, see `reselection/keptHandles.ts`. `selections`: what a tab sends, see
 * `reselection/storedSelection.ts`.
 */
export type StoreName = 'pending' | 'sent' | 'shared' | 'handles' | 'selections';

type Stores = Partial<Readonly<Record<StoreName, IDBObjectStoreParameters | undefined>>>;

/**
 * Databases with their stores. Later stores have a database of their own: an upgrade would wait until all pages and the
 * service worker of the version before have ended.
 */
const DATABASES: Readonly<Record<string, Stores>> = {
  tallow: { pending: undefined, sent: { autoIncrement: true }, shared: { autoIncrement: true } },
  'tallow-handles': { handles: undefined },
  'tallow-selections': { selections: undefined },
};

const opened = new Map<string, Promise<IDBDatabase>>();

function open(store: StoreName): Promise<IDBDatabase> {
  const [name, stores] = Object.entries(DATABASES).find(([, found]) => store in found)!;
  const before = opened.get(name);
  if (before) return before;
  const opening = new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const [made, options] of Object.entries(stores)) request.result.createObjectStore(made, options);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
  opened.set(name, opening);
  return opening;
}

/** Runs `body` in one transaction and resolves with its value when the transaction is complete. */
export async function transact<Result>(
  store: StoreName,
  mode: IDBTransactionMode,
  body: (store: IDBObjectStore, done: (result: Result) => void) => void,
): Promise<Result | undefined> {
  const database = await open(store);
  return new Promise((resolve, reject) => {
    let result: Result | undefined;
    const transaction = database.transaction(store, mode);
    transaction.oncomplete = () => resolve(result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    body(transaction.objectStore(store), (value) => (result = value));
  });
}

/** All entries of a store, with their keys. */
export async function entries<Value>(store: StoreName): Promise<[IDBValidKey, Value][]> {
  const found: [IDBValidKey, Value][] = [];
  await transact(store, 'readonly', (objects) => {
    objects.openCursor().onsuccess = (event) => {
      const cursor = (event.target as IDBRequest<IDBCursorWithValue | null>).result;
      if (!cursor) return;
      found.push([cursor.primaryKey, cursor.value as Value]);
      cursor.continue();
    };
  });
  return found;
}

export async function clear(store: StoreName): Promise<void> {
  await transact(store, 'readwrite', (objects) => objects.clear());
}
