import { texts } from '../i18n';
import { missingFeatures } from '../requirements';
import { Icon } from './Icon';

/** Says why this page cannot transfer anything here. */
export function UnsupportedScreen() {
  return (
    <section class="card state-failed">
      <h1 tabIndex={-1}>
        <Icon name="warning" />
        {texts.unsupported.title}
      </h1>
      <p role="alert" data-error="unsupported_browser">
        {isSecureContext ? texts.error.unsupported_browser : texts.unsupported.insecure}
      </p>
      <p class="faint">{texts.unsupported.missing(missingFeatures().join(', '))}</p>
    </section>
  );
}
