// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Two exits of a test's own, with the same model before the scripted backend, that can be killed and started again; and
// a tap between a tool and the client, which sees the turns of a session and which exit answers each.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dir, required, url } from './network.mjs';

const READY = 20_000; // ms

/** Exit is the process of an exit, with an identity that outlives it. */
class Exit {
  constructor(flags) {
    this.argv = ['exit', '--relay', required('TOOLS_RELAY'), '--state-dir', mkdtempSync(join(dir, 'pair-')), ...flags];
  }

  /** start returns when the exit is registered; hash is then the beginning of its keys' hash. */
  async start() {
    const child = spawn(required('TOOLS_BIN'), this.argv, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', GEMINI_API_KEY: 'x' } });
    this.child = child;
    this.closed = new Promise((resolve) => { child.on('close', resolve); });
    this.hash = await new Promise((resolve, reject) => {
      let log = '';
      child.stderr.setEncoding('utf8').on('data', (s) => {
        log += s;
        const hash = /registered with a relay.* exit=([0-9a-f]+)/.exec(log)?.[1];
        if (hash) resolve(hash);
      });
      child.on('close', () => reject(new Error(`an exit ended: ${log}`)));
    });
  }

  /** kill ends it at once, with no chance to say goodbye. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.closed;
  }
}

/** withPair runs do with two exits that have a model nobody else has: {model, at(hash), other(exit)}. */
export async function withPair(protocol, run) {
  const model = `pair-${protocol}-${randomUUID().slice(0, 8)}`;
  const flags = ['--backend', `${protocol}=${required('TOOLS_BACKEND')}`, '--model', `${protocol}=${model}`];
  const exits = [new Exit(flags), new Exit(flags)];
  try {
    await Promise.all(exits.map((e) => e.start()));
    await listed(model);
    return await run({
      model,
      at: (hash) => exits.find((e) => hash?.startsWith(e.hash)) ?? assert.fail(`exit ${hash} is neither of ${exits.map((e) => e.hash)}`),
      other: (exit) => exits.find((e) => e !== exit),
    });
  } finally {
    await Promise.all(exits.map((e) => e.kill()));
  }
}

async function listed(model) {
  const ids = async () => (await (await fetch(`${url}/v1/models`)).json()).data.map((m) => m.id);
  for (const deadline = Date.now() + READY; !(await ids()).includes(model); await pause(50)) {
    assert.ok(Date.now() < deadline, `the client does not learn of ${model}`);
  }
}

/**
 * withTap runs do with the URL of a server that hands everything to the client and back. Requests that offer tools are
 * turns: {exit, status, complete}. before(turns) is awaited before one is handed on, begun(turn, turns) when the first
 * bytes of its answer have come. It returns the turns.
 */
export async function withTap({ before, begun }, run) {
  const turns = [];
  const server = http.createServer((req, res) => {
    forward(req, res).catch(() => res.destroy());
  });
  async function forward(req, res) {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const turn = offersTools(body) ? { complete: false } : null;
    if (turn) {
      await before(turns);
      turns.push(turn);
    }
    const answer = await ask(req, body, res);
    if (turn) Object.assign(turn, { status: answer.statusCode, exit: answer.headers['x-tokengo-exit'] });
    res.writeHead(answer.statusCode, answer.headers);
    for await (const chunk of answer) {
      await new Promise((done) => { res.write(chunk, done); });
      if (turn && !turn.begun) {
        turn.begun = true;
        await begun(turn, turns);
      }
    }
    if (turn) turn.complete = true;
    res.end();
  }
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  try {
    await run(`http://127.0.0.1:${server.address().port}`);
    return turns;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** ask hands a request on, and gives it up when the tool goes away. */
function ask(req, body, res) {
  return new Promise((resolve, reject) => {
    const headers = { ...req.headers, host: new URL(url).host, 'content-length': body.length };
    delete headers['transfer-encoding'];
    const out = http.request(url + req.url, { method: req.method, headers }, resolve);
    out.on('error', reject);
    res.on('close', () => out.destroy());
    out.end(body);
  });
}

function offersTools(body) {
  try {
    return JSON.parse(body).tools?.length > 0;
  } catch {
    return false;
  }
}
