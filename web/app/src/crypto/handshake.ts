/**
 * The handshake of one connection, as two state machines without input or output.
 *
 * A wrong link proof means a mistyped link; a wrong key confirmation means that a message was changed. No data
 * is sent before both confirmations.
 */

import { type Bytes, concat, equal } from './bytes';
import { fromAbortCode, ProtocolError } from './errors';
import { type SessionKeys, KeySchedule, linkProof, transcriptHash } from './kdf';
import { type ExchangeKey, generateExchangeKey, X25519_BYTES } from './keyExchange';
import { CIPHERTEXT_BYTES, type DecapsulationKey, ENCAPSULATION_KEY_BYTES, type Kem, kem } from './mlkem';
import { PROTOCOL_VERSION, type Role } from '../protocol/wire';

const HELLO = 1;
const REPLY = 2;
const SENDER_CONFIRM = 3;
const RECEIVER_CONFIRM = 4;
const ABORT = 15;
const MAC_BYTES = 32;

export interface HandshakeInput {
  readonly secret: Bytes;
  readonly room: string;
  /** The channel's session descriptions, as this side saw them. */
  readonly descriptions: readonly string[];
}

/** Tests pass keys of their own, and the worker a key encapsulation that measures. */
export interface HandshakeKeys {
  readonly exchangeKey?: ExchangeKey;
  readonly kem?: Kem;
}

/** The message that ends the handshake with an abort code. */
export function abortMessage(code: number): Bytes {
  return Uint8Array.of(ABORT, code);
}

/** The error of a message that ends the handshake; null if it is another one. */
export function parseAbort(message: Uint8Array): ProtocolError | null {
  return message.length === 2 && message[0] === ABORT ? fromAbortCode(message[1]!) : null;
}

export class SenderHandshake {
  private schedule: KeySchedule | null = null;

  private constructor(
    private readonly input: HandshakeInput,
    private readonly exchangeKey: ExchangeKey,
    private readonly decapsulationKey: DecapsulationKey,
  ) {}

  static async create(input: HandshakeInput, keys: HandshakeKeys = {}): Promise<SenderHandshake> {
    const used = keys.kem ?? (await kem());
    const own = await Promise.all([keys.exchangeKey ?? generateExchangeKey(), used.generate()]);
    return new SenderHandshake(input, ...own);
  }

  async hello(): Promise<Bytes> {
    const proof = await linkProof(this.input.secret, 'sender', this.input.room);
    return concat(Uint8Array.of(HELLO, PROTOCOL_VERSION), ...this.publicKeys(), proof);
  }

  /** Derives the keys from the receiver's reply. Returns the message that confirms them. */
  async handleReply(message: Bytes): Promise<Bytes> {
    const { secret, room, descriptions } = this.input;
    const fields = parseFields(message, REPLY, [X25519_BYTES, CIPHERTEXT_BYTES, MAC_BYTES]);
    const [publicKey, ciphertext, proof] = fields as [Bytes, Bytes, Bytes];
    await checkProof(proof, this.input, 'receiver');
    const kemSecret = await this.decapsulationKey.decapsulate(ciphertext);
    const shared = await this.exchangeKey.exchange(publicKey);
    const transcript = await transcriptHash(room, this.publicKeys(), [publicKey, ciphertext], descriptions);
    this.schedule = KeySchedule.create(shared, kemSecret, secret, transcript);
    return concat(Uint8Array.of(SENDER_CONFIRM), await this.schedule.confirmation('sender'));
  }

  /** Verifies the receiver's key confirmation. */
  async handleConfirmation(message: Bytes): Promise<SessionKeys> {
    const schedule = await verify(this.schedule, message, RECEIVER_CONFIRM, 'receiver');
    return schedule.sessionKeys('sender');
  }

  private publicKeys(): [Bytes, Bytes] {
    return [this.exchangeKey.publicKey, this.decapsulationKey.encapsulationKey];
  }
}

export class ReceiverHandshake {
  private schedule: KeySchedule | null = null;

  constructor(
    private readonly input: HandshakeInput,
    private readonly keys: HandshakeKeys = {},
  ) {}

  /** Derives the keys from the sender's hello. Returns the reply to it. */
  async handleHello(message: Bytes): Promise<Bytes> {
    const { secret, room, descriptions } = this.input;
    const fields = parseFields(message, HELLO, [X25519_BYTES, ENCAPSULATION_KEY_BYTES, MAC_BYTES]);
    const [publicKey, encapsulationKey, proof] = fields as [Bytes, Bytes, Bytes];
    await checkProof(proof, this.input, 'sender');
    const encapsulated = await (this.keys.kem ?? (await kem())).encapsulate(encapsulationKey);
    const exchangeKey = this.keys.exchangeKey ?? (await generateExchangeKey());
    const shared = await exchangeKey.exchange(publicKey);
    const own = [exchangeKey.publicKey, encapsulated.ciphertext];
    const transcript = await transcriptHash(room, [publicKey, encapsulationKey], own, descriptions);
    this.schedule = KeySchedule.create(shared, encapsulated.secret, secret, transcript);
    const ownProof = await linkProof(secret, 'receiver', room);
    return concat(Uint8Array.of(REPLY, PROTOCOL_VERSION), ...own, ownProof);
  }

  /** Verifies the sender's key confirmation. The keys may be used once this side's confirmation is sent. */
  async handleConfirmation(message: Bytes): Promise<{ confirmation: Bytes; keys: SessionKeys }> {
    const schedule = await verify(this.schedule, message, SENDER_CONFIRM, 'sender');
    const confirmation = concat(Uint8Array.of(RECEIVER_CONFIRM), await schedule.confirmation('receiver'));
    return { confirmation, keys: await schedule.sessionKeys('receiver') };
  }
}

async function checkProof(given: Bytes, input: HandshakeInput, role: Role): Promise<void> {
  if (!equal(given, await linkProof(input.secret, role, input.room))) throw new ProtocolError('wrong_secret');
}

async function verify(
  schedule: KeySchedule | null,
  message: Bytes,
  type: number,
  signer: Role,
): Promise<KeySchedule> {
  const [confirmation] = parseFields(message, type, [MAC_BYTES]);
  if (schedule === null) throw new ProtocolError('malformed'); // it came before the keys
  if (!equal(confirmation!, await schedule.confirmation(signer))) throw new ProtocolError('key_exchange');
  return schedule;
}

/** The fields of a message. Their sizes are fixed; hello and reply start with the protocol version. */
function parseFields(message: Bytes, type: number, sizes: readonly number[]): Bytes[] {
  const aborted = parseAbort(message);
  if (aborted) throw aborted;
  if (message[0] !== type) throw new ProtocolError('malformed');
  let at = 1;
  if (type === HELLO || type === REPLY) {
    if (message[1] !== PROTOCOL_VERSION) throw new ProtocolError('bad_version');
    at = 2;
  }
  if (message.length !== sizes.reduce((sum, size) => sum + size, at)) throw new ProtocolError('malformed');
  return sizes.map((size) => message.slice(at, (at += size)));
}
