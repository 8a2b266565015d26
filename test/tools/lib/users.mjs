// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Made-up users, each with a mark in everything that is theirs: name, home, git identity and remote, keys, host variable.

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dir, required, url } from './network.mjs';

/** user makes one, with a home that holds a repository. */
export function user(first) {
  const mark = randomBytes(4).toString('hex');
  const name = `${first}${mark}`;
  const home = join(mkdtempSync(join(dir, 'users-')), name);
  const work = join(home, 'work');
  const tmp = join(home, 'tmp');
  for (const d of [home, work, tmp]) mkdirSync(d);
  const u = {
    mark, name, home, work, key: `sk-planted-${mark}`,
    env: { PATH: process.env.PATH, HOME: home, USER: name, LOGNAME: name, HOSTNAME: `host-${mark}`, TMPDIR: tmp, TERM: 'dumb', LANG: 'C.UTF-8' },
  };
  const git = (...args) => execFileSync('git', args, { cwd: work, env: { ...u.env, GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z', GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z' }, stdio: 'ignore' });
  git('config', '--global', 'user.name', `${first} Planted${mark}`);
  git('config', '--global', 'user.email', `${name}@planted-${mark}.io`);
  git('config', '--global', 'init.defaultBranch', 'main');
  git('init');
  git('remote', 'add', 'origin', `git@git.planted-${mark}.io:team-${mark}/secret-${mark}.git`);
  writeFileSync(join(work, 'README.md'), 'A project.\n');
  git('add', '.');
  git('commit', '-m', 'first');
  return u;
}

/** withClient runs do with the URL of a client of the user's own, started in their repository. */
export async function withClient(u, flags, run) {
  const child = spawn(required('TOOLS_BIN'), ['client', '--relay', required('TOOLS_RELAY'), '--listen', '127.0.0.1:0', ...flags], { cwd: u.work, env: u.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (s) => { err += s; });
  const closed = new Promise((resolve) => { child.on('close', resolve); });
  try {
    const own = await new Promise((resolve, reject) => {
      child.stdout.setEncoding('utf8').once('data', (s) => resolve(s.trim()));
      child.on('close', () => reject(new Error(`the client ended: ${err}`)));
    });
    await ready(own);
    return await run(own);
  } finally {
    child.kill('SIGTERM');
    await closed;
  }
}

/** ready waits until a client knows as many models as the one that run.sh started. */
async function ready(own) {
  const count = async (base) => (await (await fetch(`${base}/v1/models`)).json()).data.length;
  const want = await count(url);
  for (const deadline = Date.now() + 20_000; await count(own) < want; await pause(50)) {
    if (Date.now() > deadline) throw new Error('a client does not learn of the exits');
  }
}
