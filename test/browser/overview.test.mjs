// The last 24 hours as they were counted, and the way from them to the events.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { assertText, settled, visit } from './lib/pages.mjs';
import { listing } from './lib/s3.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let key;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

test('before the first key it tells how the first request comes to be', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin');
  await assertText(page.getByRole('region', { name: 'First steps' }), /Create a credential.*keystile credential create.*aws --endpoint-url http/);
  assertQuiet(seen);
});

test('requests, refusals and the busiest key are told as they were', async (t) => {
  const made = await newCredential(server, { description: 'the busy one' });
  key = { id: made.access_key_id, secret: made.secret_access_key };
  for (const bucket of ['uploads', 'uploads', 'uploads', 'reports']) {
    await listing(server, key, bucket);
  }
  await until('they are counted', async () => (await server.api('GET', '/api/overview')).totals.requests === 4, 30_000);
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin');
  await assertText(page.getByRole('table', { name: 'Health of backends' }), /local ?healthy/);
  await assertText(page.getByLabel('Sums of the last 24 hours'), /Requests ?4 Errors ?0 Refused ?1 25\.0 %/);
  await assertText(page.getByRole('table', { name: 'Busiest credentials' }), new RegExp(`${key.id} ?the busy one ?4 ?0 ?1`));
  await page.getByRole('button', { name: 'Show the numbers' }).click();
  await assertText(page.getByRole('table', { name: 'Requests per hour, newest first' }).locator('tbody tr').first(), /4 ?0 ?1$/);
  assertQuiet(seen);
});

test('a bar, its hour in the table and the refusals lead to their events', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  const events = page.getByRole('table', { name: 'Audit events' });
  const ways = {
    'the bar': () => page.locator('figure svg g[data-now] rect').first().click(),
    'the hour': async () => {
      await page.getByRole('button', { name: 'Show the numbers' }).click();
      await page.getByRole('table', { name: 'Requests per hour, newest first' }).getByRole('link').first().click();
    },
    'the refusals': () => page.getByLabel('Sums of the last 24 hours').getByRole('link', { name: '1', exact: true }).click(),
  };
  for (const [way, go] of Object.entries(ways)) {
    await visit(page, server, '/admin');
    await go();
    await page.waitForURL(/\/admin\/audit\?/);
    await settled(page);
    await assertText(events, /s3\.proxy\.\S+ ?denied/);
    const url = new URL(page.url());
    assert.equal(url.searchParams.get('action'), 's3.proxy.', way);
    assert.equal(url.searchParams.get('result'), way === 'the refusals' ? 'denied' : null, way);
  }
  assertQuiet(seen);
});
