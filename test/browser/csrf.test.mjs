// What a foreign page can do with a signed-in administrator's browser: nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { openContext, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let port; // of the foreign page
before(async () => {
  [browser, server, port] = await Promise.all([startBrowser(undo), startServer(undo), foreignPage()]);
});

/** Serves an empty page that forbids itself nothing. */
async function foreignPage() {
  const foreign = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end('<!doctype html><title>foreign</title><body>'));
  foreign.listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  undo(() => { foreign.closeAllConnections(); foreign.close(); });
  return foreign.address().port;
}

// The dashboard is at 127.0.0.1. Another port of it is the same site to a
// browser, which then sends even a SameSite=Strict cookie; another name is
// another site.
const foreigners = {
  'another port of the same host': { at: () => `http://127.0.0.1:${port}/`, withCookie: true },
  'another origin': { at: () => `http://localhost:${port}/`, withCookie: false },
};

/** Submits a form as a page can without asking anybody. */
const form = (path, enctype, fields) => (page, url) => page.evaluate(([action, type, values]) => {
  const made = document.createElement('form');
  Object.assign(made, { method: 'post', action, enctype: type });
  for (const [name, value] of values) {
    made.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
  }
  document.body.append(made);
  made.submit();
}, [url(path), enctype, fields]);

/** Fetches with the cookies; gives "refused" where the browser lets nothing be read. */
const fetching = (path, options) => (page, url) => page.evaluate(
  ([address, init]) => fetch(address, { credentials: 'include', ...init }).then(() => 'done', () => 'refused'), [url(path), options],
);

const json = { 'Content-Type': 'application/json' };
const evil = '{"name":"evil","role":"admin"}';
// Those that a browser sends at once, with the status that each must get when
// the cookie came along. (There is no such operation as the second.)
const sent = {
  'a form that revokes': [form('/api/credentials/KEY/revoke', 'application/x-www-form-urlencoded', []), 'POST /api/credentials/KEY/revoke', 403],
  'a form that signs out everywhere': [form('/api/sessions?_method=DELETE', 'application/x-www-form-urlencoded', []), 'POST /api/sessions', 404],
  'a form of JSON that makes an account': [form('/api/accounts', 'text/plain', [['{"name":"evil","role":"admin","x":"', '"}']]), 'POST /api/accounts', 415],
  'a fetch that revokes': [fetching('/api/credentials/KEY/revoke', { method: 'POST', mode: 'no-cors' }), 'POST /api/credentials/KEY/revoke', 403],
  'a fetch that revokes and reads': [fetching('/api/credentials/KEY/revoke', { method: 'POST' }), 'POST /api/credentials/KEY/revoke', 403],
  'a fetch of text that makes an account': [fetching('/api/accounts', { method: 'POST', mode: 'no-cors', body: evil }), 'POST /api/accounts', 415],
};
// Those that a browser asks about first.
const asked = {
  'a fetch of JSON that makes an account': fetching('/api/accounts', { method: 'POST', headers: json, body: evil }),
  'a fetch with a made-up token': fetching('/api/credentials/KEY/revoke', { method: 'POST', headers: { 'X-CSRF-Token': 'x' } }),
  'a fetch that signs out everywhere': fetching('/api/sessions', { method: 'DELETE' }),
  'a fetch that edits': fetching('/api/credentials/KEY', { method: 'PATCH', headers: json, body: '{"description":"evil"}' }),
  'a fetch that reads accounts': fetching('/api/accounts', {}),
  'a fetch that reads the token': fetching('/api/session', {}),
};

/** A signed-in administrator's page, at a foreign address. */
async function lured(t, at) {
  const { context, page } = await openSignedIn(t, browser, server);
  const { access_key_id: key } = await newCredential(server);
  const state = async () => JSON.stringify([await server.api('GET', `/api/credentials/${key}`), await server.api('GET', '/api/accounts')]);
  const before = await state();
  await page.goto(at);
  const unchanged = async () => {
    assert.equal(await state(), before);
    assert.equal((await context.request.get(`${server.url}/api/session`)).status(), 200);
  };
  return { page, key, unchanged, url: (path) => new URL(path.replace('KEY', key), server.url).href };
}

/** How the server says in its log that it answered, since a mark in it. */
const logged = (mark, key, line) => {
  const [method, path] = line.replace('KEY', key).split(' ');
  const found = server.log().slice(mark).split('\n').find((entry) => entry.includes(`method=${method} path=${path} `));
  return found && Number(/ status=(\d+)/.exec(found)[1]);
};

for (const [from, { at, withCookie }] of Object.entries(foreigners)) {
  describe(`from ${from}`, () => {
    for (const [what, [attack, line, status]] of Object.entries(sent)) {
      test(`${what} is refused`, async (t) => {
        const { page, key, unchanged, url } = await lured(t, at());
        const mark = server.log().length;
        await attack(page, url);
        await until('the attack arrives', () => logged(mark, key, line));
        assert.equal(logged(mark, key, line), status === 403 && !withCookie ? 401 : status);
        await unchanged();
      });
    }
    for (const [what, attack] of Object.entries(asked)) {
      test(`${what} is not let through`, async (t) => {
        const { page, unchanged, url } = await lured(t, at());
        assert.equal(await attack(page, url), 'refused');
        await unchanged();
      });
    }
    test('a frame shows nothing', async (t) => {
      const { page, url } = await lured(t, at());
      await page.evaluate((src) => { document.body.append(Object.assign(document.createElement('iframe'), { src })); }, url('/admin/profile'));
      await until('the frame is refused', () => page.frames().some((frame) => frame.url().startsWith('chrome-error:')));
    });
  });
}

test('nobody can be signed in from another page', async (t) => {
  const { context, newPage } = await openContext(t, browser);
  const page = await newPage();
  await page.goto(foreigners['another port of the same host'].at());
  const mark = server.log().length;
  const body = JSON.stringify({ username: server.username, password: server.password });
  await fetching('/api/session', { method: 'POST', mode: 'no-cors', body })(page, (path) => new URL(path, server.url).href);
  await until('the attack arrives', () => logged(mark, '', 'POST /api/session'));
  assert.equal(logged(mark, '', 'POST /api/session'), 415);
  assert.deepEqual(await context.cookies(), []);
});
