import { describe, expect, test } from 'vitest';

import { ClosableQueue, Flag, pause, withTimeout } from '../src/connection/async';
import { type ConnectionAttempt, ConnectionAttempts, type Signal } from '../src/connection/attempts';
import { ChannelError } from '../src/connection/errors';
import { ChannelRace } from '../src/connection/race';
import { randomBytes } from '../src/crypto/bytes';
import { SignalSealer } from '../src/crypto/sealedSignals';
import { MemoryChannel } from './memoryChannel';

const never = <T>(): Promise<T> => new Promise<T>(() => {});

describe('a race', () => {
  test('prefers the first type of those that are open', async () => {
    const race = new ChannelRace();
    const [direct, relay] = [MemoryChannel.pair()[0], MemoryChannel.pair()[0]];
    race.start('relay', async () => relay);
    race.start('webrtc', async () => direct);
    await pause(1);
    expect(await race.first(['webrtc', 'relay'])).toEqual(['webrtc', direct]);
    race.close();
    await expect(relay.receive()).rejects.toBeInstanceOf(ChannelError);
    expect(direct.received.isReady).toBe(false);
  });

  test('does not wait for a deadline once all openings have ended', async () => {
    const race = new ChannelRace();
    race.start('webrtc', async () => Promise.reject(new ChannelError()));
    expect(await race.first(['webrtc'], performance.now() + 1e9)).toBeNull();
    expect(race.error('webrtc')).toBeInstanceOf(ChannelError);
  });

  test('ends at the deadline while an opening goes on', async () => {
    const race = new ChannelRace();
    race.start('webrtc', () => never());
    expect(await race.first(['webrtc'], performance.now() + 5)).toBeNull();
  });

  test('closes a channel that is opened after its end', async () => {
    const race = new ChannelRace();
    const late = MemoryChannel.pair()[0];
    race.start('relay', async () => {
      await pause(5);
      return late;
    });
    race.close();
    await expect(late.receive()).rejects.toBeInstanceOf(ChannelError);
  });

  test('takes the channel over which the first message comes, with this message', async () => {
    const race = new ChannelRace(true);
    const [silent] = MemoryChannel.pair();
    const [chosen, other] = MemoryChannel.pair();
    race.start('webrtc', async () => silent);
    race.start('relay', async () => chosen);
    await other.send(Uint8Array.of(1, 2));
    const found = await race.first(['webrtc', 'relay']);
    expect(found![0]).toBe('relay');
    expect(await found![1].receive()).toEqual(Uint8Array.of(1, 2));
    race.close();
    await expect(silent.receive()).rejects.toBeInstanceOf(ChannelError);
    await other.send(Uint8Array.of(3));
    expect(await found![1].receive()).toEqual(Uint8Array.of(3));
  });
});

describe('attempts', () => {
  const sealer = SignalSealer.create(randomBytes(16), 'receiver');
  const signal = (changes: Partial<Signal>): Signal => ({
    type: 'offer',
    attempt: '00'.repeat(8),
    channel: 'relay',
    data: {},
    ...changes,
  });

  test('an offer with a new name ends the attempt before; late signals are ignored', async () => {
    const offered = new ClosableQueue<ConnectionAttempt>();
    const attempts = new ConnectionAttempts(await sealer, () => {}, offered);
    attempts.handle(signal({}));
    const first = await offered.get();
    expect(await first.offered.get()).toBe('relay');
    await first.exchange('relay').receive();
    attempts.handle(signal({ attempt: '11'.repeat(8) }));
    await expect(first.exchange('relay').receive()).rejects.toMatchObject({ closed: true });
    attempts.handle(signal({ type: 'candidate' }));
    expect((await offered.get()).exchange('relay').inbox.length).toBe(1);
  });

  test('a refused type of channel ends alone', async () => {
    const attempts = new ConnectionAttempts(await sealer, () => {}, new ClosableQueue());
    const attempt = attempts.start();
    attempts.handle(
      signal({ type: 'answer', attempt: attempt.name, channel: 'webrtc', data: { refused: true } }),
    );
    attempts.handle(signal({ type: 'answer', attempt: attempt.name }));
    await expect(attempt.exchange('webrtc').receive()).rejects.toMatchObject({ code: 'no_connection' });
    expect((await attempt.exchange('relay').receive()).type).toBe('answer');
  });

  test('a first signal that cannot be opened means another link on both sides', async () => {
    const offered = new ClosableQueue<ConnectionAttempt>();
    const refusals = new ClosableQueue<string>();
    const attempts = new ConnectionAttempts(await sealer, (type) => refusals.put(type), offered);
    attempts.failUnreadable();
    await expect(offered.get()).rejects.toMatchObject({ code: 'wrong_secret', authenticated: false });
    expect(await refusals.get()).toBe('answer');
  });
});

describe('waiting', () => {
  test('a closed queue gives what is left, then its error', async () => {
    const queue = new ClosableQueue<number>();
    queue.put(1);
    queue.fail(new Error('first'));
    queue.fail(new Error('second'));
    queue.put(2);
    expect(await queue.get()).toBe(1);
    await expect(queue.get()).rejects.toThrow('first');
  });

  test('looking whether an item is there does not take it', async () => {
    const queue = new ClosableQueue<number>();
    const ready = queue.ready();
    queue.put(1);
    await ready;
    expect(await queue.get()).toBe(1);
  });

  test('a flag can be set again', async () => {
    const flag = new Flag();
    flag.set();
    await flag.wait();
    flag.clear();
    expect(flag.isSet).toBe(false);
  });

  test('a time limit has its own error', async () => {
    await expect(withTimeout(never(), 1, () => new Error('late'))).rejects.toThrow('late');
    expect(await withTimeout(Promise.resolve(1), 1000, () => new Error('late'))).toBe(1);
  });
});
