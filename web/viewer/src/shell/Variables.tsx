import { ALL } from '../model/address';
import type { Choice } from '../model/variables';

interface Props {
  choices: Choice[];
  onChoose: (name: string, values: string[]) => void;
}

/** The selection lists of the dashboard's variables. */
export function Variables({ choices, onChoose }: Props) {
  return (
    <div className="variables" role="group" aria-label="Variables">
      {choices.filter((choice) => !choice.variable.hide).map((choice) => (
        <VariableList key={choice.variable.name} choice={choice} onChoose={(values) => onChoose(choice.variable.name, values)} />
      ))}
    </div>
  );
}

function VariableList({ choice: { variable, options, chosen }, onChoose }: { choice: Choice; onChoose: (values: string[]) => void }) {
  const all = chosen.includes(ALL);
  const toggle = (value: string) => {
    const kept = all ? [] : chosen;
    const next = kept.includes(value) ? kept.filter((other) => other !== value) : [...kept, value];
    onChoose(next.length ? (variable.multi ? next : [value]) : [ALL]);
  };
  return (
    <details
      className="variable"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !event.currentTarget.open) return;
        event.stopPropagation(); // Escape closes only the list
        close(event.currentTarget);
      }}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && event.relatedTarget && (event.currentTarget.open = false)}
    >
      <summary>
        <span className="faint">{variable.label ?? variable.name}</span>
        <span className="chosen">{all ? 'All' : chosen.join(', ') || 'none'}</span>
      </summary>
      <fieldset>
        <legend className="hidden">{variable.label ?? variable.name}</legend>
        {variable.includeAll && <Box label="All" checked={all} onChange={() => onChoose([ALL])} />}
        {options.map((value) => <Box key={value} label={value} checked={!all && chosen.includes(value)} onChange={() => toggle(value)} />)}
      </fieldset>
    </details>
  );
}

/** Close a list and return the focus to its summary. */
function close(list: HTMLDetailsElement) {
  list.open = false;
  list.querySelector('summary')?.focus();
}

function Box({ label, checked, onChange }: { label: string; checked: boolean; onChange: () => void }) {
  return (
    <label>
      <input type="checkbox" checked={checked} onChange={onChange} /> {label}
    </label>
  );
}
