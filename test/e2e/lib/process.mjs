// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The processes that run.sh started: kill one, and start it again as it was. Its logs go on in the same files, and
// run.sh finds it by the pid file, as before.

import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { operatorKey, runDir, until } from './network.mjs';

const KEYS = { OPENAI_API_KEY: operatorKey, ANTHROPIC_API_KEY: operatorKey, GEMINI_API_KEY: operatorKey, OLLAMA_API_KEY: operatorKey };

const file = (name, kind) => join(runDir, `${name}.${kind}`);

/** kill ends a process at once, with no chance to say goodbye, and returns when it is gone. */
export async function kill(name) {
  const pid = Number(readFileSync(file(name, 'pid'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  await until(`the ${name} is gone`, 5000, () => !alive(pid));
}

/** start runs a process that was killed, with the arguments it had. */
export function start(name) {
  const argv = readFileSync(file(name, 'argv'), 'utf8').split('\0').slice(0, -1);
  const [out, log] = [openSync(file(name, 'out'), 'a'), openSync(file(name, 'log'), 'a')];
  const env = name === 'exit' ? { ...process.env, ...KEYS } : process.env;
  const child = spawn(argv[0], argv.slice(1), { env, detached: true, stdio: ['ignore', out, log] });
  child.unref();
  closeSync(out);
  closeSync(log);
  writeFileSync(file(name, 'pid'), String(child.pid));
}

/** alive reports whether a process runs. One that ended and that its parent has not yet asked about does not. */
function alive(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z';
  } catch {
    return false;
  }
}
