import { changeSetting, settings, type SettingName, type SettingValue } from '../settings/settings';
import { mayCollect } from './optOut';
import { addPending, forgetPending } from './pending';

/** Counts something that happened on this device, if the person agrees. */
export async function count(metric: string, labels: Readonly<Record<string, string>>): Promise<void> {
  if (mayCollect()) await addPending(metric, labels);
}

export const countFeature = (feature: string): Promise<void> => count('feature_usage_total', { feature });

/**
 * Changes a setting and counts that it changed. Turning reports off is the last thing that could be counted,
 * so that it is not: what waited is forgotten.
 */
export async function changeAndCount<Name extends SettingName>(
  name: Name,
  value: SettingValue<Name>,
): Promise<void> {
  if (!changeSetting(name, value)) return;
  if (settings().telemetry === 'off') await forgetPending();
  else await count('settings_changes_total', { setting: name });
}
