"""Stands in for the dialogs of a browser: a headless one shows none.

The handles that they give are real ones, of the origin-private file system.
"""

from __future__ import annotations

from typing import Final

SAVE_DIALOGS: Final = """() => {
  const root = navigator.storage.getDirectory();
  globalThis.showSaveFilePicker = async ({suggestedName}) =>
    (await root).getFileHandle(`chosen ${suggestedName}`, {create: true});
  globalThis.showDirectoryPicker = async () => (await root).getDirectoryHandle('chosen', {create: true});
}"""
OPEN_DIALOG: Final = """(name, size) => {
  globalThis.showOpenFilePicker = async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle(name, {create: true});
    if ((await handle.getFile()).size !== size) {
      const out = await handle.createWritable();
      for (let at = 0; at < size; at += 1_000_000) await out.write(new Uint8Array(1_000_000).fill(at / 1e6));
      await out.close();
    }
    return [handle];
  };
}"""
"""Is to be called with a name and a size; the size is a multiple of a million."""
PERMISSION_DIALOG: Final = """() => {
  // The origin-private file system needs no permission.
  FileSystemHandle.prototype.queryPermission = async () => 'prompt';
  FileSystemHandle.prototype.requestPermission = async () => 'granted';
}"""
NO_OPEN_DIALOG: Final = "() => { delete globalThis.showOpenFilePicker; }"
"""Playwright answers the chooser of an input only."""
