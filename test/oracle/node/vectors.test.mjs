// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The oracle itself, held against the examples that the specifications print.

import assert from 'node:assert/strict';
import test from 'node:test';
import { BHttpDecoder, BHttpEncoder } from 'bhttp-js';
import { knownRequest, readResponse } from './bhttp.mjs';
import { AES_128_GCM, CHUNKED, newRequest, parseKeys, WHOLE } from './ohttp.mjs';
import { collect } from './relay.mjs';

const hex = (s) => Buffer.from(s.replaceAll(/\s/g, ''), 'hex');
const request = hex('00034745540568747470730b6578616d706c652e636f6d012f');
const response = hex('0140c8');
const keyList = (config) => Buffer.concat([Buffer.from([0, config.length]), config]);

async function* trickle(bytes) {
  for (const b of bytes) yield Buffer.from([b]);
}

test('RFC 9458 appendix A', async () => {
  const [config] = parseKeys(
    keyList(hex('01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003')),
  );
  const ephemeral = hex('bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73');
  const sealed = await newRequest(config, AES_128_GCM, WHOLE, ephemeral);
  assert.equal(
    (await sealed.whole(request)).toString('hex'),
    '010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472' +
      '6374e469135906992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525',
  );
  const opened = sealed.open(trickle(hex('c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd')));
  assert.deepEqual(await collect(opened), response);
});

test('draft-ietf-ohai-chunked-ohttp-08 appendix A', async () => {
  const [config] = parseKeys(
    keyList(hex('010020668eb21aace159803974a4c67f08b4152d29bed10735fd08f98ccdd6fe09570800080001000100010003')),
  );
  const ephemeral = hex('b26d565f3f875ed480d1abced3d665159650c99174fd0b124ac4bda0c64ae324');
  const sealed = await newRequest(config, AES_128_GCM, CHUNKED, ephemeral);
  const parts = [sealed.header, await sealed.chunk(request.subarray(0, 12)), await sealed.chunk(request.subarray(12)), await sealed.last()];
  assert.equal(
    Buffer.concat(parts).toString('hex'),
    '010020000100018811eb457e100811c40a0aa71340a1b81d804bb986f736f2f566a7199761a032' +
      '1c2ad24942d4d692563012f2980c8fef437a336b9b2fc938ef77a5834f' +
      '1d2e33d8fd25577afe31bd1c79d094f76b6250ae6549b473ecd950501311' +
      '001c6c1395d0ef7c1022297966307b8a7f',
  );
  const answer = hex(
    'bcce7f4cb921309ba5d62edf1769ef09 1179bf1cc87fa0e2c02de4546945aa3d1e48' +
      '12b348b5bd4c594c16b6170b07b475845d1f32 00ed9d8a796617a5b27265f4d73247f639',
  );
  const lengths = [];
  for await (const chunk of sealed.open(trickle(answer))) lengths.push(chunk.length);
  assert.deepEqual(lengths, [1, 2, 0]);
  for (let n = 0; n < answer.length; n++) {
    await assert.rejects(collect(sealed.open(trickle(answer.subarray(0, n)))), `cut after ${n} bytes`);
  }
});

test('Binary HTTP as bhttp-js has it', async () => {
  const body = Buffer.from('x'.repeat(70));
  const theirs = await new BHttpEncoder().encodeRequest(
    new Request('https://example.com/v1/models', { method: 'POST', headers: { 'content-type': 'text/plain' }, body }),
  );
  const ours = knownRequest({ authority: 'example.com', path: '/v1/models', fields: { 'content-type': 'text/plain' }, body });
  assert.deepEqual(ours, Buffer.from(theirs));
  assert.equal(new BHttpDecoder().decodeResponse(new Uint8Array(response)).status, (await readResponse(trickle(response))).status);
});

test('a strict client rejects a list with what it does not know', () => {
  const config = hex('01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003');
  const unknown = Buffer.from(config);
  unknown[2] = 0x21;
  assert.throws(() => parseKeys(Buffer.concat([keyList(config), keyList(unknown)])), /unknown KEM/);
  assert.throws(() => parseKeys(keyList(config).subarray(0, -1)), /truncated/);
  assert.throws(() => parseKeys(Buffer.concat([keyList(config), Buffer.from([0])])), /truncated/);
  assert.throws(() => parseKeys(Buffer.alloc(0)), /empty/);
});
