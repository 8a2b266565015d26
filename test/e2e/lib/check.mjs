// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

import { test } from 'node:test';

const LIMIT = 20_000; // ms; the slowest takes 3 on two cores

/** check is a test that fails when it hangs. (A timeout of describe is for all of its tests together.) */
export function check(name, ...rest) {
  const run = rest.pop();
  test(name, { timeout: LIMIT, ...rest[0] }, run);
}
