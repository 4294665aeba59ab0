import { useEffect, useReducer } from 'preact/hooks';
import { texts } from '../i18n';
import { canInstall, install, isInstalled, onInstallChange } from '../pwa/install';
import { askPermission, canNotify } from '../pwa/notifications';
import { tellCounting } from '../pwa/register';
import { onSettingChange, settings, type SettingName } from '../settings/settings';
import { browserOptsOut } from '../telemetry/optOut';
import { changeAndCount } from '../telemetry/usage';

const words = texts.settings;

/** The settings of this browser. */
export function SettingsScreen({ onReports }: { onReports: () => void }) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => onSettingChange(() => redraw(undefined)), []);
  useEffect(() => onInstallChange(() => redraw(undefined)), []);
  const blocked = canNotify() && Notification.permission === 'denied';
  return (
    <section class="card">
      <h1 tabIndex={-1}>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <Choice
        name="relay_preference"
        label={words.relay_preference}
        help={words.relay_preferenceHelp}
        options={{ auto: words.auto, relay: words.relay, direct: words.direct }}
      />
      <Choice
        name="theme"
        label={words.theme}
        options={{ auto: words.themeAuto, light: words.themeLight, dark: words.themeDark }}
      />
      <Switch
        name="notifications"
        label={words.notifications}
        help={blocked ? words.notificationsBlocked : ''}
        disabled={!canNotify()}
        onTurn={async (on) => {
          if (on && !(await askPermission())) redraw(undefined); // says that they are blocked
        }}
      />
      <Switch name="keep_metadata" label={words.keep_metadata} help={words.keep_metadataHelp} />
      <Switch
        name="telemetry"
        label={words.telemetry}
        help={browserOptsOut() ? words.telemetryBlocked : words.telemetryHelp}
        disabled={browserOptsOut()}
        onTurn={tellCounting}
      />
      <p class="row">
        <button type="button" onClick={onReports}>
          {words.telemetryShow}
        </button>
      </p>
      <Installation />
    </section>
  );
}

function Installation() {
  if (isInstalled()) return <p class="faint">{words.installed}</p>;
  if (!canInstall()) return null;
  return (
    <p class="row">
      <button type="button" onClick={() => void install()}>
        {words.install}
      </button>
      <span class="faint">{words.installHelp}</span>
    </p>
  );
}

interface ChoiceProps {
  readonly name: 'relay_preference' | 'theme';
  readonly label: string;
  readonly help?: string;
  readonly options: Readonly<Record<string, string>>;
}

function Choice({ name, label, help, options }: ChoiceProps) {
  return (
    <div class="setting">
      <label for={name}>{label}</label>
      <select
        id={name}
        value={settings()[name]}
        aria-describedby={help ? `${name}-help` : undefined}
        onChange={(event) => void changeAndCount(name, event.currentTarget.value as never)}
      >
        {Object.entries(options).map(([value, text]) => (
          <option key={value} value={value} selected={settings()[name] === value}>
            {text}
          </option>
        ))}
      </select>
      {help && (
        <p id={`${name}-help`} class="faint">
          {help}
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  readonly name: Extract<SettingName, 'notifications' | 'keep_metadata' | 'telemetry'>;
  readonly label: string;
  readonly help: string;
  readonly disabled?: boolean;
  /** Called after the change. */
  readonly onTurn?: (on: boolean) => Promise<void>;
}

function Switch({ name, label, help, disabled = false, onTurn }: SwitchProps) {
  const turn = async (event: Event) => {
    const on = (event.currentTarget as HTMLInputElement).checked;
    await changeAndCount(name, on ? 'on' : 'off');
    await onTurn?.(on);
  };
  return (
    <div class="setting switch">
      <input
        id={name}
        type="checkbox"
        role="switch"
        checked={settings()[name] === 'on' && !disabled}
        disabled={disabled}
        aria-describedby={help ? `${name}-help` : undefined}
        onChange={turn}
      />
      <label for={name}>{label}</label>
      {help && (
        <p id={`${name}-help`} class="faint">
          {help}
        </p>
      )}
    </div>
  );
}
