// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Ends as soon as the client knows every exit, and fails when it does not within 20 seconds.

import { setTimeout as pause } from 'node:timers/promises';
import { PROTOCOLS, url } from './network.mjs';

const models = async () => {
  const res = await fetch(`${url}/v1/models`).catch(() => null);
  return res?.ok ? (await res.json()).data.map((m) => m.id) : [];
};

const want = [...PROTOCOLS.map((p) => `scripted-${p}`), 'scripted-chat', 'demo-gpt'];
let have = [];
for (const deadline = Date.now() + 20_000; !want.every((m) => have.includes(m)); have = await models()) {
  if (Date.now() > deadline) throw new Error(`the client offers ${have}, want ${want}`);
  await pause(50);
}
