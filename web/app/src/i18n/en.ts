import type { ErrorCode } from '../types';

/** Every text of the page. {@link Texts} is its type, so that a language with a missing text does not build. */
export const en = {
  appName: 'Tallow',
  skip: 'Skip to content',
  nav: { label: 'Main', send: 'Send', receive: 'Receive', settings: 'Settings', reports: 'Reports' },
  footer: 'Encrypted from device to device. The server cannot read your files or their names.',

  send: {
    title: 'Send files',
    lead: 'They go straight to the other device, encrypted on this one.',
    drop: 'Drop files or folders here',
    files: 'Choose files',
    folder: 'Choose a folder',
    text: 'Write a text',
    textLabel: 'Text to send',
    textUse: 'Use this text',
    textCancel: 'Back to files',
    chosen: 'Chosen',
    remove: (name: string) => `Remove ${name}`,
    clear: 'Remove all',
    create: 'Create link',
    textItem: 'Text',
    contents: (what: string, size: string) => `${what}, ${size}`,
    emptyFolder: 'empty folder',
    more: (count: string) => `and ${count} more`,
    keepsMetadata: (names: string) => `Place, camera and author are not removed from: ${names}`,
    metadataRefused: (names: string) =>
      `The metadata cannot be removed from: ${names}. Remove these pictures, or keep metadata in the settings.`,
  },

  link: {
    title: 'Share this link',
    lead: 'Open it on the other device, or scan the code. It works for one transfer.',
    label: 'Link',
    copy: 'Copy link',
    copied: 'Copied',
    copyFailed: 'The browser refused to copy. Select the link and copy it by hand.',
    share: 'Share…',
    qr: 'QR code of the link',
    secret: 'Whoever has this link can receive the files. Keep this page open.',
  },

  receive: {
    title: 'Receive files',
    lead: 'Paste the link that the sender gave you.',
    label: 'Link from the sender',
    open: 'Open link',
    badLink:
      'This is not a whole Tallow link: one ends with # and a long code. Copy it again, up to its end.',
    otherServer: 'This link belongs to another server. Open it there.',
    offered: 'Accept these files?',
    offeredText: 'Accept this text?',
    accept: 'Accept',
    decline: 'Decline',
    saveTo: 'Save to a folder…',
    secondsLeft: (left: string) => `Please answer within ${left}.`,
    links: (count: string) => `Not received: ${count}. A browser cannot create symbolic links.`,
    text: 'Received text',
    copyText: 'Copy text',
    copyFailed: 'The browser refused to copy. Select the text and copy it by hand.',
    saved: 'Files are in your downloads.',
    savedFolder: 'Files are in the folder that you chose.',
    save: (name: string) => `Save ${name}`,
    saveShort: 'Save',
    saveAll: 'Save all as ZIP',
    keptUntil: 'A copy stays in this browser until you close this page.',
    pickerFailed: 'This folder cannot be written to. Choose another one.',
  },

  state: {
    connecting: 'Connecting…',
    waitingSender: 'Waiting for the other device…',
    waitingReceiver: 'Waiting for the sender…',
    waitingReceiverLead: 'The transfer begins when Tallow is open on the sender’s device.',
    preparing: 'Preparing…',
    confirmingSender: 'The other side is looking at the files…',
    transferringSend: 'Sending',
    transferringReceive: 'Receiving',
    interrupted: 'Interrupted',
    interruptedLead: 'The connection was lost. Tallow is trying again by itself.',
    doneSend: 'Sent',
    doneSendLead: 'Everything arrived and was checked on the other side.',
    doneReceive: 'Received',
    doneReceiveLead: 'Everything arrived complete and unchanged.',
    failed: 'The transfer failed',
    cancelled: 'Cancelled',
    stopped: 'Stopped',
    cancelledLead: 'The transfer was ended. No incomplete file was saved.',
    direct: 'directly between the devices',
    relay: 'through the relay, still encrypted',
  },

  progress: {
    label: 'Progress of the transfer',
    amount: (done: string, total: string) => `${done} of ${total}`,
    percent: (amount: string) => `${amount} transferred`,
    files: (done: string, total: string) => `${done} of ${total} files`,
    speed: (speed: string) => `${speed}/s`,
    stalled: 'No data for some seconds',
    left: (time: string) => `${time} left`,
    id: 'Transfer id',
    details: 'Details',
    path: 'Path',
  },

  action: {
    cancel: 'Cancel',
    retry: 'Try again',
    resume: 'Continue',
    another: 'Start another transfer',
    back: 'Back',
    leave: 'A transfer is running. Leave anyway?',
  },

  settings: {
    title: 'Settings',
    lead: 'They stay on this device.',
    relay_preference: 'Connection',
    relay_preferenceHelp: 'Through the relay, the other side does not learn your network address.',
    auto: 'Direct, otherwise relay',
    relay: 'Only through the relay',
    direct: 'Only direct',
    telemetry: 'Report counts and timings',
    telemetryHelp: 'Numbers only: no names, no addresses, nothing from the link.',
    telemetryBlocked: 'Your browser asks sites not to track you (DNT or Sec-GPC), so nothing is reported.',
    telemetryShow: 'Show what was sent',
    notifications: 'Notify me about requests and finished transfers',
    notificationsBlocked:
      'Your browser blocks notifications of this site. Allow them in the browser’s settings for the site.',
    keep_metadata: 'Keep metadata of pictures',
    keep_metadataHelp:
      'Otherwise the place, the camera and the like are removed from JPEG, PNG and WebP before sending.',
    theme: 'Appearance',
    themeAuto: 'As the system',
    themeLight: 'Light',
    themeDark: 'Dark',
    install: 'Install Tallow',
    installHelp: 'Opens in its own window and receives shared files.',
    installed: 'Tallow is installed on this device.',
  },

  reports: {
    title: 'What was sent',
    lead: 'Every report that this browser sent to the server, exactly as it was sent. The list stays on this device.',
    none: 'Nothing was sent.',
    off: 'Reports are off. Nothing is collected.',
    pending: 'Waiting for the next transfer',
    pendingNone: 'Nothing is waiting.',
    answer: (status: string) => `answered ${status}`,
    clear: 'Delete this list',
    metric: 'Metric',
    labels: 'Labels',
    amount: 'Amount',
    raw: 'As sent',
  },

  update: { ready: 'A new version of Tallow is ready.', now: 'Update now', later: 'Later' },
  offline: 'You are offline. Connect this device to a network; transfers start and continue from then on.',
  unsupported: {
    title: 'Tallow cannot encrypt here',
    insecure:
      'This page was opened without https, and browsers encrypt only over https: open its address with https, or use the command line.',
    missing: (names: string) => `Missing in this browser: ${names}`,
  },

  reselect: {
    title: 'Choose the files again',
    lead: 'This page was loaded again, and the browser has closed its files. Give it the same files, and the transfer goes on.',
    files: 'Files of this transfer',
    missing: 'missing',
    changed: 'changed',
    found: 'found',
    changedLead:
      'A chosen file has another size or date than before. Choose the file that the transfer began with.',
    allow: 'Allow access to these files',
  },

  shared: { missing: 'The shared files are no longer here. Share them again.' },

  notification: {
    requestTitle: 'Files are offered to you',
    requestBody: 'Open Tallow to see them and accept.',
    joinedTitle: 'The other device is there',
    joinedBody: 'The transfer begins.',
    completeTitle: 'Transfer complete',
    completeBody: 'Everything arrived.',
    failedTitle: 'Transfer interrupted',
    failedBody: 'Open Tallow to continue.',
  },

  unit: {
    files: (count: number): string => (count === 1 ? 'file' : 'files'),
    folders: (count: number): string => (count === 1 ? 'folder' : 'folders'),
    links: (count: number): string => (count === 1 ? 'link' : 'links'),
    seconds: 's',
    minutes: 'min',
    hours: 'h',
  },

  /** What happened, and what to do. */
  error: {
    bad_link: 'This is not a whole Tallow link. Copy it again, up to its end.',
    unknown_room: 'This link is not valid, has expired or was used already. Ask the sender for a new one.',
    expired: 'This link has expired or was used already. Ask the sender for a new one.',
    role_taken:
      'Somebody else has opened this link; it works for one receiver only. Ask the sender for a new one.',
    taken_over: 'This transfer was continued in another tab. Go on there.',
    bad_version: 'This page and the server have different versions. Reload the page.',
    rate_limited:
      'The server takes no more transfers from this network at the moment. Try again in a minute.',
    server_failed: 'The server failed. Try again in a moment.',
    server_unreachable: 'The server cannot be reached. Check your connection and try again.',
    no_connection:
      'The two devices could not be connected. If the settings on one side allow only direct connections, allow the relay; then try again.',
    connection_lost: 'The connection was lost. What arrived is kept; try again to continue.',
    peer_timeout:
      'The other side did not answer in time. Make sure that Tallow is open there, and try again.',
    peer_gave_up: 'The other side ended the transfer because of an error. The reason is shown there.',
    peer_cancelled: 'The sender cancelled the transfer. Ask for a new link if you still want the files.',
    peer_stopped:
      'The other side stopped the transfer. Once it has started again, within an hour, continue here.',
    wrong_secret:
      'The link is wrong or incomplete, or the server changed the connection. Nothing was transferred. Copy the whole link again.',
    key_exchange:
      'The keys could not be agreed; somebody may be changing the connection. Nothing was transferred. Try a new link, over another network if it happens again.',
    protocol:
      'The other side sent something unexpected, and the transfer was stopped. Update Tallow on both sides.',
    malformed:
      'The other side sent something unreadable, and the transfer was stopped. Update Tallow on both sides.',
    modified:
      'The data was changed on its way. The transfer was stopped; nothing wrong was saved. Try again, over another network if it happens again.',
    replayed:
      'Data arrived twice. The transfer was stopped; nothing wrong was saved. Try again, over another network if it happens again.',
    reordered:
      'Data arrived in the wrong order. The transfer was stopped; nothing wrong was saved. Try again, over another network if it happens again.',
    wrong_file:
      'Data of another file arrived. The transfer was stopped; nothing wrong was saved. Try again, over another network if it happens again.',
    truncated: 'The data ended too early. No incomplete file was saved. Try again.',
    hash_mismatch: 'A file arrived changed and was not saved. Ask the sender to send it again.',
    key_exhausted: 'This transfer is too large for one connection. Try again to continue.',
    source_changed: 'The sender changed a file while it was being sent. Ask the sender to send it again.',
    source_unreadable: 'The sender cannot read a file any more. Ask the sender to send it again.',
    storage_failed:
      'A file could not be saved on this device. No incomplete file was saved. Ask for a new link, and choose another folder.',
    storage_full:
      'There is not enough space on this device. No incomplete file was saved. Free some space and ask for a new link.',
    file_too_large:
      'This browser window can receive files of up to 268\u00a0MB each, and one of these is larger. It was not saved. Ask for a new link, and open it in another browser or in a window that is not private, or receive it at the command line.',
    declined: 'The files were declined. Nothing was transferred.',
    unconfirmed: 'You did not answer in time, and nothing was transferred. Ask the sender for a new link.',
    other_files: 'The content of these files has changed. Choose the files that the transfer began with.',
    selection_lost:
      'This page was loaded again, and the browser had kept neither the names of the files nor the text. The transfer was ended. Create a new link.',
    too_many_files: 'These are too many files for one transfer. Send them in parts, or as one archive.',
    nothing_to_send: 'There is nothing to send. Choose a file or write a text.',
    unsupported_browser:
      'This browser cannot do what Tallow needs to encrypt: update it, or use another one.',
    worker_failed: 'A worker of this page did not start, or has ended. Reload the page and try again.',
    internal: 'Something went wrong in this page. Reload it and try again.',
  } satisfies Record<ErrorCode, string>,
  /** The same where the sender has something else to do. */
  senderError: {
    unknown_room: 'The server no longer has this link: it has expired or was used already. Create a new one.',
    expired: 'The link has expired or was used already. Create a new one.',
    role_taken: 'This transfer is open in another tab. Go on there, or create a new link.',
    peer_cancelled: 'The receiver cancelled the transfer. If that was a mistake, create a new link.',
    hash_mismatch: 'A file arrived changed and was not saved. Send it again.',
    source_changed: 'A file was changed while it was being sent. Choose the files again.',
    source_unreadable: 'A file cannot be read any more. Choose the files again.',
    storage_failed:
      'The other device could not save a file; no incomplete file was saved. Its screen says why. Create a new link when that is mended.',
    storage_full:
      'There is not enough space on the other device. Create a new link when some space is free there.',
    declined: 'The receiver declined the files. If that was a mistake, create a new link.',
    unconfirmed: 'The receiver did not answer in time. Create a new link when somebody is there.',
  } as Partial<Record<ErrorCode, string>>,
  errorSide: { here: '', other: 'Reported by the other device.', server: 'Reported by the server.' },
};

export type Texts = typeof en;
