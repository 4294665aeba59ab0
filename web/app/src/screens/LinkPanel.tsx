import { useRef, useState } from 'preact/hooks';
import { texts } from '../i18n';
import { countFeature } from '../telemetry/usage';
import { Icon } from './Icon';
import { QrCode } from './QrCode';

/** The link of a new transfer: to copy, to share, to scan. */
export function LinkPanel({ link }: { link: string }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      setCopied(false); // not allowed: the text is selected
    }
  };
  const share = () => navigator.share({ url: link }).catch(() => undefined); // the person closed the dialog
  return (
    <div class="link-panel">
      <div class="stack">
        <label for="link">{texts.link.label}</label>
        <input
          ref={field}
          id="link"
          class="mono"
          readOnly
          value={link}
          onFocus={(event) => event.currentTarget.select()}
        />
        <div class="row">
          <button type="button" class="primary" onClick={copy}>
            <Icon name={copied ? 'check' : 'copy'} />
            {texts.link.copy}
          </button>
          {'share' in navigator && (
            <button type="button" onClick={share}>
              <Icon name="share" />
              {texts.link.share}
            </button>
          )}
          <Copied shown={copied === true} />
        </div>
        {copied === false && <p role="alert">{texts.link.copyFailed}</p>}
        <p class="faint">{texts.link.secret}</p>
      </div>
      <div class="qr-frame" ref={countShown}>
        <QrCode text={link} label={texts.link.qr} />
      </div>
    </div>
  );
}

const countShown = (element: HTMLElement | null) => {
  if (element) void countFeature('qr_code');
};

/** Says that something was copied; always in the page, so that a screen reader notices the words. */
export const Copied = ({ shown }: { shown: boolean }) => (
  <span class="copied" role="status">
    {shown && texts.link.copied}
  </span>
);
