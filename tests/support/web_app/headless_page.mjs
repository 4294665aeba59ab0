import { existsSync, readFileSync, writeFileSync, openAsBlob } from "node:fs";
import { stat, mkdir, open, rm, rename } from "node:fs/promises";
import { basename, join, dirname } from "node:path";
import { createInterface } from "node:readline";
const encoder$1 = new TextEncoder();
function utf8(text) {
  return encoder$1.encode(text);
}
function copy(bytes) {
  return new Uint8Array(bytes);
}
function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
function equal(one, other) {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at++) difference |= one[at] ^ other[at];
  return difference === 0;
}
function encodeFields(fields) {
  return concat(...fields.flatMap((field) => [uint32(field.length), field]));
}
function uint32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function fromHex(text) {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
function toBase64url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
function randomBytes$3(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}
const FRAGMENT = /^([a-z2-7]{16})\.([A-Za-z0-9_-]{22})$/;
function parseLink(text, server) {
  const trimmed = text.trim();
  const hash = trimmed.indexOf("#");
  const found = FRAGMENT.exec(trimmed.slice(hash + 1));
  const secret = found ? fromBase64url(found[2]) : null;
  if (!found || !secret || toBase64url(secret) !== found[2]) return null;
  const origin = hash > 0 ? originOf(trimmed.slice(0, hash)) : server;
  return !origin ? null : { server: origin, room: found[1], secret };
}
function linkText(link) {
  return `${link.server}/#${link.room}.${toBase64url(link.secret)}`;
}
function originOf(address2) {
  try {
    const url = new URL(address2);
    const isPlain = url.pathname === "/" && !url.search && !url.username && !url.password;
    return isPlain && /^https?:$/.test(url.protocol) ? url.origin : null;
  } catch {
    return null;
  }
}
const ABORT_CODES = {
  peer_cancelled: 1,
  protocol: 2,
  malformed: 3,
  bad_version: 4,
  wrong_secret: 5,
  key_exchange: 6,
  modified: 7,
  replayed: 8,
  reordered: 9,
  wrong_file: 10,
  truncated: 11,
  hash_mismatch: 12,
  source_changed: 13,
  storage_failed: 14,
  key_exhausted: 15,
  declined: 16,
  unconfirmed: 17,
  peer_stopped: 18
};
class ProtocolError extends Error {
  constructor(code, side = "here") {
    super(code);
    this.code = code;
    this.side = side;
  }
  code;
  side;
  name = "ProtocolError";
  authenticated = true;
  get abortCode() {
    return ABORT_CODES[this.code];
  }
}
const RESUMABLE = [
  "modified",
  "replayed",
  "reordered",
  "wrong_file",
  "truncated",
  "key_exhausted",
  "peer_stopped"
];
function isResumable(code) {
  return RESUMABLE.includes(code);
}
function fromAbortCode(code) {
  const known = Object.entries(ABORT_CODES).find(([, value]) => value === code);
  return new ProtocolError(known?.[0] ?? "protocol", "other");
}
function abortCode(code) {
  return ABORT_CODES[code];
}
const PROTOCOL_VERSION = 2;
const ROOMS_PATH = "/api/rooms";
const SIGNAL_PATH = "/api/signal";
const RELAY_PATH = "/api/relay";
const ROOM_ID = /^[a-z2-7]{16}$/;
const MAX_PAYLOAD_BYTES = 256 * 1024;
const MAX_RELAY_MESSAGE_BYTES = MAX_PAYLOAD_BYTES + 64;
const CLOSE_REASONS = {
  4e3: "bad_message",
  4001: "bad_version",
  4002: "unknown_room",
  4003: "role_taken",
  4004: "too_large",
  4005: "rate_limited",
  4006: "expired",
  4007: "internal",
  4008: "taken_over",
  4009: "timeout",
  4100: "peer_gone"
};
function otherRole(role) {
  return role === "sender" ? "receiver" : "sender";
}
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
const HEADER_BYTES = 14;
const TAG_BYTES = 16;
const OVERHEAD = HEADER_BYTES + TAG_BYTES;
const MAX_FRAMES = 2 ** 32;
const NO_FILE = 2 ** 32 - 1;
const FrameType = {
  manifest: 16,
  accept: 17,
  data: 18,
  receipt: 19,
  finish: 20,
  abort: 21
};
function header(type, file = NO_FILE, index = 0, final = true) {
  return { type, file, index, final };
}
function packHeader({ type, file, index, final }) {
  const packed = new Uint8Array(HEADER_BYTES);
  const view = new DataView(packed.buffer);
  view.setUint8(0, type);
  view.setUint32(1, file);
  view.setBigUint64(5, BigInt(index));
  view.setUint8(13, final ? 1 : 0);
  return packed;
}
function unpackHeader(frame) {
  if (frame.length < OVERHEAD || frame.length > OVERHEAD + MAX_PAYLOAD_BYTES) {
    throw new ProtocolError("malformed");
  }
  const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  const type = view.getUint8(0);
  const index = Number(view.getBigUint64(5));
  const final = view.getUint8(13);
  const isValid = Object.values(FrameType).includes(type) && Number.isSafeInteger(index) && final <= 1;
  if (!isValid) throw new ProtocolError("malformed");
  return { type, file: view.getUint32(1), index, final: final === 1 };
}
class FrameCipher {
  constructor(sendKey, receiveKey, prefix, timed, firstFrame) {
    this.sendKey = sendKey;
    this.receiveKey = receiveKey;
    this.prefix = prefix;
    this.timed = timed;
    this.sent = this.received = firstFrame;
  }
  sendKey;
  receiveKey;
  prefix;
  timed;
  sent;
  received;
  sealing = Promise.resolve();
  opening = Promise.resolve();
  /** Only tests pass `firstFrame`, the number of frames that the keys have encrypted before. */
  static async create(keys, timed = (_, work) => work(), firstFrame = 0) {
    const [send, receive] = await Promise.all([
      crypto.subtle.importKey("raw", keys.sendKey, "AES-GCM", false, ["encrypt"]),
      crypto.subtle.importKey("raw", keys.receiveKey, "AES-GCM", false, ["decrypt"])
    ]);
    return new FrameCipher(
      send,
      receive,
      concat(Uint8Array.of(PROTOCOL_VERSION), keys.transferId),
      timed,
      firstFrame
    );
  }
  /** Encrypts a frame. */
  seal(frame, payload) {
    return this.afterEarlier(Promise.resolve(payload), (plain) => this.encrypt(frame, plain));
  }
  /**
   * Encrypts a part of a file in frames of at most `chunkSize` bytes. It is read while earlier frames are encrypted; if
   * it cannot be read, no nonce is used.
   */
  sealPart(part, chunkSize) {
    return this.afterEarlier(part.content.arrayBuffer(), async (buffer) => {
      const { file, index, content, final } = part;
      const { size } = content;
      if (buffer.byteLength !== size) throw new DOMException("the file has changed", "NotReadableError");
      const frames = [];
      for (let at = 0; at === 0 || at < size; at += chunkSize) {
        const end = Math.min(at + chunkSize, size);
        const frame = header(FrameType.data, file, index + at, final && end === size);
        frames.push(await this.encrypt(frame, new Uint8Array(buffer, at, end - at)));
      }
      return frames;
    });
  }
  /** Decrypts the other side's next frame. Each frame is decrypted while earlier ones are; after a failure, none is. */
  open(frame) {
    const opening = Promise.all([this.decrypt(frame), this.opening]).then(([plain]) => plain);
    opening.catch(() => {
    });
    this.opening = opening;
    return opening;
  }
  /** Encrypts what `preparing` gives after everything that was to be encrypted before. */
  afterEarlier(preparing, encrypt) {
    const sealing = Promise.all([preparing, this.sealing]).then(([prepared]) => encrypt(prepared));
    this.sealing = sealing.catch(() => {
    });
    return sealing;
  }
  encrypt(frame, plain) {
    return this.timed("encrypt", async () => {
      const iv = nonce(this.sent++);
      const packed = packHeader(frame);
      const parameters = { name: "AES-GCM", iv, additionalData: concat(this.prefix, packed) };
      const sealed = await crypto.subtle.encrypt(parameters, this.sendKey, plain);
      return concat(packed, new Uint8Array(sealed));
    });
  }
  decrypt(frame) {
    return this.timed("decrypt", async () => {
      const iv = nonce(this.received++);
      const packed = copy(frame.subarray(0, HEADER_BYTES));
      const parameters = { name: "AES-GCM", iv, additionalData: concat(this.prefix, packed) };
      try {
        const sealed = frame.subarray(HEADER_BYTES);
        return new Uint8Array(await crypto.subtle.decrypt(parameters, this.receiveKey, sealed));
      } catch {
        throw new ProtocolError("modified");
      }
    });
  }
}
function nonce(count) {
  if (count >= MAX_FRAMES) throw new ProtocolError("key_exhausted");
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(8, count);
  return bytes;
}
const PREFIX = "tallow/2 ";
const SECRET_BYTES = 16;
async function derive(material, label, length = 32, salt = new Uint8Array(0)) {
  const key = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt, info: utf8(PREFIX + label) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, length * 8));
}
async function hmac(key, message) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}
async function sha256(message) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", message));
}
function joinToken(secret) {
  return derive(secret, "join token");
}
function resumeKey(secret, room) {
  return derive(secret, "resume", 16, utf8(room));
}
async function linkProof(secret, role, room) {
  const fields = [Uint8Array.of(PROTOCOL_VERSION), utf8(role), utf8(room)];
  return hmac(await derive(secret, "link confirmation"), encodeFields(fields));
}
function transcriptHash(room, sender, receiver, descriptions) {
  const fields = [
    utf8(`${PREFIX}transcript`),
    Uint8Array.of(PROTOCOL_VERSION),
    utf8(room),
    utf8("sender"),
    ...sender,
    utf8("receiver"),
    ...receiver,
    uint32(descriptions.length),
    ...descriptions.map(utf8)
  ];
  return sha256(encodeFields(fields));
}
class KeySchedule {
  constructor(material, transcript) {
    this.material = material;
    this.transcript = transcript;
  }
  material;
  transcript;
  static create(exchanged, kem2, secret, transcript) {
    return new KeySchedule(concat(exchanged, kem2, secret), copy(transcript));
  }
  /** A side's key confirmation. */
  async confirmation(role) {
    return hmac(await this.key(`${role} confirmation`), this.transcript);
  }
  async sessionKeys(role) {
    const [transferId, sender, receiver] = await Promise.all([
      this.key("transfer", 16),
      this.key("sender data"),
      this.key("receiver data")
    ]);
    return role === "sender" ? { transferId, sendKey: sender, receiveKey: receiver } : { transferId, sendKey: receiver, receiveKey: sender };
  }
  key(label, length = 32) {
    return derive(this.material, label, length, this.transcript);
  }
}
class Deferred {
  promise;
  resolve;
  reject;
  settled = false;
  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = (value) => {
        this.settled = true;
        resolve(value);
      };
      this.reject = (error) => {
        this.settled = true;
        reject(error);
      };
    });
    this.promise.catch(() => {
    });
  }
}
class ClosableQueue {
  items = [];
  error = null;
  changed = new Deferred();
  get length() {
    return this.items.length;
  }
  /** Whether `get` would not wait. */
  get isReady() {
    return this.items.length > 0 || this.error !== null;
  }
  /** Adds an item; a closed queue drops it. */
  put(item) {
    if (this.error !== null) return;
    this.items.push(item);
    this.notify();
  }
  /** Closes the queue. Only the first error counts. */
  fail(error) {
    this.error ??= error;
    this.notify();
  }
  /** Resolves once `get` would not wait. It takes nothing, so that it may lose a race. */
  async ready() {
    while (!this.isReady) await this.changed.promise;
  }
  async get() {
    while (this.items.length === 0) {
      if (this.error !== null) throw this.error;
      await this.changed.promise;
    }
    return this.items.shift();
  }
  notify() {
    this.changed.resolve();
    this.changed = new Deferred();
  }
}
class Flag {
  deferred = new Deferred();
  get isSet() {
    return this.deferred.settled;
  }
  set() {
    this.deferred.resolve();
  }
  clear() {
    if (this.deferred.settled) this.deferred = new Deferred();
  }
  wait() {
    return this.deferred.promise;
  }
}
async function pause(milliseconds, wake) {
  let timer;
  const elapsed = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(0, milliseconds));
  });
  try {
    await (wake === void 0 ? elapsed : Promise.race([elapsed, wake]));
  } finally {
    clearTimeout(timer);
  }
}
async function withTimeout(promise, milliseconds, error) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(error()), milliseconds);
  });
  promise.catch(() => {
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
class ChannelError extends Error {
  constructor(code = "no_connection", closed = false) {
    super(code);
    this.code = code;
    this.closed = closed;
  }
  code;
  closed;
  name = "ChannelError";
}
class ChannelRefusedError extends ChannelError {
}
function channelClosed() {
  return new ChannelError("connection_lost", true);
}
class ServerConnectionError extends Error {
  name = "ServerConnectionError";
}
const REFUSALS = {
  unknown_room: "unknown_room",
  role_taken: "role_taken",
  expired: "expired",
  bad_version: "bad_version",
  rate_limited: "rate_limited",
  taken_over: "taken_over"
};
const RETRYABLE = ["internal", "timeout", "rate_limited"];
class ServerRefusedError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
  reason;
  name = "ServerRefusedError";
  get code() {
    return REFUSALS[this.reason] ?? "server_failed";
  }
  get isTransient() {
    return RETRYABLE.includes(this.reason);
  }
}
const DEPARTURES = {
  cancelled: "peer_cancelled",
  stopped: "peer_stopped"
};
class DepartureError extends Error {
  constructor(outcome) {
    super(outcome);
    this.outcome = outcome;
  }
  outcome;
  name = "DepartureError";
}
class LocalError extends Error {
  constructor(code, reason = "protocol") {
    super(code);
    this.code = code;
    this.reason = reason;
  }
  code;
  reason;
  name = "LocalError";
}
function isTransient(error) {
  if (error instanceof ServerRefusedError) return error.isTransient;
  return error instanceof ChannelError || error instanceof ServerConnectionError;
}
function isAuthenticated(error) {
  if (error instanceof ProtocolError) return error.authenticated && !isResumable(error.code);
  return !(error instanceof DepartureError || error instanceof ServerRefusedError);
}
function reasonOf(error) {
  if (error instanceof ProtocolError) return error.code;
  return error instanceof LocalError ? error.reason : "protocol";
}
function toSessionError(error) {
  if (error instanceof ProtocolError) {
    const isReported = error.side === "other" && !error.authenticated;
    return { code: error.code, side: isReported ? "server" : error.side };
  }
  if (error instanceof ServerRefusedError) return { code: error.code, side: "server" };
  if (error instanceof ServerConnectionError) return { code: "server_unreachable", side: "here" };
  if (error instanceof DepartureError) {
    return { code: DEPARTURES[error.outcome] ?? "peer_gave_up", side: "server" };
  }
  if (error instanceof ChannelError || error instanceof LocalError) return { code: error.code, side: "here" };
  return { code: "internal", side: "here" };
}
const MAX_ENTRIES = 25e4;
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
const MAX_LINE = 32 * 1024;
const MAX_NAME = 4096;
const MAX_PERMISSIONS = 511;
const MODIFIED = /^-?\d{1,12}\.\d{9}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const LINE_FEED = 10;
function totalBytes(manifest) {
  return manifest.files.reduce((sum, { size }) => sum + size, 0);
}
function encodeManifest(manifest) {
  const { files, folders, links, isText } = manifest;
  const lines2 = [
    ...isText ? [{ text: true }] : [],
    ...files.map(({ path, ...rest2 }) => ({ file: path, ...rest2 })),
    ...folders.map(({ path, ...rest2 }) => ({ folder: path, ...rest2 })),
    ...links.map(({ path, target }) => ({ link: path, target }))
  ];
  return utf8(lines2.map((line) => `${JSON.stringify(line)}
`).join(""));
}
function decodeManifest(document2) {
  const files = [];
  const folders = [];
  const links = [];
  let isText = false;
  let count = 0;
  for (const line of lines(document2)) {
    if (++count > MAX_ENTRIES) throw new ProtocolError("malformed");
    if ("file" in line) files.push(parseFile(line));
    else if ("folder" in line) folders.push(parseFolder(line));
    else if ("link" in line) links.push(parseLinkEntry(line));
    else if (line["text"] === true && Object.keys(line).length === 1) isText = true;
    else throw new ProtocolError("malformed");
  }
  const isEmpty = files.length + folders.length === 0;
  const isOneFile = files.length === 1 && folders.length + links.length === 0;
  if (isEmpty || isText && !isOneFile) throw new ProtocolError("malformed");
  return { files, folders, links, isText };
}
function* lines(document2) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let at = 0; at < document2.length; ) {
    const end = document2.indexOf(LINE_FEED, at);
    if (end < 0 || end - at >= MAX_LINE) throw new ProtocolError("malformed");
    const entry = parseObject(decodeLine(decoder, document2.subarray(at, end)));
    if (entry === null) throw new ProtocolError("malformed");
    yield entry;
    at = end + 1;
  }
}
function decodeLine(decoder, line) {
  try {
    return decoder.decode(line);
  } catch {
    throw new ProtocolError("malformed");
  }
}
function parseFile({ file, size, sha256: sha2562, ...more }) {
  const isValid = isName(file) && isCount(size) && typeof sha2562 === "string" && DIGEST.test(sha2562);
  if (!isValid) throw new ProtocolError("malformed");
  return { path: file, size, sha256: sha2562, ...parseAttributes(more) };
}
function parseFolder({ folder, ...more }) {
  if (!isName(folder)) throw new ProtocolError("malformed");
  return { path: folder, ...parseAttributes(more) };
}
function parseLinkEntry({ link, target, ...more }) {
  const isValid = isName(link) && isName(target) && Object.keys(more).length === 0;
  if (!isValid || !isInnerTarget(link, target)) throw new ProtocolError("malformed");
  return { path: link, target };
}
function parseAttributes({ mode, modified, sparse, ...more }) {
  const isValid = isCount(mode) && mode <= MAX_PERMISSIONS && typeof modified === "string" && MODIFIED.test(modified) && ["undefined", "boolean"].includes(typeof sparse);
  if (!isValid || Object.keys(more).length > 0) throw new ProtocolError("malformed");
  return { mode, modified };
}
function isInnerTarget(path, target) {
  if (target.startsWith("/") || target.includes("\0")) return false;
  const resolved = path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") {
      if (resolved.length <= 1) return false;
      resolved.pop();
    } else if (part !== "" && part !== ".") {
      resolved.push(part);
    }
  }
  return resolved.length > 1;
}
function isName(value) {
  if (typeof value !== "string" || value === "") return false;
  return value.length <= MAX_NAME || Array.from(value).length <= MAX_NAME;
}
function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
const MAX_PART = 255;
const MAX_FOLDERS = 100;
const MAX_PATH = 900;
const PARTIAL = ".tallow-part";
const FALLBACK = "file";
const PARENTS = /* @__PURE__ */ new Set([".", ".."]);
const RESERVED = /[\\:*?"<>|]/;
const DEVICE = /^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|$)/i;
const NAME = /^(.+?)((?:\.tar)?\.[A-Za-z0-9]{1,16})?$/s;
const JOINERS = /[\u200c\u200d]/;
const encoder = new TextEncoder();
const byteLength = (text) => encoder.encode(text).length;
function safePath(path) {
  let parts = path.split("/").filter(Boolean).map(safePart).filter(Boolean);
  if (parts.length === 0) parts = [FALLBACK];
  if (parts[0].startsWith(".")) parts[0] = `_${parts[0].slice(1)}`;
  const last = parts.pop();
  const name = last.toLowerCase().endsWith(PARTIAL) ? `${last.slice(0, -1)}_` : last;
  const folders = parts.slice(0, MAX_FOLDERS);
  while (folders.length > 0 && byteLength([...folders, name].join("/")) > MAX_PATH) folders.pop();
  return [...folders, name].join("/");
}
function isTooNested(path) {
  const folders = path.split("/").length - 1;
  return folders > MAX_FOLDERS || folders > 0 && byteLength(path) > MAX_PATH;
}
function safePaths(paths) {
  const taken = /* @__PURE__ */ new Set();
  const next = /* @__PURE__ */ new Map();
  return paths.map((path) => {
    const safe = safePath(path);
    let free = safe;
    let number = next.get(safe.toLowerCase()) ?? 2;
    while (taken.has(free.toLowerCase())) free = numbered(safe, number++);
    next.set(safe.toLowerCase(), number);
    taken.add(free.toLowerCase());
    return free;
  });
}
function numbered(path, number) {
  const at = path.lastIndexOf("/") + 1;
  return path.slice(0, at) + truncate(path.slice(at), ` (${number})`);
}
function truncate(name, suffix = "") {
  const [, stem = name, extension = ""] = NAME.exec(name) ?? [];
  const room = MAX_PART - byteLength(suffix + extension);
  return cut(stem, room) + suffix + extension;
}
function cut(text, room) {
  if (byteLength(text) <= room) return text;
  const target = new Uint8Array(room);
  const { read } = encoder.encodeInto(text, target);
  return text.slice(0, read).replace(/[ .]+$/, "");
}
function replaceCharacter(letter) {
  if (new RegExp("\\p{Cf}", "u").test(letter)) return JOINERS.test(letter) ? letter : "";
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(letter) || RESERVED.test(letter) ? "_" : letter;
}
function safePart(piece) {
  const cleaned = Array.from(piece, replaceCharacter).join("").normalize("NFC").replace(/^ +| +$/g, "");
  if (PARENTS.has(cleaned)) return "";
  let part = cleaned.replace(/[ .]+$/, "");
  if (DEVICE.test(part)) part = `_${part}`;
  return truncate(part) || FALLBACK;
}
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
function encodeResumeOffer({ partial, complete }) {
  return utf8(JSON.stringify({ have: [...partial], done: encodeBits(complete) }));
}
function decodeResumeOffer(document2, manifest) {
  const { have, done, ...more } = parseObject(new TextDecoder().decode(document2)) ?? {};
  const complete = decodeBits(done);
  const sizes = manifest.files.map(({ size }) => size);
  const isValid = Array.isArray(have) && have.every((pair) => isPartial(pair, sizes)) && complete !== null && [...complete].every((file) => file < sizes.length) && Object.keys(more).length === 0;
  if (!isValid) throw new ProtocolError("malformed");
  return { partial: new Map(have), complete };
}
function encodeBits(files) {
  let highest = -1;
  for (const file of files) highest = Math.max(highest, file);
  const bits = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const file of files) bits[file >> 3] |= 128 >> (file & 7);
  return toHex(bits);
}
function decodeBits(text) {
  const bits = typeof text === "string" ? fromHex(text) : null;
  if (bits === null) return null;
  const files = /* @__PURE__ */ new Set();
  bits.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) if (byte & 128 >> bit) files.add(at * 8 + bit);
  });
  return files;
}
function isPartial(pair, sizes) {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [file, bytes] = pair;
  const size = Number.isSafeInteger(file) ? sizes[file] : void 0;
  return size !== void 0 && Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= size;
}
const MAX_WINDOW = 4 << 20;
const ACK_EVERY$1 = 32 * 1024;
class SendWindow {
  unacknowledged = 0;
  /** Whether `size` more bytes may be sent now. The other side acknowledges every `ACK_EVERY` bytes: fewer
   * never block the sender. */
  fits(size) {
    return this.unacknowledged < ACK_EVERY$1 || this.unacknowledged + size <= MAX_WINDOW;
  }
  sent(size) {
    this.unacknowledged += size;
  }
  acknowledge(size) {
    this.unacknowledged = Math.max(0, this.unacknowledged - size);
  }
}
class ReceiveBuffer {
  messages = [];
  size = 0;
  toAcknowledge = 0;
  get length() {
    return this.messages.length;
  }
  /** Adds a message. False, if the sender exceeded the window: it is not added. */
  put(message) {
    if (this.size + message.length > MAX_WINDOW) return false;
    this.messages.push(message);
    this.size += message.length;
    return true;
  }
  /** The next message, and the bytes to acknowledge now (0: not yet). */
  take() {
    const message = this.messages.shift();
    this.size -= message.length;
    this.toAcknowledge += message.length;
    if (this.toAcknowledge < ACK_EVERY$1) return { message, acknowledged: 0 };
    const acknowledged = this.toAcknowledge;
    this.toAcknowledge = 0;
    return { message, acknowledged };
  }
}
async function exchangeDescriptions(connection, role, exchange) {
  const candidates = new CandidateSender(connection, exchange);
  if (role === "sender") {
    const offer2 = await sendDescription(connection, exchange, "offer");
    candidates.start();
    return { offer: offer2, answer: await receiveDescription(connection, exchange, "answer") };
  }
  const offer = await receiveDescription(connection, exchange, "offer");
  const answer = await sendDescription(connection, exchange, "answer");
  candidates.start();
  return { offer, answer };
}
class CandidateSender {
  constructor(connection, exchange) {
    this.exchange = exchange;
    connection.addEventListener("icecandidate", ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (this.isStarted) this.send(candidate.candidate);
      else this.found.push(candidate.candidate);
    });
  }
  exchange;
  found = [];
  isStarted = false;
  start() {
    this.isStarted = true;
    for (const candidate of this.found) this.send(candidate);
  }
  send(candidate) {
    void this.exchange.send("candidate", { candidate });
  }
}
async function addCandidates(connection, exchange) {
  for (; ; ) {
    const { type, data } = await exchange.receive();
    const candidate = data["candidate"];
    if (type !== "candidate" || typeof candidate !== "string" || candidate === "") continue;
    try {
      await connection.addIceCandidate({ candidate, sdpMid: "0", sdpMLineIndex: 0 });
    } catch {
    }
  }
}
async function sendDescription(connection, exchange, type) {
  await connection.setLocalDescription();
  const sdp = connection.localDescription?.sdp ?? "";
  await exchange.send(type, { sdp });
  return sdp;
}
async function receiveDescription(connection, exchange, type) {
  let signal = await exchange.receive();
  while (signal.type !== type) signal = await exchange.receive();
  const sdp = signal.data["sdp"];
  if (typeof sdp !== "string" || !sdp.includes("m=application")) throw new ChannelError();
  try {
    await connection.setRemoteDescription({ type, sdp });
  } catch {
    throw new ChannelError();
  }
  return sdp;
}
async function selectedPath(connection) {
  const report = await connection.getStats();
  const pair = selectedPair(report);
  const types2 = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => {
    const candidate = report.get(id ?? "");
    return candidate?.candidateType ?? "host";
  });
  if (types2.includes("relay")) return { path: "relay", strategy: "turn" };
  return { path: "direct", strategy: types2.every((type) => type === "host") ? "host" : "stun" };
}
async function packetCounts(connection) {
  const pair = selectedPair(await connection.getStats());
  return { sent: pair?.packetsSent ?? 0, received: pair?.packetsReceived ?? 0 };
}
function selectedPair(report) {
  const entries = [...report.values()];
  const pairs = entries.filter((entry) => entry.type === "candidate-pair" && entry.state === "succeeded");
  return pairs.find((pair) => pair.nominated) ?? pairs[0];
}
const MAX_BUFFERED$1 = 1 << 20;
const MAX_MESSAGE = MAX_PAYLOAD_BYTES;
const ASSUMED_MAX_MESSAGE = 64 * 1024;
const MAX_TEXT = 64;
const PINGS = 3;
const PING_TIMEOUT_MS = 5e3;
const CLOSE_TIMEOUT_MS$1 = 5e3;
function hasWebRtc() {
  return typeof RTCPeerConnection === "function";
}
class WebRtcChannel {
  constructor(connection) {
    this.connection = connection;
    this.data = connection.createDataChannel("tallow", { negotiated: true, id: 0, ordered: true });
    this.data.binaryType = "arraybuffer";
    this.data.bufferedAmountLowThreshold = MAX_BUFFERED$1 / 2;
    for (const name of ["open", "bufferedamountlow"]) this.data.addEventListener(name, () => this.notify());
    this.data.addEventListener("message", (event) => this.onMessage(event.data));
    this.data.addEventListener("close", () => this.end());
    connection.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(connection.connectionState)) this.end();
    });
  }
  connection;
  method = "p2p";
  path = "direct";
  strategy = "host";
  /** From the offer to the open channel. */
  establishedSeconds = 0;
  maxMessage = ASSUMED_MAX_MESSAGE;
  descriptions = [];
  data;
  received = new ReceiveBuffer();
  window = new SendWindow();
  pongs = /* @__PURE__ */ new Map();
  changed = new Flag();
  ended = false;
  byeReceived = false;
  gotReceived = false;
  closing = null;
  /** Connects to the other side; the sender makes the offer. */
  static async connect(role, exchange, options) {
    const { iceServers, policy: iceTransportPolicy, timeoutMs } = options;
    const channel = new WebRtcChannel(new RTCPeerConnection({ iceServers, iceTransportPolicy }));
    try {
      await withTimeout(channel.establish(role, exchange), timeoutMs, () => new ChannelError());
    } catch (error) {
      channel.abort();
      throw error;
    }
    return channel;
  }
  async send(message) {
    const { data, window } = this;
    await this.waitFor(() => window.fits(message.length) && data.bufferedAmount <= MAX_BUFFERED$1);
    this.throwIfEnded();
    window.sent(message.length);
    try {
      data.send(message);
    } catch {
      throw channelClosed();
    }
  }
  async receive() {
    await this.readable();
    if (this.received.length === 0) throw channelClosed();
    const { message, acknowledged } = this.received.take();
    if (acknowledged > 0) this.sendText(`ack ${acknowledged}`);
    return message;
  }
  readable() {
    return this.waitFor(() => this.received.length > 0 || this.byeReceived);
  }
  /** The shortest of several round trips, and the share of lost packets. */
  async quality() {
    let best = null;
    for (let number = 0; number < PINGS; number++) {
      const name = String(number);
      const { sent } = await packetCounts(this.connection);
      const started2 = performance.now();
      this.sendText(`ping ${name}`);
      const answered = this.waitFor(() => this.pongs.has(name));
      await pause(PING_TIMEOUT_MS, answered);
      this.throwIfEnded();
      if (!this.pongs.has(name)) return { roundTripSeconds: PING_TIMEOUT_MS / 1e3, loss: 1 };
      const roundTripSeconds = (performance.now() - started2) / 1e3;
      const loss = sent > 0 ? Math.min(1, Math.max(0, 1 - this.pongs.get(name) / sent)) : 0;
      if (best === null || roundTripSeconds < best.roundTripSeconds) best = { roundTripSeconds, loss };
    }
    return best;
  }
  close() {
    this.closing ??= this.closeOrderly();
    return this.closing;
  }
  abort() {
    this.end();
    this.connection.close();
  }
  async closeOrderly() {
    this.sendText("bye");
    await pause(
      CLOSE_TIMEOUT_MS$1,
      this.waitFor(() => this.gotReceived)
    );
    this.abort();
  }
  async establish(role, exchange) {
    const started2 = performance.now();
    const { offer, answer } = await exchangeDescriptions(this.connection, role, exchange);
    this.descriptions = [offer, answer];
    this.maxMessage = maxMessage(role === "sender" ? answer : offer);
    const adding = addCandidates(this.connection, exchange);
    await Promise.race([this.waitFor(() => this.data.readyState === "open"), adding]);
    if (this.ended) throw new ChannelError();
    this.establishedSeconds = (performance.now() - started2) / 1e3;
    const selected = await selectedPath(this.connection);
    this.path = selected.path;
    this.strategy = selected.strategy;
  }
  /** Waits until a condition holds or the channel is closed. */
  async waitFor(isReady) {
    while (!this.ended && !isReady()) await this.changed.wait();
  }
  notify() {
    this.changed.set();
    this.changed = new Flag();
  }
  throwIfEnded() {
    if (this.ended) throw channelClosed();
  }
  sendText(text) {
    if (this.data.readyState === "open") this.data.send(text);
  }
  onMessage(message) {
    if (typeof message === "string") {
      if (message.length <= MAX_TEXT) this.onText(message.split(" "));
    } else if (message instanceof ArrayBuffer && !this.received.put(new Uint8Array(message))) {
      this.abort();
    }
    this.notify();
  }
  onText([command2, first, second]) {
    const isCount2 = (text) => /^\d+$/.test(text ?? "");
    if (command2 === "ack" && isCount2(first)) this.window.acknowledge(Number(first));
    else if (command2 === "ping" && first !== void 0) void this.sendPong(first);
    else if (command2 === "pong" && first !== void 0 && isCount2(second) && this.pongs.size < PINGS) {
      this.pongs.set(first, Number(second));
    } else if (command2 === "bye") {
      this.byeReceived = true;
      this.sendText("got");
    } else if (command2 === "got") {
      this.gotReceived = true;
    }
  }
  async sendPong(number) {
    const { received } = await packetCounts(this.connection);
    this.sendText(`pong ${number} ${received}`);
  }
  end() {
    this.ended = true;
    this.notify();
  }
}
function maxMessage(description) {
  const found = /^a=max-message-size:(\d{1,12})\r?$/m.exec(description);
  return found ? Math.min(MAX_MESSAGE, Number(found[1]) || MAX_MESSAGE) : ASSUMED_MAX_MESSAGE;
}
class ConnectionRecorder {
  constructor(onFact) {
    this.onFact = onFact;
  }
  onFact;
  isRecorded = false;
  /** Records how an attempt ended; only the first one of a transfer counts. */
  record(channel, wasTried, servers) {
    if (this.isRecorded) return;
    this.isRecorded = true;
    if (channel instanceof WebRtcChannel) {
      this.recordSuccess(channel);
    } else if (wasTried) {
      this.recordFailure(servers);
      if (channel !== null) this.count("error_recoveries_total", { type: "network" });
    }
  }
  /** From 0 to 100: minus 1 per 10 ms of round trip and 2.5 per 1 % of lost packets, each at most 50. */
  recordQuality(type, { roundTripSeconds, loss }) {
    const observed = 100 - Math.min(50, roundTripSeconds * 100) - Math.min(50, loss * 250);
    this.onFact({ metric: "connection_quality_score", labels: { type }, observed });
  }
  recordSuccess(channel) {
    const { path: type, strategy, establishedSeconds: observed } = channel;
    this.count("direct_connections_total", { transport: "webrtc", status: "success" });
    this.count("webrtc_connections_total", { type, status: "success" });
    this.onFact({ metric: "connection_establishment_seconds", labels: { type }, observed });
    this.count("nat_traversal_total", { strategy, status: "success" });
    if (type === "relay") this.count("turn_relay_usage_total", { forced: "false" });
  }
  /** A failure for every kind of candidate that could be tried. */
  recordFailure(servers) {
    const schemes = servers.flatMap(({ urls }) => [urls].flat()).map((url) => url.split(":")[0]);
    const strategies = ["host"];
    if (servers.length > 0) strategies.push("stun");
    if (schemes.some((scheme) => scheme === "turn" || scheme === "turns")) strategies.push("turn");
    this.count("direct_connections_total", { transport: "webrtc", status: "failed" });
    this.count("webrtc_connections_total", { type: "direct", status: "failed" });
    for (const strategy of strategies) this.count("nat_traversal_total", { strategy, status: "failed" });
    this.count("errors_total", { type: "network", severity: "low" });
  }
  count(metric, labels) {
    this.onFact({ metric, labels, value: 1 });
  }
}
class ChannelRace {
  /**
   * `awaitMessage`: a channel takes part once a message came over it. The sender chooses a channel and sends
   * the first message; so the receiver learns which one.
   */
  constructor(awaitMessage = false) {
    this.awaitMessage = awaitMessage;
  }
  awaitMessage;
  entries = /* @__PURE__ */ new Map();
  /** Open channels without a message. */
  unread = /* @__PURE__ */ new Set();
  changed = new Flag();
  chosen = null;
  isOver = false;
  /** Starts to open a channel of one type. */
  start(type, open2) {
    const entry = { channel: null, ended: false, error: null };
    this.entries.set(type, entry);
    void this.run(entry, open2);
    this.wake();
  }
  /**
   * Waits for the first channel of some types, and chooses it.
   *
   * @param types preferred ones first
   * @param deadline in the time of `performance.now()`
   * @returns null if all openings of these types have ended without a channel, or the deadline has passed
   */
  async first(types2, deadline = Infinity) {
    for (; ; ) {
      for (const type of types2) {
        const channel = this.entries.get(type)?.channel;
        if (channel) {
          this.chosen = channel;
          return [type, channel];
        }
      }
      const mayCome = types2.some((type) => this.entries.get(type)?.ended === false);
      if (!mayCome || performance.now() >= deadline) return null;
      await this.waitForChange(deadline);
    }
  }
  /** Why an opening has ended; null if it has not, or was not started. */
  error(type) {
    return this.entries.get(type)?.error ?? null;
  }
  /** Whether an opening was started. */
  wasStarted(type) {
    return this.entries.has(type);
  }
  /** Waits until an opening starts or ends, `wake` is called, or the deadline has passed. */
  async waitForChange(deadline = Infinity) {
    const changed = this.changed.wait();
    if (deadline === Infinity) await changed;
    else await pause(deadline - performance.now(), changed);
  }
  wake() {
    this.changed.set();
    this.changed = new Flag();
  }
  /** Closes all channels but the chosen one, also those that are opened later. */
  close() {
    this.isOver = true;
    for (const { channel } of this.entries.values()) this.closeUnchosen(channel);
    for (const channel of this.unread) void channel.close();
  }
  async run(entry, open2) {
    let channel = null;
    try {
      channel = await open2();
      if (this.isOver) return;
      if (this.awaitMessage) {
        const opened = channel;
        this.unread.add(opened);
        entry.channel = new StartedChannel(opened, await opened.receive());
        this.unread.delete(opened);
      } else {
        entry.channel = channel;
      }
    } catch (error) {
      entry.error = error;
    } finally {
      entry.ended = true;
      if (this.isOver) this.closeUnchosen(entry.channel ?? channel);
      this.wake();
    }
  }
  closeUnchosen(channel) {
    if (channel !== null && channel !== this.chosen) void channel.close();
  }
}
class StartedChannel {
  constructor(channel, message) {
    this.channel = channel;
    this.first = message;
  }
  channel;
  first;
  get method() {
    return this.channel.method;
  }
  get path() {
    return this.channel.path;
  }
  get maxMessage() {
    return this.channel.maxMessage;
  }
  get descriptions() {
    return this.channel.descriptions;
  }
  send(message) {
    return this.channel.send(message);
  }
  async receive() {
    const message = this.first;
    this.first = null;
    return message ?? this.channel.receive();
  }
  async readable() {
    if (this.first === null) await this.channel.readable();
  }
  quality() {
    return this.channel.quality();
  }
  close() {
    return this.channel.close();
  }
  abort() {
    this.channel.abort();
  }
}
const NONCE_BYTES = 12;
class SignalSealer {
  constructor(own, others) {
    this.own = own;
    this.others = others;
  }
  own;
  others;
  static async create(secret, role) {
    const key = async (of, usage) => crypto.subtle.importKey("raw", await derive(secret, `${of} signals`), "AES-GCM", false, [usage]);
    return new SignalSealer(await key(role, "encrypt"), await key(otherRole(role), "decrypt"));
  }
  /** Nonce, ciphertext and tag in base64url. Only tests pass a nonce. */
  async seal(type, attempt, channel, data, nonce2 = randomBytes$3(NONCE_BYTES)) {
    const parameters = { name: "AES-GCM", iv: nonce2, additionalData: context(type, attempt, channel) };
    const sealed = await crypto.subtle.encrypt(parameters, this.own, utf8(JSON.stringify(data)));
    return toBase64url(concat(nonce2, new Uint8Array(sealed)));
  }
  /** The data; null if the other side did not send it with this type, attempt and channel. */
  async open(type, attempt, channel, sealed) {
    const raw = fromBase64url(sealed);
    if (raw === null || raw.length <= NONCE_BYTES) return null;
    const iv = raw.subarray(0, NONCE_BYTES);
    const parameters = { name: "AES-GCM", iv, additionalData: context(type, attempt, channel) };
    try {
      const opened = await crypto.subtle.decrypt(parameters, this.others, raw.subarray(NONCE_BYTES));
      return parseObject(new TextDecoder("utf-8", { fatal: true }).decode(opened));
    } catch {
      return null;
    }
  }
}
function context(...fields) {
  return encodeFields([Uint8Array.of(PROTOCOL_VERSION), ...fields.map(utf8)]);
}
class ChannelExchange {
  constructor(attempt, channel, sealer, forward) {
    this.attempt = attempt;
    this.channel = channel;
    this.sealer = sealer;
    this.forward = forward;
  }
  attempt;
  channel;
  sealer;
  forward;
  inbox = new ClosableQueue();
  async send(type, data) {
    const sealed = await this.sealer.seal(type, this.attempt, this.channel, data);
    this.forward(type, { attempt: this.attempt, channel: this.channel, sealed });
  }
  /** Waits for the other side's next signal. */
  receive() {
    return this.inbox.get();
  }
  /** Tells the other side that this side does not use this type of channel. */
  refuse() {
    return this.send("answer", { refused: true });
  }
}
class ConnectionAttempt {
  constructor(name, sealer, forward) {
    this.name = name;
    this.sealer = sealer;
    this.forward = forward;
  }
  name;
  sealer;
  forward;
  /** The types of channels that the other side offers, each once. */
  offered = new ClosableQueue();
  exchanges = /* @__PURE__ */ new Map();
  error = null;
  exchange(channel) {
    let found = this.exchanges.get(channel);
    if (!found) {
      found = new ChannelExchange(this.name, channel, this.sealer, this.forward);
      this.exchanges.set(channel, found);
      if (this.error) found.inbox.fail(this.error);
    }
    return found;
  }
  deliver(signal) {
    const isNew = signal.type === "offer" && !this.exchanges.has(signal.channel);
    const { inbox } = this.exchange(signal.channel);
    if (signal.data["refused"] === true) inbox.fail(new ChannelRefusedError());
    else inbox.put(signal);
    if (isNew) this.offered.put(signal.channel);
  }
  fail(error) {
    this.error = error;
    this.offered.fail(error);
    for (const exchange of this.exchanges.values()) exchange.inbox.fail(error);
  }
}
class ConnectionAttempts {
  constructor(sealer, forward, offered) {
    this.sealer = sealer;
    this.forward = forward;
    this.offered = offered;
  }
  sealer;
  forward;
  offered;
  current = null;
  start() {
    return this.replace(toHex(randomBytes$3(8)));
  }
  /** Passes a signal on. An offer with a new attempt starts it; other signals of unknown attempts are late. */
  handle(signal) {
    if (signal.type === "offer" && this.current?.name !== signal.attempt) {
      this.offered.put(this.replace(signal.attempt));
    }
    if (this.current?.name === signal.attempt) this.current.deliver(signal);
  }
  /** Ends the current attempt. */
  fail() {
    this.current?.fail(channelClosed());
  }
  /** The other side has another link: both sides end. It cannot open this side's refusal either. */
  failUnreadable() {
    const error = new ProtocolError("wrong_secret");
    error.authenticated = false;
    if (this.current) {
      this.current.fail(error);
      return;
    }
    void this.replace(toHex(randomBytes$3(8))).exchange("relay").refuse();
    this.offered.fail(error);
  }
  replace(name) {
    this.fail();
    this.current = new ConnectionAttempt(name, this.sealer, this.forward);
    return this.current;
  }
}
const JOIN_TIMEOUT_MS = 15e3;
const LEAVE_TIMEOUT_MS = 2e3;
const MAX_CONFIRMATION_S = 3600;
const REASONS_WITHOUT_MESSAGE = ["taken_over", "timeout", "expired"];
class PeerPresence {
  present = new Flag();
  absent = new Flag();
  /** It left on purpose, with an outcome. */
  departed = new Flag();
  /** At the sender: the person at the receiver is asked; and has agreed. */
  confirming = new Flag();
  confirmed = new Flag();
  outcome = null;
  seen = false;
  joined() {
    this.outcome = null;
    this.absent.clear();
    this.departed.clear();
    this.seen = true;
    this.present.set();
  }
  left(outcome) {
    this.outcome = outcome;
    if (outcome !== null) this.departed.set();
    this.present.clear();
    this.absent.set();
  }
  confirmation(state) {
    const [set, cleared] = state === "pending" ? [this.confirming, this.confirmed] : [this.confirmed, this.confirming];
    if (state !== "pending" && state !== "given") return;
    cleared.clear();
    set.set();
  }
}
class SignalingClient {
  constructor(socket, sealer, offered, linkProven) {
    this.socket = socket;
    this.sealer = sealer;
    this.linkProven = linkProven;
    this.attempts = new ConnectionAttempts(sealer, (type, data) => this.send({ type, data }), offered);
    socket.addEventListener("message", (event) => this.onMessage(event.data));
    socket.addEventListener("close", (event) => this.onClose(event.code));
  }
  socket;
  sealer;
  linkProven;
  peer = new PeerPresence();
  lost = new Flag();
  error = null;
  attempts;
  answer = new Deferred();
  handling = Promise.resolve();
  joined;
  /** Joins a room; with the key of an earlier join, in place of that connection. */
  static async join(input, offered) {
    const { link, role, rejoinKey } = input;
    const sealer = await SignalSealer.create(link.secret, role);
    const message = joinMessage(input, await joinToken(link.secret));
    const socket = new WebSocket(websocketUrl(link.server, SIGNAL_PATH));
    const client = new SignalingClient(socket, sealer, offered, rejoinKey !== null);
    socket.addEventListener("open", () => client.send(message));
    try {
      const noAnswer = () => new ServerConnectionError("no answer");
      client.joined = await withTimeout(client.answer.promise, JOIN_TIMEOUT_MS, noAnswer);
    } catch (error) {
      socket.close();
      throw error;
    }
    return client;
  }
  /** Starts to connect; the attempt before is over. */
  startAttempt() {
    return this.attempts.start();
  }
  /** The sender: data flows from now on. */
  reportStarted(method) {
    this.send({ type: "started", method });
  }
  /** The receiver: its person is asked, or has agreed. */
  reportConfirmation(state) {
    if (this.joined.confirmationLimit !== null) this.send({ type: "confirmation", state });
  }
  /** Leaves the room, with the outcome if the transfer is over, and closes. */
  async leave(outcome, isResumable2 = false) {
    const resumable = isResumable2 ? { resumable: true } : {};
    this.send({ type: "leave", ...outcome === null ? {} : { outcome, ...resumable } });
    await pause(LEAVE_TIMEOUT_MS, this.lost.wait());
    this.socket.close();
  }
  /** Ends a connection that may be dead, without leaving the room. */
  drop() {
    this.socket.close();
    this.onClose(0);
  }
  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
  onMessage(data) {
    const message = typeof data === "string" ? parseObject(data) : null;
    if (message === null) return;
    this.handling = this.handling.then(() => this.handle(message));
  }
  /** Processes a message of the server. Malformed and unknown messages are ignored. */
  async handle(message) {
    if (!this.answer.settled) {
      this.handleAnswer(message);
    } else if (message["type"] === "peer") {
      this.handlePeer(message);
    } else if (message["type"] === "confirmation") {
      this.peer.confirmation(message["state"]);
    } else if (message["type"] === "error") {
      if (message["code"] === "no_peer") this.peerLeft(this.peer.outcome);
      else this.error = new ServerRefusedError(String(message["code"]));
    } else {
      await this.handleSignal(message);
    }
  }
  handleAnswer(message) {
    const joined = parseJoined(message);
    if (joined === null) {
      const code = message["type"] === "error" ? String(message["code"]) : "bad_message";
      this.answer.reject(new ServerRefusedError(code));
      return;
    }
    if (message["peer"] === true) this.peer.joined();
    this.answer.resolve(joined);
  }
  handlePeer(message) {
    const isStopped = message["outcome"] === "cancelled" && message["resumable"] === true;
    const outcome = isStopped ? "stopped" : message["outcome"];
    if (message["event"] === "joined") this.peer.joined();
    else this.peerLeft(typeof outcome === "string" ? outcome : null);
  }
  async handleSignal(message) {
    const envelope = parseEnvelope(message);
    if (envelope === null) return;
    const { type, attempt, channel, sealed } = envelope;
    const data = await this.sealer.open(type, attempt, channel, sealed);
    if (data !== null) {
      this.linkProven = true;
      this.attempts.handle({ type, attempt, channel, data });
    } else if (!this.linkProven) {
      this.attempts.failUnreadable();
    }
  }
  peerLeft(outcome) {
    this.peer.left(outcome);
    this.attempts.fail();
  }
  onClose(code) {
    this.handling = this.handling.then(() => {
      const reason = CLOSE_REASONS[code] ?? "";
      const isReason = REASONS_WITHOUT_MESSAGE.includes(reason);
      this.error ??= isReason ? new ServerRefusedError(reason) : new ServerConnectionError("lost");
      this.answer.reject(this.error);
      this.lost.set();
      this.attempts.fail();
    });
  }
}
function websocketUrl(server, path) {
  return server.replace(/^http/, "ws") + path;
}
function joinMessage(input, token) {
  return {
    type: "join",
    version: PROTOCOL_VERSION,
    room: input.room,
    token: toBase64url(token),
    role: input.role,
    device: input.device,
    ...input.rejoinKey === null ? {} : { rejoin_key: input.rejoinKey },
    ...input.doNotTrack ? { do_not_track: true } : {}
  };
}
function parseJoined(message) {
  const { type, room, rejoin_key, telemetry_token, relay_ticket, correlation_id, ice_servers } = message;
  const texts = [room, rejoin_key, telemetry_token, relay_ticket, correlation_id];
  if (type !== "joined" || !texts.every((text) => typeof text === "string")) return null;
  const [name, rejoinKey, telemetryToken, relayTicket, correlationId] = texts;
  if (!ROOM_ID.test(name)) return null;
  const iceServers = (Array.isArray(ice_servers) ? ice_servers : []).filter(
    (entry) => isRecord(entry) && "urls" in entry
  );
  const confirmationLimit = parseLimit(message["confirmation_limit"]);
  return { room: name, rejoinKey, telemetryToken, relayTicket, correlationId, iceServers, confirmationLimit };
}
function parseLimit(seconds) {
  return typeof seconds === "number" ? Math.min(Math.max(seconds, 1), MAX_CONFIRMATION_S) : null;
}
function parseEnvelope(message) {
  const { type, data } = message;
  if (!["offer", "answer", "candidate"].includes(String(type)) || !isRecord(data)) return null;
  const { attempt, channel, sealed } = data;
  if (typeof attempt !== "string" || typeof sealed !== "string") return null;
  if (!["tcp", "webrtc", "relay"].includes(String(channel))) return null;
  return { type, attempt, channel, sealed };
}
const MAX_BUFFERED = 1 << 20;
const BUFFER_POLL_MS = 4;
const CLOSE_TIMEOUT_MS = 2e3;
const RELAY_WINDOW = 16 << 20;
const ACK_EVERY = 1 << 20;
const ACK_BYTES = 8;
class RelayChannel {
  constructor(socket, ticket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ type: "relay", ticket }));
      this.opened.resolve();
    });
    socket.addEventListener("message", (event) => this.onMessage(event.data));
    socket.addEventListener("close", () => this.onClose());
  }
  socket;
  method = "relay";
  path = null;
  maxMessage = MAX_RELAY_MESSAGE_BYTES;
  descriptions = [];
  received = new ClosableQueue();
  opened = new Deferred();
  paired = new Deferred();
  closed = new Deferred();
  peerWindow = Infinity;
  sentBytes = 0;
  acknowledgedBytes = 0;
  processedBytes = 0;
  reportedBytes = 0;
  acknowledged = new Flag();
  /** Connects with the ticket that came with the join. Usable after `waitUntilPaired`. */
  static async connect(server, ticket, timeoutMs) {
    const channel = new RelayChannel(new WebSocket(websocketUrl(server, RELAY_PATH)), ticket);
    await channel.within(channel.opened.promise, timeoutMs);
    return channel;
  }
  /** Waits for the other side. */
  waitUntilPaired(timeoutMs) {
    return this.within(this.paired.promise, timeoutMs);
  }
  /** Sets the other side's window, from its sealed signal. A side without one reads at its own pace. */
  setPeerWindow(bytes) {
    if (typeof bytes === "number" && bytes >= MAX_RELAY_MESSAGE_BYTES) this.peerWindow = bytes;
  }
  async send(message) {
    while (this.isOpen && !this.fits(message.length)) {
      this.acknowledged.clear();
      await this.acknowledged.wait();
    }
    while (this.socket.bufferedAmount > MAX_BUFFERED && this.isOpen) await pause(BUFFER_POLL_MS);
    if (!this.isOpen) throw channelClosed();
    this.sentBytes += message.length;
    this.socket.send(message);
  }
  async receive() {
    const message = await this.received.get();
    this.processedBytes += message.length;
    if (this.processedBytes - this.reportedBytes >= ACK_EVERY && this.isOpen) {
      this.reportedBytes = this.processedBytes;
      const acknowledgement = new DataView(new ArrayBuffer(ACK_BYTES));
      acknowledgement.setBigUint64(0, BigInt(this.processedBytes));
      this.socket.send(acknowledgement);
    }
    return message;
  }
  readable() {
    return this.received.ready();
  }
  async quality() {
    return null;
  }
  async close() {
    this.socket.close();
    await pause(CLOSE_TIMEOUT_MS, this.closed.promise);
  }
  abort() {
    this.socket.close();
    this.onClose();
  }
  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }
  fits(length) {
    return this.sentBytes - this.acknowledgedBytes + length <= this.peerWindow;
  }
  async within(waiting, timeoutMs) {
    try {
      await withTimeout(waiting, timeoutMs, () => new ChannelError());
    } catch (error) {
      this.abort();
      throw error;
    }
  }
  onMessage(data) {
    if (data instanceof ArrayBuffer && data.byteLength === ACK_BYTES) {
      this.acknowledgedBytes = Number(new DataView(data).getBigUint64(0));
      this.acknowledged.set();
    } else if (data instanceof ArrayBuffer && this.paired.settled) {
      this.received.put(new Uint8Array(data));
    } else if (typeof data === "string" && parseObject(data)?.["type"] === "paired") {
      this.paired.resolve();
    } else {
      this.abort();
    }
  }
  onClose() {
    this.opened.reject(new ChannelError());
    this.paired.reject(new ChannelError());
    this.received.fail(channelClosed());
    this.acknowledged.set();
    this.closed.resolve();
  }
}
const CHANNEL_TIMEOUT_MS = 2e4;
const DIRECT_TIMEOUT_MS = 15e3;
const HEAD_START_MS = 1500;
const RELAY_DELAY_MS = 300;
const QUALITY_TIMEOUT_MS = 3e3;
class ChannelConnector {
  constructor(link, role, preference, onFact) {
    this.link = link;
    this.role = role;
    this.preference = preference;
    this.recorder = new ConnectionRecorder(onFact);
  }
  link;
  role;
  preference;
  recorder;
  /** The sender: opens a channel to the receiver, which is in the room. */
  async open(signaling) {
    const attempt = signaling.startAttempt();
    const race = new ChannelRace();
    try {
      const direct = this.directTypes();
      for (const type of direct) race.start(type, () => this.openChannel(type, attempt, signaling));
      const found = await this.firstChannel(race, direct, attempt, signaling);
      const wasTried = direct.length > 0 && !(race.error("webrtc") instanceof ChannelRefusedError);
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
  async accept(attempt, signaling) {
    const deadline = performance.now() + DIRECT_TIMEOUT_MS + CHANNEL_TIMEOUT_MS;
    const race = new ChannelRace(true);
    let lost = null;
    this.followOffers(race, attempt, signaling).catch((error) => {
      lost = error;
      race.wake();
    });
    try {
      for (; ; ) {
        const found = await race.first(["webrtc", "relay"], deadline);
        if (found !== null) return found[1];
        if (lost !== null) throw lost;
        if (performance.now() >= deadline) throw new ChannelError("peer_timeout");
        await race.waitForChange(deadline);
      }
    } finally {
      race.close();
    }
  }
  /** Measures and records the quality of a connection at the end of a transfer. */
  async recordQuality(channel) {
    if (this.role !== "sender" || channel.path === null) return;
    const timeout = () => new ChannelError("peer_timeout");
    const quality = await withTimeout(channel.quality(), QUALITY_TIMEOUT_MS, timeout).catch(() => null);
    if (quality) this.recorder.recordQuality(channel.path, quality);
  }
  directTypes() {
    return this.preference !== "relay" && hasWebRtc() ? ["webrtc"] : [];
  }
  /** The first direct channel; after the head start, the first of all. */
  async firstChannel(race, direct, attempt, signaling) {
    const started2 = performance.now();
    if (this.preference === "direct") return race.first(direct, started2 + DIRECT_TIMEOUT_MS);
    let found = await race.first(direct, started2 + RELAY_DELAY_MS);
    if (found === null) {
      race.start("relay", () => this.openChannel("relay", attempt, signaling));
      found = await race.first(direct, started2 + HEAD_START_MS);
    }
    return found ?? race.first([...direct, "relay"]);
  }
  /** Starts to open what the sender offers. Ends with the attempt's error. */
  async followOffers(race, attempt, signaling) {
    const accepted = [...this.directTypes(), ...this.preference === "direct" ? [] : ["relay"]];
    for (; ; ) {
      const type = await attempt.offered.get();
      if (accepted.includes(type)) race.start(type, () => this.openChannel(type, attempt, signaling));
      else await attempt.exchange(type).refuse();
    }
  }
  async openChannel(type, attempt, signaling) {
    const exchange = attempt.exchange(type);
    if (type === "relay") return this.openRelay(exchange, signaling);
    const { iceServers } = signaling.joined;
    return WebRtcChannel.connect(this.role, exchange, {
      iceServers: this.preference === "direct" ? withoutTurn(iceServers) : iceServers,
      policy: "all",
      timeoutMs: DIRECT_TIMEOUT_MS
    });
  }
  /** Connects to the relay, the receiver first: its answer says that it is connected. */
  async openRelay(exchange, signaling) {
    if (this.role === "sender") await exchange.send("offer", { window: RELAY_WINDOW });
    const { data } = await withTimeout(exchange.receive(), CHANNEL_TIMEOUT_MS, () => new ChannelError());
    const { relayTicket } = signaling.joined;
    const channel = await RelayChannel.connect(this.link.server, relayTicket, CHANNEL_TIMEOUT_MS);
    channel.setPeerWindow(data["window"]);
    if (this.role === "receiver") await exchange.send("answer", { window: RELAY_WINDOW });
    await channel.waitUntilPaired(CHANNEL_TIMEOUT_MS);
    return channel;
  }
  /** The error of signaling that was lost, of a peer that left or has another link, if there is one. */
  lostError(race) {
    const errors = ["webrtc", "relay"].map((type) => race.error(type));
    return errors.find((error) => {
      if (error instanceof ChannelRefusedError) return false;
      return error instanceof ProtocolError || error instanceof ChannelError && error.closed;
    });
  }
  noChannel(race) {
    const relayError = race.error("relay");
    const isExcluded = this.preference === "direct" || relayError instanceof ChannelRefusedError;
    return isExcluded ? new LocalError("no_connection") : relayError ?? new ChannelError();
  }
}
function transferMethod(channel) {
  return channel.path === "relay" ? "relay" : channel.method;
}
function hasTurn(servers) {
  return servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}
function withoutTurn(servers) {
  return servers.filter((server) => !hasTurn([server]));
}
function transferable(values) {
  const buffers = values.flat().flatMap(
    (value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : []
  );
  return [...new Set(buffers)];
}
class WorkerError extends Error {
  constructor(failure) {
    super(failure);
    this.failure = failure;
  }
  failure;
  name = "WorkerError";
}
async function startCrypto(onFact) {
  const { createWorker: createWorker2 } = await Promise.resolve().then(() => create);
  const worker = createWorker2();
  if (worker !== null) return new WorkerClient(worker, onFact).service();
  const { TransferCrypto: TransferCrypto2 } = await Promise.resolve().then(() => transferCrypto);
  return Object.assign(new TransferCrypto2(onFact), { terminate: () => {
  } });
}
class WorkerClient {
  constructor(worker, onFact) {
    this.worker = worker;
    this.onFact = onFact;
    worker.addEventListener("message", (event) => this.onResult(event.data));
    worker.addEventListener("error", () => this.failAll());
  }
  worker;
  onFact;
  calls = /* @__PURE__ */ new Map();
  next = 0;
  service() {
    const call = (name, parameters) => {
      if (name === "terminate") return this.terminate();
      return this.call(name, parameters);
    };
    return new Proxy({}, {
      get: (_, name) => (
        // A service is returned from an async function: it must not look like a promise.
        name === "then" ? void 0 : (...parameters) => call(String(name), parameters)
      )
    });
  }
  call(name, parameters) {
    const id = this.next++;
    const result = new Deferred();
    this.calls.set(id, result);
    const owned = name === "open" || name === "seal" ? transferable(parameters) : [];
    this.worker.postMessage({ id, name, parameters }, owned);
    return result.promise;
  }
  onResult(result) {
    const call = this.calls.get(result.id);
    this.calls.delete(result.id);
    for (const fact of result.facts) this.onFact(fact);
    if ("value" in result) call?.resolve(result.value);
    else if ("code" in result) call?.reject(new ProtocolError(result.code, result.side));
    else call?.reject(new WorkerError(result.failure));
  }
  failAll() {
    for (const call of this.calls.values()) call.reject(new LocalError("worker_failed"));
    this.calls.clear();
  }
  terminate() {
    this.worker.terminate();
    this.failAll();
  }
}
const PART_BYTES = 1 << 20;
const PARTS_UNDER_WAY = 2;
class FileSender {
  constructor(secure, files, progress, onFact) {
    this.secure = secure;
    this.files = files;
    this.progress = progress;
    this.onFact = onFact;
  }
  secure;
  files;
  progress;
  onFact;
  /** Sends the manifest and waits for the receiver's answer. */
  async offer() {
    const { manifest } = this.files;
    await this.secure.sendDocument(FrameType.manifest, encodeManifest(manifest));
    const document2 = await this.secure.receiveDocument(FrameType.accept, MAX_ANSWER_BYTES);
    return decodeResumeOffer(document2, manifest);
  }
  /** Sends everything that the receiver does not have; returns when it has confirmed all files. */
  async send(answer) {
    const { files } = this.files.manifest;
    const wanted = files.map((_, file) => file).filter((file) => !answer.complete.has(file));
    this.progress.begin("transferring", totalBytes(this.files.manifest), files.length);
    this.progress.start(this.bytesAtReceiver(answer), answer.complete.size);
    await Promise.all([this.receiveReceipts(wanted), this.sendFiles(wanted, answer)]);
  }
  /** Bytes of the files that the receiver has. */
  bytesAtReceiver({ complete, partial }) {
    const { files } = this.files.manifest;
    let bytes = 0;
    for (const file of complete) bytes += files[file].size;
    for (const [file, size] of partial) if (!complete.has(file)) bytes += size;
    return bytes;
  }
  async sendFiles(wanted, answer) {
    for (const file of wanted) await this.sendFile(file, answer.partial.get(file) ?? 0);
    await this.secure.send(header(FrameType.finish));
  }
  async sendFile(file, start) {
    const content = this.files.contents[file];
    const { chunkSize } = this.secure;
    const partSize = chunkSize * Math.max(1, Math.floor(PART_BYTES / chunkSize));
    const underWay = [];
    this.progress.setFile(this.files.manifest.files[file].path);
    for (let at = start; at === start || at < content.size; at += partSize) {
      const end = Math.min(at + partSize, content.size);
      const part = content.slice(at, end);
      const sending = this.sendPart({ file, index: at, content: part, final: end >= content.size });
      sending.catch(() => {
      });
      underWay.push(sending);
      if (underWay.length >= PARTS_UNDER_WAY) await underWay.shift();
    }
    await Promise.all(underWay);
  }
  async sendPart(part) {
    let started2 = performance.now();
    const sending = this.secure.sendPart(part, (bytes) => {
      if (bytes > 0) recordChunk(this.onFact, this.secure, "sent", bytes, started2);
      this.progress.add(bytes);
      started2 = performance.now();
    });
    try {
      await sending;
    } catch (error) {
      throw error instanceof WorkerError || error instanceof DOMException ? new LocalError("source_changed", "source_changed") : error;
    }
  }
  async receiveReceipts(wanted) {
    const { sequence } = this.secure;
    for (const file of wanted) {
      sequence.expect(FrameType.receipt, file);
      await this.secure.receive();
      if (!sequence.complete) throw new ProtocolError("malformed");
      this.progress.fileDone();
    }
    sequence.expect(FrameType.finish);
    await this.secure.receive();
  }
}
function recordChunk(onFact, secure, direction, bytes, started2) {
  const method = transferMethod(secure.channel);
  const observed = (performance.now() - started2) / 1e3;
  onFact({ metric: "bytes_transferred_total", labels: { direction }, value: bytes });
  onFact({ metric: "chunk_transfer_duration_seconds", labels: { method }, observed });
}
const BLOCK$1 = 8 << 20;
const TEXT_NAME = "message.txt";
const FILE_MODE = 420;
const FOLDER_MODE = 493;
let hashes = 0;
function newHash() {
  return hashes++;
}
async function prepareFiles(items, crypto2, progress, now) {
  const sources = items.flatMap((item) => item.kind === "folder" ? [] : [toSource(item, now)]);
  const folders = items.flatMap((item) => item.kind === "folder" ? [item.path] : []);
  check(items, [...folders, ...sources.map(({ path }) => path)]);
  progress.begin(
    "preparing",
    sources.reduce((sum, { content }) => sum + content.size, 0),
    sources.length
  );
  const files = [];
  for (const { path, content, modified } of sources) {
    progress.setFile(path);
    const sha2562 = await hashFile(content, crypto2, progress);
    files.push({ path, size: content.size, sha256: sha2562, mode: FILE_MODE, modified: timestamp(modified) });
    progress.fileDone();
  }
  progress.report();
  const manifest = {
    files,
    folders: folders.map((path) => ({ path, mode: FOLDER_MODE, modified: timestamp(now) })),
    links: [],
    isText: items.some(({ kind }) => kind === "text")
  };
  if (encodeManifest(manifest).length > MAX_MANIFEST_BYTES) throw new LocalError("too_many_files");
  return { manifest, contents: sources.map(({ content }) => content) };
}
function toSource(item, now) {
  if (item.kind === "text") return { path: TEXT_NAME, content: new Blob([item.text]), modified: now };
  return { path: item.path, content: item.file, modified: item.file.lastModified };
}
function check(items, paths) {
  const hasText = items.some(({ kind }) => kind === "text");
  if (items.length === 0 || hasText && items.length > 1) throw new LocalError("nothing_to_send");
  if (items.length > MAX_ENTRIES || paths.some(isTooNested)) throw new LocalError("too_many_files");
}
async function hashFile(content, crypto2, progress) {
  const hash = newHash();
  try {
    await crypto2.startHash(hash);
    for (let at = 0; at < content.size; at += BLOCK$1) {
      const block = content.slice(at, at + BLOCK$1);
      await crypto2.updateHash(hash, block);
      progress.add(block.size);
    }
    return await crypto2.finishHash(hash);
  } catch (error) {
    if (error instanceof LocalError) throw error;
    throw new LocalError("source_unreadable", "source_changed");
  }
}
function timestamp(milliseconds) {
  const seconds = Math.floor(milliseconds / 1e3);
  return `${seconds}.${String(Math.floor(milliseconds) - seconds * 1e3).padStart(3, "0")}000000`;
}
const BLOCK = 8 << 20;
const FRAMES_UNDER_WAY = 8;
class FileReceiver {
  constructor(manifest, incoming, folders, sink, crypto2, store, progress, onFact) {
    this.manifest = manifest;
    this.incoming = incoming;
    this.folders = folders;
    this.sink = sink;
    this.crypto = crypto2;
    this.store = store;
    this.progress = progress;
    this.onFact = onFact;
    this.done = decodeBits(store.state.done) ?? /* @__PURE__ */ new Set();
    this.isResumed = this.done.size > 0;
  }
  manifest;
  incoming;
  folders;
  sink;
  crypto;
  store;
  progress;
  onFact;
  done;
  open = null;
  isResumed;
  foldersMade = false;
  /** Tells the sender what is here, receives the rest, and confirms it to the sender. */
  async receive(secure) {
    if (this.isResumed) await this.dropLost();
    this.isResumed = false;
    const missing = this.incoming.map((_, file) => file).filter((file) => !this.done.has(file));
    if (missing.length > 0 && this.open?.file !== missing[0]) await this.openFile(missing[0]);
    await this.sendAnswer(secure);
    for (const file of missing) {
      if (this.open?.file !== file) await this.openFile(file, true);
      await this.receiveFile(secure, this.open);
      await secure.send(header(FrameType.receipt, file));
    }
    await this.makeFolders();
    secure.sequence.expect(FrameType.finish);
    await secure.receive();
    await secure.send(header(FrameType.finish));
  }
  /** Drops an unfinished file. */
  async discard() {
    const { open: open2 } = this;
    this.open = null;
    await open2?.writer.discard().catch(() => {
    });
  }
  /** Keeps an unfinished file for a later page, as far as the sink can. */
  async suspend() {
    this.store.state.done = encodeBits(this.done);
    this.store.save();
    const { open: open2 } = this;
    this.open = null;
    await open2?.writer.suspend().catch(() => {
    });
  }
  async sendAnswer(secure) {
    const { open: open2 } = this;
    const partial = new Map(open2 !== null && open2.received > 0 ? [[open2.file, open2.received]] : []);
    await secure.sendDocument(FrameType.accept, encodeResumeOffer({ partial, complete: this.done }));
    let bytes = open2?.received ?? 0;
    for (const file of this.done) bytes += this.incoming[file].size;
    this.progress.start(bytes, this.done.size);
  }
  /** After a reload: forgets files that an earlier page completed and that are gone. */
  async dropLost() {
    for (const file of [...this.done]) {
      const known = this.incoming[file];
      if (!known || !await this.sink.isComplete(known)) this.done.delete(file);
    }
  }
  /** Opens a file; `empty`: drops kept bytes that the sender does not know of. */
  async openFile(file, empty = false) {
    await this.discard();
    let writer = await stored(this.sink.open(this.incoming[file]));
    if (empty && writer.kept !== null && writer.kept.size > 0) {
      await stored(writer.discard());
      writer = await stored(this.sink.open(this.incoming[file]));
    }
    const hash = newHash();
    await this.crypto.startHash(hash);
    const received = writer.kept?.size ?? 0;
    for (let at = 0; at < received; at += BLOCK) {
      await stored(this.crypto.updateHash(hash, writer.kept.slice(at, at + BLOCK)));
    }
    this.open = { file, writer, hash, received };
  }
  async receiveFile(secure, open2) {
    const { size, sha256: sha2562 } = this.manifest.files[open2.file];
    this.progress.setFile(this.incoming[open2.file].path);
    secure.sequence.expect(FrameType.data, open2.file, open2.received, size);
    await this.receiveContent(secure, open2);
    this.open = null;
    const isRight = open2.received === size && await this.crypto.finishHash(open2.hash) === sha2562;
    if (!isRight) {
      await open2.writer.discard().catch(() => {
      });
      throw new ProtocolError("hash_mismatch");
    }
    await stored(open2.writer.commit());
    this.done.add(open2.file);
    this.store.saveSometimes((state) => {
      state.done = encodeBits(this.done);
    });
    this.progress.fileDone();
  }
  /** Receives a file's frames. They are decrypted and written in their order, while the next ones are received. */
  async receiveContent(secure, open2) {
    const underWay = [];
    let writing = Promise.resolve();
    try {
      while (!secure.sequence.complete) {
        const started2 = performance.now();
        const { payload } = await secure.accept(open2.hash);
        writing = this.write(secure, open2, payload, started2, writing);
        writing.catch(() => {
        });
        underWay.push(writing);
        if (underWay.length >= FRAMES_UNDER_WAY) await underWay.shift();
      }
    } finally {
      await writing;
    }
  }
  async write(secure, open2, decrypting, started2, before) {
    const payload = await decrypting;
    const { length } = payload;
    if (length > 0) recordChunk(this.onFact, secure, "received", length, started2);
    await before;
    if (length > 0) await stored(open2.writer.write(payload));
    open2.received += length;
    this.progress.add(length);
  }
  async makeFolders() {
    if (this.foldersMade) return;
    for (const folder of this.folders) await stored(this.sink.makeFolder(folder));
    this.foldersMade = true;
  }
}
async function stored(work) {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LocalError) throw error;
    const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
    throw new LocalError(isFull ? "storage_full" : "storage_failed", "storage_failed");
  }
}
class FactEvent extends Event {
  constructor(fact) {
    super("fact");
    this.fact = fact;
  }
  fact;
}
function missingFeatures(scope = globalThis) {
  const blob = scope.Blob?.prototype;
  const found = {
    "crypto.subtle": scope.crypto?.subtle,
    WebSocket: scope.WebSocket,
    fetch: scope.fetch,
    structuredClone: scope.structuredClone,
    "Blob.arrayBuffer": blob?.arrayBuffer,
    "Blob.stream": blob?.stream
  };
  return Object.keys(found).filter((name) => found[name] === void 0);
}
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15e3;
const GIVE_UP_AFTER_MS$1 = 6e5;
class RetrySchedule {
  /** `operation`: label of `retry_attempts_total`. */
  constructor(operation, onFact) {
    this.operation = operation;
    this.onFact = onFact;
  }
  operation;
  onFact;
  failingSince = null;
  failures = 0;
  /** Counts a failed attempt. Returns milliseconds to wait before the next; null to give up. */
  recordFailure() {
    if (this.failures > 0) this.count("failed");
    this.onFact({ metric: "errors_total", labels: { type: "network", severity: "medium" }, value: 1 });
    const now = performance.now();
    this.failingSince ??= now;
    if (now - this.failingSince >= GIVE_UP_AFTER_MS$1) return null;
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.failures, 30));
    this.failures++;
    return delay * (0.5 + Math.random() / 2);
  }
  /** Does not count the time until now: this side waited for the other one, nothing failed. */
  restartClock() {
    this.failingSince = null;
  }
  /** The operation works again. */
  recordSuccess() {
    if (this.failures > 0) {
      this.count("success");
      this.onFact({ metric: "error_recoveries_total", labels: { type: "network" }, value: 1 });
    }
    this.failures = 0;
    this.failingSince = null;
  }
  count(status) {
    const labels = { operation: this.operation, status };
    this.onFact({ metric: "retry_attempts_total", labels, value: 1 });
  }
}
const REJOIN_TO_LEAVE_MS = 2e3;
class RoomSession {
  constructor(link, role, device, doNotTrack, room, rejoinKey, events) {
    this.link = link;
    this.role = role;
    this.device = device;
    this.doNotTrack = doNotTrack;
    this.room = room;
    this.rejoinKey = rejoinKey;
    this.events = events;
    this.retries = new RetrySchedule("signaling", (fact) => events.onFact(fact));
  }
  link;
  role;
  device;
  doNotTrack;
  room;
  rejoinKey;
  events;
  /** Connection attempts that the other side starts. */
  attempts = new ClosableQueue();
  retries;
  current = null;
  joining = null;
  wake = new Flag();
  hasLeft = false;
  seen = false;
  /** Whether both sides were in the room at the same time, as far as this side knows. */
  get peerSeen() {
    return this.seen || (this.current?.peer.seen ?? false);
  }
  /** The signaling connection; a lost one is joined again first. */
  signaling() {
    if (this.current !== null && !this.current.lost.isSet) return Promise.resolve(this.current);
    this.joining ??= this.joinAgain().finally(() => {
      this.joining = null;
    });
    return this.joining;
  }
  /** Tries again now, if this side waits for the next attempt. */
  retryNow() {
    this.wake.set();
    this.wake = new Flag();
  }
  /** Drops a connection that died while the page slept; it is joined again. */
  reconnect() {
    this.current?.drop();
    this.retryNow();
  }
  /**
   * Leaves the room, with the transfer's outcome if it is over; both sides may come back to a resumable one. If
   * signaling is lost and there is an outcome, it is joined once more: otherwise the other side would wait in vain.
   */
  async leave(outcome, isResumable2 = false) {
    this.hasLeft = true;
    this.retryNow();
    let signaling = this.current;
    if (outcome !== null && (signaling === null || signaling.lost.isSet)) {
      signaling = await this.rejoinToLeave();
    }
    await signaling?.leave(outcome, isResumable2);
  }
  async joinAgain() {
    if (this.current === null) return this.join();
    let error = this.current.error ?? new ServerConnectionError("lost");
    for (; ; ) {
      const wait = isTransient(error) && !this.hasLeft ? this.retries.recordFailure() : null;
      if (wait === null) throw error;
      this.events.onInterrupted();
      await pause(wait, this.wake.wait());
      try {
        const signaling = await this.join();
        this.retries.recordSuccess();
        return signaling;
      } catch (problem) {
        error = problem;
      }
    }
  }
  async join() {
    if (this.hasLeft) throw new ServerConnectionError("left");
    const signaling = await SignalingClient.join(this.input(), this.attempts);
    this.seen = this.peerSeen;
    this.current = signaling;
    this.room = signaling.joined.room;
    this.rejoinKey = signaling.joined.rejoinKey;
    this.events.onJoined(signaling.joined, signaling);
    void this.rejoinWhenLost(signaling);
    return signaling;
  }
  async rejoinWhenLost(signaling) {
    await signaling.lost.wait();
    if (this.hasLeft) return;
    await this.signaling().catch((error) => this.attempts.fail(error));
  }
  async rejoinToLeave() {
    if (this.rejoinKey === null) return null;
    const joining = SignalingClient.join(this.input(), new ClosableQueue());
    const timeout = () => new ServerConnectionError("no answer");
    return withTimeout(joining, REJOIN_TO_LEAVE_MS, timeout).catch(() => null);
  }
  input() {
    const { link, role, device, doNotTrack, rejoinKey } = this;
    return { link, room: this.room ?? link.room, role, device, doNotTrack, rejoinKey };
  }
}
class FrameSequence {
  wanted = null;
  size = null;
  /** Sets what comes next: a document, or a file of `size` bytes from `position` on. */
  expect(type, file = NO_FILE, position = 0, size = null) {
    this.wanted = { type, file, index: position };
    this.size = size;
  }
  /** Whether the expected document or file was received to its end. */
  get complete() {
    return this.wanted === null;
  }
  /** Checks whether a frame with a payload of `length` bytes may come now. */
  check(frame, length) {
    if (frame.type === FrameType.abort) return;
    if (this.wanted === null) throw new ProtocolError("replayed");
    checkPosition(frame, this.wanted);
    if (this.size !== null) checkEnd(frame.final, this.size - frame.index - length);
  }
  /** Moves on after a frame that passed `check` and was decrypted. */
  advance(frame, length) {
    if (frame.type === FrameType.abort) return;
    this.wanted = frame.final ? null : { type: frame.type, file: frame.file, index: frame.index + length };
  }
}
function checkPosition(frame, wanted) {
  if (frame.type !== wanted.type) {
    throw new ProtocolError(wanted.type === FrameType.data ? "truncated" : "malformed");
  }
  if (frame.file !== wanted.file) throw new ProtocolError("wrong_file");
  if (frame.index !== wanted.index) {
    throw new ProtocolError(frame.index < wanted.index ? "replayed" : "reordered");
  }
}
function checkEnd(final, remaining) {
  if (remaining < 0 || remaining === 0 && !final) throw new ProtocolError("malformed");
  if (remaining > 0 && final) throw new ProtocolError("truncated");
}
const X25519_BYTES = 32;
async function generateExchangeKey() {
  return await generateNative() ?? generateFallback();
}
async function generateNative() {
  let pair;
  try {
    pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  } catch {
    return null;
  }
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const exchange = async (other) => {
    const imported = await crypto.subtle.importKey("raw", other, { name: "X25519" }, false, []);
    const parameters = { name: "X25519", public: imported };
    return new Uint8Array(await crypto.subtle.deriveBits(parameters, pair.privateKey, 256));
  };
  return { publicKey, exchange: (other) => checked(exchange(other)) };
}
async function generateFallback(privateKey) {
  const { x25519: x255192 } = await Promise.resolve().then(() => ed25519);
  const own = x255192.utils.randomSecretKey();
  const exchange = async (other) => copy(x255192.getSharedSecret(own, other));
  return { publicKey: copy(x255192.getPublicKey(own)), exchange: (other) => checked(exchange(other)) };
}
async function checked(exchanging) {
  const shared = await exchanging.catch(() => null);
  if (shared === null || shared.every((byte) => byte === 0)) throw new ProtocolError("key_exchange");
  return shared;
}
const ENCAPSULATION_KEY_BYTES = 1184;
const CIPHERTEXT_BYTES = 1088;
const ML_KEM_768 = { name: "ML-KEM-768" };
let chosen$1 = null;
function kem() {
  chosen$1 ??= nativeKem().then((native) => native ?? fallbackKem());
  return chosen$1;
}
async function nativeKem() {
  const subtle = crypto.subtle;
  if (typeof subtle.encapsulateBits !== "function") return null;
  const generate = async () => {
    const pair = await crypto.subtle.generateKey(ML_KEM_768, false, [
      "encapsulateBits",
      "decapsulateBits"
    ]);
    return {
      encapsulationKey: new Uint8Array(await subtle.exportKey("raw-public", pair.publicKey)),
      decapsulate: async (ciphertext) => new Uint8Array(await subtle.decapsulateBits(ML_KEM_768, pair.privateKey, ciphertext))
    };
  };
  try {
    await generate();
  } catch {
    return null;
  }
  return {
    generate,
    encapsulate: async (encapsulationKey) => {
      try {
        const usages = ["encapsulateBits"];
        const key = await subtle.importKey("raw-public", encapsulationKey, ML_KEM_768, false, usages);
        const { sharedKey, ciphertext } = await subtle.encapsulateBits(ML_KEM_768, key);
        return { secret: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
      } catch {
        throw new ProtocolError("key_exchange");
      }
    }
  };
}
async function fallbackKem(seed) {
  const { ml_kem768: ml_kem7682 } = await Promise.resolve().then(() => mlKem);
  return {
    generate: async () => {
      const pair = ml_kem7682.keygen(seed);
      return {
        encapsulationKey: copy(pair.publicKey),
        decapsulate: async (ciphertext) => copy(ml_kem7682.decapsulate(ciphertext, pair.secretKey))
      };
    },
    encapsulate: async (encapsulationKey) => {
      try {
        const { sharedSecret, cipherText } = ml_kem7682.encapsulate(encapsulationKey);
        return { secret: copy(sharedSecret), ciphertext: copy(cipherText) };
      } catch {
        throw new ProtocolError("key_exchange");
      }
    }
  };
}
const HELLO = 1;
const REPLY = 2;
const SENDER_CONFIRM = 3;
const RECEIVER_CONFIRM = 4;
const ABORT = 15;
const MAC_BYTES = 32;
function abortMessage(code) {
  return Uint8Array.of(ABORT, code);
}
function parseAbort(message) {
  return message.length === 2 && message[0] === ABORT ? fromAbortCode(message[1]) : null;
}
class SenderHandshake {
  constructor(input, exchangeKey, decapsulationKey) {
    this.input = input;
    this.exchangeKey = exchangeKey;
    this.decapsulationKey = decapsulationKey;
  }
  input;
  exchangeKey;
  decapsulationKey;
  schedule = null;
  static async create(input, keys = {}) {
    const used = keys.kem ?? await kem();
    const own = await Promise.all([keys.exchangeKey ?? generateExchangeKey(), used.generate()]);
    return new SenderHandshake(input, ...own);
  }
  async hello() {
    const proof = await linkProof(this.input.secret, "sender", this.input.room);
    return concat(Uint8Array.of(HELLO, PROTOCOL_VERSION), ...this.publicKeys(), proof);
  }
  /** Derives the keys from the receiver's reply. Returns the message that confirms them. */
  async handleReply(message) {
    const { secret, room, descriptions } = this.input;
    const fields = parseFields(message, REPLY, [X25519_BYTES, CIPHERTEXT_BYTES, MAC_BYTES]);
    const [publicKey, ciphertext, proof] = fields;
    await checkProof(proof, this.input, "receiver");
    const kemSecret = await this.decapsulationKey.decapsulate(ciphertext);
    const shared = await this.exchangeKey.exchange(publicKey);
    const transcript = await transcriptHash(room, this.publicKeys(), [publicKey, ciphertext], descriptions);
    this.schedule = KeySchedule.create(shared, kemSecret, secret, transcript);
    return concat(Uint8Array.of(SENDER_CONFIRM), await this.schedule.confirmation("sender"));
  }
  /** Verifies the receiver's key confirmation. */
  async handleConfirmation(message) {
    const schedule = await verify(this.schedule, message, RECEIVER_CONFIRM, "receiver");
    return schedule.sessionKeys("sender");
  }
  publicKeys() {
    return [this.exchangeKey.publicKey, this.decapsulationKey.encapsulationKey];
  }
}
class ReceiverHandshake {
  constructor(input, keys = {}) {
    this.input = input;
    this.keys = keys;
  }
  input;
  keys;
  schedule = null;
  /** Derives the keys from the sender's hello. Returns the reply to it. */
  async handleHello(message) {
    const { secret, room, descriptions } = this.input;
    const fields = parseFields(message, HELLO, [X25519_BYTES, ENCAPSULATION_KEY_BYTES, MAC_BYTES]);
    const [publicKey, encapsulationKey, proof] = fields;
    await checkProof(proof, this.input, "sender");
    const encapsulated = await (this.keys.kem ?? await kem()).encapsulate(encapsulationKey);
    const exchangeKey = this.keys.exchangeKey ?? await generateExchangeKey();
    const shared = await exchangeKey.exchange(publicKey);
    const own = [exchangeKey.publicKey, encapsulated.ciphertext];
    const transcript = await transcriptHash(room, [publicKey, encapsulationKey], own, descriptions);
    this.schedule = KeySchedule.create(shared, encapsulated.secret, secret, transcript);
    const ownProof = await linkProof(secret, "receiver", room);
    return concat(Uint8Array.of(REPLY, PROTOCOL_VERSION), ...own, ownProof);
  }
  /** Verifies the sender's key confirmation. The keys may be used once this side's confirmation is sent. */
  async handleConfirmation(message) {
    const schedule = await verify(this.schedule, message, SENDER_CONFIRM, "sender");
    const confirmation = concat(Uint8Array.of(RECEIVER_CONFIRM), await schedule.confirmation("receiver"));
    return { confirmation, keys: await schedule.sessionKeys("receiver") };
  }
}
async function checkProof(given, input, role) {
  if (!equal(given, await linkProof(input.secret, role, input.room))) throw new ProtocolError("wrong_secret");
}
async function verify(schedule, message, type, signer) {
  const [confirmation] = parseFields(message, type, [MAC_BYTES]);
  if (schedule === null) throw new ProtocolError("malformed");
  if (!equal(confirmation, await schedule.confirmation(signer))) throw new ProtocolError("key_exchange");
  return schedule;
}
function parseFields(message, type, sizes) {
  const aborted = parseAbort(message);
  if (aborted) throw aborted;
  if (message[0] !== type) throw new ProtocolError("malformed");
  let at = 1;
  if (type === HELLO || type === REPLY) {
    if (message[1] !== PROTOCOL_VERSION) throw new ProtocolError("bad_version");
    at = 2;
  }
  if (message.length !== sizes.reduce((sum, size) => sum + size, at)) throw new ProtocolError("malformed");
  return sizes.map((size) => message.slice(at, at += size));
}
const HANDSHAKE_TIMEOUT_MS = 2e4;
const ABORT_TIMEOUT_MS = 2e3;
let connections = 0;
class SecureChannel {
  constructor(channel, crypto2, id) {
    this.channel = channel;
    this.crypto = crypto2;
    this.id = id;
    this.chunkSize = Math.min(MAX_PAYLOAD_BYTES, channel.maxMessage - OVERHEAD);
  }
  channel;
  crypto;
  id;
  sequence = new FrameSequence();
  /** Bytes of a file in one frame. */
  chunkSize;
  sending = Promise.resolve();
  /** The decryption of the newest frame; it fails if that of an earlier one has. */
  opening = Promise.resolve();
  nothingReceived = true;
  /** Agrees on the keys of a connection. The other side gets an abort if it fails. */
  static async create(channel, role, link, crypto2) {
    const id = connections++;
    const input = { secret: link.secret, room: link.room, descriptions: channel.descriptions };
    const run = role === "sender" ? runSender : runReceiver;
    try {
      const timeout = () => new ChannelError("peer_timeout");
      await withTimeout(run(channel, id, input, crypto2), HANDSHAKE_TIMEOUT_MS, timeout);
    } catch (error) {
      if (error instanceof ProtocolError) {
        error.authenticated = false;
        await pause(
          ABORT_TIMEOUT_MS,
          channel.send(abortMessage(error.abortCode)).catch(() => {
          })
        );
      }
      throw error;
    }
    return new SecureChannel(channel, crypto2, id);
  }
  /**
   * Encrypts and sends a frame. Frames leave in the order of the calls; a call may be made before the one
   * before it has returned, so that one frame is encrypted while another is sent.
   */
  send(frame, payload = new Uint8Array(0)) {
    const sealing = this.crypto.seal(this.id, frame, payload);
    return this.sendSealed(sealing.then((sealed) => [sealed]));
  }
  /** Encrypts and sends a part of a file. `onSent` is told the bytes of the file that each frame has carried. */
  sendPart(part, onSent) {
    return this.sendSealed(this.crypto.sealPart(this.id, part, this.chunkSize), onSent);
  }
  /** Receives the next frame. */
  async receive() {
    const { header: received, payload } = await this.accept();
    return { header: received, payload: await payload };
  }
  /**
   * Waits for the next frame, and starts to decrypt it and to add its payload to a hash of the worker. The next call
   * may come before there is a payload. After a frame that cannot be decrypted no other one is.
   */
  async accept(hash = null) {
    const frame = await this.channel.receive();
    const received = await this.checked(frame);
    if (received.type === FrameType.abort) {
      const code = await this.crypto.open(this.id, frame, null);
      throw fromAbortCode(code.length === 1 ? code[0] : abortCode("protocol"));
    }
    this.sequence.advance(received, frame.length - OVERHEAD);
    const payload = this.crypto.open(this.id, frame, hash);
    payload.catch(() => {
    });
    this.opening = payload;
    return { header: received, payload };
  }
  /** Sends a document, in as many frames as needed. */
  async sendDocument(type, document2) {
    for (let at = 0; at === 0 || at < document2.length; at += this.chunkSize) {
      const end = at + this.chunkSize;
      await this.send(header(type, NO_FILE, at, end >= document2.length), document2.slice(at, end));
    }
  }
  /** Receives a document of at most `limit` bytes. */
  async receiveDocument(type, limit) {
    this.sequence.expect(type);
    const pieces = [];
    let length = 0;
    while (!this.sequence.complete) {
      const { payload } = await this.receive();
      pieces.push(payload);
      length += payload.length;
      if (length > limit) throw new ProtocolError("malformed");
    }
    return concat(...pieces);
  }
  /** Sends an abort code to the other side and closes. */
  async abort(code) {
    const sending = this.send(header(FrameType.abort), Uint8Array.of(code)).catch(() => {
    });
    await pause(ABORT_TIMEOUT_MS, sending);
    await this.close();
  }
  async close() {
    await pause(ABORT_TIMEOUT_MS, this.channel.close());
    this.channel.abort();
    void this.crypto.release(this.id).catch(() => {
    });
  }
  /** Sends frames after those of earlier calls. */
  sendSealed(sealing, onSent = () => {
  }) {
    const before = this.sending;
    sealing.catch(() => {
    });
    const sent = (async () => {
      await before.catch(() => {
      });
      for (const frame of await sealing) {
        await this.channel.send(frame);
        onSent(frame.length - OVERHEAD);
      }
    })();
    this.sending = sent;
    sent.catch(() => {
    });
    return sent;
  }
  /** The header of a frame that may come now. An error is that of an earlier frame, if that one cannot be decrypted. */
  async checked(frame) {
    try {
      if (this.nothingReceived) throwIfAbort(frame);
      this.nothingReceived = false;
      const received = unpackHeader(frame);
      this.sequence.check(received, frame.length - OVERHEAD);
      return received;
    } catch (error) {
      await this.opening;
      throw error;
    }
  }
}
function throwIfAbort(message) {
  const rejected = parseAbort(message);
  if (rejected === null) return;
  rejected.authenticated = false;
  throw rejected;
}
async function runSender(channel, id, input, crypto2) {
  await channel.send(await crypto2.startSender(id, input));
  await channel.send(await crypto2.handleReply(id, await channel.receive()));
  await crypto2.finishSender(id, await channel.receive());
}
async function runReceiver(channel, id, input, crypto2) {
  await channel.send(await crypto2.startReceiver(id, input, await channel.receive()));
  await channel.send(await crypto2.finishReceiver(id, await channel.receive()));
}
const SIZE_CATEGORIES = [
  [1e6, "under_1mb"],
  [1e7, "1mb_10mb"],
  [1e8, "10mb_100mb"],
  [1e9, "100mb_1gb"],
  [Infinity, "over_1gb"]
];
const FILE_TYPES = ["image", "video", "audio", "text", "application"];
const ERROR_TYPES = {
  wrong_secret: ["auth", "high"],
  unknown_room: ["auth", "medium"],
  role_taken: ["auth", "medium"],
  taken_over: ["auth", "medium"],
  expired: ["signaling", "medium"],
  server_failed: ["signaling", "medium"],
  rate_limited: ["signaling", "medium"],
  bad_version: ["validation", "medium"],
  malformed: ["validation", "high"],
  key_exchange: ["crypto", "high"],
  protocol: ["crypto", "high"],
  modified: ["crypto", "high"],
  replayed: ["crypto", "high"],
  reordered: ["crypto", "high"],
  wrong_file: ["crypto", "high"],
  truncated: ["crypto", "high"],
  key_exhausted: ["crypto", "high"],
  hash_mismatch: ["transfer", "high"],
  source_changed: ["transfer", "medium"],
  source_unreadable: ["storage", "high"],
  storage_failed: ["storage", "high"],
  storage_full: ["storage", "high"],
  file_too_large: ["storage", "medium"],
  selection_lost: ["storage", "medium"],
  other_files: ["validation", "low"],
  too_many_files: ["validation", "low"],
  nothing_to_send: ["validation", "low"],
  peer_gave_up: ["transfer", "medium"],
  unsupported_browser: ["internal", "medium"],
  worker_failed: ["internal", "high"],
  internal: ["internal", "high"]
};
function transferFacts({ outcome, method, bytes, seconds, contents }) {
  const size_category = SIZE_CATEGORIES.find(([edge]) => bytes < edge)[1];
  const facts2 = [
    { metric: "transfers_total", labels: { status: outcome, method }, value: 1 },
    { metric: "transfer_duration_seconds", labels: { status: outcome, size_category }, observed: seconds }
  ];
  for (const { size, type } of contents) {
    const found = type.split("/")[0];
    const file_type = FILE_TYPES.includes(found) ? found : "other";
    facts2.push({ metric: "file_size_bytes", labels: { file_type }, observed: size });
  }
  if (outcome === "success" && seconds > 0) {
    const observed = bytes * 8 / seconds / 1e6;
    facts2.push({ metric: "transfer_speed_mbps", labels: { method }, observed });
  }
  return facts2;
}
function errorFact(error) {
  const [type, severity] = ERROR_TYPES[error.code] ?? ["network", "medium"];
  return { metric: "errors_total", labels: { type, severity }, value: 1 };
}
const WINDOW_MS = 5e3;
const REPORT_EVERY_MS = 200;
const RECALCULATE_MS = 1e3;
class ProgressMeter {
  constructor(onChange) {
    this.onChange = onChange;
  }
  onChange;
  value = {
    phase: "preparing",
    bytes: 0,
    total: 0,
    bytesPerSecond: null,
    secondsLeft: null,
    file: null,
    filesDone: 0,
    files: 0
  };
  /** Bytes transferred by this page, without those of earlier connections. */
  transferred = 0;
  samples = [];
  startedAt = null;
  reportedAt = -Infinity;
  nextReport;
  /** Seconds since data started to flow; 0 before. */
  get seconds() {
    return this.startedAt === null ? 0 : (performance.now() - this.startedAt) / 1e3;
  }
  get hasStarted() {
    return this.startedAt !== null;
  }
  /** Starts a phase. */
  begin(phase, total, files) {
    this.samples = [];
    this.set({
      phase,
      total,
      files,
      bytes: 0,
      filesDone: 0,
      file: null,
      bytesPerSecond: null,
      secondsLeft: null
    });
  }
  /** Data flows from now on; the receiver has `bytes` already. */
  start(bytes, filesDone) {
    this.startedAt ??= performance.now();
    this.samples = [[performance.now(), this.transferred]];
    this.set({ bytes, filesDone });
    this.planReport(RECALCULATE_MS);
  }
  setFile(file) {
    this.update({ file });
  }
  fileDone() {
    this.update({ filesDone: this.value.filesDone + 1 });
  }
  add(bytes) {
    this.transferred += bytes;
    this.samples.push([performance.now(), this.transferred]);
    this.update({ bytes: this.value.bytes + bytes });
  }
  /** Reports the newest values, the last ones of a transfer. */
  report() {
    clearTimeout(this.nextReport);
    this.set({});
  }
  update(changes) {
    this.value = { ...this.value, ...changes };
    if (performance.now() - this.reportedAt >= REPORT_EVERY_MS) this.reportSpeed();
    else this.planReport(REPORT_EVERY_MS);
  }
  reportSpeed() {
    this.set(this.speed());
    if (this.samples.length > 0 && this.value.bytesPerSecond !== 0) this.planReport(RECALCULATE_MS);
  }
  planReport(delay) {
    clearTimeout(this.nextReport);
    this.nextReport = setTimeout(() => this.reportSpeed(), delay);
  }
  set(changes) {
    this.value = { ...this.value, ...changes };
    this.reportedAt = performance.now();
    this.onChange();
  }
  speed() {
    const now = performance.now();
    while (this.samples.length > 1 && this.samples[1][0] < now - WINDOW_MS) this.samples.shift();
    const [first] = this.samples;
    const seconds = first ? (now - first[0]) / 1e3 : 0;
    const moved = first ? this.transferred - first[1] : 0;
    if (moved === 0) return { bytesPerSecond: seconds * 1e3 < WINDOW_MS ? null : 0, secondsLeft: null };
    if (seconds < 0.5) return { bytesPerSecond: null, secondsLeft: null };
    const bytesPerSecond = moved / seconds;
    return { bytesPerSecond, secondsLeft: (this.value.total - this.value.bytes) / bytesPerSecond };
  }
}
const TICK_MS = 5e3;
const SLEPT_MS = 9e4;
class SleepDetector {
  /** `onWake` is called after a sleep; `onOnline` when the network is back, or the person is. */
  constructor(onWake, onOnline) {
    this.onWake = onWake;
    this.onOnline = onOnline;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    globalThis.addEventListener?.("online", this.onOnline);
    globalThis.document?.addEventListener("visibilitychange", this.onVisible);
  }
  onWake;
  onOnline;
  timer;
  last = Date.now();
  stop() {
    clearInterval(this.timer);
    globalThis.removeEventListener?.("online", this.onOnline);
    globalThis.document?.removeEventListener("visibilitychange", this.onVisible);
  }
  onVisible = () => {
    if (document.visibilityState !== "visible") return;
    this.tick();
    this.onOnline();
  };
  tick() {
    const now = Date.now();
    const gap = now - this.last;
    this.last = now;
    if (gap > SLEPT_MS) this.onWake();
  }
}
const ABORT_ARRIVES_MS = 500;
const CHANNEL_END_MS = 3e3;
class CancelledError extends LocalError {
}
class TransferSession extends EventTarget {
  constructor(role, options) {
    super();
    this.role = role;
    this.options = options;
  }
  role;
  options;
  state = "connecting";
  error = null;
  method = null;
  correlationId = "";
  telemetryToken = null;
  confirmationSeconds = null;
  meter = new ProgressMeter(() => this.dispatchEvent(new Event("progress")));
  retries = new RetrySchedule("connection", (fact) => this.emitFact(fact));
  parts = null;
  secure = null;
  /** All files are transferred: cancelling is too late. */
  isComplete = false;
  cancelled = new Deferred();
  channel = null;
  running = null;
  service = null;
  sleep = null;
  transferredAtTick = 0;
  wake = new Deferred();
  /** The room is being left: that its connection ends is no interruption. */
  isEnding = false;
  get progress() {
    return this.meter.value;
  }
  /** Starts the session, or starts it again after a failure that can be resumed. */
  start() {
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
  }
  async cancel() {
    if (this.running === null && this.canResume) await this.giveUp();
    else await this.end("peer_cancelled");
  }
  resume() {
    if (this.running !== null) {
      this.retryNow();
    } else if (this.canResume) {
      this.start();
    }
  }
  canResume = false;
  /** Ends the transfer on both sides; the other side gets the abort code of `reason`. */
  async end(reason) {
    if (this.running === null || this.isComplete) return;
    this.cancelled.reject(new CancelledError("peer_cancelled", reason));
    await this.running;
  }
  crypto() {
    this.service ??= startCrypto((fact) => this.emitFact(fact));
    return this.service;
  }
  emitFact(fact) {
    this.dispatchEvent(new FactEvent(fact));
  }
  setState(state) {
    if (this.state === state || this.isEnding && state === "interrupted") return;
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
  newRoom(link, store) {
    const { device = "desktop", doNotTrack = false, path = "auto" } = this.options;
    const onFact = (fact) => this.emitFact(fact);
    const { state } = store;
    const room = new RoomSession(link, this.role, device, doNotTrack, state.room, state.rejoinKey, {
      onJoined: (joined, signaling) => this.handleJoined(joined, signaling, store),
      onInterrupted: () => {
        if (this.secure === null) this.setState("interrupted");
      },
      onFact
    });
    return { link, store, room, connector: new ChannelConnector(link, this.role, path, onFact) };
  }
  /** Opens the secure channel, runs `work` over it, and closes it. Errors of `work` reach the other side. */
  async withChannel(signaling, opening, work) {
    const channel = await this.unlessDeparted(signaling, opening).catch((error) => {
      void opening.then(
        (late) => late.abort(),
        () => {
        }
      );
      throw error;
    });
    this.channel = channel;
    this.method = transferMethod(channel);
    try {
      const secure = await this.unlessDeparted(signaling, this.agree(channel));
      this.secure = secure;
      try {
        await Promise.race([work(secure), this.cancelled.promise]);
      } catch (error) {
        if (!(error instanceof ChannelError)) await secure.abort(abortCode(reasonOf(error)));
        throw error;
      } finally {
        await secure.close();
      }
    } finally {
      this.secure = null;
      this.channel = null;
      channel.abort();
    }
  }
  /** Ends the current connection at once; what was received stays. */
  dropChannel() {
    this.channel?.abort();
  }
  /** Raises if the other side has left the room with an outcome. */
  raiseIfDeparted(signaling) {
    const { outcome } = signaling.peer;
    if (outcome !== null) throw new DepartureError(outcome);
  }
  /** After a channel was closed: waits a moment for the server's message that the other side has left. */
  async checkDeparture(signaling, milliseconds) {
    await pause(milliseconds, Promise.race([signaling.peer.absent.wait(), signaling.lost.wait()]));
    this.raiseIfDeparted(signaling);
  }
  /** Waits before the next attempt; fails with the error if there have been failures for too long. */
  async pauseAfter(error) {
    const wait = this.retries.recordFailure();
    if (wait === null) throw error;
    this.setState("interrupted");
    this.wake = new Deferred();
    await pause(wait, this.wake.promise);
  }
  async agree(channel) {
    const labels = { algorithm: "x25519_mlkem768" };
    const metric = "pqc_key_exchanges_total";
    try {
      const secure = await SecureChannel.create(channel, this.role, this.parts.link, await this.crypto());
      this.emitFact({ metric, labels: { ...labels, status: "success" }, value: 1 });
      return secure;
    } catch (error) {
      const isFault = error instanceof ProtocolError && ["key_exchange", "malformed"].includes(error.code);
      if (isFault) this.emitFact({ metric, labels: { ...labels, status: "failed" }, value: 1 });
      throw error;
    }
  }
  /**
   * Awaits a step of the connection setup, unless the other side leaves for good. Only for the time before there
   * are keys: later the other side's own abort counts, not the server's word.
   */
  async unlessDeparted(signaling, step) {
    const departure = signaling.peer.departed.wait().then(async () => {
      await pause(
        ABORT_ARRIVES_MS,
        step.catch(() => {
        })
      );
      this.raiseIfDeparted(signaling);
      return new Promise(() => {
      });
    });
    return Promise.race([step, departure, this.cancelled.promise]);
  }
  async run() {
    this.error = null;
    this.canResume = false;
    this.isEnding = false;
    this.cancelled = new Deferred();
    this.setState("connecting");
    this.sleep = new SleepDetector(
      () => this.onWake(),
      () => this.retryNow()
    );
    let problem = null;
    let transferring = null;
    try {
      if (missingFeatures().length > 0) throw new LocalError("unsupported_browser");
      this.parts ??= await Promise.race([this.enterRoom(), this.cancelled.promise]);
      transferring = this.transferUntilDone(this.parts);
      await Promise.race([transferring, this.cancelled.promise]);
    } catch (error) {
      problem = error;
    }
    this.sleep.stop();
    if (this.channel !== null && transferring !== null) {
      await pause(
        CHANNEL_END_MS,
        transferring.catch(() => {
        })
      );
    }
    await this.finish(problem);
  }
  async finish(problem) {
    const outcome = outcomeOf(problem);
    this.isEnding = true;
    this.channel?.abort();
    const isResumable2 = problem !== null && this.isResumable(problem);
    this.canResume = isResumable2;
    if (problem !== null && !(problem instanceof CancelledError)) this.error = toSessionError(problem);
    if (this.error !== null && outcome === "failed") this.emitFact(errorFact(this.error));
    const isOver = !(isResumable2 && (isTransient(problem) || isPeerTimeout(problem)));
    await this.onEnd(outcome, isOver, isResumable2);
    if (!isResumable2) this.parts?.store.erase();
    await this.parts?.room.leave(isOver ? outcome : null, isResumable2);
    if (!isResumable2) await this.endCrypto();
    else if (this.parts !== null) this.parts = this.newRoom(this.parts.link, this.parts.store);
    this.meter.report();
    this.setState(outcome === "success" ? "done" : outcome);
  }
  /** Ends a transfer that failed and could be resumed. */
  async giveUp() {
    this.canResume = false;
    await this.onEnd("cancelled", true, false);
    this.parts?.store.erase();
    await this.parts?.room.leave("cancelled");
    await this.endCrypto();
    this.setState("cancelled");
  }
  isResumable(problem) {
    if (problem instanceof CancelledError) return false;
    if (isTransient(problem)) return true;
    return this.hasBegun() && (isPeerTimeout(problem) || !isAuthenticated(problem));
  }
  async endCrypto() {
    const service = this.service;
    this.service = null;
    (await service?.catch(() => null))?.terminate();
  }
  handleJoined(joined, signaling, store) {
    store.state.room = joined.room;
    store.state.rejoinKey = joined.rejoinKey;
    store.save();
    this.correlationId = joined.correlationId;
    this.telemetryToken = joined.telemetryToken;
    this.onJoined(signaling);
  }
  retryNow() {
    this.wake.resolve();
    this.parts?.room.retryNow();
  }
  /** After a sleep, connections over which nothing came are taken for dead. */
  onWake() {
    const isFlowing = this.meter.transferred > this.transferredAtTick;
    this.transferredAtTick = this.meter.transferred;
    if (isFlowing) return;
    this.channel?.abort();
    this.parts?.room.reconnect();
  }
}
function isPeerTimeout(problem) {
  return problem instanceof LocalError && problem.code === "peer_timeout";
}
function outcomeOf(problem) {
  if (problem === null) return "success";
  if (problem instanceof CancelledError) return "cancelled";
  const { code } = toSessionError(problem);
  return ["peer_cancelled", "peer_stopped", "declined", "unconfirmed"].includes(code) ? "cancelled" : "failed";
}
function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
const PLACE = "tallow.place";
function keepInTab(key, text, free = 0) {
  const storage2 = tabStorage();
  if (storage2 === null) return false;
  try {
    if (free > 0) storage2.setItem(PLACE, " ".repeat(free));
    storage2.setItem(key, text);
    return true;
  } catch {
    return false;
  } finally {
    if (free > 0) storage2.removeItem(PLACE);
  }
}
const KEY = "tallow.transfer";
const SAVE_EVERY_MS = 500;
class StateStore {
  constructor(state) {
    this.state = state;
  }
  state;
  savedAt = -Infinity;
  /** The state of this tab's transfer, if it is the same one; otherwise a new state. */
  static open(role, link) {
    const stored2 = readState();
    if (stored2 !== null && stored2.role === role && stored2.link === link) return new StateStore(stored2);
    return new StateStore({
      role,
      link,
      room: null,
      rejoinKey: null,
      manifest: null,
      preparedAt: null,
      counted: false,
      confirmed: false,
      done: ""
    });
  }
  save() {
    this.savedAt = performance.now();
    keepInTab(KEY, JSON.stringify(this.state));
  }
  /** Saves, unless it was done just before; `update` brings the state up to date. */
  saveSometimes(update) {
    if (performance.now() - this.savedAt < SAVE_EVERY_MS) return;
    update(this.state);
    this.save();
  }
  /** Erases what is kept of this transfer, unless another one has replaced it. */
  erase() {
    if (readState()?.link === this.state.link) tabStorage()?.removeItem(KEY);
  }
}
function storedTransfer() {
  const stored2 = readState();
  return stored2 && { role: stored2.role, link: stored2.link, accepted: stored2.confirmed };
}
function readState() {
  const found = parseObject(tabStorage()?.getItem(KEY) ?? "");
  if (found === null) return null;
  const { role, link, room, rejoinKey, manifest, preparedAt, counted, confirmed, done } = found;
  const isValid = (role === "sender" || role === "receiver") && typeof link === "string" && parseLink(link, "") !== null && [room, rejoinKey, manifest].every((text) => text === null || typeof text === "string") && (preparedAt === null || typeof preparedAt === "number") && typeof counted === "boolean" && typeof confirmed === "boolean" && typeof done === "string";
  return isValid ? found : null;
}
const MAX_TEXT_BYTES = 4 << 20;
class TextSink {
  constructor(onText) {
    this.onText = onText;
  }
  onText;
  async open() {
    let pieces = [];
    return {
      kept: null,
      write: async (chunk) => void pieces.push(chunk),
      commit: async () => this.onText(new TextDecoder().decode(concat(...pieces))),
      discard: async () => {
        pieces = [];
      },
      suspend: async () => {
      }
    };
  }
  async makeFolder() {
  }
  async isComplete() {
    return false;
  }
}
const DEFAULT_CONFIRMATION_S$1 = 300;
const DEPARTURE_ARRIVES_MS$1 = 200;
const CLOSED_MS = 5e3;
const LINGER_MS = 3e4;
const GIVE_UP_AFTER_MS = 6e5;
class Receiver extends TransferSession {
  constructor(target, options) {
    super("receiver", options);
    this.target = target;
  }
  target;
  manifest = null;
  text = null;
  offered = null;
  receiver = null;
  incoming = [];
  accepted = new Deferred();
  confirmationDeadline = null;
  accept(sink) {
    this.accepted.resolve(sink);
  }
  async decline() {
    await this.end("declined");
  }
  async enterRoom() {
    if (this.target === null) throw new LocalError("bad_link");
    return this.newRoom(this.target, StateStore.open("receiver", linkText(this.target)));
  }
  async transferUntilDone(parts) {
    for (; ; ) {
      const signaling = await parts.room.signaling();
      try {
        const attempt = await this.nextAttempt(parts, signaling);
        if (attempt === null) continue;
        if (!await this.follow(parts, signaling, attempt)) continue;
        if (await this.linger(parts)) return;
      } catch (error) {
        if (error instanceof ChannelError && error.closed) {
          await this.checkDeparture(signaling, DEPARTURE_ARRIVES_MS$1);
        }
        if (!isTransient(error) || this.retries.recordFailure() === null) throw error;
        this.setState("interrupted");
      }
    }
  }
  onJoined(signaling) {
    if (this.state === "confirming") signaling.reportConfirmation("pending");
  }
  hasBegun() {
    return this.offered !== null;
  }
  async onEnd(outcome, _isOver, isResumable2) {
    this.confirmationDeadline = null;
    if (isResumable2) await this.receiver?.suspend();
    else if (outcome !== "success") await this.receiver?.discard();
  }
  /** Waits for the sender's next attempt; null if signaling was lost before it came. */
  async nextAttempt(parts, signaling) {
    const { peer, lost } = signaling;
    const { attempts } = parts.room;
    const events = [attempts.ready(), peer.departed.wait(), lost.wait()];
    if (peer.present.isSet) await pause(GIVE_UP_AFTER_MS, Promise.race([...events, peer.absent.wait()]));
    if (!peer.present.isSet) {
      this.raiseIfDeparted(signaling);
      this.setState(this.meter.hasStarted ? "interrupted" : "waiting");
      this.retries.restartClock();
      await pause(GIVE_UP_AFTER_MS, Promise.race(events));
    }
    if (attempts.isReady) return attempts.get();
    this.raiseIfDeparted(signaling);
    if (lost.isSet) return null;
    throw new LocalError("peer_timeout");
  }
  /** Takes part in an attempt. False if the sender replaced it by another. */
  async follow(parts, signaling, attempt) {
    if (!this.meter.hasStarted) this.setState("connecting");
    const opening = parts.connector.accept(attempt, signaling);
    const receiving = this.withChannel(
      signaling,
      opening,
      (secure) => this.receive(parts, signaling, secure)
    );
    const newer = parts.room.attempts.ready().then(() => parts.room.attempts.length > 0 ? "newer" : receiving);
    const first = await Promise.race([receiving, newer]);
    if (first !== "newer") return true;
    this.dropChannel();
    await receiving.catch(() => {
    });
    if (this.isComplete) return true;
    this.retries.recordFailure();
    return false;
  }
  async receive(parts, signaling, secure) {
    const document2 = await secure.receiveDocument(FrameType.manifest, MAX_MANIFEST_BYTES);
    const digest = toHex(await sha256(document2));
    const { state } = parts.store;
    if (state.manifest !== null && state.manifest !== digest) throw new ProtocolError("source_changed");
    if (this.offered === null) await this.announce(decodeManifest(document2), parts);
    state.manifest = digest;
    parts.store.save();
    this.receiver ??= await this.confirm(parts, signaling, secure);
    this.retries.recordSuccess();
    this.retries.operation = "transfer";
    this.setState("transferring");
    await this.receiver.receive(secure);
    this.isComplete = true;
    await pause(CLOSED_MS, secure.channel.readable());
  }
  async announce(manifest, { link, store }) {
    const key = toHex(await resumeKey(link.secret, store.state.room ?? link.room));
    const total = totalBytes(manifest);
    const paths = safePaths([...manifest.files, ...manifest.folders].map(({ path }) => path));
    this.offered = manifest;
    this.incoming = manifest.files.map(({ size, sha256: digest, modified }, file) => ({
      path: paths[file],
      size,
      key: `${key}-${file}-${digest.slice(0, 16)}`,
      modified: Number(modified) * 1e3
    }));
    this.manifest = {
      files: this.incoming.map(({ path, size }) => ({ path, size })),
      folders: paths.slice(manifest.files.length),
      links: manifest.links,
      isText: manifest.isText && total <= MAX_TEXT_BYTES,
      totalBytes: total
    };
    this.meter.begin("transferring", total, manifest.files.length);
    this.dispatchEvent(new Event("manifest"));
  }
  /** Waits for the person here. Until the answer, the sender may only abort. */
  async confirm(parts, signaling, secure) {
    if (!this.accepted.settled && !parts.store.state.confirmed) {
      const seconds = signaling.joined.confirmationLimit ?? DEFAULT_CONFIRMATION_S$1;
      this.confirmationDeadline ??= performance.now() + seconds * 1e3;
      this.confirmationSeconds = seconds;
      signaling.reportConfirmation("pending");
      this.setState("confirming");
    }
    const left = (this.confirmationDeadline ?? Infinity) - performance.now();
    await this.waitForAnswer(secure, left);
    const sink = await this.accepted.promise;
    if (!parts.store.state.confirmed) {
      parts.store.state.confirmed = true;
      parts.store.save();
      (await parts.room.signaling()).reportConfirmation("given");
    }
    return this.newReceiver(sink, parts.store);
  }
  async waitForAnswer(secure, milliseconds) {
    const answered = this.accepted.promise.then(() => "accepted");
    const waits = [answered, secure.channel.readable()];
    if (milliseconds === Infinity) await Promise.race(waits);
    else await pause(milliseconds, Promise.race(waits));
    if (this.accepted.settled) return;
    if (milliseconds !== Infinity && performance.now() >= this.confirmationDeadline) {
      throw new LocalError("unconfirmed", "unconfirmed");
    }
    await secure.receive();
    throw new ProtocolError("malformed");
  }
  async newReceiver(sink, store) {
    const isText = this.manifest.isText;
    const used = isText ? new TextSink((text) => this.onText(text)) : sink;
    const folders = this.manifest.folders;
    const onFact = this.emitFact.bind(this);
    const crypto2 = await this.crypto();
    return new FileReceiver(this.offered, this.incoming, folders, used, crypto2, store, this.meter, onFact);
  }
  onText(text) {
    this.text = text;
    this.dispatchEvent(new Event("text"));
  }
  /** Stays until the sender knows that all files are here. False if it starts another attempt to ask again. */
  async linger(parts) {
    const signaling = await parts.room.signaling().catch(() => null);
    const { attempts } = parts.room;
    if (signaling === null) return true;
    await pause(
      LINGER_MS,
      Promise.race([attempts.ready(), signaling.peer.departed.wait(), signaling.lost.wait()])
    );
    return signaling.peer.departed.isSet || attempts.length === 0;
  }
}
const CONFIRMATION_ARRIVES_MS = 15e3;
const MAX_COUNTED_RESENDS = 20;
const DEFAULT_CONFIRMATION_S = 300;
const DEPARTURE_ARRIVES_MS = 1e3;
class Sender extends TransferSession {
  /** `resumed`: continues this tab's stored transfer with the same files, which `choose` gives. */
  constructor(choose, options, resumed) {
    super("sender", options);
    this.choose = choose;
    this.resumed = resumed;
  }
  choose;
  resumed;
  link = null;
  prepared = null;
  preparing = null;
  flowing = null;
  async enterRoom() {
    const store = this.resumed ? openStored() : await this.createRoom();
    return this.newRoom(parseLink(store.state.link, ""), store);
  }
  async transferUntilDone(parts) {
    for (; ; ) {
      const signaling = await parts.room.signaling();
      this.preparing ??= this.prepare(parts.store);
      this.preparing.catch(() => {
      });
      try {
        const files = await this.waitUntilReady(signaling);
        await this.transfer(signaling, files);
        return;
      } catch (error) {
        if (error instanceof ChannelError && error.closed) {
          await this.checkDeparture(signaling, DEPARTURE_ARRIVES_MS);
        }
        if (!isTransient(error) || error instanceof ServerRefusedError) throw error;
        const isAlone = signaling.lost.isSet || !signaling.peer.present.isSet;
        if (isAlone) this.setState("interrupted");
        else await this.pauseAfter(error);
      }
    }
  }
  onJoined(signaling) {
    this.link = this.parts && linkText(this.parts.link);
    if (this.flowing !== null) signaling.reportStarted(this.flowing);
    this.dispatchEvent(new Event("statechange"));
  }
  hasBegun() {
    return this.resumed || this.meter.hasStarted;
  }
  async onEnd(outcome, isOver) {
    if (this.parts === null || !isOver) return;
    const { room, store } = this.parts;
    if (store.state.counted || !(this.resumed || room.peerSeen)) return;
    store.state.counted = true;
    store.save();
    const isWhole = this.prepared !== null && !this.resumed;
    const facts2 = transferFacts({
      outcome,
      method: this.method ?? "relay",
      bytes: isWhole ? totalBytes(this.prepared.manifest) : this.meter.transferred,
      seconds: this.meter.seconds,
      contents: this.prepared?.contents ?? []
    });
    for (const fact of facts2) this.emitFact(fact);
  }
  /** Creates a room. The link contains a new secret, of which the server gets a hash of a hash. */
  async createRoom() {
    const server = this.options.server ?? location.origin;
    const secret = randomBytes$3(SECRET_BYTES);
    const hash = toHex(await sha256(await joinToken(secret)));
    const answer = await postRoom(server, hash);
    const room = answer["room"];
    if (typeof room !== "string" || !ROOM_ID.test(room)) throw new ServerRefusedError("bad_message");
    return StateStore.open("sender", linkText({ server, room, secret }));
  }
  /** Prepares the files. After a reload, whoever chose other files is asked again. */
  async prepare(store) {
    let problem = null;
    for (; ; ) {
      const items = await this.choose(problem);
      try {
        this.prepared = await this.prepareItems(items, store);
        return this.prepared;
      } catch (error) {
        if (!this.resumed || !(error instanceof LocalError)) throw error;
        problem = error.code;
      }
    }
  }
  async prepareItems(items, store) {
    const { state } = store;
    state.preparedAt ??= Date.now();
    const files = await prepareFiles(items, await this.crypto(), this.meter, state.preparedAt);
    const digest = toHex(await sha256(encodeManifest(files.manifest)));
    if (state.manifest !== null && state.manifest !== digest) throw new LocalError("other_files");
    state.manifest = digest;
    store.save();
    return files;
  }
  /** Waits for the receiver and for the files. */
  async waitUntilReady(signaling) {
    const { peer, lost } = signaling;
    while (!peer.present.isSet || this.prepared === null) {
      this.raiseIfDeparted(signaling);
      if (lost.isSet) throw signaling.error ?? new ServerConnectionError("lost");
      if (!peer.present.isSet) {
        this.setState(this.meter.hasStarted ? "interrupted" : "waiting");
        this.retries.restartClock();
      }
      const events = [lost.wait(), peer.departed.wait()];
      if (!peer.present.isSet) events.push(peer.present.wait());
      else this.setState("connecting");
      if (this.prepared === null) events.push(this.preparing.then(() => {
      }));
      await Promise.race(events);
    }
    return this.prepared;
  }
  /** One connection, from its opening to the receiver's confirmation of all files. */
  async transfer(signaling, files) {
    const { connector } = this.parts;
    this.setState(this.meter.hasStarted ? "interrupted" : "connecting");
    const work = async (secure) => {
      try {
        await this.sendFiles(secure, signaling, files);
        this.isComplete = true;
        await connector.recordQuality(secure.channel);
      } finally {
        this.flowing = null;
      }
    };
    await this.withChannel(signaling, connector.open(signaling), work);
  }
  async sendFiles(secure, signaling, files) {
    const sender = new FileSender(secure, files, this.meter, (fact) => this.emitFact(fact));
    const before = this.meter.hasStarted ? this.meter.value.bytes : 0;
    const answer = await this.waitForAcceptance(sender, signaling);
    this.countResent(before - sender.bytesAtReceiver(answer), secure.chunkSize);
    this.flowing = this.method;
    signaling.reportStarted(this.method);
    this.retries.recordSuccess();
    this.retries.operation = "transfer";
    this.confirmationSeconds = null;
    this.setState("transferring");
    await sender.send(answer);
  }
  /** Counts the chunks that an interruption lost. */
  countResent(bytes, chunkSize) {
    const chunks = Math.min(MAX_COUNTED_RESENDS, Math.ceil(bytes / chunkSize));
    const labels = { operation: "chunk", status: "success" };
    if (chunks > 0) this.emitFact({ metric: "retry_attempts_total", labels, value: chunks });
  }
  /** Offers the files, and waits for the receiver's answer and for the person there to confirm. */
  async waitForAcceptance(sender, signaling) {
    const offering = sender.offer();
    const overdue = this.confirmationOverdue(signaling, offering);
    return Promise.race([offering, overdue]);
  }
  /** Fails once the time to confirm is over. */
  async confirmationOverdue(signaling, offering) {
    const seconds = signaling.joined.confirmationLimit ?? DEFAULT_CONFIRMATION_S;
    const answered = offering.then(
      () => {
      },
      () => {
      }
    );
    await Promise.race([signaling.peer.confirming.wait(), answered]);
    if (signaling.peer.confirming.isSet) {
      this.confirmationSeconds = seconds;
      this.setState("confirming");
    }
    await pause(seconds * 1e3 + CONFIRMATION_ARRIVES_MS, answered);
    const isLate = signaling.peer.confirming.isSet;
    if (isLate) throw new ProtocolError("unconfirmed");
    return new Promise(() => {
    });
  }
}
function openStored() {
  const stored2 = storedTransfer();
  if (stored2?.role !== "sender") throw new LocalError("expired");
  return StateStore.open("sender", stored2.link);
}
async function postRoom(server, tokenHash) {
  let response;
  try {
    response = await fetch(server + ROOMS_PATH, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": toHex(randomBytes$3(16)) },
      body: JSON.stringify({ token_hash: tokenHash })
    });
  } catch {
    throw new ServerConnectionError("unreachable");
  }
  if (response.status === 429) throw new ServerRefusedError("rate_limited");
  if (!response.ok) throw new ServerRefusedError("internal");
  return parseObject(await response.text()) ?? {};
}
function createSend(items, options = {}) {
  return started(new Sender(async () => items, options, false));
}
function resumeSend(choose, options = {}) {
  return started(new Sender(choose, options, true));
}
function openLink(link, options = {}) {
  const server = options.server ?? globalThis.location?.origin ?? "";
  return started(new Receiver(parseLink(link, server), options));
}
function started(session2) {
  queueMicrotask(() => session2.start());
  return session2;
}
const [command, address, ...rest] = process.argv.slice(2);
const flag = (name) => {
  const at = rest.indexOf(name);
  return at < 0 ? void 0 : rest[at + 1] ?? "";
};
const VALUE_FLAGS = ["--text", "--storage"];
const print = (event, values) => {
  process.stdout.write(`${JSON.stringify({ event, ...values })}
`);
};
class FolderSink {
  constructor(folder) {
    this.folder = folder;
  }
  folder;
  async open({ path, size }) {
    const target = join(this.folder, path);
    const temporary = `${target}.part`;
    await mkdir(dirname(target), { recursive: true });
    const file = await open(temporary, "a");
    const { size: keptBytes } = await file.stat();
    return {
      kept: keptBytes > 0 ? await openAsBlob(temporary) : null,
      write: async (chunk) => void await file.write(chunk),
      commit: async () => {
        await file.close();
        await rename(temporary, target);
        print("file", { path, size });
      },
      discard: async () => {
        await file.close();
        await rm(temporary);
      },
      suspend: async () => {
        await file.close();
      }
    };
  }
  async makeFolder(path) {
    await mkdir(join(this.folder, path), { recursive: true });
  }
  async isComplete({ path, size }) {
    const found = await stat(join(this.folder, path)).catch(() => null);
    return found?.size === size;
  }
}
async function toItem(path) {
  const { mtimeMs } = await stat(path);
  const file = new File([await openAsBlob(path)], basename(path), { lastModified: mtimeMs });
  return { kind: "file", file, path: basename(path) };
}
async function openSession() {
  if (command === "send") {
    const text = flag("--text");
    const paths = rest.filter((word, at) => !word.startsWith("--") && !VALUE_FLAGS.includes(rest[at - 1]));
    const items = text === void 0 ? await Promise.all(paths.map(toItem)) : [{ kind: "text", text }];
    const options = { server: address, path: "relay" };
    return rest.includes("--resume") ? resumeSend(giver(items), options) : createSend(items, options);
  }
  return openLink(address, { path: "relay" });
}
function giver(items) {
  return async (problem) => {
    if (problem === null) return items;
    print("refused", { problem });
    const path = await new Promise((resolve) => {
      chosen = resolve;
    });
    return [await toItem(path)];
  };
}
let chosen = () => {
};
function follow(session2) {
  const receiving = session2;
  let linkPrinted = false;
  session2.addEventListener("statechange", () => {
    const { state, error, correlationId, method } = session2;
    const link = "link" in session2 ? session2.link : null;
    if (link !== null && !linkPrinted) print("link", { link });
    linkPrinted ||= link !== null;
    print("state", { state });
    if (["done", "failed", "cancelled"].includes(state)) {
      print("end", { state, error, correlationId, method, facts, bytes: session2.progress.bytes });
      if (!(rest.includes("--stay") && session2.canResume)) process.exit(state === "done" ? 0 : 1);
    }
  });
  session2.addEventListener("manifest", () => {
    print("manifest", { manifest: receiving.manifest });
    if (rest.includes("--decline")) void receiving.decline();
    else if (!rest.includes("--ask")) receiving.accept(new FolderSink(rest[0]));
  });
  session2.addEventListener("text", () => print("text", { text: receiving.text }));
}
const facts = {};
function countFacts(session2) {
  session2.addEventListener("fact", (event) => {
    const { metric, labels, value = 1 } = event.fact;
    const name = [metric, ...Object.values(labels)].join(" ");
    facts[name] = (facts[name] ?? 0) + value;
  });
}
function followCommands(session2) {
  const receiving = session2;
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (line.startsWith("choose ")) chosen(line.slice("choose ".length));
    else if (line === "cancel") void session2.cancel();
    else if (line === "resume") session2.resume();
    else if (line === "decline") void receiving.decline();
    else if (line === "accept") receiving.accept(new FolderSink(rest[0]));
  });
}
class FileStorage {
  constructor(file) {
    this.file = file;
    const text = existsSync(file) ? readFileSync(file, "utf8") : "{}";
    this.values = new Map(Object.entries(JSON.parse(text)));
  }
  file;
  values;
  get length() {
    return this.values.size;
  }
  key(index) {
    return [...this.values.keys()][index] ?? null;
  }
  getItem(key) {
    return this.values.get(key) ?? null;
  }
  setItem(key, value) {
    this.values.set(key, value);
    this.write();
  }
  removeItem(key) {
    this.values.delete(key);
    this.write();
  }
  clear() {
    this.values.clear();
    this.write();
  }
  write() {
    writeFileSync(this.file, JSON.stringify(Object.fromEntries(this.values)));
  }
}
const storage = flag("--storage");
if (storage !== void 0) globalThis.sessionStorage = new FileStorage(storage);
const session = await openSession();
countFacts(session);
follow(session);
followCommands(session);
const POLICY_NAME = "tallow";
function ownUrl(url) {
  const found = new URL(url, location.origin);
  if (found.origin !== location.origin) throw new TypeError("scripts come from this server only");
  return found.pathname;
}
const types = globalThis.trustedTypes;
const policy = types?.createPolicy(POLICY_NAME, { createScriptURL: ownUrl });
const scriptUrl = (url) => policy?.createScriptURL(url) ?? ownUrl(url);
function startModuleWorker(url) {
  if (typeof Worker !== "function") return null;
  let isModule = false;
  const worker = new Worker(scriptUrl(url), {
    /** A browser without module workers does not read it, and runs the file as a script. */
    get type() {
      isModule = true;
      return "module";
    }
  });
  if (isModule) return worker;
  worker.terminate();
  return null;
}
const workerUrl = "";
function createWorker() {
  return startModuleWorker(workerUrl);
}
const create = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Object.defineProperty({
  __proto__: null,
  createWorker
}, Symbol.toStringTag, { value: "Module" }));
function readUint32BE(array, offset = 0) {
  return (array[offset] << 24 | array[offset + 1] << 16 | array[offset + 2] << 8 | array[offset + 3]) >>> 0;
}
function writeUint32BE(value, out = new Uint8Array(4), offset = 0) {
  out[offset + 0] = value >>> 24;
  out[offset + 1] = value >>> 16;
  out[offset + 2] = value >>> 8;
  out[offset + 3] = value >>> 0;
  return out;
}
function wipe(array) {
  for (let i = 0; i < array.length; i++) {
    array[i] = 0;
  }
  return array;
}
const DIGEST_LENGTH = 32;
const BLOCK_SIZE = 64;
class SHA256 {
  /** Length of hash output */
  digestLength = DIGEST_LENGTH;
  /** Block size */
  blockSize = BLOCK_SIZE;
  // Note: Int32Array is used instead of Uint32Array for performance reasons.
  _state = new Int32Array(8);
  // hash state
  _temp = new Int32Array(64);
  // temporary state
  _buffer = new Uint8Array(128);
  // buffer for data to hash
  _bufferLength = 0;
  // number of bytes in buffer
  _bytesHashed = 0;
  // number of total bytes hashed
  _finished = false;
  // indicates whether the hash was finalized
  constructor() {
    this.reset();
  }
  _initState() {
    this._state[0] = 1779033703;
    this._state[1] = 3144134277;
    this._state[2] = 1013904242;
    this._state[3] = 2773480762;
    this._state[4] = 1359893119;
    this._state[5] = 2600822924;
    this._state[6] = 528734635;
    this._state[7] = 1541459225;
  }
  /**
   * Resets hash state making it possible
   * to re-use this instance to hash other data.
   */
  reset() {
    this._initState();
    this._bufferLength = 0;
    this._bytesHashed = 0;
    this._finished = false;
    return this;
  }
  /**
   * Cleans internal buffers and resets hash state.
   */
  clean() {
    wipe(this._buffer);
    wipe(this._temp);
    this.reset();
  }
  /**
   * Updates hash state with the given data.
   *
   * Throws error when trying to update already finalized hash:
   * instance must be reset to update it again.
   */
  update(data, dataLength = data.length) {
    if (this._finished) {
      throw new Error("SHA256: can't update because hash was finished.");
    }
    let dataPos = 0;
    this._bytesHashed += dataLength;
    if (this._bufferLength > 0) {
      while (this._bufferLength < this.blockSize && dataLength > 0) {
        this._buffer[this._bufferLength++] = data[dataPos++];
        dataLength--;
      }
      if (this._bufferLength === this.blockSize) {
        hashBlocks(this._temp, this._state, this._buffer, 0, this.blockSize);
        this._bufferLength = 0;
      }
    }
    if (dataLength >= this.blockSize) {
      dataPos = hashBlocks(this._temp, this._state, data, dataPos, dataLength);
      dataLength %= this.blockSize;
    }
    while (dataLength > 0) {
      this._buffer[this._bufferLength++] = data[dataPos++];
      dataLength--;
    }
    return this;
  }
  /**
   * Finalizes hash state and puts hash into out.
   * If hash was already finalized, puts the same value.
   */
  finish(out) {
    if (!this._finished) {
      const bytesHashed = this._bytesHashed;
      const left = this._bufferLength;
      const bitLenHi = bytesHashed / 536870912 | 0;
      const bitLenLo = bytesHashed << 3;
      const padLength = bytesHashed % 64 < 56 ? 64 : 128;
      this._buffer[left] = 128;
      for (let i = left + 1; i < padLength - 8; i++) {
        this._buffer[i] = 0;
      }
      writeUint32BE(bitLenHi, this._buffer, padLength - 8);
      writeUint32BE(bitLenLo, this._buffer, padLength - 4);
      hashBlocks(this._temp, this._state, this._buffer, 0, padLength);
      this._finished = true;
    }
    for (let i = 0; i < this.digestLength / 4; i++) {
      writeUint32BE(this._state[i], out, i * 4);
    }
    return this;
  }
  /**
   * Returns the final hash digest.
   */
  digest() {
    const out = new Uint8Array(this.digestLength);
    this.finish(out);
    return out;
  }
  /**
   * Function useful for HMAC/PBKDF2 optimization.
   * Returns hash state to be used with restoreState().
   * Only chain value is saved, not buffers or other
   * state variables.
   */
  saveState() {
    if (this._finished) {
      throw new Error("SHA256: cannot save finished state");
    }
    return {
      state: new Int32Array(this._state),
      buffer: this._bufferLength > 0 ? new Uint8Array(this._buffer) : void 0,
      bufferLength: this._bufferLength,
      bytesHashed: this._bytesHashed
    };
  }
  /**
   * Function useful for HMAC/PBKDF2 optimization.
   * Restores state saved by saveState() and sets bytesHashed
   * to the given value.
   */
  restoreState(savedState) {
    this._state.set(savedState.state);
    this._bufferLength = savedState.bufferLength;
    if (savedState.buffer) {
      this._buffer.set(savedState.buffer);
    }
    this._bytesHashed = savedState.bytesHashed;
    this._finished = false;
    return this;
  }
  /**
   * Cleans state returned by saveState().
   */
  cleanSavedState(savedState) {
    wipe(savedState.state);
    if (savedState.buffer) {
      wipe(savedState.buffer);
    }
    savedState.bufferLength = 0;
    savedState.bytesHashed = 0;
  }
}
const K = new Int32Array([
  1116352408,
  1899447441,
  3049323471,
  3921009573,
  961987163,
  1508970993,
  2453635748,
  2870763221,
  3624381080,
  310598401,
  607225278,
  1426881987,
  1925078388,
  2162078206,
  2614888103,
  3248222580,
  3835390401,
  4022224774,
  264347078,
  604807628,
  770255983,
  1249150122,
  1555081692,
  1996064986,
  2554220882,
  2821834349,
  2952996808,
  3210313671,
  3336571891,
  3584528711,
  113926993,
  338241895,
  666307205,
  773529912,
  1294757372,
  1396182291,
  1695183700,
  1986661051,
  2177026350,
  2456956037,
  2730485921,
  2820302411,
  3259730800,
  3345764771,
  3516065817,
  3600352804,
  4094571909,
  275423344,
  430227734,
  506948616,
  659060556,
  883997877,
  958139571,
  1322822218,
  1537002063,
  1747873779,
  1955562222,
  2024104815,
  2227730452,
  2361852424,
  2428436474,
  2756734187,
  3204031479,
  3329325298
]);
function hashBlocks(w, v, p, pos, len) {
  while (len >= 64) {
    let a = v[0];
    let b = v[1];
    let c = v[2];
    let d = v[3];
    let e = v[4];
    let f = v[5];
    let g = v[6];
    let h = v[7];
    for (let i = 0; i < 16; i++) {
      let j = pos + i * 4;
      w[i] = readUint32BE(p, j);
    }
    for (let i = 16; i < 64; i++) {
      let u = w[i - 2];
      let t1 = (u >>> 17 | u << 32 - 17) ^ (u >>> 19 | u << 32 - 19) ^ u >>> 10;
      u = w[i - 15];
      let t2 = (u >>> 7 | u << 32 - 7) ^ (u >>> 18 | u << 32 - 18) ^ u >>> 3;
      w[i] = (t1 + w[i - 7] | 0) + (t2 + w[i - 16] | 0);
    }
    for (let i = 0; i < 64; i++) {
      let t1 = (((e >>> 6 | e << 32 - 6) ^ (e >>> 11 | e << 32 - 11) ^ (e >>> 25 | e << 32 - 25)) + (e & f ^ ~e & g) | 0) + (h + (K[i] + w[i] | 0) | 0) | 0;
      let t2 = ((a >>> 2 | a << 32 - 2) ^ (a >>> 13 | a << 32 - 13) ^ (a >>> 22 | a << 32 - 22)) + (a & b ^ a & c ^ b & c) | 0;
      h = g;
      g = f;
      f = e;
      e = d + t1 | 0;
      d = c;
      c = b;
      b = a;
      a = t1 + t2 | 0;
    }
    v[0] += a;
    v[1] += b;
    v[2] += c;
    v[3] += d;
    v[4] += e;
    v[5] += f;
    v[6] += g;
    v[7] += h;
    pos += 64;
    len -= 64;
  }
  return pos;
}
const BUFFER_BYTES = 1 << 20;
class BlobReader {
  /** null before its first use, and while a stream has it. */
  buffer = null;
  /** Calls `use` with the parts of a blob. A part is overwritten after the call. */
  async read(content, use) {
    if (!canReuse()) {
      const whole = new Uint8Array(await content.arrayBuffer());
      if (whole.length !== content.size) throw hasChanged();
      use(whole);
      return;
    }
    const reader = content.stream().getReader({ mode: "byob" });
    let buffer = this.buffer ?? new ArrayBuffer(BUFFER_BYTES);
    this.buffer = null;
    for (let left = content.size; left > 0; ) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) throw hasChanged();
      use(value);
      buffer = value.buffer;
      left -= value.length;
    }
    this.buffer = buffer;
    await reader.cancel();
  }
}
const hasChanged = () => new DOMException("the file has changed", "NotReadableError");
let isPossible = null;
function canReuse() {
  isPossible ??= hasByteStream(new Blob());
  return isPossible;
}
function hasByteStream(blob) {
  try {
    blob.stream().getReader({ mode: "byob" });
    return true;
  } catch {
    return false;
  }
}
const PQC = { operations: "pqc_operations_total", duration: "pqc_duration_seconds", labels: {} };
const CIPHER = {
  operations: "encryption_operations_total",
  duration: "encryption_duration_seconds",
  labels: { algorithm: "aes_256_gcm" }
};
class TransferCrypto {
  constructor(onFact) {
    this.onFact = onFact;
  }
  onFact;
  connections = /* @__PURE__ */ new Map();
  hashes = /* @__PURE__ */ new Map();
  reader = new BlobReader();
  /** The sender's first message of a connection, which gets the number `id`. */
  async startSender(id, input) {
    const sender = await SenderHandshake.create(input, { kem: await this.measuredKem() });
    this.connections.set(id, { sender });
    return sender.hello();
  }
  async handleReply(id, reply) {
    return this.connection(id).sender.handleReply(reply);
  }
  async finishSender(id, confirmation) {
    const connection = this.connection(id);
    connection.cipher = await this.newCipher(await connection.sender.handleConfirmation(confirmation));
  }
  /** The receiver's answer to the sender's first message. */
  async startReceiver(id, input, hello) {
    const receiver = new ReceiverHandshake(input, { kem: await this.measuredKem() });
    this.connections.set(id, { receiver });
    return receiver.handleHello(hello);
  }
  async finishReceiver(id, message) {
    const connection = this.connection(id);
    const { confirmation, keys } = await connection.receiver.handleConfirmation(message);
    connection.cipher = await this.newCipher(keys);
    return confirmation;
  }
  async seal(id, header2, payload) {
    return this.connection(id).cipher.seal(header2, payload);
  }
  /** Reads a part of a file and encrypts it, in frames of at most `chunkSize` bytes. */
  async sealPart(id, part, chunkSize) {
    return this.connection(id).cipher.sealPart(part, chunkSize);
  }
  /** Decrypts the next frame, and adds its payload to a hash. */
  async open(id, frame, hash) {
    const payload = await this.connection(id).cipher.open(frame);
    if (hash !== null) this.hashes.get(hash).update(payload);
    return payload;
  }
  /** Forgets the keys of a connection. */
  async release(id) {
    this.connections.delete(id);
  }
  /** Starts the SHA-256 of a stream, which gets the number `hash`. */
  async startHash(hash) {
    this.hashes.set(hash, new SHA256());
  }
  async updateHash(hash, content) {
    const updated = this.hashes.get(hash);
    await this.reader.read(content, (part) => updated.update(part));
  }
  /** The hash in hexadecimal digits. */
  async finishHash(hash) {
    const digest = this.hashes.get(hash).digest();
    this.hashes.delete(hash);
    return toHex(digest);
  }
  connection(id) {
    const found = this.connections.get(id);
    if (!found) throw new ProtocolError("protocol");
    return found;
  }
  async measuredKem() {
    const used = await kem();
    return {
      generate: async () => {
        const key = await this.measured(PQC, "keygen", () => used.generate());
        const decapsulate = (ciphertext) => this.measured(PQC, "decapsulate", () => key.decapsulate(ciphertext));
        return { encapsulationKey: key.encapsulationKey, decapsulate };
      },
      encapsulate: (key) => this.measured(PQC, "encapsulate", () => used.encapsulate(key))
    };
  }
  newCipher(keys) {
    return FrameCipher.create(keys, (operation, work) => this.measured(CIPHER, operation, work));
  }
  /** Runs a cryptographic operation, and records how it ended and how long it took. */
  async measured({ operations, duration, labels }, operation, work) {
    const started2 = performance.now();
    let status = "failed";
    try {
      const result = await work();
      status = "success";
      return result;
    } finally {
      const observed = (performance.now() - started2) / 1e3;
      this.onFact({ metric: operations, labels: { ...labels, operation, status }, value: 1 });
      this.onFact({ metric: duration, labels: { ...labels, operation }, observed });
    }
  }
}
const transferCrypto = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Object.defineProperty({
  __proto__: null,
  TransferCrypto
}, Symbol.toStringTag, { value: "Module" }));
const U32_MASK64 = /* @__PURE__ */ (() => BigInt(2 ** 32 - 1))();
const _32n = /* @__PURE__ */ BigInt(32);
function fromBig(n, le = false) {
  if (le)
    return { h: Number(n & U32_MASK64), l: Number(n >> _32n & U32_MASK64) };
  return { h: Number(n >> _32n & U32_MASK64) | 0, l: Number(n & U32_MASK64) | 0 };
}
function split(lst, le = false) {
  const len = lst.length;
  let Ah = new Uint32Array(len);
  let Al = new Uint32Array(len);
  for (let i = 0; i < len; i++) {
    const { h, l } = fromBig(lst[i], le);
    [Ah[i], Al[i]] = [h, l];
  }
  return [Ah, Al];
}
function isBytes$1(a) {
  return a instanceof Uint8Array || ArrayBuffer.isView(a) && a.constructor.name === "Uint8Array" && "BYTES_PER_ELEMENT" in a && a.BYTES_PER_ELEMENT === 1;
}
const atitle$1 = (title) => title ? `"${title}" ` : "";
function anumber$1(n, title = "") {
  if (typeof n !== "number")
    throw new TypeError(atitle$1(title) + "expected number, got " + typeof n);
  if (!Number.isSafeInteger(n) || n < 0)
    throw new RangeError(atitle$1(title) + "expected integer >= 0, got " + n);
  return n;
}
function abool$1(value, title = "") {
  if (typeof value !== "boolean")
    throw new TypeError(atitle$1(title) + "expected boolean, got type=" + typeof value);
  return value;
}
function abytes$1(value, length, title = "") {
  if (isBytes$1(value) && (length === void 0 || value.length === length))
    return value;
  if (length !== void 0)
    anumber$1(length, "length");
  const bytes = isBytes$1(value);
  const ofLen = length !== void 0 ? ` of length ${length}` : "";
  const got = bytes ? `length=${value.length}` : `type=${typeof value}`;
  const message = atitle$1(title) + "expected Uint8Array" + ofLen + ", got " + got;
  if (!bytes)
    throw new TypeError(message);
  throw new RangeError(message);
}
const aobject$1 = (value, label) => {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new TypeError((label === "object" ? "" : `"${label}" `) + "expected object, got type=" + typeof value);
};
const aopts = (value, label) => {
  aobject$1(value, label);
  const proto = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null)
    throw new TypeError(`"${label}" expected plain object`);
  if (Object.hasOwn(value, "__proto__"))
    throw new TypeError(`"${label}.__proto__" is not allowed`);
};
function aexists(instance, checkFinished = true) {
  if (instance.destroyed)
    throw new Error("hash was destroyed");
  if (checkFinished && instance.finished)
    throw new Error("digest() was already called");
}
function aoutput(out, instance) {
  abytes$1(out, void 0, "output");
  const min = instance.outputLen;
  if (!(out.length >= min)) {
    throw new RangeError('"output" expected length >= ' + min);
  }
}
function u32(arr) {
  return new Uint32Array(arr.buffer, arr.byteOffset, Math.floor(arr.byteLength / 4));
}
function clean(...arrays) {
  for (let i = 0; i < arrays.length; i++) {
    arrays[i].fill(0);
  }
}
const isLE = /* @__PURE__ */ (() => new Uint8Array(new Uint32Array([287454020]).buffer)[0] === 68)();
function byteSwap(word) {
  return word << 24 & 4278190080 | word << 8 & 16711680 | word >>> 8 & 65280 | word >>> 24 & 255;
}
function byteSwap32(arr) {
  for (let i = 0; i < arr.length; i++) {
    arr[i] = byteSwap(arr[i]);
  }
  return arr;
}
const swap32IfBE = isLE ? (u) => u : byteSwap32;
const hasHexBuiltin = /* @__PURE__ */ (() => (
  // @ts-ignore
  typeof Uint8Array.from([]).toHex === "function" && typeof Uint8Array.fromHex === "function"
))();
const hexes = /* @__PURE__ */ Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
function bytesToHex$1(bytes) {
  abytes$1(bytes);
  if (hasHexBuiltin)
    return bytes.toHex();
  let hex = "";
  for (let i = 0; i < bytes.length; i++) {
    hex += hexes[bytes[i]];
  }
  return hex;
}
function asciiToBase16(ch) {
  return ch >= 48 && ch <= 57 ? ch - 48 : ch >= 65 && ch <= 70 ? ch - (65 - 10) : ch >= 97 && ch <= 102 ? ch - (97 - 10) : void 0;
}
function hexToBytes$1(hex) {
  if (typeof hex !== "string")
    throw new TypeError("hex string expected, got " + typeof hex);
  if (hasHexBuiltin) {
    try {
      return Uint8Array.fromHex(hex);
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new RangeError(error.message);
      throw error;
    }
  }
  const hl = hex.length;
  const al = hl / 2;
  if (hl % 2)
    throw new RangeError("hex string expected, got unpadded hex of length " + hl);
  const array = new Uint8Array(al);
  for (let ai = 0, hi = 0; ai < al; ai++, hi += 2) {
    const n1 = asciiToBase16(hex.charCodeAt(hi));
    const n2 = asciiToBase16(hex.charCodeAt(hi + 1));
    if (n1 === void 0 || n2 === void 0) {
      const char = hex[hi] + hex[hi + 1];
      throw new RangeError('hex string expected, got non-hex character "' + char + '" at index ' + hi);
    }
    array[ai] = n1 * 16 + n2;
  }
  return array;
}
function checkOpts(defaults, opts2, title = "opts") {
  aopts(defaults, "defaults");
  if (opts2 !== void 0)
    aopts(opts2, title);
  const merged = Object.assign(/* @__PURE__ */ Object.create(null), defaults, opts2);
  return merged;
}
function createHasher(hashCons, info = {}) {
  if (typeof hashCons !== "function")
    throw new TypeError('"hashCons" expected function, got type=' + typeof hashCons);
  info = checkOpts({}, info, "info");
  const hashC = (msg, opts2) => hashCons(opts2).update(msg).digest();
  const tmp = hashCons(void 0);
  hashC.outputLen = tmp.outputLen;
  hashC.blockLen = tmp.blockLen;
  hashC.canXOF = tmp.canXOF;
  hashC.create = (opts2) => hashCons(opts2);
  Object.assign(hashC, info);
  return Object.freeze(hashC);
}
function randomBytes$2(bytesLength = 32) {
  anumber$1(bytesLength, "bytesLength");
  const cr = typeof globalThis === "object" ? globalThis.crypto : null;
  if (typeof cr?.getRandomValues !== "function")
    throw new Error("crypto.getRandomValues must be defined");
  if (bytesLength > 65536)
    throw new RangeError(`"bytesLength" expected <= 65536, got ${bytesLength}`);
  return cr.getRandomValues(new Uint8Array(bytesLength));
}
const oidNist = (suffix) => ({
  // Current NIST hashAlgs suffixes used here fit in one DER subidentifier octet.
  // Larger suffix values would need base-128 OID encoding and a different length byte.
  oid: Uint8Array.from([6, 9, 96, 134, 72, 1, 101, 3, 4, 2, suffix])
});
function aarray$1(item, title, inner = () => {
}) {
  if (!Array.isArray(item))
    throw new TypeError(`"${title}" expected array, got type=${typeof item}`);
  for (let i = 0; i < item.length; i++)
    inner(item[i], `${title}[${i}]`);
  return item;
}
const abytes = (value, length, title) => abytes$1(value, length, title);
const anumber = anumber$1;
function aobject(value, title = "object") {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new TypeError(title === "object" ? "expected valid options object" : `"${title}" expected object, got type=${typeof value}`);
  return value;
}
function afunction(value, title) {
  if (typeof value !== "function")
    throw new TypeError(`"${title}" is invalid: expected function, got ${typeof value}`);
  return value;
}
const bytesToHex = bytesToHex$1;
const hexToBytes = (hex) => hexToBytes$1(hex);
const isBytes = isBytes$1;
const randomBytes$1 = (bytesLength) => randomBytes$2(bytesLength);
const _0n$6 = /* @__PURE__ */ BigInt(0);
const _1n$6 = /* @__PURE__ */ BigInt(1);
const atitle = (title) => title ? `"${title}" ` : "";
function abool(value, title = "") {
  if (typeof value !== "boolean")
    throw new TypeError(atitle(title) + "expected boolean, got type=" + typeof value);
  return value;
}
function abignumber(n) {
  if (typeof n === "bigint") {
    if (!isPosBig(n))
      throw new RangeError("positive bigint expected, got " + n);
  } else
    anumber(n);
  return n;
}
function asafenumber(value, title = "") {
  if (typeof value !== "number") {
    const prefix = title && `"${title}" `;
    throw new TypeError(prefix + "expected number, got type=" + typeof value);
  }
  if (!Number.isSafeInteger(value)) {
    const prefix = title && `"${title}" `;
    throw new RangeError(prefix + "expected safe integer, got " + value);
  }
}
function hexToNumber(hex) {
  if (typeof hex !== "string")
    throw new TypeError("hex string expected, got " + typeof hex);
  return hex === "" ? _0n$6 : BigInt("0x" + hex);
}
function bytesToNumberBE(bytes) {
  return hexToNumber(bytesToHex$1(bytes));
}
function bytesToNumberLE(bytes) {
  return hexToNumber(bytesToHex$1(copyBytes$1(abytes$1(bytes)).reverse()));
}
function numberToBytesBE(n, len) {
  anumber$1(len);
  if (len === 0)
    throw new Error("zero output length is invalid");
  n = abignumber(n);
  const expectedLen = len * 2;
  const hex = n.toString(16);
  if (hex.length > expectedLen)
    throw new RangeError("number is too large");
  return hexToBytes$1(hex.padStart(expectedLen, "0"));
}
function numberToBytesLE(n, len) {
  return numberToBytesBE(n, len).reverse();
}
function copyBytes$1(bytes) {
  return Uint8Array.from(abytes(bytes));
}
function isPosBig(n) {
  return typeof n === "bigint" && _0n$6 <= n;
}
function inRange(n, min, max) {
  return isPosBig(n) && isPosBig(min) && isPosBig(max) && min <= n && n < max;
}
function aInRange(title, n, min, max) {
  if (!inRange(n, min, max))
    throw new RangeError("expected valid " + title + ": " + min + " <= n < " + max + ", got " + n);
}
function bitLen(n) {
  if (n < _0n$6)
    throw new Error("expected non-negative bigint, got " + n);
  return n === _0n$6 ? 0 : n.toString(2).length;
}
const bitMask = (n) => {
  asafenumber(n, "n");
  return (_1n$6 << BigInt(n)) - _1n$6;
};
function validateObject(object, fields = {}, optFields = {}, title = "object") {
  aobject(object, title);
  aobject(fields, "fields");
  aobject(optFields, "optFields");
  function checkField(fieldName, expectedType, isOpt) {
    const label = title === "object" ? `param "${String(fieldName)}"` : `"${title}.${String(fieldName)}"`;
    const val = object[fieldName];
    if (!Object.hasOwn(object, fieldName) && (isOpt ? val !== void 0 : expectedType !== "function")) {
      throw new TypeError(`${label} is invalid: expected own property`);
    }
    if (isOpt && val === void 0)
      return;
    const current = typeof val;
    if (current !== expectedType || val === null)
      throw new TypeError(`${label} is invalid: expected ${expectedType}, got ${current}`);
  }
  const iter = (f, isOpt) => Object.entries(f).forEach(([k, v]) => checkField(k, v, isOpt));
  iter(fields, false);
  iter(optFields, true);
}
const _0n$5 = /* @__PURE__ */ BigInt(0), _1n$5 = /* @__PURE__ */ BigInt(1), _2n$4 = /* @__PURE__ */ BigInt(2);
const _3n$1 = /* @__PURE__ */ BigInt(3), _4n$2 = /* @__PURE__ */ BigInt(4), _5n$1 = /* @__PURE__ */ BigInt(5);
const _7n$1 = /* @__PURE__ */ BigInt(7), _8n$2 = /* @__PURE__ */ BigInt(8), _9n = /* @__PURE__ */ BigInt(9);
const _15n = /* @__PURE__ */ BigInt(15), _16n = /* @__PURE__ */ BigInt(16);
const POW_WINDOWED_MIN = /* @__PURE__ */ BigInt("0x10000000000000000");
function mod(a, b) {
  if (b <= _0n$5)
    throw new Error("mod: expected positive modulus, got " + b);
  const result = a % b;
  return result >= _0n$5 ? result : b + result;
}
function pow(num, power, modulo) {
  if (modulo <= _1n$5)
    throw new Error("pow: expected modulus > 1, got " + modulo);
  if (typeof power !== "bigint")
    throw new TypeError("invalid exponent: expected bigint, got " + typeof power);
  if (power < _0n$5)
    throw new Error("invalid exponent, negatives unsupported");
  if (power === _0n$5)
    return _1n$5;
  if (power === _1n$5)
    return num;
  let d = num % modulo;
  if (d < _0n$5)
    d += modulo;
  if (power < POW_WINDOWED_MIN) {
    let p2 = _1n$5;
    while (power > _0n$5) {
      if (power & _1n$5)
        p2 = p2 * d % modulo;
      d = d * d % modulo;
      power >>= _1n$5;
    }
    return p2;
  }
  const digits = [];
  while (power > _0n$5) {
    digits.push(Number(power & _15n));
    power >>= _4n$2;
  }
  const table = new Array(16);
  table[0] = _1n$5;
  table[1] = d;
  for (let i = 2; i < 16; i++)
    table[i] = table[i - 1] * d % modulo;
  let p = table[digits[digits.length - 1]];
  for (let w = digits.length - 2; w >= 0; w--) {
    p = p * p % modulo;
    p = p * p % modulo;
    p = p * p % modulo;
    p = p * p % modulo;
    const digit = digits[w];
    if (digit !== 0)
      p = p * table[digit] % modulo;
  }
  return p;
}
function pow2(x, power, modulo) {
  if (modulo <= _1n$5)
    throw new Error("pow2: expected modulus > 1, got " + modulo);
  if (power < _0n$5)
    throw new Error("pow2: expected non-negative exponent, got " + power);
  let res = x;
  while (power-- > _0n$5) {
    res *= res;
    res %= modulo;
  }
  return res;
}
function invert(number, modulo) {
  if (number === _0n$5)
    throw new Error("invert: expected non-zero number");
  if (modulo <= _1n$5)
    throw new Error("invert: expected modulus > 1, got " + modulo);
  let a = mod(number, modulo);
  let b = modulo;
  let x = _0n$5, u = _1n$5;
  while (a !== _0n$5) {
    const q = b / a;
    const r = b - a * q;
    const m = x - u * q;
    b = a, a = r, x = u, u = m;
  }
  const gcd = b;
  if (gcd !== _1n$5)
    throw new Error("invert: does not exist");
  return mod(x, modulo);
}
function assertIsSquare(Fp, root, n) {
  const F2 = Fp;
  if (!F2.eql(F2.sqr(root), n))
    throw new Error("Cannot find square root");
}
function aoddModulus(order, fnName) {
  if ((order & _1n$5) === _0n$5)
    throw new Error(fnName + ": expected odd modulus, got " + order);
}
function sqrt3mod4(Fp, n) {
  const F2 = Fp;
  const p1div4 = (F2.ORDER + _1n$5) / _4n$2;
  const root = F2.pow(n, p1div4);
  assertIsSquare(F2, root, n);
  return root;
}
function sqrt5mod8(Fp, n) {
  const F2 = Fp;
  const p5div8 = (F2.ORDER - _5n$1) / _8n$2;
  const n2 = F2.mul(n, _2n$4);
  const v = F2.pow(n2, p5div8);
  const nv = F2.mul(n, v);
  const i = F2.mul(F2.mul(nv, _2n$4), v);
  const root = F2.mul(nv, F2.sub(i, F2.ONE));
  assertIsSquare(F2, root, n);
  return root;
}
function sqrt9mod16(P) {
  const Fp_ = Field(P);
  const tn = tonelliShanks(P);
  const c1 = tn(Fp_, Fp_.neg(Fp_.ONE));
  const c2 = tn(Fp_, c1);
  const c3 = tn(Fp_, Fp_.neg(c1));
  const c4 = (P + _7n$1) / _16n;
  return ((Fp, n) => {
    const F2 = Fp;
    let tv1 = F2.pow(n, c4);
    let tv2 = F2.mul(tv1, c1);
    const tv3 = F2.mul(tv1, c2);
    const tv4 = F2.mul(tv1, c3);
    const e1 = F2.eql(F2.sqr(tv2), n);
    const e2 = F2.eql(F2.sqr(tv3), n);
    tv1 = F2.cmov(tv1, tv2, e1);
    tv2 = F2.cmov(tv4, tv3, e2);
    const e3 = F2.eql(F2.sqr(tv2), n);
    const root = F2.cmov(tv1, tv2, e3);
    assertIsSquare(F2, root, n);
    return root;
  });
}
function tonelliShanks(P) {
  if (P < _3n$1)
    throw new Error("sqrt is not defined for small field");
  aoddModulus(P, "tonelliShanks");
  let Q2 = P - _1n$5;
  let S = 0;
  while (Q2 % _2n$4 === _0n$5) {
    Q2 /= _2n$4;
    S++;
  }
  let Z = _2n$4;
  const _Fp = Field(P);
  while (FpLegendre(_Fp, Z) === 1) {
    if (Z++ > 1e3)
      throw new Error("Cannot find square root: probably non-prime P");
  }
  if (S === 1)
    return sqrt3mod4;
  let cc = _Fp.pow(Z, Q2);
  const Q1div2 = (Q2 + _1n$5) / _2n$4;
  return function tonelliSlow(Fp, n) {
    const F2 = Fp;
    if (F2.is0(n))
      return n;
    if (FpLegendre(F2, n) !== 1)
      throw new Error("Cannot find square root");
    let M = S;
    let c = F2.mul(F2.ONE, cc);
    let t = F2.pow(n, Q2);
    let R = F2.pow(n, Q1div2);
    while (!F2.eql(t, F2.ONE)) {
      if (F2.is0(t))
        throw new Error("Cannot find square root: probably non-prime P");
      let i = 1;
      let t_tmp = F2.sqr(t);
      while (!F2.eql(t_tmp, F2.ONE)) {
        i++;
        t_tmp = F2.sqr(t_tmp);
        if (i === M)
          throw new Error("Cannot find square root");
      }
      const exponent = _1n$5 << BigInt(M - i - 1);
      const b = F2.pow(c, exponent);
      M = i;
      c = F2.sqr(b);
      t = F2.mul(t, c);
      R = F2.mul(R, b);
    }
    return R;
  };
}
function FpSqrt(P) {
  aoddModulus(P, "Fp.sqrt");
  if (P % _4n$2 === _3n$1)
    return sqrt3mod4;
  if (P % _8n$2 === _5n$1)
    return sqrt5mod8;
  if (P % _16n === _9n)
    return sqrt9mod16(P);
  return tonelliShanks(P);
}
const isNegativeLE = (num, modulo) => (mod(num, modulo) & _1n$5) === _1n$5;
const FIELD_FIELDS = [
  "create",
  "isValid",
  "is0",
  "neg",
  "inv",
  "sqrt",
  "sqr",
  "eql",
  "add",
  "sub",
  "mul",
  "pow",
  "div",
  "addN",
  "subN",
  "mulN",
  "sqrN"
];
function validateField(field) {
  aobject(field, "field");
  if (typeof field.ORDER !== "bigint")
    throw new TypeError('param "ORDER" is invalid: expected bigint, got ' + typeof field.ORDER);
  asafenumber(field.BYTES, "BYTES");
  asafenumber(field.BITS, "BITS");
  for (const name of FIELD_FIELDS)
    afunction(field[name], "field." + name);
  if (field.BYTES < 1 || field.BITS < 1)
    throw new Error("invalid field: expected BYTES/BITS > 0");
  if (field.ORDER <= _1n$5)
    throw new Error("invalid field: expected ORDER > 1, got " + field.ORDER);
  return field;
}
function FpInvertBatch(Fp, nums, passZero = false) {
  validateField(Fp);
  aarray$1(nums, "nums");
  abool(passZero, "passZero");
  const F2 = Fp;
  const inverted = new Array(nums.length).fill(passZero ? F2.ZERO : void 0);
  const multipliedAcc = nums.reduce((acc, num, i) => {
    if (F2.is0(num))
      return acc;
    inverted[i] = acc;
    return F2.mul(acc, num);
  }, F2.ONE);
  const invertedAcc = F2.inv(multipliedAcc);
  nums.reduceRight((acc, num, i) => {
    if (F2.is0(num))
      return acc;
    inverted[i] = F2.mul(acc, inverted[i]);
    return F2.mul(acc, num);
  }, invertedAcc);
  return inverted;
}
function FpLegendre(Fp, n) {
  validateField(Fp);
  const F2 = Fp;
  aoddModulus(F2.ORDER, "FpLegendre");
  const p1mod2 = (F2.ORDER - _1n$5) / _2n$4;
  const powered = F2.pow(n, p1mod2);
  const yes = F2.eql(powered, F2.ONE);
  const zero = F2.eql(powered, F2.ZERO);
  const no = F2.eql(powered, F2.neg(F2.ONE));
  if (!yes && !zero && !no)
    throw new Error("invalid Legendre symbol result");
  return yes ? 1 : zero ? 0 : -1;
}
function nLength(n, nBitLength) {
  if (nBitLength !== void 0)
    anumber(nBitLength);
  if (n <= _0n$5)
    throw new Error("invalid n length: expected positive n, got " + n);
  if (nBitLength !== void 0 && nBitLength < 1)
    throw new Error("invalid n length: expected positive bit length, got " + nBitLength);
  const bits = bitLen(n);
  if (nBitLength !== void 0 && nBitLength < bits)
    throw new Error(`invalid n length: expected nBitLength (${nBitLength}) >= bitLen(n) (${bits})`);
  const _nBitLength = nBitLength !== void 0 ? nBitLength : bits;
  const nByteLength = Math.ceil(_nBitLength / 8);
  return { nBitLength: _nBitLength, nByteLength };
}
const FIELD_SQRT = /* @__PURE__ */ new WeakMap();
class _Field {
  ORDER;
  BITS;
  BYTES;
  isLE;
  ZERO = _0n$5;
  ONE = _1n$5;
  _lengths;
  _mod;
  constructor(ORDER, opts2 = {}) {
    if (ORDER <= _1n$5)
      throw new Error("invalid field: expected ORDER > 1, got " + ORDER);
    let _nbitLength = void 0;
    this.isLE = false;
    if (opts2 != null && typeof opts2 === "object") {
      if (typeof opts2.BITS === "number")
        _nbitLength = opts2.BITS;
      if (typeof opts2.sqrt === "function")
        Object.defineProperty(this, "sqrt", { value: opts2.sqrt, enumerable: true });
      if (typeof opts2.isLE === "boolean")
        this.isLE = opts2.isLE;
      if (opts2.allowedLengths)
        this._lengths = Object.freeze(opts2.allowedLengths.slice());
      if (typeof opts2.modFromBytes === "boolean")
        this._mod = opts2.modFromBytes;
    }
    const { nBitLength, nByteLength } = nLength(ORDER, _nbitLength);
    if (nByteLength > 2048)
      throw new Error("invalid field: expected ORDER of <= 2048 bytes");
    this.ORDER = ORDER;
    this.BITS = nBitLength;
    this.BYTES = nByteLength;
    Object.freeze(this);
  }
  create(num) {
    return mod(num, this.ORDER);
  }
  isValid(num) {
    if (typeof num !== "bigint")
      throw new TypeError("invalid field element: expected bigint, got " + typeof num);
    return _0n$5 <= num && num < this.ORDER;
  }
  is0(num) {
    return num === _0n$5;
  }
  // is valid and invertible
  isValidNot0(num) {
    return !this.is0(num) && this.isValid(num);
  }
  isOdd(num) {
    return (num & _1n$5) === _1n$5;
  }
  neg(num) {
    return mod(-num, this.ORDER);
  }
  eql(lhs, rhs) {
    return lhs === rhs;
  }
  sqr(num) {
    return mod(num * num, this.ORDER);
  }
  add(lhs, rhs) {
    return mod(lhs + rhs, this.ORDER);
  }
  sub(lhs, rhs) {
    return mod(lhs - rhs, this.ORDER);
  }
  mul(lhs, rhs) {
    return mod(lhs * rhs, this.ORDER);
  }
  pow(num, power) {
    return pow(num, power, this.ORDER);
  }
  div(lhs, rhs) {
    return mod(lhs * invert(rhs, this.ORDER), this.ORDER);
  }
  // Same as above, but doesn't normalize
  sqrN(num) {
    return num * num;
  }
  addN(lhs, rhs) {
    return lhs + rhs;
  }
  subN(lhs, rhs) {
    return lhs - rhs;
  }
  mulN(lhs, rhs) {
    return lhs * rhs;
  }
  inv(num) {
    return invert(num, this.ORDER);
  }
  sqrt(num) {
    let sqrt = FIELD_SQRT.get(this);
    if (!sqrt)
      FIELD_SQRT.set(this, sqrt = FpSqrt(this.ORDER));
    return sqrt(this, num);
  }
  toBytes(num) {
    return this.isLE ? numberToBytesLE(num, this.BYTES) : numberToBytesBE(num, this.BYTES);
  }
  fromBytes(bytes, skipValidation = false) {
    abytes(bytes);
    const { _lengths: allowedLengths, BYTES, isLE: isLE2, ORDER, _mod: modFromBytes } = this;
    if (allowedLengths) {
      if (bytes.length < 1 || !allowedLengths.includes(bytes.length) || bytes.length > BYTES) {
        throw new Error("Field.fromBytes: expected " + allowedLengths + " bytes, got " + bytes.length);
      }
      const padded = new Uint8Array(BYTES);
      padded.set(bytes, isLE2 ? 0 : padded.length - bytes.length);
      bytes = padded;
    }
    if (bytes.length !== BYTES)
      throw new Error("Field.fromBytes: expected " + BYTES + " bytes, got " + bytes.length);
    let scalar = isLE2 ? bytesToNumberLE(bytes) : bytesToNumberBE(bytes);
    if (modFromBytes)
      scalar = mod(scalar, ORDER);
    if (!skipValidation) {
      if (!this.isValid(scalar))
        throw new Error("invalid field element: outside of range 0..ORDER");
    }
    return scalar;
  }
  // TODO: we don't need it here, move out to separate fn
  invertBatch(lst) {
    return FpInvertBatch(this, lst, true);
  }
  // We can't move this out because Fp6, Fp12 implement it
  // and it's unclear what to return in there.
  cmov(a, b, condition) {
    abool(condition, "condition");
    return condition ? b : a;
  }
}
function Field(ORDER, opts2 = {}) {
  Object.freeze(_Field.prototype);
  return new _Field(ORDER, opts2);
}
const _0n$4 = /* @__PURE__ */ BigInt(0);
const _1n$4 = /* @__PURE__ */ BigInt(1);
const _4n$1 = /* @__PURE__ */ BigInt(4);
const BLIND_BYTES = 16;
const BLIND_BITS = 128;
const FW_WINDOW = 5;
const TABLE_BYTES_MAX = /* @__PURE__ */ (() => 2 ** 31)();
function validatePointCons(Point) {
  const pc = Point;
  if (typeof pc !== "function")
    throw new TypeError('"Point" expected constructor, got type=' + typeof Point);
  afunction(pc.fromAffine, "Point.fromAffine");
  afunction(pc.fromBytes, "Point.fromBytes");
  afunction(pc.fromHex, "Point.fromHex");
  aobject(pc.BASE, "Point.BASE");
  aobject(pc.ZERO, "Point.ZERO");
  validateField(pc.Fp);
  validateField(pc.Fn);
}
function normalizeZ(c, points) {
  validatePointCons(c);
  validateMSMPoints(points, c);
  const invertedZs = FpInvertBatch(c.Fp, points.map((p) => p.Z));
  return points.map((p, i) => c.fromAffine(p.toAffine(invertedZs[i])));
}
function validateW(W, bits, min = 1) {
  if (!Number.isSafeInteger(W) || W < min || W > bits)
    throw new Error("invalid window size, expected [" + min + ".." + bits + "], got W=" + W);
}
function validateTableBytes(numPoints, fpBytes) {
  const bytes = numPoints * (4 * fpBytes + 128);
  if (bytes > TABLE_BYTES_MAX)
    throw new Error("invalid window size: table would need ~" + Math.ceil(bytes / 2 ** 20) + " MiB, max " + TABLE_BYTES_MAX / 2 ** 20 + " MiB");
}
function probeRandomBytes(randomBytes2, length) {
  if (randomBytes2 === void 0)
    return void 0;
  afunction(randomBytes2, "randomBytes");
  try {
    const probe = randomBytes2(length);
    if (!isBytes(probe) || probe.length !== length)
      return void 0;
  } catch {
    return void 0;
  }
  return randomBytes2;
}
function validateMSMPoints(points, c) {
  aarray$1(points, "points");
  points.forEach((p, i) => {
    if (!(p instanceof c))
      throw new Error("invalid point at index " + i);
  });
}
function validateMSMScalars(scalars, field, maxScalar) {
  if (!Array.isArray(scalars))
    throw new Error("array of scalars expected");
  scalars.forEach((s, i) => {
    const ok = maxScalar === void 0 ? field.isValid(s) : isPosBig(s) && s < maxScalar;
    if (!ok)
      throw new Error("invalid scalar at index " + i);
  });
}
const pointWindowSizes = /* @__PURE__ */ new WeakMap();
function getWindowSize(P) {
  return pointWindowSizes.get(P) || 1;
}
function oddMultiples(p, size) {
  const dbl = p.double();
  const t = [p];
  for (let j = 1; j < size; j++)
    t.push(t[j - 1].add(dbl));
  return t;
}
function wnafDigits(n, W) {
  const size = 2 ** W;
  const half = size / 2;
  const mask = BigInt(size - 1);
  const d = [];
  while (n > _0n$4) {
    let w = 0;
    if (n & _1n$4) {
      w = Number(n & mask);
      if (w >= half)
        w -= size;
      n -= BigInt(w);
    }
    d.push(w);
    n >>= _1n$4;
  }
  return d;
}
function signedWindowDigits(n, W, windows) {
  const size = 2 ** W;
  const half = size / 2;
  const mask = BigInt(size - 1);
  const shiftBy = BigInt(W);
  const d = [];
  for (let w = 0; w < windows; w++) {
    let v = Number(n & mask);
    n >>= shiftBy;
    if (v > half) {
      v -= size;
      n += _1n$4;
    }
    d.push(v);
  }
  if (n !== _0n$4)
    throw new Error("invalid wnaf");
  return d;
}
function wnafWalk(zero, tables, digits) {
  let max = 0;
  for (const d of digits)
    max = Math.max(max, d.length);
  let acc = zero;
  for (let bit = max - 1; bit >= 0; bit--) {
    if (bit !== max - 1)
      acc = acc.double();
    for (let i = 0; i < digits.length; i++) {
      const w = digits[i][bit];
      if (w) {
        const item = tables[i][Math.abs(w) - 1 >> 1];
        acc = acc.add(w < 0 ? item.negate() : item);
      }
    }
  }
  return acc;
}
class ScalarMultiplier {
  Point;
  BASE;
  ZERO;
  randomBytes;
  wnafPrecomputes = /* @__PURE__ */ new WeakMap();
  baseCanBeBlinded;
  bits;
  // Parametrized with a given Point class (not individual point)
  constructor(Point, randomBytes2) {
    validatePointCons(Point);
    this.randomBytes = probeRandomBytes(randomBytes2, BLIND_BYTES);
    this.Point = Point;
    this.BASE = Point.BASE;
    this.ZERO = Point.ZERO;
    this.bits = Point.Fn.BITS;
  }
  /**
   * Creates a signed fixed-window wNAF precomputation table: for every window w, the
   * multiples `[1..2^(W−1)]⋅2^(w⋅W)⋅P`, flattened. All doublings are baked into the table,
   * so cached multiplication is additions-only. `windows = ceil(bits/W) + 1`: the extra
   * window absorbs the final carry of signed-digit recoding.
   * For a 256-bit curve and W=6, the table is 44⋅32 = 1408 points.
   * @param point - Point instance
   * @param W - window size
   * @param bits - scalar bitlength the table must cover
   */
  buildWnafTable(point, W, bits) {
    const windows = Math.ceil(bits / W) + 1;
    const half = 2 ** (W - 1);
    const comp = [];
    let base = point;
    for (let w = 0; w < windows; w++) {
      let acc = base;
      for (let i = 0; i < half; i++) {
        comp.push(acc);
        acc = acc.add(base);
      }
      base = comp[comp.length - 1].double();
    }
    return { W, bits, windows, comp };
  }
  /**
   * Implements ec multiplication using precomputed signed fixed-window wNAF tables.
   * Constant-time: fixed window count with one table addition per window — zero digits feed
   * the fake accumulator — and no doublings; the lookup scans the whole window slice.
   * Scalar bounds are validated by the public entry points ({@link ScalarMultiplier.mulCT},
   * {@link ScalarMultiplier.mulCTBlinded}, {@link ScalarMultiplier.mulUnsafe});
   * signedWindowDigits throws if `n` exceeds the table.
   * @returns real and fake (for const-time) points
   */
  wnafCachedCT(precomputes, n) {
    const { W, windows, comp } = precomputes;
    const half = 2 ** (W - 1);
    const digits = signedWindowDigits(n, W, windows);
    let p = this.ZERO;
    let f = this.BASE;
    for (let w = 0; w < windows; w++) {
      const digit = digits[w];
      const start = w * half;
      const idx = Math.abs(digit) - 1;
      let sel = comp[start];
      for (let i = 1; i < half; i++)
        sel = i === idx ? comp[start + i] : sel;
      const neg = sel.negate();
      if (digit === 0)
        f = f.add(comp[start]);
      else
        p = p.add(digit < 0 ? neg : sel);
    }
    return { p, f };
  }
  // Cache key is point identity plus (W, bits); at most two entries exist per point (public-width
  // `Fn.BITS` and blinded `Fn.BITS + BLIND_BITS`). Callers must not reuse the same point with
  // incompatible `transform(...)` layouts and expect a separate cache entry.
  getWnafPrecomputes(W, point, bits, transform) {
    let entries = this.wnafPrecomputes.get(point);
    let comp = entries?.find((entry) => entry.W === W && entry.bits === bits);
    if (!comp) {
      comp = this.buildWnafTable(point, W, bits);
      if (typeof transform === "function")
        comp = { ...comp, comp: transform(comp.comp) };
      if (!entries) {
        entries = [];
        this.wnafPrecomputes.set(point, entries);
      }
      entries.push(comp);
    }
    return comp;
  }
  assertPoint(point) {
    if (!(point instanceof this.Point))
      throw new TypeError('"point" expected Point instance, got type=' + typeof point);
  }
  // Shared prologue of the constant-time entry points. Rejects scalar 0: in key/signature-style
  // callers a zero scalar means broken upstream plumbing, and concrete Points already reject it.
  // Uses inRange instead of Fn.isValidNot0: validateField() only certifies the arithmetic subset.
  validateMulInput(point, scalar) {
    this.assertPoint(point);
    if (!inRange(scalar, _1n$4, this.Point.Fn.ORDER))
      throw new Error("invalid scalar");
  }
  // Constant-time dispatch shared by mulCT / mulCTBlinded. Un-precomputed points (W===1, e.g.
  // ECDH peer keys) skip building a throwaway cached table in favor of a small fixed-window
  // multiply. `n` must be < 2^bits.
  runCT(point, n, bits, transform) {
    const W = getWindowSize(point);
    if (W === 1)
      return this.fixedWindowCT(point, n, bits);
    return this.wnafCachedCT(this.getWnafPrecomputes(W, point, bits, transform), n);
  }
  mulCT(point, scalar, transform) {
    this.validateMulInput(point, scalar);
    return this.runCT(point, scalar, this.bits, transform);
  }
  mulCTBlinded(point, scalar, transform) {
    this.validateMulInput(point, scalar);
    if (this.randomBytes === void 0)
      throw new Error("randomBytes is required for scalar blinding");
    const bits = this.Point.Fn.BITS + BLIND_BITS;
    const blind = this.randomBytes(BLIND_BYTES);
    if (!isBytes(blind) || blind.length !== BLIND_BYTES)
      throw new Error("randomBytes returned invalid byte array");
    blind[0] = blind[0] & 63 | 128;
    const n = scalar + bytesToNumberBE(blind) * this.Point.Fn.ORDER;
    return this.runCT(point, n, bits, transform);
  }
  /**
   * Constant-time multiplication `n*point` for an un-precomputed point, via a small fixed window.
   * A cached wNAF table only pays off when reused; a flat 2^FW_WINDOW table (`size-1` adds) is
   * far cheaper to build for a single use. The point-operation sequence is independent of `n`:
   * build the table, then per window exactly FW_WINDOW doublings, a data-oblivious scan over
   * every table entry, and one addition (adds the identity when the window digit is 0 — never
   * skipped).
   *
   * `n` must be `< 2^bits`. Assumes complete addition (adding the identity costs the same as any
   * add), which holds for the Weierstrass/Edwards point types used here. The table is left in
   * projective form (no normalizeZ): normalizing this small a table costs more than the
   * mixed-add savings it would buy for a single multiply.
   * @returns real point `p`; `f` duplicates it only to match {@link wnafCachedCT}'s return shape
   * (this path needs no fake accumulator — its op-count is already scalar-independent).
   */
  fixedWindowCT(point, n, bits) {
    const W = FW_WINDOW;
    const size = 1 << W;
    const mask = bitMask(W);
    const table = new Array(size);
    table[0] = this.ZERO;
    for (let i = 1; i < size; i++)
      table[i] = table[i - 1].add(point);
    const windows = Math.ceil(bits / W);
    let acc = this.ZERO;
    for (let window = windows - 1; window >= 0; window--) {
      if (window !== windows - 1)
        for (let d = 0; d < W; d++)
          acc = acc.double();
      const digit = Number(n >> BigInt(window * W) & mask);
      let sel = table[0];
      for (let i = 1; i < size; i++)
        sel = i === digit ? table[i] : sel;
      acc = acc.add(sel);
    }
    return { p: acc, f: acc };
  }
  shouldBlind(point, cofactor) {
    if (this.randomBytes === void 0)
      return false;
    if (cofactor === _1n$4)
      return true;
    if (point !== this.BASE)
      return false;
    if (this.baseCanBeBlinded === void 0)
      this.baseCanBeBlinded = this.mulUnsafe(this.BASE, this.Point.Fn.ORDER).is0();
    return this.baseCanBeBlinded;
  }
  mulSecret(point, scalar, cofactor, transform) {
    return this.shouldBlind(point, cofactor) ? this.mulCTBlinded(point, scalar, transform) : this.mulCT(point, scalar, transform);
  }
  mulUnsafe(point, scalar, transform) {
    this.assertPoint(point);
    if (!isPosBig(scalar))
      throw new Error("invalid scalar");
    const W = getWindowSize(point);
    if (W === 1 || scalar >= this.Point.Fn.ORDER)
      return mulAddUnsafe(this.Point, [point], [scalar], true);
    const precomputes = this.getWnafPrecomputes(W, point, this.bits, transform);
    return this.wnafCachedCT(precomputes, scalar).p;
  }
  // Remembers the window size used for precomputed wNAF multiplication of the given point
  // and drops any previously built tables. Usually only the base point is precomputed.
  // W=1 resets the point to the un-precomputed (table-less) paths.
  // W is additionally capped so tables stay under ~2 GiB ({@link TABLE_BYTES_MAX}).
  setWindowSize(point, W) {
    this.assertPoint(point);
    validateW(W, this.bits);
    const windows = Math.ceil((this.bits + BLIND_BITS) / W) + 1;
    validateTableBytes(windows * 2 ** (W - 1), this.Point.Fp.BYTES);
    pointWindowSizes.set(point, W);
    this.wnafPrecomputes.delete(point);
  }
  // True when a window size is set: tables themselves are built lazily on first multiply.
  hasWindowSize(point) {
    return getWindowSize(point) !== 1;
  }
}
function mulAddUnsafe(c, points, scalars, allowOversized = false) {
  validatePointCons(c);
  validateMSMPoints(points, c);
  abool(allowOversized, "allowOversized");
  validateMSMScalars(scalars, c.Fn, allowOversized ? c.Fn.ORDER ** _4n$1 : void 0);
  if (points.length !== scalars.length)
    throw new Error("arrays of points and scalars must have equal length");
  const tables = points.map((p) => oddMultiples(p, 4));
  const digits = scalars.map((n) => wnafDigits(n, 4));
  return wnafWalk(c.ZERO, tables, digits);
}
function createField(order, field, isLE2) {
  if (field) {
    if (field.ORDER !== order)
      throw new Error("Field.ORDER must match order: Fp == p, Fn == n");
    validateField(field);
    return field;
  } else {
    return Field(order, { isLE: isLE2 });
  }
}
function createCurveFields(type, CURVE, curveOpts = {}, FpFnLE) {
  if (FpFnLE === void 0)
    FpFnLE = type === "edwards";
  if (!CURVE || typeof CURVE !== "object")
    throw new Error(`expected valid ${type} CURVE object`);
  validateObject(curveOpts);
  for (const p of ["p", "n", "h"]) {
    const val = CURVE[p];
    if (!(isPosBig(val) && val !== _0n$4))
      throw new Error(`CURVE.${p} must be positive bigint`);
  }
  const Fp = createField(CURVE.p, curveOpts.Fp, FpFnLE);
  const Fn = createField(CURVE.n, curveOpts.Fn, FpFnLE);
  const _b = "d";
  const params = ["Gx", "Gy", "a", _b];
  for (const p of params) {
    if (!Fp.isValid(CURVE[p]))
      throw new Error(`CURVE.${p} must be valid field element of CURVE.Fp`);
  }
  CURVE = Object.freeze(Object.assign({}, CURVE));
  return { CURVE, Fp, Fn };
}
function createKeygen(randomSecretKey, getPublicKey) {
  return function keygen(seed) {
    const secretKey = randomSecretKey(seed);
    return { secretKey, publicKey: getPublicKey(secretKey) };
  };
}
const _0n$3 = /* @__PURE__ */ BigInt(0), _1n$3 = /* @__PURE__ */ BigInt(1), _2n$3 = /* @__PURE__ */ BigInt(2), _4n = /* @__PURE__ */ BigInt(4), _8n$1 = /* @__PURE__ */ BigInt(8);
function isEdValidXY(Fp, CURVE, x, y) {
  const x2 = Fp.sqr(x);
  const y2 = Fp.sqr(y);
  const left = Fp.add(Fp.mul(CURVE.a, x2), y2);
  const right = Fp.add(Fp.ONE, Fp.mul(CURVE.d, Fp.mul(x2, y2)));
  return Fp.eql(left, right);
}
function edwards(params, extraOpts = {}) {
  validateObject(extraOpts, {}, {}, "extraOpts");
  const opts2 = extraOpts;
  const validated = createCurveFields("edwards", params, opts2, opts2.FpFnLE);
  const { Fp, Fn } = validated;
  let CURVE = validated.CURVE;
  const { h: cofactor } = CURVE;
  if (FpLegendre(Fp, CURVE.a) !== 1)
    throw new Error("edwards: CURVE.a must be a square in Fp for complete addition formulas");
  if (FpLegendre(Fp, CURVE.d) !== -1)
    throw new Error("edwards: CURVE.d must be a non-square in Fp for complete addition formulas");
  validateObject(opts2, {}, { uvRatio: "function", randomBytes: "function" });
  const randomBytes2 = opts2.randomBytes === void 0 ? randomBytes$1 : opts2.randomBytes;
  const MASK = _2n$3 << BigInt(Fp.BYTES * 8) - _1n$3;
  function isOdd(n) {
    if (!Fp.isOdd)
      throw new Error("Field does not have .isOdd()");
    return Fp.isOdd(n);
  }
  const uvRatio2 = opts2.uvRatio === void 0 ? (u, v) => {
    try {
      return { isValid: true, value: Fp.sqrt(Fp.div(u, v)) };
    } catch (e) {
      return { isValid: false, value: _0n$3 };
    }
  } : opts2.uvRatio;
  if (!isEdValidXY(Fp, CURVE, CURVE.Gx, CURVE.Gy))
    throw new Error("bad curve params: generator point");
  const mulA = Fp.eql(CURVE.a, Fp.neg(Fp.ONE)) ? (x) => Fp.neg(x) : Fp.eql(CURVE.a, Fp.ONE) ? (x) => x : (x) => Fp.mul(CURVE.a, x);
  function acoord(title, n, banZero = false) {
    const min = banZero ? _1n$3 : _0n$3;
    aInRange("coordinate " + title, n, min, MASK);
    return n;
  }
  function aedpoint(other) {
    if (!(other instanceof Point))
      throw new Error("EdwardsPoint expected");
  }
  class Point {
    static BASE = new Point(CURVE.Gx, CURVE.Gy, Fp.ONE, Fp.mul(CURVE.Gx, CURVE.Gy));
    static ZERO = new Point(Fp.ZERO, Fp.ONE, Fp.ONE, Fp.ZERO);
    static Fp = Fp;
    static Fn = Fn;
    X;
    Y;
    Z;
    T;
    constructor(X, Y, Z, T) {
      this.X = acoord("x", X);
      this.Y = acoord("y", Y);
      this.Z = acoord("z", Z, true);
      this.T = acoord("t", T);
      Object.freeze(this);
    }
    static CURVE() {
      return CURVE;
    }
    /**
     * Create one extended Edwards point from affine coordinates.
     * Does NOT validate that the point is on-curve or torsion-free.
     * Use `.assertValidity()` on adversarial inputs.
     */
    static fromAffine(p) {
      if (p instanceof Point)
        throw new Error("extended point not allowed");
      const { x, y } = p || {};
      acoord("x", x);
      acoord("y", y);
      return new Point(x, y, Fp.ONE, Fp.mul(x, y));
    }
    // Uses algo from RFC8032 5.1.3.
    static fromBytes(bytes, zip215 = false) {
      const len = Fp.BYTES;
      const { a, d } = CURVE;
      bytes = copyBytes$1(abytes(bytes, len, "point"));
      abool(zip215, "zip215");
      const normed = copyBytes$1(bytes);
      const lastByte = bytes[len - 1];
      normed[len - 1] = lastByte & -129;
      const y = bytesToNumberLE(normed);
      const max = zip215 ? MASK : Fp.ORDER;
      aInRange("point.y", y, _0n$3, max);
      const y2 = Fp.sqr(y);
      const u = Fp.sub(y2, Fp.ONE);
      const v = Fp.sub(Fp.mulN(d, y2), a);
      let { isValid, value: x } = uvRatio2(u, v);
      if (!isValid)
        throw new Error("bad point: invalid y coordinate");
      const isXOdd = isOdd(x);
      const isLastByteOdd = (lastByte & 128) !== 0;
      if (!zip215 && Fp.is0(x) && isLastByteOdd)
        throw new Error("bad point: x=0 and x_0=1");
      if (isLastByteOdd !== isXOdd)
        x = Fp.neg(x);
      return Point.fromAffine({ x, y });
    }
    static fromHex(hex, zip215 = false) {
      return Point.fromBytes(hexToBytes(hex), zip215);
    }
    get x() {
      return this.toAffine().x;
    }
    get y() {
      return this.toAffine().y;
    }
    precompute(windowSize = 6, isLazy = true) {
      wnaf.setWindowSize(this, windowSize);
      if (!isLazy)
        this.multiply(_2n$3);
      return this;
    }
    // Useful in fromAffine() - not for fromBytes(), which always created valid points.
    assertValidity() {
      const p = this;
      const { a, d } = CURVE;
      if (p.is0())
        throw new Error("bad point: ZERO");
      const { X, Y, Z, T } = p;
      const X2 = Fp.sqr(X);
      const Y2 = Fp.sqr(Y);
      const Z2 = Fp.sqr(Z);
      const Z4 = Fp.sqr(Z2);
      const aX2 = Fp.mul(X2, a);
      const left = Fp.mul(Fp.add(aX2, Y2), Z2);
      const right = Fp.add(Z4, Fp.mul(d, Fp.mul(X2, Y2)));
      if (!Fp.eql(left, right))
        throw new Error("bad point: equation left != right (1)");
      const XY = Fp.mul(X, Y);
      const ZT = Fp.mul(Z, T);
      if (!Fp.eql(XY, ZT))
        throw new Error("bad point: equation left != right (2)");
    }
    // Compare one point to another.
    equals(other) {
      aedpoint(other);
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const { X: X2, Y: Y2, Z: Z2 } = other;
      const X1Z2 = Fp.mul(X1, Z2);
      const X2Z1 = Fp.mul(X2, Z1);
      const Y1Z2 = Fp.mul(Y1, Z2);
      const Y2Z1 = Fp.mul(Y2, Z1);
      return Fp.eql(X1Z2, X2Z1) && Fp.eql(Y1Z2, Y2Z1);
    }
    is0() {
      return this.equals(Point.ZERO);
    }
    negate() {
      return new Point(Fp.neg(this.X), this.Y, this.Z, Fp.neg(this.T));
    }
    // Fast algo for doubling Extended Point.
    // https://hyperelliptic.org/EFD/g1p/auto-twisted-extended.html#doubling-dbl-2008-hwcd
    // Cost: 4M + 4S + 1*a + 6add + 1*2.
    double() {
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const A = Fp.sqr(X1);
      const B2 = Fp.sqr(Y1);
      const C = Fp.mul(Fp.sqr(Z1), _2n$3);
      const D = mulA(A);
      const x1y1 = Fp.addN(X1, Y1);
      const E = Fp.sub(Fp.subN(Fp.sqr(x1y1), A), B2);
      const G = Fp.addN(D, B2);
      const F2 = Fp.subN(G, C);
      const H = Fp.subN(D, B2);
      const X3 = Fp.mul(E, F2);
      const Y3 = Fp.mul(G, H);
      const T3 = Fp.mul(E, H);
      const Z3 = Fp.mul(F2, G);
      return new Point(X3, Y3, Z3, T3);
    }
    // Fast algo for adding 2 Extended Points.
    // https://hyperelliptic.org/EFD/g1p/auto-twisted-extended.html#addition-add-2008-hwcd
    // Cost: 9M + 1*a + 1*d + 7add.
    add(other) {
      aedpoint(other);
      const { d } = CURVE;
      const { X: X1, Y: Y1, Z: Z1, T: T1 } = this;
      const { X: X2, Y: Y2, Z: Z2, T: T2 } = other;
      const A = Fp.mul(X1, X2);
      const B2 = Fp.mul(Y1, Y2);
      const C = Fp.mul(Fp.mulN(T1, d), T2);
      const D = Fp.mul(Z1, Z2);
      const E = Fp.sub(Fp.subN(Fp.mulN(Fp.addN(X1, Y1), Fp.addN(X2, Y2)), A), B2);
      const F2 = Fp.subN(D, C);
      const G = Fp.addN(D, C);
      const H = Fp.sub(B2, mulA(A));
      const X3 = Fp.mul(E, F2);
      const Y3 = Fp.mul(G, H);
      const T3 = Fp.mul(E, H);
      const Z3 = Fp.mul(F2, G);
      return new Point(X3, Y3, Z3, T3);
    }
    subtract(other) {
      aedpoint(other);
      return this.add(other.negate());
    }
    // Constant-time multiplication.
    multiply(scalar) {
      if (!Fn.isValidNot0(scalar))
        throw new RangeError("invalid scalar: expected 1 <= sc < curve.n");
      const { p, f } = wnaf.mulSecret(this, scalar, cofactor, normalize);
      return normalize([p, f])[0];
    }
    // Non-constant-time multiplication. Uses double-and-add algorithm.
    // It's faster, but should only be used when you don't care about
    // an exposed private key e.g. sig verification.
    // Keeps the same subgroup-scalar contract: 0 is allowed for public-scalar callers, but
    // n and larger values are rejected instead of being reduced mod n to the identity point.
    multiplyUnsafe(scalar) {
      if (!Fn.isValid(scalar))
        throw new RangeError("invalid scalar: expected 0 <= sc < curve.n");
      if (scalar === _0n$3)
        return Point.ZERO;
      if (this.is0() || scalar === _1n$3)
        return this;
      return wnaf.mulUnsafe(this, scalar, normalize);
    }
    // Checks if point is of small order.
    // If you add something to small order point, you will have "dirty"
    // point with torsion component.
    // Clears cofactor and checks if the result is 0.
    isSmallOrder() {
      return this.clearCofactor().is0();
    }
    // Multiplies point by curve order and checks if the result is 0.
    // Returns `false` is the point is dirty.
    isTorsionFree() {
      return wnaf.mulUnsafe(this, CURVE.n).is0();
    }
    // Converts Extended point to default (x, y) coordinates.
    // Can accept precomputed Z^-1 - for example, from invertBatch.
    toAffine(invertedZ) {
      const p = this;
      let iz = invertedZ;
      if (iz != null && typeof iz !== "bigint")
        throw new TypeError('"invertedZ" expected bigint, got type=' + typeof iz);
      const { X, Y, Z } = p;
      const is0 = p.is0();
      if (iz == null)
        iz = is0 ? Fp.create(_8n$1) : Fp.inv(Z);
      const x = Fp.mul(X, iz);
      const y = Fp.mul(Y, iz);
      const zz = Fp.mul(Z, iz);
      if (is0)
        return { x: Fp.ZERO, y: Fp.ONE };
      if (!Fp.eql(zz, Fp.ONE))
        throw new Error("invZ was invalid");
      return { x, y };
    }
    clearCofactor() {
      if (cofactor === _1n$3)
        return this;
      if (cofactor === _2n$3)
        return this.double();
      if (cofactor === _4n)
        return this.double().double();
      if (cofactor === _8n$1)
        return this.double().double().double();
      return this.multiplyUnsafe(cofactor);
    }
    toBytes() {
      const { x, y } = this.toAffine();
      const bytes = Fp.toBytes(y);
      bytes[bytes.length - 1] |= isOdd(x) ? 128 : 0;
      return bytes;
    }
    toHex() {
      return bytesToHex(this.toBytes());
    }
    toString() {
      return `<Point ${this.is0() ? "ZERO" : this.toHex()}>`;
    }
  }
  const normalize = (points) => normalizeZ(Point, points);
  const wnaf = new ScalarMultiplier(Point, randomBytes2);
  if (wnaf.bits >= 6)
    Point.BASE.precompute(6);
  Object.freeze(Point.prototype);
  Object.freeze(Point);
  return Point;
}
function checkU32(n, title = "n") {
  if (typeof n !== "number")
    throw new TypeError(`wrong u32 integer "${title}": expected number, got type=${typeof n}`);
  if (!Number.isSafeInteger(n) || n < 0 || n > 4294967295)
    throw new RangeError(`wrong u32 integer "${title}": expected 0..4294967295, got ${n}`);
  return n;
}
function isPowerOfTwo(x) {
  checkU32(x, "x");
  return (x & x - 1) === 0 && x !== 0;
}
function reverseBits(n, bits) {
  checkU32(n);
  if (typeof bits !== "number")
    throw new TypeError('"bits" expected number, got type=' + typeof bits);
  if (!Number.isSafeInteger(bits) || bits < 0 || bits > 32)
    throw new Error(`expected integer 0 <= bits <= 32, got ${bits}`);
  let reversed = 0;
  for (let i = 0; i < bits; i++, n >>>= 1)
    reversed = reversed << 1 | n & 1;
  return reversed >>> 0;
}
function log2(n) {
  checkU32(n);
  return 31 - Math.clz32(n);
}
function bitReversalInplace(values) {
  if (!values || typeof values !== "object" || typeof values.length !== "number")
    throw new TypeError('"values" expected array-like, got type=' + typeof values);
  const n = values.length;
  if (!isPowerOfTwo(n))
    throw new Error("expected positive power-of-two length, got " + n);
  const bits = log2(n);
  for (let i = 0; i < n; i++) {
    const j = reverseBits(i, bits);
    if (i < j) {
      const tmp = values[i];
      values[i] = values[j];
      values[j] = tmp;
    }
  }
  return values;
}
const FFTCore = (F2, coreOpts) => {
  validateObject(coreOpts, { N: "number", roots: "object", dit: "boolean" }, { invertButterflies: "boolean", skipStages: "number", brp: "boolean" }, "coreOpts");
  const { N: N2, roots, dit, invertButterflies = false, skipStages = 0, brp = true } = coreOpts;
  checkU32(N2, "coreOpts.N");
  const bits = log2(N2);
  if (!isPowerOfTwo(N2))
    throw new Error("FFT: Polynomial size should be power of two");
  checkU32(skipStages, "coreOpts.skipStages");
  const maxSkipStages = bits === 0 ? 0 : bits - 1;
  if (skipStages > maxSkipStages)
    throw new Error(`FFT: wrong skipStages: expected 0 <= skipStages <= ${maxSkipStages}`);
  if (roots.length !== N2)
    throw new Error(`FFT: wrong roots length: expected ${N2}, got ${roots.length}`);
  const isDit = dit !== invertButterflies;
  return (values) => {
    if (values.length !== N2)
      throw new Error("FFT: wrong Polynomial length");
    if (dit && brp)
      bitReversalInplace(values);
    for (let i = 0, g = 1; i < bits - skipStages; i++) {
      const s = dit ? i + 1 + skipStages : bits - i;
      const m = 1 << s;
      const m2 = m >> 1;
      const stride = N2 >> s;
      for (let k = 0; k < N2; k += m) {
        for (let j = 0, grp = g++; j < m2; j++) {
          const rootPos = invertButterflies ? dit ? N2 - grp : grp : j * stride;
          const i0 = k + j;
          const i1 = k + j + m2;
          const omega = roots[rootPos];
          const b = values[i1];
          const a = values[i0];
          if (isDit) {
            const t = F2.mul(b, omega);
            values[i0] = F2.add(a, t);
            values[i1] = F2.sub(a, t);
          } else if (invertButterflies) {
            values[i0] = F2.add(b, a);
            values[i1] = F2.mul(F2.sub(b, a), omega);
          } else {
            values[i0] = F2.add(a, b);
            values[i1] = F2.mul(F2.sub(a, b), omega);
          }
        }
      }
    }
    if (!dit && brp)
      bitReversalInplace(values);
    return values;
  };
};
const _0n$2 = /* @__PURE__ */ BigInt(0);
const _1n$2 = /* @__PURE__ */ BigInt(1);
const _2n$2 = /* @__PURE__ */ BigInt(2);
function cmask(P, swap) {
  return P + swap - (swap >> _1n$2 << _1n$2);
}
function cswap(P) {
  const offset = BigInt(6) * P;
  return (mask, x_2, x_3) => {
    const sum = x_2 + x_3;
    const d = offset + x_3 - x_2;
    const a = (d * mask + x_2) % P;
    return { x_2: a, x_3: sum - a };
  };
}
function validateOpts(curve) {
  validateObject(curve, {
    P: "bigint",
    type: "string",
    adjustScalarBytes: "function",
    powPminus2: "function"
  }, {
    randomBytes: "function",
    scalarMultBase: "function"
  });
  return Object.freeze({ ...curve });
}
function montgomery(curveDef) {
  const CURVE = validateOpts(curveDef);
  const { P, type, adjustScalarBytes: adjustScalarBytes2, powPminus2, randomBytes: rand } = CURVE;
  const mulBaseHook = CURVE.scalarMultBase;
  const is25519 = type === "x25519";
  if (!is25519 && type !== "x448")
    throw new Error("invalid type");
  const randomBytes_ = rand === void 0 ? randomBytes$1 : rand;
  const montgomeryBits = is25519 ? 255 : 448;
  const swap = cswap(P);
  const fieldLen = is25519 ? 32 : 56;
  const Gu = is25519 ? BigInt(9) : BigInt(5);
  const a24 = is25519 ? BigInt(121665) : BigInt(39081);
  const minScalar = is25519 ? _2n$2 ** BigInt(254) : _2n$2 ** BigInt(447);
  const maxAdded = is25519 ? BigInt(8) * (_2n$2 ** BigInt(251) - _1n$2) : BigInt(4) * (_2n$2 ** BigInt(445) - _1n$2);
  const maxScalar = minScalar + maxAdded + _1n$2;
  const modP = (n) => mod(n, P);
  const GuBytes = encodeU(Gu);
  function encodeU(u) {
    return numberToBytesLE(modP(u), fieldLen);
  }
  function decodeU(u) {
    const _u = copyBytes$1(abytes(u, fieldLen, "uCoordinate"));
    if (is25519)
      _u[31] &= 127;
    return modP(bytesToNumberLE(_u));
  }
  function decodeScalar(scalar) {
    return bytesToNumberLE(adjustScalarBytes2(copyBytes$1(abytes(scalar, fieldLen, "scalar"))));
  }
  const lowOrderU = new Set(is25519 ? [
    _0n$2,
    _1n$2,
    P - _1n$2,
    BigInt("325606250916557431795983626356110631294008115727848805560023387167927233504"),
    BigInt("39382357235489614581723060781553021112529911719440698176882885853963445705823")
  ] : [_0n$2, _1n$2, P - _1n$2]);
  function scalarMult(scalar, u) {
    const pointU = decodeU(u);
    if (lowOrderU.has(pointU))
      throw new Error("invalid private or public key received");
    const pu = montgomeryLadder(pointU, decodeScalar(scalar));
    if (pu === _0n$2)
      throw new Error("invalid private or public key received");
    return encodeU(pu);
  }
  function scalarMultBase(scalar) {
    if (mulBaseHook === void 0)
      return scalarMult(scalar, GuBytes);
    const k = decodeScalar(scalar);
    aInRange("scalar", k, minScalar, maxScalar);
    const pu = modP(mulBaseHook(k));
    if (pu === _0n$2)
      throw new Error("invalid private or public key received");
    return encodeU(pu);
  }
  const getPublicKey = scalarMultBase;
  const getSharedSecret = scalarMult;
  function montgomeryLadder(u, scalar) {
    aInRange("u", u, _0n$2, P);
    aInRange("scalar", scalar, minScalar, maxScalar);
    const k = scalar;
    const x_1 = u;
    let x_2 = _1n$2;
    let z_2 = _0n$2;
    let x_3 = u;
    let z_3 = _1n$2;
    const kx = k ^ k >> _1n$2;
    for (let t = BigInt(montgomeryBits - 1); t >= _0n$2; t--) {
      const mask2 = cmask(P, kx >> t);
      ({ x_2, x_3 } = swap(mask2, x_2, x_3));
      ({ x_2: z_2, x_3: z_3 } = swap(mask2, z_2, z_3));
      const A = x_2 + z_2;
      const AA = modP(A * A);
      const B2 = x_2 - z_2;
      const BB = modP(B2 * B2);
      const E = AA - BB;
      const C = x_3 + z_3;
      const D = x_3 - z_3;
      const DA = modP(D * A);
      const CB = modP(C * B2);
      const dacb = DA + CB;
      const da_cb = DA - CB;
      x_3 = modP(dacb * dacb);
      z_3 = modP(x_1 * modP(da_cb * da_cb));
      x_2 = modP(AA * BB);
      z_2 = modP(E * (AA + modP(a24 * E)));
    }
    const mask = cmask(P, k);
    ({ x_2, x_3 } = swap(mask, x_2, x_3));
    ({ x_2: z_2, x_3: z_3 } = swap(mask, z_2, z_3));
    const z2 = powPminus2(z_2);
    return modP(x_2 * z2);
  }
  const lengths = {
    secretKey: fieldLen,
    publicKey: fieldLen,
    seed: fieldLen
  };
  const randomSecretKey = (seed) => {
    seed = seed === void 0 ? randomBytes_(fieldLen) : seed;
    abytes(seed, lengths.seed, "seed");
    return seed;
  };
  const utils = { randomSecretKey };
  Object.freeze(lengths);
  Object.freeze(utils);
  return Object.freeze({
    keygen: createKeygen(randomSecretKey, getPublicKey),
    getSharedSecret,
    getPublicKey,
    scalarMult,
    scalarMultBase,
    utils,
    GuBytes: GuBytes.slice(),
    lengths
  });
}
const _0n$1 = /* @__PURE__ */ BigInt(0), _1n$1 = /* @__PURE__ */ BigInt(1), _2n$1 = /* @__PURE__ */ BigInt(2), _3n = /* @__PURE__ */ BigInt(3);
const _5n = /* @__PURE__ */ BigInt(5), _8n = /* @__PURE__ */ BigInt(8);
const ed25519_CURVE_p = /* @__PURE__ */ BigInt("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
const ed25519_CURVE = /* @__PURE__ */ (() => ({
  p: ed25519_CURVE_p,
  n: BigInt("0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"),
  h: _8n,
  a: BigInt("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
  d: BigInt("0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"),
  Gx: BigInt("0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"),
  Gy: BigInt("0x6666666666666666666666666666666666666666666666666666666666666658")
}))();
function ed25519_pow_2_252_3(x) {
  const _10n = BigInt(10), _20n = BigInt(20), _40n = BigInt(40), _80n = BigInt(80);
  const P = ed25519_CURVE_p;
  const x2 = x * x % P;
  const b2 = x2 * x % P;
  const b4 = pow2(b2, _2n$1, P) * b2 % P;
  const b5 = pow2(b4, _1n$1, P) * x % P;
  const b10 = pow2(b5, _5n, P) * b5 % P;
  const b20 = pow2(b10, _10n, P) * b10 % P;
  const b40 = pow2(b20, _20n, P) * b20 % P;
  const b80 = pow2(b40, _40n, P) * b40 % P;
  const b160 = pow2(b80, _80n, P) * b80 % P;
  const b240 = pow2(b160, _80n, P) * b80 % P;
  const b250 = pow2(b240, _10n, P) * b10 % P;
  const pow_p_5_8 = pow2(b250, _2n$1, P) * x % P;
  return { pow_p_5_8, b2 };
}
function adjustScalarBytes(bytes) {
  bytes[0] &= 248;
  bytes[31] &= 127;
  bytes[31] |= 64;
  return bytes;
}
const ED25519_SQRT_M1 = /* @__PURE__ */ BigInt("19681161376707505956807079304988542015446066515923890162744021073123829784752");
function uvRatio(u, v) {
  const P = ed25519_CURVE_p;
  const v3 = mod(v * v * v, P);
  const v7 = mod(v3 * v3 * v, P);
  const pow3 = ed25519_pow_2_252_3(u * v7).pow_p_5_8;
  let x = mod(u * v3 * pow3, P);
  const vx2 = mod(v * x * x, P);
  const root1 = x;
  const root2 = mod(x * ED25519_SQRT_M1, P);
  const useRoot1 = vx2 === u;
  const useRoot2 = vx2 === mod(-u, P);
  const noRoot = vx2 === mod(-u * ED25519_SQRT_M1, P);
  if (useRoot1)
    x = root1;
  if (useRoot2 || noRoot)
    x = root2;
  if (isNegativeLE(x, P))
    x = mod(-x, P);
  return { isValid: useRoot1 || useRoot2, value: x };
}
const ed25519_Point = /* @__PURE__ */ edwards(ed25519_CURVE, { uvRatio });
const x25519 = /* @__PURE__ */ (() => {
  const P = ed25519_CURVE_p;
  const powPminus2 = (x) => {
    const { pow_p_5_8, b2 } = ed25519_pow_2_252_3(x);
    return mod(pow2(pow_p_5_8, _3n, P) * b2, P);
  };
  return montgomery({
    P,
    type: "x25519",
    powPminus2,
    adjustScalarBytes,
    // ~3x faster fixed-base: [k]B on the birationally-equivalent Edwards curve using cached
    // base tables, mapped back via u = (1+y)/(1-y) = (Z+Y)/(Z-Y) with one Fermat inversion.
    // Same construction as libsodium's crypto_scalarmult_curve25519_base.
    scalarMultBase: (k) => {
      const kn = mod(k, ed25519_Point.Fn.ORDER);
      if (kn === _0n$1)
        return _0n$1;
      const p = ed25519_Point.BASE.multiply(kn);
      return mod((p.Z + p.Y) * powPminus2(mod(p.Z - p.Y, P)), P);
    }
  });
})();
const ed25519 = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Object.defineProperty({
  __proto__: null,
  x25519
}, Symbol.toStringTag, { value: "Module" }));
const _0n = BigInt(0);
const _1n = BigInt(1);
const _2n = BigInt(2);
const _7n = BigInt(7);
const _256n = BigInt(256);
const _0x71n = BigInt(113);
const SHA3_PI = [];
const SHA3_ROTL = [];
const _SHA3_IOTA = [];
for (let round = 0, R = _1n, x = 1, y = 0; round < 24; round++) {
  [x, y] = [y, (2 * x + 3 * y) % 5];
  SHA3_PI.push(2 * (5 * y + x));
  SHA3_ROTL.push((round + 1) * (round + 2) / 2 % 64);
  let t = _0n;
  for (let j = 0; j < 7; j++) {
    R = (R << _1n ^ (R >> _7n) * _0x71n) % _256n;
    if (R & _2n)
      t ^= _1n << (_1n << BigInt(j)) - _1n;
  }
  _SHA3_IOTA.push(t);
}
const IOTAS = split(_SHA3_IOTA, true);
const SHA3_IOTA_H = IOTAS[0];
const SHA3_IOTA_L = IOTAS[1];
const rotlSH = (h, l, s) => h << s | l >>> 32 - s;
const rotlSL = (h, l, s) => l << s | h >>> 32 - s;
const rotlBH = (h, l, s) => l << s - 32 | h >>> 64 - s;
const rotlBL = (h, l, s) => h << s - 32 | l >>> 64 - s;
const rotlH = (h, l, s) => s > 32 ? rotlBH(h, l, s) : rotlSH(h, l, s);
const rotlL = (h, l, s) => s > 32 ? rotlBL(h, l, s) : rotlSL(h, l, s);
const B = new Uint32Array(5 * 2);
function keccakP(s, rounds = 24) {
  if (!(s instanceof Uint32Array))
    throw new TypeError('"s" expected Uint32Array(50), got type=' + typeof s);
  if (s.length !== 50)
    throw new RangeError('"s" expected Uint32Array(50), got length=' + s.length);
  anumber$1(rounds, "rounds");
  if (rounds < 1 || rounds > 24)
    throw new Error('"rounds" expected integer 1..24');
  for (let round = 24 - rounds; round < 24; round++) {
    for (let x = 0; x < 10; x++)
      B[x] = s[x] ^ s[x + 10] ^ s[x + 20] ^ s[x + 30] ^ s[x + 40];
    for (let x = 0; x < 10; x += 2) {
      const idx1 = (x + 8) % 10;
      const idx0 = (x + 2) % 10;
      const B0 = B[idx0];
      const B1 = B[idx0 + 1];
      const Th = rotlH(B0, B1, 1) ^ B[idx1];
      const Tl = rotlL(B0, B1, 1) ^ B[idx1 + 1];
      for (let y = 0; y < 50; y += 10) {
        s[x + y] ^= Th;
        s[x + y + 1] ^= Tl;
      }
    }
    let curH = s[2];
    let curL = s[3];
    for (let t = 0; t < 24; t++) {
      const shift = SHA3_ROTL[t];
      const Th = rotlH(curH, curL, shift);
      const Tl = rotlL(curH, curL, shift);
      const PI = SHA3_PI[t];
      curH = s[PI];
      curL = s[PI + 1];
      s[PI] = Th;
      s[PI + 1] = Tl;
    }
    for (let y = 0; y < 50; y += 10) {
      const b0 = s[y], b1 = s[y + 1], b2 = s[y + 2], b3 = s[y + 3];
      s[y] ^= ~s[y + 2] & s[y + 4];
      s[y + 1] ^= ~s[y + 3] & s[y + 5];
      s[y + 2] ^= ~s[y + 4] & s[y + 6];
      s[y + 3] ^= ~s[y + 5] & s[y + 7];
      s[y + 4] ^= ~s[y + 6] & s[y + 8];
      s[y + 5] ^= ~s[y + 7] & s[y + 9];
      s[y + 6] ^= ~s[y + 8] & b0;
      s[y + 7] ^= ~s[y + 9] & b1;
      s[y + 8] ^= ~b0 & b2;
      s[y + 9] ^= ~b1 & b3;
    }
    s[0] ^= SHA3_IOTA_H[round];
    s[1] ^= SHA3_IOTA_L[round];
  }
  clean(B);
}
class Keccak {
  state;
  pos = 0;
  posOut = 0;
  finished = false;
  state32;
  destroyed = false;
  blockLen;
  suffix;
  outputLen;
  canXOF;
  enableXOF = false;
  rounds;
  // NOTE: we accept arguments in bytes instead of bits here.
  constructor(blockLen, suffix, outputLen, enableXOF = false, rounds = 24) {
    anumber$1(blockLen, "blockLen");
    anumber$1(suffix, "suffix");
    anumber$1(rounds, "rounds");
    abool$1(enableXOF, "enableXOF");
    this.blockLen = blockLen;
    this.suffix = suffix;
    this.outputLen = outputLen;
    this.enableXOF = enableXOF;
    this.canXOF = enableXOF;
    this.rounds = rounds;
    anumber$1(outputLen, "outputLen");
    if (!(0 < blockLen && blockLen < 200))
      throw new Error('"blockLen" must be 1..199');
    this.state = new Uint8Array(200);
    this.state32 = u32(this.state);
  }
  clone() {
    return this._cloneInto();
  }
  keccak() {
    swap32IfBE(this.state32);
    keccakP(this.state32, this.rounds);
    swap32IfBE(this.state32);
    this.posOut = 0;
    this.pos = 0;
  }
  update(data) {
    aexists(this);
    abytes$1(data);
    const { blockLen, state, state32 } = this;
    const len = data.length;
    const canUseU32 = blockLen % 4 === 0 && data.byteOffset % 4 === 0;
    const blockLen32 = blockLen / 4;
    const data32 = canUseU32 && len >= blockLen ? u32(data) : void 0;
    for (let pos = 0; pos < len; ) {
      if (data32 !== void 0 && this.pos === 0 && pos % 4 === 0 && len - pos >= blockLen) {
        for (let i = 0, o = pos / 4; i < blockLen32; i++)
          state32[i] ^= data32[o + i];
        pos += blockLen;
        this.pos = blockLen;
        this.keccak();
        continue;
      }
      const take = Math.min(blockLen - this.pos, len - pos);
      for (let i = 0; i < take; i++)
        state[this.pos++] ^= data[pos++];
      if (this.pos === blockLen)
        this.keccak();
    }
    return this;
  }
  finish() {
    if (this.finished)
      return;
    this.finished = true;
    const { state, suffix, pos, blockLen } = this;
    state[pos] ^= suffix;
    if ((suffix & 128) !== 0 && pos === blockLen - 1)
      this.keccak();
    state[blockLen - 1] ^= 128;
    this.keccak();
  }
  writeInto(out) {
    aexists(this, false);
    abytes$1(out);
    this.finish();
    const bufferOut = this.state;
    const { blockLen } = this;
    for (let pos = 0, len = out.length; pos < len; ) {
      if (this.posOut >= blockLen)
        this.keccak();
      const take = Math.min(blockLen - this.posOut, len - pos);
      out.set(bufferOut.subarray(this.posOut, this.posOut + take), pos);
      this.posOut += take;
      pos += take;
    }
    return out;
  }
  xofInto(out) {
    if (!this.enableXOF)
      throw new Error("XOF is not enabled");
    return this.writeInto(out);
  }
  xof(bytes) {
    anumber$1(bytes);
    return this.xofInto(new Uint8Array(bytes));
  }
  digestInto(out) {
    aoutput(out, this);
    if (this.finished)
      throw new Error("digest() was already called");
    this.writeInto(out.length === this.outputLen ? out : out.subarray(0, this.outputLen));
    this.destroy();
  }
  digest() {
    const out = new Uint8Array(this.outputLen);
    this.digestInto(out);
    return out;
  }
  destroy() {
    this.destroyed = true;
    clean(this.state);
  }
  _cloneInto(to) {
    const { blockLen, suffix, outputLen, rounds, enableXOF } = this;
    to ||= new Keccak(blockLen, suffix, outputLen, enableXOF, rounds);
    to.blockLen = blockLen;
    to.state32.set(this.state32);
    to.pos = this.pos;
    to.posOut = this.posOut;
    to.finished = this.finished;
    to.rounds = rounds;
    to.suffix = suffix;
    to.outputLen = outputLen;
    to.enableXOF = enableXOF;
    to.canXOF = this.canXOF;
    to.destroyed = this.destroyed;
    return to;
  }
}
const genKeccak = (suffix, blockLen, outputLen, info = {}) => createHasher(() => new Keccak(blockLen, suffix, outputLen), info);
const sha3_256 = /* @__PURE__ */ genKeccak(
  6,
  136,
  32,
  /* @__PURE__ */ oidNist(8)
);
const sha3_512 = /* @__PURE__ */ genKeccak(
  6,
  72,
  64,
  /* @__PURE__ */ oidNist(10)
);
const genShake = (suffix, blockLen, outputLen, info = {}) => createHasher((opts2 = {}) => {
  opts2 = checkOpts({}, opts2);
  return new Keccak(blockLen, suffix, opts2.dkLen === void 0 ? outputLen : opts2.dkLen, true);
}, info);
const shake128 = /* @__PURE__ */ genShake(31, 168, 16, /* @__PURE__ */ oidNist(11));
const shake256 = /* @__PURE__ */ genShake(31, 136, 32, /* @__PURE__ */ oidNist(12));
const abytesDoc = abytes$1;
const randomBytes = randomBytes$2;
function aarray(item, title, inner = () => {
}) {
  if (!Array.isArray(item))
    throw new TypeError(`"${title}" expected array, got type=${typeof item}`);
  for (let i = 0; i < item.length; i++)
    inner(item[i], `${title}[${i}]`);
  return item;
}
function equalBytes(a, b) {
  a = abytes$1(a);
  b = abytes$1(b);
  if (a.length !== b.length)
    return false;
  let diff = 0;
  for (let i = 0; i < a.length; i++)
    diff |= a[i] ^ b[i];
  return diff === 0;
}
function copyBytes(bytes) {
  return new Uint8Array(abytes$1(bytes));
}
function splitCoder(label, ...lengths) {
  const getLength = (c) => typeof c === "number" ? c : c.bytesLen;
  const bytesLen = lengths.reduce((sum, a) => sum + getLength(a), 0);
  return {
    bytesLen,
    encode: (bufs) => {
      const res = new Uint8Array(bytesLen);
      for (let i = 0, pos = 0; i < lengths.length; i++) {
        const c = lengths[i];
        const l = getLength(c);
        const b = typeof c === "number" ? bufs[i] : c.encode(bufs[i]);
        abytes$1(b, l, label);
        res.set(b, pos);
        if (typeof c !== "number")
          b.fill(0);
        pos += l;
      }
      return res;
    },
    decode: (buf) => {
      abytes$1(buf, bytesLen, label);
      const res = [];
      for (const c of lengths) {
        const l = getLength(c);
        const b = buf.subarray(0, l);
        res.push(typeof c === "number" ? b : c.decode(b));
        buf = buf.subarray(l);
      }
      return res;
    }
  };
}
function vecCoder(c, vecLen) {
  const coder = c;
  const bytesLen = vecLen * coder.bytesLen;
  return {
    bytesLen,
    encode: (u) => {
      const uArr = aarray(u, "u");
      if (uArr.length !== vecLen)
        throw new RangeError(`vecCoder.encode: wrong length=${uArr.length}. Expected: ${vecLen}`);
      const res = new Uint8Array(bytesLen);
      for (let i = 0, pos = 0; i < uArr.length; i++) {
        const b = coder.encode(uArr[i]);
        res.set(b, pos);
        b.fill(0);
        pos += b.length;
      }
      return res;
    },
    decode: (a) => {
      abytes$1(a, bytesLen);
      const r = [];
      for (let i = 0; i < a.length; i += coder.bytesLen)
        r.push(coder.decode(a.subarray(i, i + coder.bytesLen)));
      return r;
    }
  };
}
function cleanBytes(...list) {
  for (const t of list) {
    if (Array.isArray(t))
      for (const b of t)
        b.fill(0);
    else
      t.fill(0);
  }
}
function getMask(bits) {
  anumber$1(bits, "bits");
  if (bits > 32)
    throw new RangeError('"bits" expected <= 32, got ' + bits);
  return bits === 32 ? 4294967295 : ~(-1 << bits) >>> 0;
}
const genCrystals = (opts2) => {
  const { newPoly, N: N2, Q: Q2, F: F2, ROOT_OF_UNITY: ROOT_OF_UNITY2, brvBits } = opts2;
  const mod2 = (a, modulo = Q2) => {
    const result = a % modulo | 0;
    return (result >= 0 ? result | 0 : modulo + result | 0) | 0;
  };
  const smod = (a, modulo = Q2) => {
    const r = mod2(a, modulo) | 0;
    return (r > modulo >> 1 ? r - modulo | 0 : r) | 0;
  };
  function getZettas() {
    const out = newPoly(N2);
    for (let i = 0; i < N2; i++) {
      const b = reverseBits(i, brvBits);
      const p = BigInt(ROOT_OF_UNITY2) ** BigInt(b) % BigInt(Q2);
      out[i] = Number(p) | 0;
    }
    return out;
  }
  const nttZetas = getZettas();
  const inv = (_a) => {
    throw new Error("not implemented");
  };
  const field = {
    add: (a, b) => {
      const r = a + b | 0;
      return r >= Q2 ? r - Q2 | 0 : r;
    },
    sub: (a, b) => {
      const r = a - b | 0;
      return r < 0 ? r + Q2 | 0 : r;
    },
    mul: (a, b) => mod2((a | 0) * (b | 0)) | 0,
    inv
  };
  const nttOpts = {
    N: N2,
    roots: nttZetas,
    invertButterflies: true,
    skipStages: 1,
    brp: false
  };
  const dif = FFTCore(field, { dit: false, ...nttOpts });
  const dit = FFTCore(field, { dit: true, ...nttOpts });
  const NTT = {
    encode: (r) => {
      return dif(r);
    },
    decode: (r) => {
      dit(r);
      for (let i = 0; i < r.length; i++)
        r[i] = mod2(F2 * r[i]);
      return r;
    }
  };
  const bitsCoder = (d, c) => {
    for (let i = 0, bufLen = 0; i < N2; i++) {
      bufLen += d;
      if (bufLen > 32)
        getMask(bufLen);
      bufLen %= 8;
    }
    const mask = getMask(d);
    const bytesLen = d * (N2 / 8);
    return {
      bytesLen,
      encode: (poly_) => {
        const poly = poly_;
        const r = new Uint8Array(bytesLen);
        for (let i = 0, buf = 0, bufLen = 0, pos = 0; i < poly.length; i++) {
          buf |= (c.encode(poly[i]) & mask) << bufLen;
          bufLen += d;
          for (; bufLen >= 8; bufLen -= 8, buf >>= 8)
            r[pos++] = buf & 255;
        }
        return r;
      },
      decode: (bytes) => {
        const r = newPoly(N2);
        for (let i = 0, buf = 0, bufLen = 0, pos = 0; i < bytes.length; i++) {
          buf |= bytes[i] << bufLen;
          bufLen += 8;
          for (; bufLen >= d; bufLen -= d, buf >>= d)
            r[pos++] = c.decode(buf & mask);
        }
        return r;
      }
    };
  };
  return {
    mod: mod2,
    smod,
    nttZetas,
    NTT: {
      encode: (r) => NTT.encode(r),
      decode: (r) => NTT.decode(r)
    },
    bitsCoder
  };
};
const createXofShake = (shake) => (seed, blockLen) => {
  if (!blockLen)
    blockLen = shake.blockLen;
  const _seed = new Uint8Array(seed.length + 2);
  _seed.set(seed);
  const seedLen = seed.length;
  const buf = new Uint8Array(blockLen);
  let h = shake.create({});
  let calls = 0;
  let xofs = 0;
  return {
    stats: () => ({ calls, xofs }),
    get: (x, y) => {
      _seed[seedLen + 0] = x;
      _seed[seedLen + 1] = y;
      h.destroy();
      h = shake.create({}).update(_seed);
      calls++;
      return () => {
        xofs++;
        return h.xofInto(buf);
      };
    },
    clean: () => {
      h.destroy();
      cleanBytes(buf, _seed);
    }
  };
};
const XOF128 = /* @__PURE__ */ createXofShake(shake128);
const N = 256;
const Q = 3329;
const F = 3303;
const ROOT_OF_UNITY = 17;
const crystals = /* @__PURE__ */ genCrystals({
  N,
  Q,
  F,
  ROOT_OF_UNITY,
  newPoly: (n) => new Uint16Array(n),
  brvBits: 7
});
const PARAMS = /* @__PURE__ */ (() => Object.freeze({
  512: Object.freeze({ N, Q, K: 2, ETA1: 3, ETA2: 2, du: 10, dv: 4, RBGstrength: 128 }),
  768: Object.freeze({ N, Q, K: 3, ETA1: 2, ETA2: 2, du: 10, dv: 4, RBGstrength: 192 }),
  1024: Object.freeze({ N, Q, K: 4, ETA1: 2, ETA2: 2, du: 11, dv: 5, RBGstrength: 256 })
}))();
const compress = (d) => {
  if (d >= 12)
    return { encode: (i) => i, decode: (i) => i >= Q ? i - Q : i };
  const a = 2 ** (d - 1);
  return {
    // This only matches standalone Compress_d after bitsCoder masks the result into Z_(2^d).
    encode: (i) => ((i << d) + Q / 2) / Q,
    // const decompress = (i: number) => round((Q / 2 ** d) * i);
    decode: (i) => i * Q + a >>> d
  };
};
const byteCoder = (d) => crystals.bitsCoder(
  d,
  { encode: (i) => i, decode: (i) => i >= Q ? i - Q : i }
);
const polyCoder = (d) => d === 12 ? byteCoder(12) : crystals.bitsCoder(d, compress(d));
function polyAdd(a_, b_) {
  const a = a_;
  const b = b_;
  for (let i = 0; i < N; i++) {
    const r = a[i] + b[i];
    a[i] = r >= Q ? r - Q : r;
  }
}
function polySub(a_, b_) {
  const a = a_;
  const b = b_;
  for (let i = 0; i < N; i++) {
    const r = a[i] - b[i];
    a[i] = r < 0 ? r + Q : r;
  }
}
function BaseCaseMultiply(a0, a1, b0, b1, zeta) {
  const c0 = crystals.mod(crystals.mod(a1 * b1) * zeta + a0 * b0);
  const c1 = crystals.mod(a0 * b1 + a1 * b0);
  return { c0, c1 };
}
function MultiplyNTTs(f_, g_) {
  const f = f_;
  const g = g_;
  for (let i = 0; i < N / 2; i++) {
    let z = crystals.nttZetas[64 + (i >> 1)];
    if (i & 1)
      z = -z;
    const { c0, c1 } = BaseCaseMultiply(f[2 * i + 0], f[2 * i + 1], g[2 * i + 0], g[2 * i + 1], z);
    f[2 * i + 0] = c0;
    f[2 * i + 1] = c1;
  }
  return f;
}
function SampleNTT(xof_) {
  const xof = xof_;
  const r = new Uint16Array(N);
  for (let j = 0; j < N; ) {
    const b = xof();
    if (b.length % 3)
      throw new Error("SampleNTT: unaligned block");
    for (let i = 0; j < N && i + 3 <= b.length; i += 3) {
      const d1 = (b[i + 0] >> 0 | b[i + 1] << 8) & 4095;
      const d2 = (b[i + 1] >> 4 | b[i + 2] << 4) & 4095;
      if (d1 < Q)
        r[j++] = d1;
      if (j < N && d2 < Q)
        r[j++] = d2;
    }
  }
  return r;
}
const sampleCBDBytes = (buf, eta) => {
  const r = new Uint16Array(N);
  const b32 = u32(buf);
  swap32IfBE(b32);
  let len = 0;
  for (let i = 0, p = 0, bb = 0, t0 = 0; i < b32.length; i++) {
    let b = b32[i];
    for (let j = 0; j < 32; j++) {
      bb += b & 1;
      b >>= 1;
      len += 1;
      if (len === eta) {
        t0 = bb;
        bb = 0;
      } else if (len === 2 * eta) {
        r[p++] = crystals.mod(t0 - bb);
        bb = 0;
        len = 0;
      }
    }
  }
  swap32IfBE(b32);
  if (len)
    throw new Error(`sampleCBD: leftover bits: ${len}`);
  return r;
};
function sampleCBD(PRF_, seed, nonce2, eta) {
  const PRF = PRF_;
  return sampleCBDBytes(PRF(eta * N / 4, seed, nonce2), eta);
}
const genKPKE = (opts_) => {
  const opts2 = opts_;
  const { K: K2, PRF, XOF, HASH512, ETA1, ETA2, du, dv } = opts2;
  const poly1 = polyCoder(1);
  const polyV = polyCoder(dv);
  const polyU = polyCoder(du);
  const publicCoder = splitCoder("publicKey", vecCoder(polyCoder(12), K2), 32);
  const secretCoder = vecCoder(polyCoder(12), K2);
  const cipherCoder = splitCoder("ciphertext", vecCoder(polyU, K2), polyV);
  const seedCoder = splitCoder("seed", 32, 32);
  const encryptCore = (tHat, getA, msg, seed) => {
    const rHat = [];
    for (let i = 0; i < K2; i++)
      rHat.push(crystals.NTT.encode(sampleCBD(PRF, seed, i, ETA1)));
    const tmp2 = new Uint16Array(N);
    const u = [];
    for (let i = 0; i < K2; i++) {
      const e1 = sampleCBD(PRF, seed, K2 + i, ETA2);
      const tmp = new Uint16Array(N);
      for (let j = 0; j < K2; j++) {
        const aij = getA(i, j);
        polyAdd(tmp, MultiplyNTTs(aij, rHat[j]));
      }
      polyAdd(e1, crystals.NTT.decode(tmp));
      u.push(e1);
      polyAdd(tmp2, MultiplyNTTs(tHat[i], rHat[i]));
      cleanBytes(tmp);
    }
    const e2 = sampleCBD(PRF, seed, 2 * K2, ETA2);
    polyAdd(e2, crystals.NTT.decode(tmp2));
    const v = poly1.decode(msg);
    polyAdd(v, e2);
    cleanBytes(tHat, rHat, tmp2, e2);
    return cipherCoder.encode([u, v]);
  };
  return {
    secretCoder,
    lengths: {
      secretKey: secretCoder.bytesLen,
      publicKey: publicCoder.bytesLen,
      cipherText: cipherCoder.bytesLen
    },
    keygen: (seed) => {
      abytesDoc(seed, 32, "seed");
      const seedDst = new Uint8Array(33);
      seedDst.set(seed);
      seedDst[32] = K2;
      const seedHash = HASH512(seedDst);
      const [rho, sigma] = seedCoder.decode(seedHash);
      const sHat = [];
      const tHat = [];
      for (let i = 0; i < K2; i++)
        sHat.push(crystals.NTT.encode(sampleCBD(PRF, sigma, i, ETA1)));
      const x = XOF(rho);
      for (let i = 0; i < K2; i++) {
        const e = crystals.NTT.encode(sampleCBD(PRF, sigma, K2 + i, ETA1));
        for (let j = 0; j < K2; j++) {
          const aji = SampleNTT(x.get(j, i));
          polyAdd(e, MultiplyNTTs(aji, sHat[j]));
        }
        tHat.push(e);
      }
      x.clean();
      const res = {
        publicKey: publicCoder.encode([tHat, rho]),
        secretKey: secretCoder.encode(sHat)
      };
      cleanBytes(rho, sigma, sHat, tHat, seedDst, seedHash);
      return res;
    },
    encrypt: (publicKey, msg, seed) => {
      const [tHat, rho] = publicCoder.decode(publicKey);
      const x = XOF(rho);
      const res = encryptCore(tHat, (i, j) => SampleNTT(x.get(i, j)), msg, seed);
      x.clean();
      return res;
    },
    // Expands the full Â matrix (public data derived from rho) once, so repeated encryptions
    // against the same ek skip the K² SampleNTT XOF expansions. Cached polys are copied per
    // call because encryptCore mutates its inputs in place.
    prepare: (publicKey) => {
      const [tHat, rho] = publicCoder.decode(publicKey);
      const x = XOF(rho);
      const A = [];
      for (let i = 0; i < K2; i++)
        for (let j = 0; j < K2; j++)
          A.push(SampleNTT(x.get(i, j)));
      x.clean();
      return {
        encrypt: (msg, seed) => encryptCore(tHat.map((p) => p.slice()), (i, j) => A[i * K2 + j].slice(), msg, seed),
        clean: () => cleanBytes(tHat, A)
      };
    },
    decrypt: (cipherText, privateKey) => {
      const [u, v] = cipherCoder.decode(cipherText);
      const sk = secretCoder.decode(privateKey);
      const tmp = new Uint16Array(N);
      for (let i = 0; i < K2; i++)
        polyAdd(tmp, MultiplyNTTs(sk[i], crystals.NTT.encode(u[i])));
      polySub(v, crystals.NTT.decode(tmp));
      const res = poly1.encode(v);
      cleanBytes(tmp, sk, u, v);
      return res;
    }
  };
};
function createKyber(opts2) {
  const rawOpts = opts2;
  const KPKE = genKPKE(rawOpts);
  const { HASH256, HASH512, KDF } = rawOpts;
  const { secretCoder: KPKESecretCoder, lengths } = KPKE;
  const secretCoder = splitCoder("secretKey", lengths.secretKey, lengths.publicKey, 32, 32);
  const msgLen = 32;
  const seedLen = 64;
  const validateModulus = (publicKey, fn) => {
    const eke = publicKey.subarray(0, 384 * rawOpts.K);
    const ek = KPKESecretCoder.encode(KPKESecretCoder.decode(copyBytes(eke)));
    const ok = equalBytes(ek, eke);
    cleanBytes(ek);
    if (!ok)
      throw new Error(`ML-KEM.${fn}: wrong publicKey modulus`);
  };
  const kemLengths = Object.freeze({
    ...lengths,
    seed: 64,
    msg: msgLen,
    msgRand: msgLen,
    secretKey: secretCoder.bytesLen
  });
  return Object.freeze({
    info: Object.freeze({ type: "ml-kem" }),
    lengths: kemLengths,
    keygen: (seed) => {
      const ownSeed = seed === void 0;
      const s = ownSeed ? randomBytes(seedLen) : seed;
      let sk;
      let publicKeyHash;
      try {
        abytesDoc(s, seedLen, "seed");
        const keys = KPKE.keygen(s.subarray(0, 32));
        const publicKey = keys.publicKey;
        sk = keys.secretKey;
        publicKeyHash = HASH256(publicKey);
        const secretKey = secretCoder.encode([sk, publicKey, publicKeyHash, s.subarray(32)]);
        return {
          publicKey,
          secretKey
        };
      } finally {
        if (sk !== void 0)
          cleanBytes(sk);
        if (publicKeyHash !== void 0)
          cleanBytes(publicKeyHash);
        if (ownSeed)
          cleanBytes(s);
      }
    },
    getPublicKey: (secretKey) => {
      const [_sk, publicKey] = secretCoder.decode(secretKey);
      return Uint8Array.from(publicKey);
    },
    encapsulate: (publicKey, msg) => {
      const ownMsg = msg === void 0;
      const m = ownMsg ? randomBytes(msgLen) : msg;
      let kr;
      try {
        abytesDoc(publicKey, lengths.publicKey, "publicKey");
        abytesDoc(m, msgLen, "message");
        validateModulus(publicKey, "encapsulate");
        kr = HASH512.create().update(m).update(HASH256(publicKey)).digest();
        const cipherText = KPKE.encrypt(publicKey, m, kr.subarray(32, 64));
        return {
          cipherText,
          sharedSecret: kr.subarray(0, 32)
        };
      } finally {
        if (kr !== void 0)
          cleanBytes(kr.subarray(32));
        if (ownMsg)
          cleanBytes(m);
      }
    },
    decapsulate: (cipherText, secretKey) => {
      abytesDoc(secretKey, secretCoder.bytesLen, "secretKey");
      abytesDoc(cipherText, lengths.cipherText, "cipherText");
      const k768 = secretCoder.bytesLen - 96;
      const start = k768 + 32;
      const test = HASH256(secretKey.subarray(k768 / 2, start));
      if (!equalBytes(test, secretKey.subarray(start, start + 32)))
        throw new Error("invalid secretKey: hash check failed");
      const [sk, publicKey, publicKeyHash, z] = secretCoder.decode(secretKey);
      const msg = KPKE.decrypt(cipherText, sk);
      const kr = HASH512.create().update(msg).update(publicKeyHash).digest();
      const Khat = kr.subarray(0, 32);
      const cipherText2 = KPKE.encrypt(publicKey, msg, kr.subarray(32, 64));
      const isValid = equalBytes(cipherText, cipherText2);
      const Kbar = KDF.create({ dkLen: 32 }).update(z).update(cipherText).digest();
      cleanBytes(msg, cipherText2, kr.subarray(32), !isValid ? Khat : Kbar);
      return isValid ? Khat : Kbar;
    },
    /**
     * Experimental prototype: pre-expand a public key so repeated encapsulate/decapsulate
     * against the same key skip re-validation, H(ek), t̂ decoding and the K² SampleNTT
     * XOF expansions of Â. Only public data is cached; see {@link KEMPrepared}.
     */
    prepare: (publicKey) => {
      abytesDoc(publicKey, lengths.publicKey, "publicKey");
      validateModulus(publicKey, "prepare");
      const ek = copyBytes(publicKey);
      const publicKeyHash = HASH256(ek);
      const cached = KPKE.prepare(ek);
      return Object.freeze({
        publicKey: ek,
        encapsulate: (msg) => {
          const ownMsg = msg === void 0;
          const m = ownMsg ? randomBytes(msgLen) : msg;
          let kr;
          try {
            abytesDoc(m, msgLen, "message");
            kr = HASH512.create().update(m).update(publicKeyHash).digest();
            const cipherText = cached.encrypt(m, kr.subarray(32, 64));
            return {
              cipherText,
              sharedSecret: kr.subarray(0, 32)
            };
          } finally {
            if (kr !== void 0)
              cleanBytes(kr.subarray(32));
            if (ownMsg)
              cleanBytes(m);
          }
        },
        decapsulate: (cipherText, secretKey) => {
          abytesDoc(secretKey, secretCoder.bytesLen, "secretKey");
          abytesDoc(cipherText, lengths.cipherText, "cipherText");
          const [sk, ekEmbedded, storedHash, z] = secretCoder.decode(secretKey);
          if (!equalBytes(ekEmbedded, ek) || !equalBytes(storedHash, publicKeyHash))
            throw new Error("ML-KEM.decapsulate: secretKey does not match prepared publicKey");
          const msg = KPKE.decrypt(cipherText, sk);
          const kr = HASH512.create().update(msg).update(publicKeyHash).digest();
          const Khat = kr.subarray(0, 32);
          const cipherText2 = cached.encrypt(msg, kr.subarray(32, 64));
          const isValid = equalBytes(cipherText, cipherText2);
          const Kbar = KDF.create({ dkLen: 32 }).update(z).update(cipherText).digest();
          cleanBytes(msg, cipherText2, kr.subarray(32), !isValid ? Khat : Kbar);
          return isValid ? Khat : Kbar;
        },
        clean: cached.clean
      });
    }
  });
}
function shakePRF(dkLen, key, nonce2) {
  return shake256.create({ dkLen }).update(key).update(new Uint8Array([nonce2])).digest();
}
const opts = /* @__PURE__ */ (() => ({
  HASH256: sha3_256,
  HASH512: sha3_512,
  KDF: shake256,
  XOF: XOF128,
  PRF: shakePRF
}))();
const mk = (params) => createKyber({
  ...opts,
  ...params
});
const ml_kem768 = /* @__PURE__ */ (() => mk(PARAMS[768]))();
const mlKem = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Object.defineProperty({
  __proto__: null,
  PARAMS,
  ml_kem768
}, Symbol.toStringTag, { value: "Module" }));
