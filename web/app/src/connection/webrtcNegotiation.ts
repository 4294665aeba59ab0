/** The setup of a WebRTC connection: session descriptions and candidates over signaling. */

import type { Role } from '../protocol/wire';
import type { ChannelExchange } from './attempts';
import { ChannelError } from './errors';

/** Offer and answer, as both sides applied them. */
export interface Descriptions {
  readonly offer: string;
  readonly answer: string;
}

/** Exchanges session descriptions. This side's candidates follow its description, as they are found. */
export async function exchangeDescriptions(
  connection: RTCPeerConnection,
  role: Role,
  exchange: ChannelExchange,
): Promise<Descriptions> {
  const candidates = new CandidateSender(connection, exchange);
  if (role === 'sender') {
    const offer = await sendDescription(connection, exchange, 'offer');
    candidates.start();
    return { offer, answer: await receiveDescription(connection, exchange, 'answer') };
  }
  const offer = await receiveDescription(connection, exchange, 'offer');
  const answer = await sendDescription(connection, exchange, 'answer');
  candidates.start();
  return { offer, answer };
}

/** Holds candidates back until `start`: the description has to be the first signal of an attempt. */
class CandidateSender {
  private readonly found: string[] = [];
  private isStarted = false;

  constructor(
    connection: RTCPeerConnection,
    private readonly exchange: ChannelExchange,
  ) {
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (this.isStarted) this.send(candidate.candidate);
      else this.found.push(candidate.candidate);
    });
  }

  start(): void {
    this.isStarted = true;
    for (const candidate of this.found) this.send(candidate);
  }

  private send(candidate: string): void {
    void this.exchange.send('candidate', { candidate });
  }
}

/** Adds the candidates that the other side finds later. Ends with the error of the attempt. */
export async function addCandidates(
  connection: RTCPeerConnection,
  exchange: ChannelExchange,
): Promise<never> {
  for (;;) {
    const { type, data } = await exchange.receive();
    const candidate = data['candidate'];
    if (type !== 'candidate' || typeof candidate !== 'string' || candidate === '') continue;
    try {
      await connection.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 });
    } catch {
      // malformed, or of a kind that this browser does not know: the others are tried
    }
  }
}

async function sendDescription(
  connection: RTCPeerConnection,
  exchange: ChannelExchange,
  type: 'offer' | 'answer',
): Promise<string> {
  await connection.setLocalDescription();
  const sdp = connection.localDescription?.sdp ?? '';
  await exchange.send(type, { sdp });
  return sdp;
}

async function receiveDescription(
  connection: RTCPeerConnection,
  exchange: ChannelExchange,
  type: 'offer' | 'answer',
): Promise<string> {
  let signal = await exchange.receive();
  while (signal.type !== type) signal = await exchange.receive();
  const sdp = signal.data['sdp'];
  if (typeof sdp !== 'string' || !sdp.includes('m=application')) throw new ChannelError();
  try {
    await connection.setRemoteDescription({ type, sdp });
  } catch {
    throw new ChannelError();
  }
  return sdp;
}
