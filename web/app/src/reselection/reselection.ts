/**
 * The files of an interrupted transfer, given once more: a browser closes the files of a page that it loads again. A
 * file is the same if its path, size and time are; the hashes of the manifest verify the content later.
 */

import type { ChooseItems, ErrorCode, SendItem } from '../types';
import { Deferred } from '../connection/async';
import { LocalError } from '../connection/errors';
import type { RestoredHandles } from './keptHandles';
import type { StoredFile, StoredSelection } from './storedSelection';

type FileItem = SendItem & { readonly kind: 'file' };
type Answer = Deferred<readonly SendItem[]>;

/** `changed`: a file with this path was given, with another size or time. */
export type FileState = 'missing' | 'changed' | 'found';

/** Dispatches `change` when there is something new to draw. */
export class Reselection extends EventTarget {
  /** Why the files that were given last were refused. */
  problem: ErrorCode | null = null;
  private readonly wanted: readonly StoredFile[];
  /** Folders have thousands of files, and each file that is given is looked up. */
  private readonly byPath: ReadonlyMap<string, StoredFile>;
  private readonly byVersion: ReadonlyMap<string, StoredFile>;
  private readonly found = new Map<StoredFile, FileItem>();
  private readonly changed = new Set<StoredFile>();
  private asked: Answer | null = null;

  /** `prepare` removes metadata as it was removed before. */
  constructor(
    private readonly selection: StoredSelection,
    private readonly handles: RestoredHandles | null,
    private readonly prepare: (items: readonly SendItem[]) => Promise<readonly SendItem[]>,
  ) {
    super();
    this.wanted = selection.items.filter((item) => item.kind === 'file');
    const firstLast = [...this.wanted].reverse(); // of equal keys a map keeps the last
    this.byPath = new Map(firstLast.map((file) => [file.path, file]));
    this.byVersion = new Map(firstLast.map((file) => [version(file.path, file.size, file.modified), file]));
  }

  get id(): string {
    return this.selection.id;
  }

  /** Whether files are missing. */
  get isOpen(): boolean {
    return this.found.size < this.wanted.length;
  }

  /** Whether the browser can open the files itself, once the person allows it. */
  get canAsk(): boolean {
    return this.handles !== null && this.problem === null;
  }

  /** The wanted files with what is known of them. */
  get files(): readonly { readonly file: StoredFile; readonly state: FileState }[] {
    return this.wanted.map((file) => ({ file, state: this.stateOf(file) }));
  }

  /** The engine's request for the items. It is answered as soon as all of them are here. */
  readonly choose: ChooseItems = (problem) => {
    const asked: Answer = new Deferred();
    this.ask(asked, problem);
    return asked.promise;
  };

  /** Takes those of the given files that are wanted. */
  add(items: readonly SendItem[]): void {
    for (const item of items) {
      const file = item.kind === 'file' ? this.fileOf(item) : undefined;
      if (item.kind !== 'file' || file === undefined) continue;
      if (isSameVersion(item, file)) {
        this.found.set(file, item);
        this.changed.delete(file);
      } else if (!this.found.has(file)) {
        this.changed.add(file);
      }
    }
    this.update();
  }

  /** Opens the files through their handles; with `ask`, the browser asks the person first. */
  async open(ask: boolean): Promise<void> {
    if (this.handles !== null && (await this.handles.mayRead(ask))) {
      this.add(await this.handles.open(this.wanted));
    }
  }

  /** The wanted file that an item stands for: by its path, or for a file from elsewhere by name, size and time. */
  private fileOf(item: FileItem): StoredFile | undefined {
    const { size, lastModified } = item.file;
    return this.byPath.get(item.path) ?? this.byVersion.get(version(item.path, size, lastModified));
  }

  private stateOf(file: StoredFile): FileState {
    if (this.found.has(file)) return 'found';
    return this.changed.has(file) ? 'changed' : 'missing';
  }

  private ask(asked: Answer, problem: ErrorCode | null): void {
    this.asked = asked;
    this.problem = problem;
    if (problem !== null) this.found.clear();
    this.update();
  }

  private update(): void {
    const { asked } = this;
    if (asked !== null && !this.isOpen) {
      this.asked = null;
      void this.answer(asked);
    }
    this.dispatchEvent(new Event('change'));
  }

  private async answer(asked: Answer): Promise<void> {
    const items = this.selection.items.map((item) => (item.kind === 'file' ? this.found.get(item)! : item));
    try {
      asked.resolve(await this.prepare(items));
    } catch {
      this.ask(asked, 'source_unreadable');
    }
  }
}

/** Answers for a page that does not know what it sent: its storage had no space for the names. */
export const loseItems: ChooseItems = () => Promise.reject(new LocalError('selection_lost'));

const isSameVersion = ({ file }: FileItem, { size, modified }: StoredFile): boolean =>
  file.size === size && file.lastModified === modified;

/** Name, size and time of a file, as a key: a name contains no slash. */
const version = (path: string, size: number, modified: number): string =>
  `${path.split('/').at(-1)}/${size}/${modified}`;
