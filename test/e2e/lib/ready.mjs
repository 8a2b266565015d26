// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Ends as soon as the client reaches every exit, and fails when it does not within 20 seconds.

import { realURL, until } from './network.mjs';
import { REAL_PROTOCOLS, over } from './real.mjs';
import { tools } from './tools.mjs';

await until('the client reaches the exit', 20_000, async () => {
  const offers = await Promise.all(tools.map(async (t) => (await t.list()).includes(t.models.mock)));
  return offers.every(Boolean);
});
if (realURL) {
  await until('the client reaches the exit before the real server', 20_000, async () => {
    const names = await tools[0].list();
    return REAL_PROTOCOLS.every((p) => names.some((n) => n.endsWith(over('', p))));
  });
}
