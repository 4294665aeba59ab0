/** Records how the first connection of a transfer was made. */

import type { Fact } from '../types';
import type { Channel, ConnectionQuality } from './channel';
import { WebRtcChannel } from './webrtcChannel';

export class ConnectionRecorder {
  private isRecorded = false;

  constructor(private readonly onFact: (fact: Fact) => void) {}

  /** Records how an attempt ended; only the first one of a transfer counts. */
  record(channel: Channel | null, wasTried: boolean, servers: readonly RTCIceServer[]): void {
    if (this.isRecorded) return;
    this.isRecorded = true;
    if (channel instanceof WebRtcChannel) {
      this.recordSuccess(channel);
    } else if (wasTried) {
      this.recordFailure(servers);
      if (channel !== null) this.count('error_recoveries_total', { type: 'network' });
    }
  }

  /** From 0 to 100: minus 1 per 10 ms of round trip and 2.5 per 1 % of lost packets, each at most 50. */
  recordQuality(type: 'direct' | 'relay', { roundTripSeconds, loss }: ConnectionQuality): void {
    const observed = 100 - Math.min(50, roundTripSeconds * 100) - Math.min(50, loss * 250);
    this.onFact({ metric: 'connection_quality_score', labels: { type }, observed });
  }

  private recordSuccess(channel: WebRtcChannel): void {
    const { path: type, strategy, establishedSeconds: observed } = channel;
    this.count('direct_connections_total', { transport: 'webrtc', status: 'success' });
    this.count('webrtc_connections_total', { type, status: 'success' });
    this.onFact({ metric: 'connection_establishment_seconds', labels: { type }, observed });
    this.count('nat_traversal_total', { strategy, status: 'success' });
    if (type === 'relay') this.count('turn_relay_usage_total', { forced: 'false' });
  }

  /** A failure for every kind of candidate that could be tried. */
  private recordFailure(servers: readonly RTCIceServer[]): void {
    const schemes = servers.flatMap(({ urls }) => [urls].flat()).map((url) => url.split(':')[0]);
    const strategies = ['host'];
    if (servers.length > 0) strategies.push('stun');
    if (schemes.some((scheme) => scheme === 'turn' || scheme === 'turns')) strategies.push('turn');
    this.count('direct_connections_total', { transport: 'webrtc', status: 'failed' });
    this.count('webrtc_connections_total', { type: 'direct', status: 'failed' });
    for (const strategy of strategies) this.count('nat_traversal_total', { strategy, status: 'failed' });
    this.count('errors_total', { type: 'network', severity: 'low' });
  }

  private count(metric: string, labels: Record<string, string>): void {
    this.onFact({ metric, labels, value: 1 });
  }
}
