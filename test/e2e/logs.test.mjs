// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// After everything else: what the three processes wrote, at debug level, while they served all of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { check } from './lib/check.mjs';
import { operatorKey, plantedHeader, promptCanary, realURL, runDir, toolKey } from './lib/network.mjs';

const SECRETS = {
  'the prompt': promptCanary,
  "the tool's key": toolKey,
  "the operator's key": operatorKey,
  "a tool's header": plantedHeader,
  "the mock's answer": 'third-party mock: na',
  "the demo backend's answer": '[demo]',
};

for (const role of ['relay', 'exit', 'client', ...(realURL ? ['exit-real'] : [])]) {
  describe(`the ${role}'s log`, () => {
    const log = ['out', 'log'].map((kind) => readFileSync(join(runDir, `${role}.${kind}`), 'utf8')).join('\n');

    check('has something in it', () => assert.match(log, /level=(DEBUG|INFO)/));

    for (const [what, secret] of Object.entries(SECRETS)) {
      check(`has nothing of ${what}`, () => {
        const line = log.split('\n').find((l) => l.includes(secret));
        assert.equal(line, undefined);
      });
    }
  });
}
