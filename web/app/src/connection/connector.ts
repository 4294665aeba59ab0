/**
 * Opens a channel: the sender chooses, the receiver follows.
 *
 * A direct connection is tried at once. The relay is prepared soon after and carries the data if no direct
 * connection is open after a head start. Without the head start the relay, which is one round trip away, would
 * win nearly always. Only the sender records connection metrics, so that a connection counts once.
 */

import type { Fact } from '../types';
import { ProtocolError } from '../crypto/errors';
import type { Link } from '../protocol/link';
import type { ChannelType, Role, TransferMethod } from '../protocol/wire';
import type { ChannelExchange, ConnectionAttempt } from './attempts';
import type { Channel } from './channel';
import { ConnectionRecorder } from './connectionFacts';
import { ChannelError, ChannelRefusedError, LocalError } from './errors';
import { withTimeout } from './async';
import { ChannelRace } from './race';
import { RELAY_WINDOW, RelayChannel } from './relayChannel';
import type { SignalingClient } from './signaling';
import { hasWebRtc, WebRtcChannel } from './webrtcChannel';

const CHANNEL_TIMEOUT_MS = 20_000;
/** Longer than the 10 s above which an alert about slow connections fires. */
const DIRECT_TIMEOUT_MS = 15_000;
const HEAD_START_MS = 1_500;
const RELAY_DELAY_MS = 300;
const QUALITY_TIMEOUT_MS = 3_000;

export type PathPreference = 'auto' | 'relay' | 'direct';

export class ChannelConnector {
  private readonly recorder: ConnectionRecorder;

  constructor(
    private readonly link: Link,
    private readonly role: Role,
    private readonly preference: PathPreference,
    onFact: (fact: Fact) => void,
  ) {
    this.recorder = new ConnectionRecorder(onFact);
  }

  /** The sender: opens a channel to the receiver, which is in the room. */
  async open(signaling: SignalingClient): Promise<Channel> {
    const attempt = signaling.startAttempt();
    const race = new ChannelRace();
    try {
      const direct = this.directTypes();
      for (const type of direct) race.start(type, () => this.openChannel(type, attempt, signaling));
      const found = await this.firstChannel(race, direct, attempt, signaling);
      const wasTried = direct.length > 0 && !(race.error('webrtc') instanceof ChannelRefusedError);
      const error = found === null ? this.lostError(race) : null;
      if (error) throw error;
      this.recorder.record(found?.[1] ?? null, wasTried, signaling.joined.iceServers);
      if (found === null) throw this.noChannel(race);
      return found[1];
    } finally {
      race.close();
    }
  }

  /** The receiver: opens the channel that the sender chooses in its attempt. */
  async accept(attempt: ConnectionAttempt, signaling: SignalingClient): Promise<Channel> {
    const deadline = performance.now() + DIRECT_TIMEOUT_MS + CHANNEL_TIMEOUT_MS;
    const race = new ChannelRace(true);
    let lost: Error | null = null;
    const following = this.followOffers(race, attempt, signaling).catch((error: Error) => {
      lost = error;
      race.wake();
    });
    try {
      for (;;) {
        const found = await race.first(['webrtc', 'relay'], deadline);
        if (found !== null) return found[1];
        if (lost !== null) throw lost;
        if (performance.now() >= deadline) throw new ChannelError('peer_timeout');
        await race.waitForChange(deadline);
      }
    } finally {
      race.close();
      void following;
    }
  }

  /** Measures and records the quality of a connection at the end of a transfer. */
  async recordQuality(channel: Channel): Promise<void> {
    if (this.role !== 'sender' || channel.path === null) return;
    const timeout = (): Error => new ChannelError('peer_timeout');
    const quality = await withTimeout(channel.quality(), QUALITY_TIMEOUT_MS, timeout).catch(() => null);
    if (quality) this.recorder.recordQuality(channel.path, quality);
  }

