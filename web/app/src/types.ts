/**
 * Sessions of the transfer engine, and what the screens give to them.
 *
 * A session is an event target. Its attributes always hold the newest values; the events say that one changed:
 * `statechange`, `progress`, `manifest`, `text` and `fact` (a {@link FactEvent}).
 */

export type SessionState =
  'connecting' | 'waiting' | 'confirming' | 'transferring' | 'interrupted' | 'done' | 'failed' | 'cancelled';

export type Method = 'p2p' | 'relay';

/** What the person chose to send. `path` is relative, with `/`; a dropped folder keeps its paths. */
export type SendItem =
  | {
      readonly kind: 'file';
      readonly file: File;
      readonly path: string;
      /** Gives the file again after a reload, where browsers have it: its own, or that of the chosen folder above it. */
      readonly handle?: FileSystemHandle;
    }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string };

/**
 * Gives what an interrupted transfer sent. A page that was loaded again has lost its files, and asks the person. It is
 * called again with a problem if they cannot be read (`source_unreadable`) or have other content (`other_files`).
 */
export type ChooseItems = (problem: ErrorCode | null) => Promise<readonly SendItem[]>;

export interface OfferedFile {
  readonly path: string;
  readonly size: number;
}

/** What the sender offers, from its authenticated manifest. Paths are made safe for every system. */
export interface OfferedFiles {
  readonly files: readonly OfferedFile[];
  readonly folders: readonly string[];
  /** Symbolic links. A page cannot make them; the screen says so. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly isText: boolean;
  readonly totalBytes: number;
}

export interface Progress {
  /** `preparing`: the sender hashes its files, while it waits for the receiver. */
  readonly phase: 'preparing' | 'transferring';
  readonly bytes: number;
  readonly total: number;
  /** null until it is known; 0 if nothing was transferred for some seconds. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Path of the current file. */
  readonly file: string | null;
  readonly filesDone: number;
  readonly files: number;
}

/** Why a session ended or was interrupted. The screens have one text for each. */
export type ErrorCode =
  // links and the server
  | 'bad_link'
  | 'unknown_room'
  | 'expired'
  | 'role_taken'
  | 'taken_over'
  | 'bad_version'
  | 'rate_limited'
  | 'server_failed'
  | 'server_unreachable'
  // the connection to the other side
  | 'no_connection'
  | 'connection_lost'
  | 'peer_timeout'
  | 'peer_gave_up'
  | 'peer_cancelled'
  | 'peer_stopped'
  // protocol
  | 'wrong_secret'
  | 'key_exchange'
  | 'protocol'
  | 'malformed'
  | 'modified'
  | 'replayed'
  | 'reordered'
  | 'wrong_file'
  | 'truncated'
  | 'hash_mismatch'
  | 'key_exhausted'
  // files and people
  | 'source_changed'
  | 'source_unreadable'
  | 'storage_failed'
  | 'storage_full'
  | 'file_too_large'
  | 'declined'
  | 'unconfirmed'
  | 'other_files'
  | 'selection_lost'
  | 'too_many_files'
  | 'nothing_to_send'
  | 'unsupported_browser'
  | 'worker_failed'
  | 'internal';

export interface SessionError {
  readonly code: ErrorCode;
  /** Who found it: this page, the other side (authenticated), or the server (its word alone). */
  readonly side: 'here' | 'other' | 'server';
}

/**
 * One thing that happened, for the telemetry report: a counter's increment (`value`), or one observation
 * of a histogram (`observed`). Names and labels are those of the metric catalogue (docs/metrics.md).
 */
export interface Fact {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value?: number;
  readonly observed?: number;
}

export class FactEvent extends Event {
  constructor(readonly fact: Fact) {
    super('fact');
  }
}

/** A file to receive; `key` is the same after a reload of the page and differs between transfers. */
export interface IncomingFile extends OfferedFile {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/**
 * Stores one file under a temporary name. The engine calls `commit` only after length and SHA-256 are
 * verified; before that no name is given.
 */
export interface FileWriter {
  /** What an earlier page kept of this file; the engine hashes it and continues behind it. */
  readonly kept: Blob | null;
  /** Resolves when the sink can take more. The array is not used again by the engine. */
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Gives the file its name. */
  commit(): Promise<void>;
  /** Drops what was written. */
  discard(): Promise<void>;
  /** The page goes on later, perhaps after a reload: keep what was written, if the sink can. */
  suspend(): Promise<void>;
}

/**
 * Where received files go. Errors with the name `QuotaExceededError` mean that the disk is full; a sink names its own
 * limits by a `LocalError`.
 */
export interface Sink {
  open(file: IncomingFile): Promise<FileWriter>;
  /** Makes an empty folder; a sink without folders does nothing. */
  makeFolder(path: string): Promise<void>;
  /** Whether a file that an earlier page completed is still stored. */
  isComplete(file: IncomingFile): Promise<boolean>;
}

export interface SessionOptions {
  /** Origin of the server; the page's own by default. */
  readonly server?: string;
  /** Directly only, through the relay only, or both with the head start of direct connections. */
  readonly path?: 'auto' | 'relay' | 'direct';
  readonly device?: 'desktop' | 'mobile' | 'other';
  /** The person does not want to be counted. */
  readonly doNotTrack?: boolean;
}

export interface Session extends EventTarget {
  readonly state: SessionState;
  readonly error: SessionError | null;
  readonly progress: Progress;
  readonly method: Method | null;
  /** The transfer's id in the logs of both sides and the server; empty before the room is joined. */
  readonly correlationId: string;
  /** Token of the next telemetry report; null before the room is joined. The screens replace it. */
  telemetryToken: string | null;
  /** Seconds that the receiver's person has to answer, in the state `confirming`. */
  readonly confirmationSeconds: number | null;
  /** Whether a transfer that has ended without success can go on. */
  readonly canResume: boolean;
  /** Ends the transfer on both sides; also one that has failed and could be resumed. */
  cancel(): Promise<void>;
  /** Tries again now, from `interrupted` or from a failure that can be resumed. */
  resume(): void;
}

export interface SendSession extends Session {
  /** The link; null until the room is joined. */
  readonly link: string | null;
}

export interface ReceiveSession extends Session {
  readonly manifest: OfferedFiles | null;
  /** The received text, if the sender sent one. */
  readonly text: string | null;
  /** Accepts the offered files; from then on they stream into the sink. */
  accept(sink: Sink): void;
  /** Declines them. */
  decline(): Promise<void>;
}

/** A transfer of this tab that a reload interrupted. */
export interface StoredTransfer {
  readonly role: 'sender' | 'receiver';
  readonly link: string;
  /** Receiver: whether the person has accepted. The screen then calls `accept` without a question. */
  readonly accepted: boolean;
}
