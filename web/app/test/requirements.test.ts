import { afterEach, describe, expect, test, vi } from 'vitest';

import { createSend } from '../src/engine';
import { missingFeatures } from '../src/requirements';

const complete = {
  crypto: { subtle: {} },
  WebSocket: class {},
  fetch: () => {},
  structuredClone: () => {},
  Blob: { prototype: { arrayBuffer: () => {}, stream: () => {} } },
};

afterEach(() => vi.unstubAllGlobals());

describe('the features that a transfer needs', () => {
  test('are named if they are missing', () => {
    expect(missingFeatures(complete)).toEqual([]);
    expect(missingFeatures({ ...complete, crypto: {} })).toEqual(['crypto.subtle']);
    expect(missingFeatures({ ...complete, WebSocket: undefined })).toEqual(['WebSocket']);
    expect(missingFeatures({ ...complete, Blob: { prototype: {} } })).toEqual([
      'Blob.arrayBuffer',
      'Blob.stream',
    ]);
    expect(missingFeatures({})).toHaveLength(6);
  });

  test('end a session with an error of its own, before it asks the server', async () => {
    const asked = vi.fn();
    vi.stubGlobal('WebSocket', class {});
    vi.stubGlobal('fetch', asked);
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const session = createSend([{ kind: 'text', text: 'a' }], { server: 'https://tallow.example' });
    await new Promise((resolve) => session.addEventListener('statechange', resolve));
    expect([session.state, session.error]).toEqual(['failed', { code: 'unsupported_browser', side: 'here' }]);
    expect(session.canResume).toBe(false);
    expect(asked).not.toHaveBeenCalled();
  });
});