  private directTypes(): readonly ChannelType[] {
    return this.preference !== 'relay' && hasWebRtc() ? ['webrtc'] : [];
  }

  /** The first direct channel; after the head start, the first of all. */
  private async firstChannel(
    race: ChannelRace,
    direct: readonly ChannelType[],
    attempt: ConnectionAttempt,
    signaling: SignalingClient,
  ): Promise<[ChannelType, Channel] | null> {
    const started = performance.now();
    if (this.preference === 'direct') return race.first(direct, started + DIRECT_TIMEOUT_MS);
    let found = await race.first(direct, started + RELAY_DELAY_MS);
    if (found === null) {
      race.start('relay', () => this.openChannel('relay', attempt, signaling));
      found = await race.first(direct, started + HEAD_START_MS);
    }
    return found ?? race.first([...direct, 'relay']);
  }

  /** Starts to open what the sender offers. Ends with the attempt's error. */
  private async followOffers(
    race: ChannelRace,
    attempt: ConnectionAttempt,
    signaling: SignalingClient,
  ): Promise<never> {
    const accepted = [...this.directTypes(), ...(this.preference === 'direct' ? [] : ['relay'])];
    for (;;) {
      const type = await attempt.offered.get();
      if (accepted.includes(type)) race.start(type, () => this.openChannel(type, attempt, signaling));
      else await attempt.exchange(type).refuse();
    }
  }

  private async openChannel(
    type: ChannelType,
    attempt: ConnectionAttempt,
    signaling: SignalingClient,
  ): Promise<Channel> {
    const exchange = attempt.exchange(type);
    if (type === 'relay') return this.openRelay(exchange, signaling);
    const { iceServers } = signaling.joined;
    return WebRtcChannel.connect(this.role, exchange, {
      iceServers: this.preference === 'direct' ? withoutTurn(iceServers) : iceServers,
      policy: 'all',
      timeoutMs: DIRECT_TIMEOUT_MS,
    });
  }

  /** Connects to the relay, the receiver first: its answer says that it is connected. */
  private async openRelay(exchange: ChannelExchange, signaling: SignalingClient): Promise<Channel> {
    if (this.role === 'sender') await exchange.send('offer', { window: RELAY_WINDOW });
    const { data } = await withTimeout(exchange.receive(), CHANNEL_TIMEOUT_MS, () => new ChannelError());
    const { relayTicket } = signaling.joined;
    const channel = await RelayChannel.connect(this.link.server, relayTicket, CHANNEL_TIMEOUT_MS);
    channel.setPeerWindow(data['window']);
    if (this.role === 'receiver') await exchange.send('answer', { window: RELAY_WINDOW });
    await channel.waitUntilPaired(CHANNEL_TIMEOUT_MS);
    return channel;
  }

  /** The error of signaling that was lost, of a peer that left or has another link, if there is one. */
  private lostError(race: ChannelRace): unknown {
    const errors = (['webrtc', 'relay'] as const).map((type) => race.error(type));
    return errors.find((error) => {
      if (error instanceof ChannelRefusedError) return false;
      return error instanceof ProtocolError || (error instanceof ChannelError && error.closed);
    });
  }

  private noChannel(race: ChannelRace): unknown {
    const relayError = race.error('relay');
    const isExcluded = this.preference === 'direct' || relayError instanceof ChannelRefusedError;
    return isExcluded ? new LocalError('no_connection') : (relayError ?? new ChannelError());
  }
}

/** The label `method`: relay for both kinds of relay, else the channel's own. */
export function transferMethod(channel: Channel): TransferMethod {
  return channel.path === 'relay' ? 'relay' : channel.method;
}

export function hasTurn(servers: readonly RTCIceServer[]): boolean {
  return servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}

function withoutTurn(servers: readonly RTCIceServer[]): RTCIceServer[] {
  return servers.filter((server) => !hasTurn([server]));
}
