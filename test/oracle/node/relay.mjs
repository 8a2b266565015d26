// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// HTTPS to a relay whose certificate is known by the hash of its public key: https://host:port#sha256=…

import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import tls from 'node:tls';

export class Relay {
  #base;
  #trust;
  #agent;

  constructor(base, trust) {
    this.#base = base;
    this.#trust = trust;
    this.#agent = new https.Agent({ keepAlive: true, ...trust });
  }

  /** Looks at the relay's certificate, and trusts it alone if its public key has the hash that the URL names. */
  static async connect(address) {
    const url = new URL(address);
    const socket = tls.connect({ host: url.hostname, port: url.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    const certificate = new X509Certificate(raw);
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    const hash = createHash('sha256').update(spki).digest('hex');
    if (url.hash !== `#sha256=${hash}`) throw new Error(`the relay's public key has the hash ${hash}`);
    url.hash = '';
    return new Relay(url, { ca: certificate.toString(), checkServerIdentity: () => undefined });
  }

  close() {
    this.#agent.destroy();
  }

  get(path) {
    return this.#send('GET', path, {}, []);
  }

  /** Posts the pieces of body, with a content type and no other field of ours. */
  post(path, type, body) {
    return this.#send('POST', path, { 'content-type': type }, body);
  }

  /** Posts the beginning of a body, and goes away when it is sent. */
  async abandon(path, type, beginning) {
    const options = { ...this.#trust, agent: false, method: 'POST', headers: { 'content-type': type } };
    const req = https.request(new URL(path, this.#base), options);
    const closed = new Promise((resolve) => req.once('close', resolve));
    req.on('error', () => {}); // our own going away
    await new Promise((resolve) => req.write(beginning, resolve));
    req.destroy();
    await closed;
  }

  async #send(method, path, headers, body) {
    const req = https.request(new URL(path, this.#base), { agent: this.#agent, method, headers });
    const response = once(req, 'response');
    response.catch(() => {}); // it is awaited below, perhaps after it failed
    if (Buffer.isBuffer(body)) {
      req.end(body);
    } else {
      for await (const piece of body) req.write(piece);
      req.end();
    }
    const [res] = await response;
    return res;
  }
}

/** All of a body. */
export async function collect(body) {
  const parts = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
