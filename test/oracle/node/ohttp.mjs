// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The client's half of Oblivious HTTP, from the text of RFC 9458 ("section") and of
// draft-ietf-ohai-chunked-ohttp-08 ("draft section").

import { createDecipheriv, createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { Aes128Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519';
import { XWing } from '@hpke/hybridkem-x-wing';
import { ByteReader, varint } from './reader.mjs';

export const X25519 = 0x0020;
export const X_WING = 0x647a;
export const HKDF_SHA256 = 0x0001;
export const AES_128_GCM = 0x0001;
export const CHACHA20_POLY1305 = 0x0003;

const KEMS = new Map([
  [X25519, { npk: 32, make: () => new DhkemX25519HkdfSha256() }],
  [X_WING, { npk: 1216, make: () => new XWing() }],
]);
const AEADS = new Map([
  [AES_128_GCM, { nk: 16, nn: 12, cipher: 'aes-128-gcm', make: () => new Aes128Gcm() }],
  [CHACHA20_POLY1305, { nk: 32, nn: 12, cipher: 'chacha20-poly1305', make: () => new Chacha20Poly1305() }],
]);
const TAG = 16;
const NOTHING = Buffer.alloc(0);
const FINAL = Buffer.from('final');

/** The largest plaintext that every receiver accepts in a chunk (draft section 3). */
export const MAX_CHUNK = 16384;

export const WHOLE = { request: 'message/ohttp-req', response: 'message/ohttp-res', label: 'message/bhttp' };
export const CHUNKED = { request: 'message/ohttp-chunked-req', response: 'message/ohttp-chunked-res', label: 'message/bhttp chunked' };

const u16 = (v) => Buffer.from([v >> 8, v & 0xff]);

/** Parses application/ohttp-keys (section 3.2). It is strict: whatever it does not know, it rejects. */
export function parseKeys(list) {
  const configs = [];
  for (let rest = Buffer.from(list); rest.length > 0; ) {
    if (rest.length < 2 || rest.length < 2 + rest.readUInt16BE(0)) throw new Error('key list: truncated');
    const config = rest.subarray(2, 2 + rest.readUInt16BE(0));
    rest = rest.subarray(2 + config.length);
    configs.push(parseKey(config));
  }
  if (configs.length === 0) throw new Error('key list: empty');
  return configs;
}

/** Parses one key configuration (section 3.1). */
function parseKey(config) {
  if (config.length < 3) throw new Error('key configuration: truncated');
  const kem = config.readUInt16BE(1);
  if (!KEMS.has(kem)) throw new Error(`key configuration: unknown KEM ${kem}`);
  const algorithms = 3 + KEMS.get(kem).npk;
  if (config.length < algorithms + 2) throw new Error('key configuration: truncated');
  const length = config.readUInt16BE(algorithms);
  if (length === 0 || length % 4 !== 0 || config.length !== algorithms + 2 + length) throw new Error('key configuration: algorithms');
  const suites = [];
  for (let at = algorithms + 2; at < config.length; at += 4) {
    suites.push({ kdf: config.readUInt16BE(at), aead: config.readUInt16BE(at + 2) });
  }
  return { id: config[0], kem, publicKey: config.subarray(3, algorithms), suites };
}

/**
 * Begins a request to the key in config, with an AEAD of its choice (section 4.3; draft section 6.1). ephemeral is only for test
 * vectors.
 */
export async function newRequest(config, aead, format, ephemeral) {
  const { kem, id, publicKey } = config;
  const suite = new CipherSuite({ kem: KEMS.get(kem).make(), kdf: new HkdfSha256(), aead: AEADS.get(aead).make() });
  const header = Buffer.concat([Buffer.from([id]), u16(kem), u16(HKDF_SHA256), u16(aead)]);
  const info = Buffer.concat([Buffer.from(`${format.label} request`), Buffer.from([0]), header]);
  const sender = await suite.createSenderContext({
    recipientPublicKey: await suite.kem.deserializePublicKey(publicKey),
    info,
    ...(ephemeral && { ekm: await keyPair(suite.kem, ephemeral) }),
  });
  return new SealedRequest(sender, header, AEADS.get(aead), format);
}

/** The X25519 key pair of a secret key in a test vector. */
async function keyPair(kem, secret) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), secret]);
  const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({ type: 'spki', format: 'der' });
  const publicKey = await kem.deserializePublicKey(spki.subarray(-32));
  return { privateKey: await kem.deserializePrivateKey(secret), publicKey };
}

