/**
 * The page's small database: what waits to be reported, what was reported, and files shared from other apps.
 * The page and its service worker both use it. Where a browser has none, nothing is kept.
 */

const NAME = 'tallow';
const VERSION = 1;

/** Stores by name. `pending`: counts by fact. `sent`: reports. `shared`: files of the share target. */
export type StoreName = 'pending' | 'sent' | 'shared';

const STORES: Readonly<Record<StoreName, IDBObjectStoreParameters | undefined>> = {
  pending: undefined,
  sent: { autoIncrement: true },
  shared: { autoIncrement: true },
};

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const [name, options] of Object.entries(STORES)) request.result.createObjectStore(name, options);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
  return opened;
}

/** Runs `body` in one transaction and resolves with its value when the transaction is complete. */
export async function transact<Result>(
  store: StoreName,
  mode: IDBTransactionMode,
  body: (store: IDBObjectStore, done: (result: Result) => void) => void,
): Promise<Result | undefined> {
  const database = await open();
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
