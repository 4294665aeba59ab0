import type { Texts } from './en';

export const de: Texts = {
  appName: 'Tallow',
  skip: 'Zum Inhalt springen',
  nav: {
    label: 'Hauptmenü',
    send: 'Senden',
    receive: 'Empfangen',
    settings: 'Einstellungen',
    reports: 'Berichte',
  },
  footer: 'Verschlüsselt von Gerät zu Gerät. Der Server kann weder Dateien noch ihre Namen lesen.',

  send: {
    title: 'Dateien senden',
    lead: 'Sie gehen direkt an das andere Gerät und werden schon hier verschlüsselt.',
    drop: 'Dateien oder Ordner hier ablegen',
    files: 'Dateien wählen',
    folder: 'Ordner wählen',
    text: 'Text schreiben',
    textLabel: 'Zu sendender Text',
    textUse: 'Diesen Text verwenden',
    textCancel: 'Zurück zu Dateien',
    chosen: 'Ausgewählt',
    remove: (name) => `${name} entfernen`,
    clear: 'Alle entfernen',
    create: 'Link erstellen',
    textItem: 'Text',
    contents: (what, size) => `${what}, ${size}`,
    emptyFolder: 'leerer Ordner',
    more: (count) => `und ${count} weitere`,
    keepsMetadata: (names) => `Ort, Kamera und Autor werden nicht entfernt aus: ${names}`,
    metadataRefused: (names) =>
      `Die Metadaten lassen sich nicht entfernen aus: ${names}. Entfernen Sie diese Bilder, oder behalten Sie Metadaten in den Einstellungen.`,
  },

  link: {
    title: 'Diesen Link weitergeben',
    lead: 'Auf dem anderen Gerät öffnen oder den Code scannen. Er gilt für eine Übertragung.',
    label: 'Link',
    copy: 'Link kopieren',
    copied: 'Kopiert',
    copyFailed:
      'Der Browser hat das Kopieren verweigert. Markieren Sie den Link und kopieren Sie ihn von Hand.',
    share: 'Teilen\u00a0…',
    qr: 'QR-Code des Links',
    secret: 'Wer diesen Link hat, kann die Dateien empfangen. Lassen Sie diese Seite geöffnet.',
  },

  receive: {
    title: 'Dateien empfangen',
    lead: 'Fügen Sie den Link ein, den Sie bekommen haben.',
    label: 'Link des Absenders',
    open: 'Link öffnen',
    badLink:
      'Das ist kein vollständiger Tallow-Link: Einer endet mit # und einem langen Code. Kopieren Sie ihn noch einmal bis zum Ende.',
    otherServer: 'Dieser Link gehört zu einem anderen Server. Öffnen Sie ihn dort.',
    offered: 'Diese Dateien annehmen?',
    offeredText: 'Diesen Text annehmen?',
    accept: 'Annehmen',
    decline: 'Ablehnen',
    saveTo: 'In einem Ordner speichern\u00a0…',
    secondsLeft: (left) => `Bitte antworten Sie innerhalb von ${left}.`,
    links: (count) => `Nicht empfangen: ${count}. Ein Browser kann keine symbolischen Links anlegen.`,
    text: 'Empfangener Text',
    copyText: 'Text kopieren',
    copyFailed:
      'Der Browser hat das Kopieren verweigert. Markieren Sie den Text und kopieren Sie ihn von Hand.',
    saved: 'Die Dateien liegen in Ihren Downloads.',
    savedFolder: 'Die Dateien liegen im gewählten Ordner.',
    save: (name) => `${name} speichern`,
    saveShort: 'Speichern',
    saveAll: 'Alle als ZIP speichern',
    keptUntil: 'Eine Kopie bleibt in diesem Browser, bis Sie diese Seite schließen.',
    pickerFailed: 'In diesen Ordner kann nicht geschrieben werden. Wählen Sie einen anderen.',
  },

  state: {
    connecting: 'Verbinden\u00a0…',
    waitingSender: 'Warten auf das andere Gerät\u00a0…',
    waitingReceiver: 'Warten auf den Absender\u00a0…',
    waitingReceiverLead: 'Die Übertragung beginnt, sobald Tallow beim Absender geöffnet ist.',
    preparing: 'Vorbereiten\u00a0…',
    confirmingSender: 'Die andere Seite sieht sich die Dateien an\u00a0…',
    transferringSend: 'Wird gesendet\u00a0…',
    transferringReceive: 'Wird empfangen\u00a0…',
    interrupted: 'Unterbrochen',
    interruptedLead: 'Die Verbindung ist abgerissen. Tallow versucht es von selbst weiter.',
    doneSend: 'Gesendet',
    doneSendLead: 'Alles ist angekommen und wurde auf der anderen Seite geprüft.',
    doneReceive: 'Empfangen',
    doneReceiveLead: 'Alles ist vollständig und unverändert angekommen.',
    failed: 'Die Übertragung ist fehlgeschlagen',
    cancelled: 'Abgebrochen',
    stopped: 'Angehalten',
    cancelledLead: 'Die Übertragung wurde beendet. Es wurde keine unvollständige Datei gespeichert.',
    direct: 'direkt zwischen den Geräten',
    relay: 'über den Server, weiterhin verschlüsselt',
  },

  progress: {
    label: 'Fortschritt der Übertragung',
    amount: (done, total) => `${done} von ${total}`,
    percent: (amount) => `${amount} übertragen`,
    files: (done, total) => `${done} von ${total} Dateien`,
    speed: (speed) => `${speed}/s`,
    stalled: 'Seit einigen Sekunden keine Daten',
    left: (time) => `noch ${time}`,
    id: 'Übertragungs-ID',
    details: 'Einzelheiten',
    path: 'Weg',
  },

  action: {
    cancel: 'Abbrechen',
    retry: 'Erneut versuchen',
    resume: 'Fortsetzen',
    another: 'Neue Übertragung',
    back: 'Zurück',
    leave: 'Eine Übertragung läuft. Trotzdem verlassen?',
  },

  settings: {
    title: 'Einstellungen',
    lead: 'Sie bleiben auf diesem Gerät.',
    relay_preference: 'Verbindung',
    relay_preferenceHelp: 'Über den Server erfährt die andere Seite Ihre Netzadresse nicht.',
    auto: 'Direkt, sonst der Server',
    relay: 'Nur über den Server',
    direct: 'Nur direkt',
    telemetry: 'Anzahlen und Zeiten melden',
    telemetryHelp: 'Nur Zahlen: keine Namen, keine Adressen, nichts aus dem Link.',
    telemetryBlocked:
      'Ihr Browser bittet darum, nicht verfolgt zu werden (DNT oder Sec-GPC). Es wird nichts gemeldet.',
    telemetryShow: 'Zeigen, was gesendet wurde',
    notifications: 'Anfragen und fertige Übertragungen anzeigen',
    notificationsBlocked:
      'Ihr Browser erlaubt dieser Seite keine Benachrichtigungen. Erlauben Sie sie in seinen Einstellungen für die Seite.',
    keep_metadata: 'Metadaten von Bildern behalten',
    keep_metadataHelp:
      'Sonst werden Ort, Kamera und Ähnliches vor dem Senden aus JPEG, PNG und WebP entfernt.',
    theme: 'Erscheinungsbild',
    themeAuto: 'Wie das System',
    themeLight: 'Hell',
    themeDark: 'Dunkel',
    install: 'Tallow installieren',
    installHelp: 'Öffnet sich in einem eigenen Fenster und nimmt geteilte Dateien an.',
    installed: 'Tallow ist auf diesem Gerät installiert.',
  },

  reports: {
    title: 'Was gesendet wurde',
    lead: 'Jeder Bericht, den dieser Browser an den Server gesendet hat, genau wie gesendet. Die Liste bleibt auf diesem Gerät.',
    none: 'Es wurde nichts gesendet.',
    off: 'Berichte sind ausgeschaltet. Es wird nichts gesammelt.',
    pending: 'Wartet auf die nächste Übertragung',
    pendingNone: 'Nichts wartet.',
    answer: (status) => `Antwort ${status}`,
    clear: 'Diese Liste löschen',
    metric: 'Metrik',
    labels: 'Labels',
    amount: 'Menge',
    raw: 'Wie gesendet',
  },

  update: { ready: 'Eine neue Version von Tallow ist bereit.', now: 'Jetzt aktualisieren', later: 'Später' },
  offline:
    'Sie sind offline. Verbinden Sie dieses Gerät mit einem Netz; dann beginnen Übertragungen oder gehen weiter.',
  unsupported: {
    title: 'Tallow kann hier nicht verschlüsseln',
    insecure:
      'Diese Seite wurde ohne https geöffnet, und Browser verschlüsseln nur über https: Öffnen Sie die Adresse mit https, oder nutzen Sie die Kommandozeile.',
    missing: (names) => `Das fehlt diesem Browser: ${names}`,
  },

  reselect: {
    title: 'Dateien noch einmal wählen',
    lead: 'Diese Seite wurde neu geladen, und der Browser hat die Dateien geschlossen. Wählen Sie dieselben Dateien, dann geht die Übertragung weiter.',
    files: 'Dateien dieser Übertragung',
    missing: 'fehlt',
    changed: 'geändert',
    found: 'gefunden',
    changedLead:
      'Eine gewählte Datei hat eine andere Größe oder ein anderes Datum als zuvor. Wählen Sie die Datei, mit der die Übertragung begann.',
    allow: 'Zugriff auf diese Dateien erlauben',
  },

  shared: { missing: 'Die geteilten Dateien sind nicht mehr da. Teilen Sie sie erneut.' },

  notification: {
    requestTitle: 'Ihnen werden Dateien angeboten',
    requestBody: 'Öffnen Sie Tallow, um sie anzusehen und anzunehmen.',
    joinedTitle: 'Das andere Gerät ist da',
    joinedBody: 'Die Übertragung beginnt.',
    completeTitle: 'Übertragung fertig',
    completeBody: 'Alles ist angekommen.',
    failedTitle: 'Übertragung unterbrochen',
    failedBody: 'Öffnen Sie Tallow, um fortzufahren.',
  },

  unit: {
    files: (count) => (count === 1 ? 'Datei' : 'Dateien'),
    folders: () => 'Ordner',
    links: (count) => (count === 1 ? 'Verknüpfung' : 'Verknüpfungen'),
    seconds: 's',
    minutes: 'min',
    hours: 'h',
  },

  error: {
    bad_link: 'Das ist kein vollständiger Tallow-Link. Kopieren Sie ihn noch einmal bis zum Ende.',
    unknown_room:
      'Dieser Link ist ungültig, abgelaufen oder wurde schon benutzt. Bitten Sie den Absender um einen neuen.',
    expired: 'Dieser Link ist abgelaufen oder wurde schon benutzt. Bitten Sie den Absender um einen neuen.',
    role_taken:
      'Jemand anders hat diesen Link geöffnet; er gilt nur für einen Empfänger. Bitten Sie den Absender um einen neuen.',
    taken_over: 'Diese Übertragung wurde in einem anderen Tab fortgesetzt. Machen Sie dort weiter.',
    bad_version: 'Seite und Server haben verschiedene Versionen. Laden Sie die Seite neu.',
    rate_limited:
      'Der Server nimmt aus diesem Netz gerade keine weiteren Übertragungen an. Versuchen Sie es in einer Minute wieder.',
    server_failed: 'Der Server hat einen Fehler. Versuchen Sie es gleich noch einmal.',
    server_unreachable:
      'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es erneut.',
    no_connection:
      'Die beiden Geräte ließen sich nicht verbinden. Wenn die Einstellungen einer Seite nur direkte Verbindungen erlauben, erlauben Sie den Weg über den Server; versuchen Sie es dann erneut.',
    connection_lost:
      'Die Verbindung ist abgerissen. Was ankam, ist noch da; versuchen Sie es erneut, um fortzufahren.',
    peer_timeout:
      'Die andere Seite hat nicht rechtzeitig geantwortet. Sorgen Sie dafür, dass Tallow dort geöffnet ist, und versuchen Sie es erneut.',
    peer_gave_up:
      'Die andere Seite hat die Übertragung wegen eines Fehlers beendet. Der Grund wird dort angezeigt.',
    peer_cancelled:
      'Der Absender hat die Übertragung abgebrochen. Bitten Sie um einen neuen Link, wenn Sie die Dateien noch brauchen.',
    peer_stopped:
      'Die andere Seite hat die Übertragung angehalten. Sobald sie wieder startet, innerhalb einer Stunde, können Sie hier fortsetzen.',
    wrong_secret:
      'Der Link ist falsch oder unvollständig, oder der Server hat die Verbindung verändert. Es wurde nichts übertragen. Kopieren Sie den ganzen Link noch einmal.',
    key_exchange:
      'Der Schlüsselaustausch ist fehlgeschlagen; vielleicht greift jemand in die Verbindung ein. Es wurde nichts übertragen. Versuchen Sie es mit einem neuen Link, und wenn es wieder geschieht, in einem anderen Netz.',
    protocol:
      'Die andere Seite hat etwas Unerwartetes gesendet, und die Übertragung wurde beendet. Aktualisieren Sie Tallow auf beiden Seiten.',
    malformed:
      'Die andere Seite hat etwas Unlesbares gesendet, und die Übertragung wurde beendet. Aktualisieren Sie Tallow auf beiden Seiten.',
    modified:
      'Die Daten wurden unterwegs verändert. Die Übertragung wurde beendet; es wurde nichts Falsches gespeichert. Versuchen Sie es erneut, und wenn es wieder geschieht, in einem anderen Netz.',
    replayed:
      'Daten kamen doppelt an. Die Übertragung wurde beendet; es wurde nichts Falsches gespeichert. Versuchen Sie es erneut, und wenn es wieder geschieht, in einem anderen Netz.',
    reordered:
      'Daten kamen in falscher Reihenfolge an. Die Übertragung wurde beendet; es wurde nichts Falsches gespeichert. Versuchen Sie es erneut, und wenn es wieder geschieht, in einem anderen Netz.',
    wrong_file:
      'Es kamen Daten einer anderen Datei an. Die Übertragung wurde beendet; es wurde nichts Falsches gespeichert. Versuchen Sie es erneut, und wenn es wieder geschieht, in einem anderen Netz.',
    truncated:
      'Die Daten endeten zu früh. Es wurde keine unvollständige Datei gespeichert. Versuchen Sie es erneut.',
    hash_mismatch:
      'Eine Datei kam verändert an und wurde nicht gespeichert. Bitten Sie den Absender, sie noch einmal zu senden.',
    key_exhausted:
      'Diese Übertragung ist zu groß für eine Verbindung. Versuchen Sie es erneut, um fortzufahren.',
    source_changed:
      'Der Absender hat eine Datei während des Sendens verändert. Bitten Sie ihn, sie noch einmal zu senden.',
    source_unreadable:
      'Der Absender kann eine Datei nicht mehr lesen. Bitten Sie ihn, sie noch einmal zu senden.',
    storage_failed:
      'Eine Datei konnte auf diesem Gerät nicht gespeichert werden. Es wurde keine unvollständige Datei gespeichert. Bitten Sie um einen neuen Link, und wählen Sie einen anderen Ordner.',
    storage_full:
      'Auf diesem Gerät ist nicht genug Platz. Es wurde keine unvollständige Datei gespeichert. Schaffen Sie Platz, und bitten Sie um einen neuen Link.',
    file_too_large:
      'Dieses Browserfenster kann Dateien von je höchstens 268\u00a0MB empfangen, und eine von diesen ist größer. Sie wurde nicht gespeichert. Bitten Sie um einen neuen Link, und öffnen Sie ihn in einem anderen Browser oder in einem Fenster, das nicht privat ist, oder empfangen Sie auf der Kommandozeile.',
    declined: 'Die Dateien wurden abgelehnt. Es wurde nichts übertragen.',
    unconfirmed:
      'Sie haben nicht rechtzeitig geantwortet, und es wurde nichts übertragen. Bitten Sie den Absender um einen neuen Link.',
    other_files:
      'Der Inhalt dieser Dateien hat sich geändert. Wählen Sie die Dateien, mit denen die Übertragung begann.',
    selection_lost:
      'Diese Seite wurde neu geladen, und der Browser hatte weder die Namen der Dateien noch den Text behalten. Die Übertragung wurde beendet. Erstellen Sie einen neuen Link.',
    too_many_files:
      'Das sind zu viele Dateien für eine Übertragung. Senden Sie sie in Teilen oder als ein Archiv.',
    nothing_to_send: 'Es gibt nichts zu senden. Wählen Sie eine Datei, oder schreiben Sie einen Text.',
    unsupported_browser:
      'Dieser Browser kann nicht, was Tallow zum Verschlüsseln braucht: Aktualisieren Sie ihn, oder nehmen Sie einen anderen.',
    worker_failed:
      'Ein Worker dieser Seite ist nicht gestartet oder hat geendet. Laden Sie die Seite neu, und versuchen Sie es noch einmal.',
    internal:
      'In dieser Seite ist etwas schiefgegangen. Laden Sie sie neu, und versuchen Sie es noch einmal.',
  },
  senderError: {
    unknown_room:
      'Der Server hat diesen Link nicht mehr: Er ist abgelaufen oder wurde schon benutzt. Erstellen Sie einen neuen.',
    expired: 'Der Link ist abgelaufen oder wurde schon benutzt. Erstellen Sie einen neuen.',
    role_taken:
      'Diese Übertragung ist in einem anderen Tab geöffnet. Machen Sie dort weiter, oder erstellen Sie einen neuen Link.',
    peer_cancelled:
      'Der Empfänger hat die Übertragung abgebrochen. War das ein Versehen, erstellen Sie einen neuen Link.',
    hash_mismatch: 'Eine Datei kam verändert an und wurde nicht gespeichert. Senden Sie sie noch einmal.',
    source_changed: 'Eine Datei wurde während des Sendens verändert. Wählen Sie die Dateien erneut.',
    source_unreadable: 'Eine Datei kann nicht mehr gelesen werden. Wählen Sie die Dateien erneut.',
    storage_failed:
      'Das andere Gerät konnte eine Datei nicht speichern; es wurde keine unvollständige Datei gespeichert. Der Grund wird dort angezeigt. Erstellen Sie einen neuen Link, wenn er behoben ist.',
    storage_full:
      'Auf dem anderen Gerät ist nicht genug Platz. Erstellen Sie einen neuen Link, wenn dort Platz ist.',
    declined:
      'Der Empfänger hat die Dateien abgelehnt. War das ein Versehen, erstellen Sie einen neuen Link.',
    unconfirmed:
      'Der Empfänger hat nicht rechtzeitig geantwortet. Erstellen Sie einen neuen Link, wenn jemand da ist.',
  },
  errorSide: { here: '', other: 'Gemeldet vom anderen Gerät.', server: 'Gemeldet vom Server.' },
};
