// An OpenID Connect provider for the tests: two issuers, each with keys of its own, over TLS.
//
// AFTERCARE_TEST_OIDC: where npm has put oidc-provider. PEOPLE: JSON, client ids and the claims of their tokens.
// CERTIFICATE, KEY: PEM files; NODE_EXTRA_CA_CERTS: who vouches for them. Reads one JSON command per line, answers
// each with a line, and ends with its standard input:
//   {"do": "token", "who": ID, "issuer": 0 | 1, "audience": NAME}     a token, by client credentials
//   {"do": "rotate", "keep": true | false, "algorithm": "ES256" …}     sign with a new key; keep the old ones or not

import { createRequire } from 'node:module';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const from = createRequire(join(process.env.AFTERCARE_TEST_OIDC, 'package.json'));
const { Provider } = await import(pathToFileURL(from.resolve('oidc-provider')));

const people = JSON.parse(process.env.PEOPLE);
const secret = 'not a secret';

function newKey(algorithm) {
  const kinds = {
    EdDSA: ['ed25519'],
    ES256: ['ec', { namedCurve: 'P-256' }],
    RS256: ['rsa', { modulusLength: 2048 }],
  };
  const { privateKey } = generateKeyPairSync(...kinds[algorithm]);
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm };
}

class Issuer {
  async start() {
    const tls = { cert: readFileSync(process.env.CERTIFICATE), key: readFileSync(process.env.KEY) };
    this.server = createServer(tls, (request, response) => this.answer(request, response));
    await new Promise((listening) => this.server.listen(0, '127.0.0.1', listening));
    this.url = `https://localhost:${this.server.address().port}`;
    this.keys = [];
    this.rotate('ES256', false);
  }

  // A provider of this library has its keys for life, so another takes its place.
  rotate(algorithm, keep) {
    this.algorithm = algorithm;
    this.keys = [newKey(algorithm), ...(keep ? this.keys : [])];
    const provider = new Provider(this.url, {
      clients: Object.keys(people).map((client_id) => ({
        client_id,
        client_secret: secret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_post',
      })),
      cookies: { keys: [secret] },
      ttl: { ClientCredentials: 600 },
      jwks: { keys: this.keys },
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
      clientDefaults: { id_token_signed_response_alg: algorithm },
      extraTokenClaims: (_, token) => people[token.clientId],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_, resource) => ({
            scope: '',
            audience: resource.replace('urn:', ''),
            accessTokenFormat: 'jwt',
            accessTokenTTL: 600,
            jwt: { sign: { alg: this.algorithm } },
          }),
        },
      },
    });
    this.answer = provider.callback();
  }

  async token(who, audience) {
    const answer = await fetch(`${this.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: who,
        client_secret: secret,
        resource: `urn:${audience}`,
      }),
    });
    return answer.json();
  }
}

const issuers = [new Issuer(), new Issuer()];
for (const issuer of issuers) {
  await issuer.start();
}

const say = (what) => console.log(JSON.stringify(what));
say({ issuers: issuers.map((issuer) => issuer.url) });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const issuer = issuers[command.issuer ?? 0];
  if (command.do === 'token') {
    say(await issuer.token(command.who, command.audience));
  } else {
    issuer.rotate(command.algorithm, command.keep);
    say({ kid: issuer.keys[0].kid });
  }
}
process.exit(0);