class SealedRequest {
  #sender;
  #aead;
  #format;

  constructor(sender, header, aead, format) {
    this.#sender = sender;
    this.#aead = aead;
    this.#format = format;
    this.enc = Buffer.from(sender.enc);
    /** What comes first: the header and the encapsulated key. */
    this.header = Buffer.concat([header, this.enc]);
  }

  async seal(plaintext, aad) {
    return Buffer.from(await this.#sender.seal(plaintext, aad));
  }

  /** The unchunked request (section 4.1). */
  async whole(plaintext) {
    return Buffer.concat([this.header, await this.seal(plaintext, NOTHING)]);
  }

  /** A chunk that is not the last one (draft section 6.1). */
  async chunk(plaintext) {
    const sealed = await this.seal(plaintext, NOTHING);
    return Buffer.concat([varint(sealed.length), sealed]);
  }

  /** The last chunk. */
  async last(plaintext = NOTHING) {
    return Buffer.concat([varint(0), await this.seal(plaintext, FINAL)]);
  }

  /** The chunked request, cut into chunks of size bytes of plaintext. */
  async chunked(plaintext, size = MAX_CHUNK) {
    const parts = [this.header];
    let at = 0;
    for (; plaintext.length - at > size; at += size) parts.push(await this.chunk(plaintext.subarray(at, at + size)));
    parts.push(await this.last(plaintext.subarray(at)));
    return Buffer.concat(parts);
  }

  /** Opens the response: yields its plaintext, chunk by chunk as they arrive, and ends only if it is whole. */
  async *open(source) {
    const { nn, nk, cipher } = this.#aead;
    const reader = new ByteReader(source);
    const size = Math.max(nn, nk);
    const nonce = await reader.bytes(size);
    const secret = Buffer.from(await this.#sender.export(Buffer.from(`${this.#format.label} response`), size));
    const expand = (label, n) => Buffer.from(hkdfSync('sha256', secret, Buffer.concat([this.enc, nonce]), label, n));
    const key = expand('key', nk);
    const base = expand('nonce', nn);
    const open = (counter, sealed, aad) => unseal(cipher, key, xor(base, counter), aad, sealed);
    if (this.#format === WHOLE) {
      yield open(0, await reader.rest(), NOTHING);
      return;
    }
    let counter = 0;
    for (let length; (length = await reader.varint()) !== 0; counter++) {
      if (length > MAX_CHUNK + TAG) throw new Error(`chunk of ${length} bytes`);
      const plaintext = open(counter, await reader.bytes(length), NOTHING);
      if (plaintext.length === 0) throw new Error('empty chunk that is not the last');
      yield plaintext;
    }
    const last = open(counter, await reader.rest(), FINAL);
    if (last.length > MAX_CHUNK) throw new Error(`last chunk of ${last.length} bytes`);
    yield last;
  }
}

/** The nonce XOR the counter, as a number of as many bytes. */
function xor(nonce, counter) {
  const out = Buffer.from(nonce);
  out.writeUInt32BE((out.readUInt32BE(out.length - 4) ^ counter) >>> 0, out.length - 4);
  return out;
}

function unseal(cipher, key, nonce, aad, sealed) {
  if (sealed.length < TAG) throw new Error('truncated: no authentication tag');
  const d = createDecipheriv(cipher, key, nonce, { authTagLength: TAG });
  d.setAAD(aad, { plaintextLength: sealed.length - TAG });
  d.setAuthTag(sealed.subarray(-TAG));
  return Buffer.concat([d.update(sealed.subarray(0, -TAG)), d.final()]);
}
