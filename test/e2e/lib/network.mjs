// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What run.sh started, as the tests see it: addresses, secrets that were planted, and the recorder behind the exit.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** The client's URL, the recorder's, a real Ollama's ('' when there is none), and the directory of logs and pids. */
export const clientURL = required('E2E_CLIENT_URL');
export const backendURL = required('E2E_BACKEND_URL');
export const realURL = process.env.TOKENGO_REAL_BACKEND ?? '';
export const runDir = required('E2E_DIR');

/** The credential that tools send, the exit operator's own, and a header that tools send: none may travel further. */
export const toolKey = `sk-canary-${required('E2E_CANARY')}`;
export const operatorKey = required('E2E_OPERATOR_KEY');
export const plantedHeader = `header-canary-${required('E2E_CANARY')}`;
/** In every prompt, so that no log may contain it. */
export const promptCanary = `prompt-canary-${required('E2E_CANARY')}`;

function required(name) {
  assert.ok(process.env[name], `${name} is not set: start the tests with run.sh`);
  return process.env[name];
}

/** prompt makes a prompt that nobody made before, of always as many words. */
export const prompt = (text) => `${text} e2e ${promptCanary} ${randomUUID()}`;

/** until waits for what probe returns to be true, and fails with what after ms milliseconds. */
export async function until(what, ms, probe) {
  for (const deadline = Date.now() + ms; ; await pause(20)) {
    const value = await probe();
    if (value) return value;
    assert.ok(Date.now() < deadline, `${what}: not within ${ms} ms`);
  }
}

async function control(method, what, params) {
  const res = await fetch(`${backendURL}/__e2e/${what}?${new URLSearchParams(params)}`, { method });
  assert.equal(res.status, 200, `recorder: ${what}`);
  return res;
}

/** backend is the recorder: see backend.mjs. */
export const backend = {
  seen: async (text) => (await control('GET', 'seen', { text })).json(),
  hold: (text) => control('POST', 'hold', { text }),
  release: (text, n = 1) => control('POST', 'release', { text, n }),
  /** once returns the one request that contains text, when its answer is over. */
  async once(text) {
    const found = await until('the backend answers', 5000, async () => {
      const all = await this.seen(text);
      return all.length > 0 && all.every((e) => e.answer || e.cutAt) && all;
    });
    assert.equal(found.length, 1, 'requests that reached the backend');
    return found[0];
  },
};
