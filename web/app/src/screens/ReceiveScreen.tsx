import { useState } from 'preact/hooks';
import { texts } from '../i18n';

/** A link ends with the room and the secret behind the `#`; the engine checks the rest. */
const LINK_END = /#[a-z2-7]{16}\.[A-Za-z0-9_-]{22}$/;

/** Paste a link. It is not sent anywhere: the part behind the `#` stays in this page. */
export function ReceiveScreen({ onLink }: { onLink: (link: string) => void }) {
  const [link, setLink] = useState('');
  const [problem, setProblem] = useState('');
  const open = (event: Event) => {
    event.preventDefault();
    const found = problemOf(link.trim());
    setProblem(found);
    if (!found) onLink(link.trim());
  };
  return (
    <section class="card">
      <h1 tabIndex={-1}>{texts.receive.title}</h1>
      <p class="lead">{texts.receive.lead}</p>
      <form class="stack" onSubmit={open}>
        <label for="paste">{texts.receive.label}</label>
        <input
          id="paste"
          class="mono"
          type="text"
          inputMode="url"
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          value={link}
          aria-invalid={problem !== ''}
          aria-describedby="paste-problem"
          onInput={(event) => setLink(event.currentTarget.value)}
        />
        <p id="paste-problem" role="alert" class="problem">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={!link.trim()}>
          {texts.receive.open}
        </button>
      </form>
    </section>
  );
}

function problemOf(link: string): string {
  if (!LINK_END.test(link)) return texts.receive.badLink;
  const origin = URL.canParse(link) ? new URL(link).origin : null;
  return origin === location.origin ? '' : texts.receive.otherServer;
}
