// Texts that attackers choose are shown as texts, on every page that has them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { settled, visit } from './lib/pages.mjs';
import { newCredential, request, startServer, undoing } from './lib/server.mjs';

const payloads = ['<img src=x onerror=alert(1)>', '"><script>alert(2)</script>', 'javascript:alert(3)', "'-alert(4)-'", '{{alert(5)}}${alert(6)}'];

const undo = undoing(after);
let browser;
let server;
let keys; // of the credentials that are described by the payloads
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
  keys = await Promise.all(payloads.map(plant));
  await until('all keys are counted', async () => (await server.api('GET', '/api/overview')).busiest.length === keys.length, 30_000);
});

/** Puts a payload wherever somebody without rights over the dashboard's code could. */
async function plant(payload) {
  const grants = [{ backend: server.backend_id, bucket: 'uploads', permissions: ['read', 'list', 'write'], prefix: `${payload}/` }];
  const made = await newCredential(server, { description: payload, grants });
  await server.api('POST', '/api/tokens', { name: payload });
  await server.api('POST', '/api/anonymous-bindings', { backend: server.backend_id, bucket: 'uploads', prefix: `${payload}/`, name: `open-${payloads.indexOf(payload)}` });
  const s3 = new S3Client({
    endpoint: server.s3_endpoint, region: 'us-east-1', forcePathStyle: true, customUserAgent: 'x',
    credentials: { accessKeyId: made.access_key_id, secretAccessKey: made.secret_access_key },
  });
  await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: `${payload}/${payload}`, Body: 'x' }));
  s3.destroy();
  const agent = { 'User-Agent': payload };
  // Strangers at the gateway and at the API: their words are recorded too.
  await request(server.s3_endpoint, { ...agent, Authorization: `AWS4-HMAC-SHA256 Credential=${payload}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}` }, 'PUT', `/uploads/${encodeURIComponent(payload)}?x=${encodeURIComponent(payload)}`);
  await request(server.s3_endpoint, agent, 'DELETE', `/${encodeURIComponent(payload)}/${encodeURIComponent(payload)}`);
  await request(server.url, { ...agent, Origin: server.url }, 'POST', '/api/session', { username: payload, password: payload });
  await request(server.url, { ...agent, Origin: server.url }, 'POST', '/api/session', { username: server.username, password: server.password });
  await request(server.url, { ...agent, Authorization: `Bearer ${payload}` }, 'DELETE', `/api/accounts/${encodeURIComponent(payload)}`);
  return made.access_key_id;
}

/** Nothing of a payload became anything but text. */
async function assertInert(page, seen) {
  const alive = await page.evaluate(() => [
    ...[...document.querySelectorAll('img, iframe, object, embed, base, form[action]')].map((element) => element.outerHTML),
    ...[...document.querySelectorAll('script')].filter(({ src }) => !src.startsWith(`${location.origin}/assets/`)).map((element) => element.outerHTML),
    ...[...document.querySelectorAll('*')].flatMap(({ attributes, tagName }) => [...attributes]
      .filter(({ name, value }) => name.startsWith('on') || (['href', 'src', 'action', 'formaction', 'xlink:href'].includes(name) && /^\s*javascript:/i.test(value)))
      .map(({ name, value }) => `${tagName} ${name}=${value}`)),
  ]);
  assert.deepEqual(alive, [], page.url());
  assertQuiet(seen);
}

/** What a page shows, drawers and fields included. */
const shown = (page) => page.evaluate(() => [document.body.innerText, ...[...document.querySelectorAll('input')].map(({ value }) => value)].join('\n'));

async function assertShows(page, seen, texts) {
  await settled(page);
  const all = await shown(page);
  for (const text of texts) {
    assert.ok(all.includes(text), `${page.url()} does not show ${text}:\n${all}`);
  }
  await assertInert(page, seen);
}

test('what these tests look for is seen when it is there', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/profile');
  await page.evaluate((html) => { document.querySelector('main').insertAdjacentHTML('beforeend', html); }, payloads[0]);
  await until('the policy speaks up', () => seen.violations.length > 0);
  await assert.rejects(assertInert(page, seen));
});

