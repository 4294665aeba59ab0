/** Names and numbers that both sides and the server must agree on (docs/protocol.md). */

export const PROTOCOL_VERSION = 2;

export const ROOMS_PATH = '/api/rooms';
export const SIGNAL_PATH = '/api/signal';
export const RELAY_PATH = '/api/relay';

export type Role = 'sender' | 'receiver';
export type Device = 'desktop' | 'mobile' | 'other';
export type TransferMethod = 'relay' | 'p2p';
export type Outcome = 'success' | 'failed' | 'cancelled';
export type SignalType = 'offer' | 'answer' | 'candidate';
export type ChannelType = 'tcp' | 'webrtc' | 'relay';
export type ConfirmationState = 'pending' | 'given';

export const ROOM_ID = /^[a-z2-7]{16}$/;

/** Payload of one encrypted frame. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;
/** A frame with its header and tag. */
export const MAX_RELAY_MESSAGE_BYTES = MAX_PAYLOAD_BYTES + 64;

/** Close codes of both WebSockets by which the server gives a reason. */
export const CLOSE_REASONS: Readonly<Record<number, string>> = {
  4000: 'bad_message',
  4001: 'bad_version',
  4002: 'unknown_room',
  4003: 'role_taken',
  4004: 'too_large',
  4005: 'rate_limited',
  4006: 'expired',
  4007: 'internal',
  4008: 'taken_over',
  4009: 'timeout',
  4100: 'peer_gone',
};

export function otherRole(role: Role): Role {
  return role === 'sender' ? 'receiver' : 'sender';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object; null for anything else. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
