// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What the SDKs put on the wire and got from it. Import this before an SDK's client is made: it stands in for fetch.

import { createHash } from 'node:crypto';

const real = globalThis.fetch;
let watching = null;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function bodyOf(input, init) {
  if (input instanceof Request) return Buffer.from(await input.clone().arrayBuffer());
  return Buffer.from(await new Response(init?.body ?? '').arrayBuffer());
}

globalThis.fetch = async (input, init) => {
  const exchange = watching;
  if (!exchange) return real(input, init);
  const sent = await bodyOf(input, init);
  const res = await real(input, init);
  const copy = res.clone();
  exchange.push({
    sent: sha256(sent), length: sent.length, status: res.status,
    received: copy.arrayBuffer().then((b) => sha256(Buffer.from(b))),
  });
  return res;
};

/** watch runs do and returns the one exchange that it made: hashes of what was sent and received. */
export async function watch(run) {
  const exchanges = [];
  watching = exchanges;
  try {
    await run();
  } finally {
    watching = null;
  }
  if (exchanges.length !== 1) throw new Error(`${exchanges.length} exchanges, want 1`);
  const [{ received, ...rest }] = exchanges;
  return { ...rest, received: await received };
}