describe('stored texts', () => {
  const places = {
    'the list of credentials': { path: '/admin/s3-proxy', texts: payloads },
    'the overview': { path: '/admin', texts: payloads },
    'anonymous bindings': { path: '/admin/s3-proxy/anonymous', texts: payloads },
    'own sessions': { path: '/admin/profile?tab=sessions', texts: payloads },
    'own API tokens': { path: '/admin/profile?tab=tokens', texts: payloads },
    'the audit trail': { path: '/admin/audit', texts: [] },
    'object keys in the audit trail': { path: '/admin/audit?action=s3.proxy.putobject&result=ok', texts: payloads.map((payload) => `${payload}/${payload}`) },
    'backends': { path: '/admin/backends', texts: [] },
    'accounts': { path: '/admin/accounts', texts: [] },
    'sessions of an account': { path: '/admin/accounts/admin?tab=sessions', texts: payloads },
    'tokens of an account': { path: '/admin/accounts/admin?tab=tokens', texts: payloads },
  };
  for (const [place, { path, texts }] of Object.entries(places)) {
    test(`are texts in ${place}`, async (t) => {
      const { page, seen } = await openSignedIn(t, browser, server);
      await visit(page, server, path);
      await assertShows(page, seen, texts);
    });
  }

  test('are texts in the drawer and the dialogs of a key', async (t) => {
    const { page, seen } = await openSignedIn(t, browser, server);
    for (const [i, payload] of payloads.entries()) {
      await visit(page, server, `/admin/s3-proxy/credentials/${keys[i]}`);
      await assertShows(page, seen, [payload]);
      for (const action of ['Edit credential', 'Rotate key', 'Disable key', 'Revoke key']) {
        await page.getByRole('button', { name: action, exact: true }).click();
        await page.getByRole('button', { name: 'Cancel' }).waitFor();
        await assertShows(page, seen, [payload]);
        await page.getByRole('button', { name: 'Cancel' }).click();
      }
    }
  });

  test('are texts in what is asked about several keys', async (t) => {
    const { page, seen } = await openSignedIn(t, browser, server);
    await visit(page, server, '/admin/s3-proxy');
    await page.getByRole('checkbox', { name: 'Select all rows that are shown' }).check();
    for (const action of ['Disable keys', 'Revoke keys']) {
      await page.getByRole('button', { name: action }).click();
      await assertShows(page, seen, payloads);
      await page.getByRole('button', { name: 'Cancel' }).click();
    }
  });

  test('are texts in every event that has one', async (t) => {
    const { page, seen } = await openSignedIn(t, browser, server);
    const { items } = await server.api('GET', '/api/audit?limit=200');
    const planted = items.filter((event) => payloads.some((payload) => JSON.stringify([event.key, event.user_agent, event.detail]).includes(JSON.stringify(payload).slice(1, -1))));
    // One of each kind, and one of each payload.
    const kinds = [...new Map(planted.flatMap((event) => [[`${event.action} ${event.result}`, event], [event.user_agent, event]])).values()];
    assert.ok(payloads.every((payload) => kinds.some((event) => event.user_agent === payload)), 'user agents are recorded');
    assert.ok(new Set(kinds.map(({ action }) => action)).size >= 5, kinds.map(({ action }) => action).join());
    for (const event of kinds) {
      await visit(page, server, `/admin/audit/${event.id}`);
      const agent = payloads.filter((payload) => event.user_agent === payload);
      await page.getByRole('dialog').getByText('Event id').waitFor();
      await assertShows(page, seen, [...agent, ...(event.key ? [event.key] : [])]);
    }
  });
});

describe('texts of an address', () => {
  for (const path of [
    '/admin/s3-proxy?q=%', '/admin/s3-proxy?owner=%', '/admin/s3-proxy/credentials/%', '/admin/audit?action=%&key=%&account=%&bucket=%&access_key_id=%&request_id=%',
    '/admin/audit?result=%', '/admin/audit?since=%&until=%', '/admin/audit/%', '/admin/backends/%', '/admin/accounts/%', '/admin/accounts?name=%&role=%&status=%',
    '/admin/profile?tab=%', '/admin/%', '/?to=%', '/admin?%=%#%',
  ]) {
    test(`are texts in ${path}`, async (t) => {
      const { page, seen } = await openSignedIn(t, browser, server);
      for (const payload of [payloads.slice(0, 2).join(''), payloads[2]]) {
        await page.goto(server.url + path.replaceAll('%', encodeURIComponent(payload)));
        await settled(page);
        await assertInert(page, seen);
      }
    });
  }
});

describe('names that could be more than texts are refused', () => {
  const tries = {
    'accounts': (name) => ['/api/accounts', { name, role: 'user' }],
    'buckets': (bucket) => [`/api/backends/${server.backend_id}/buckets`, { bucket }],
    'backends': (id) => ['/api/backends', { id, endpoint: 'http://s3.test', region: 'r', access_key_id: 'AK', secret_access_key: 's' }],
    'endpoints': (endpoint) => ['/api/backends', { id: 'other', endpoint, region: 'r', access_key_id: 'AK', secret_access_key: 's' }],
    'anonymous bindings': (name) => ['/api/anonymous-bindings', { backend: server.backend_id, bucket: 'reports', name }],
    'aliases': (alias) => ['/api/credentials', { description: 'd', grants: [{ backend: server.backend_id, bucket: 'uploads', permissions: ['read'], alias }] }],
  };
  for (const [what, attempt] of Object.entries(tries)) {
    test(`as ${what}`, async () => {
      for (const payload of payloads) {
        const { status, text } = await request(server.url, { Authorization: `Bearer ${server.api_token}` }, 'POST', ...attempt(payload));
        assert.equal(status, 422, `${payload}: ${status} ${text}`);
      }
    });
  }
});
