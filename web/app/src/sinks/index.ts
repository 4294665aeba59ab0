import type { OfferedFiles, Sink } from '../types';
import { DownloadSink } from './downloadSink';
import { StorageSink } from './storageSink';

export { canPickFile, canPickFolder, pickSink } from './pickerSink';
export { StorageSink, removeReceived } from './storageSink';

/** The place for received files that needs no question: the browser's storage, or its downloads. */
export async function defaultSink(offered: OfferedFiles): Promise<Sink> {
  return (await StorageSink.isPossible(offered.totalBytes)) ? new StorageSink() : new DownloadSink();
}
