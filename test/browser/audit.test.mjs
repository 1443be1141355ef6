// The audit trail: filters that live in the address, the way between events, CSV.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser } from './lib/browser.mjs';
import { assertText, place, settled, visit } from './lib/pages.mjs';
import { listing, putAll } from './lib/s3.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
let key;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
  const made = await newCredential(server, { description: 'audited' });
  key = { id: made.access_key_id, secret: made.secret_access_key };
  await listing(server, key, 'reports'); // refused
  await server.api('POST', `/api/credentials/${key.id}/disable`);
  await listing(server, key, 'uploads'); // refused
});

/** Reads an object many times, again where the gateway is short of time and says so. */
async function readOften(url, times) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const read = () => new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode))).on('error', reject);
  });
  let left = times;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (left > 0) {
      const status = await read();
      assert.ok(status === 200 || status === 503, `${status}`);
      left -= status === 200 ? 1 : 0;
    }
  }));
  agent.destroy();
}

const table = (page) => page.getByRole('table', { name: 'Audit events' });
const count = (page) => table(page).locator('tbody tr').count();

describe('chips', () => {
  // The chip, what is put into it, and its parameter.
  const chips = [
    ['Action begins with', 'credential.', 'action'],
    ['Access key', () => key.id, 'access_key_id'],
    ['Account', 'admin', 'account'],
    ['Backend', 'local', 'backend'],
    ['Bucket', 'reports', 'bucket'],
    ['Result', { option: 'denied' }, 'result'],
  ];
  for (const [label, value, name] of chips) {
    test(`${label} narrows by the address, and a reload keeps it`, async (t) => {
      const { page, seen } = await openSignedIn(t, browser, server);
      await visit(page, server, '/admin/audit');
      const all = await count(page);
      await page.getByRole('button', { name: 'Filter', exact: true }).click();
      await page.getByRole('menuitem', { name: label, exact: true }).click();
      const given = typeof value === 'function' ? value() : value;
      if (given.option) {
        await page.getByRole('combobox', { name: label }).click();
        await page.getByRole('option', { name: given.option }).click();
      } else {
        await page.getByRole('textbox', { name: label, exact: true }).or(page.getByRole('combobox', { name: label, exact: true })).fill(given);
        await page.keyboard.press('Enter');
      }
      const wanted = given.option ?? given;
      await page.waitForURL((url) => url.searchParams.get(name) === wanted);
      await settled(page);
      const { items } = await server.api('GET', `/api/audit?${name}=${wanted}&limit=100`);
      assert.ok(items.length > 0 && items.length < all, `${items.length} of ${all}`);
      assert.equal(await count(page), items.length);
      await page.reload();
      await settled(page);
      assert.equal(await count(page), items.length);
      await page.getByRole('button', { name: `Remove filter ${label}` }).click();
      await page.waitForURL((url) => url.search === '');
      assertQuiet(seen);
    });
  }

  test('an object key and a time narrow by the address', async (t) => {
    const { page } = await openSignedIn(t, browser, server);
    await visit(page, server, '/admin/audit?key=nothing-like-this');
    await page.getByText('No event matches these filters.').waitFor();
    await page.getByRole('button', { name: 'Remove all filters' }).click();
    await page.getByRole('button', { name: /^Time range/ }).click();
    await page.getByRole('button', { name: 'Last hour' }).click();
    await page.waitForURL(/since=1h/);
    await settled(page);
    assert.ok(await count(page) > 0);
    await page.getByRole('button', { name: /^Time range/ }).click();
    await page.getByLabel('To', { exact: true }).fill('2020-01-01T00:00:00');
    await page.getByLabel('From', { exact: true }).fill('2019-01-01T00:00:00');
    await page.getByRole('button', { name: 'Apply range' }).click();
    await page.waitForURL(/until=20/);
    await page.getByText('No event matches these filters.').waitFor();
  });
});

test('the newest event stands first', async (t) => {
  const { page } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/audit');
  const { access_key_id: id } = await newCredential(server, { description: 'the newest' });
  await page.getByRole('button', { name: 'Refresh' }).click();
  const first = table(page).locator('tbody tr').first();
  await assertText(first, new RegExp(`credential\\.create ?ok ?admin ?${id}`));
  const times = await table(page).locator('tbody time').evaluateAll((all) => all.map(({ dateTime }) => Date.parse(dateTime)));
  assert.ok(times.length > 3);
  // They stand in the order of the record; a request that took longer began before its neighbour.
  assert.ok(times.every((time, i) => i === 0 || time < times[i - 1] + 5_000), times.join());
});

test('an event has everything, and leads to those of the same request, access key and bucket', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/audit?bucket=reports&result=denied');
  await table(page).getByRole('link').first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByText('Event id').waitFor();
  const id = /audit\/([^?]+)/.exec(place(page))[1];
  const event = await server.api('GET', `/api/audit/${id}`);
  const text = await drawer.innerText();
  for (const told of [event.action, event.detail.code, event.detail.access_key_id, event.bucket, event.source_ip, event.user_agent, event.request_id, event.id]) {
    assert.ok(text.includes(told), `${told} in:\n${text}`);
  }
  const links = { 'request': `request_id=${event.request_id}`, 'access key': `access_key_id=${key.id}`, 'bucket': 'bucket=reports' };
  for (const [what, query] of Object.entries(links)) {
    const related = drawer.getByRole('navigation', { name: 'Related events' }).getByRole('link', { name: what, exact: true });
    assert.equal(new URL(await related.getAttribute('href'), server.url).search, `?${query}`);
  }
  await drawer.getByRole('link', { name: 'access key', exact: true }).click();
  await drawer.waitFor({ state: 'detached' });
  await settled(page);
  assert.equal(place(page), `/admin/audit?access_key_id=${key.id}`);
  assertQuiet(seen);
});

test('CSV has the events of the filter', async (t) => {
  const { page } = await openSignedIn(t, browser, server, { acceptDownloads: true });
  await visit(page, server, '/admin/audit?action=credential.');
  const events = await count(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download CSV' }).click()]);
  assert.equal(download.suggestedFilename(), 'audit.csv');
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  assert.match(lines[0], /^time,id,action,/);
  assert.equal(lines.length - 1, events);
  assert.ok(lines.slice(1).every((line) => line.includes(',credential.')));
});

test('lines of JSON are the same events, in the words of OCSF too', async (t) => {
  const { page } = await openSignedIn(t, browser, server, { acceptDownloads: true });
  await visit(page, server, '/admin/audit?action=credential.');
  const events = await count(page);
  for (const [name, file, has] of [['JSONL', 'audit.jsonl', 'action'], ['OCSF', 'audit-ocsf.jsonl', 'class_uid']]) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: `Download ${name}` }).click()]);
    assert.equal(download.suggestedFilename(), file);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(lines.length, events);
    assert.ok(lines.every((line) => has in line), JSON.stringify(lines[0]));
  }
});

test('words find what has them in key or detail', async (t) => {
  const { page } = await openSignedIn(t, browser, server);
  await visit(page, server, `/admin/audit?q=${key.id.slice(0, 12).toLowerCase()}`);
  const { items } = await server.api('GET', `/api/audit?access_key_id=${key.id}&limit=100`);
  assert.equal(await count(page), items.length);
});

test('live shows what comes, pauses, and goes on', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/audit?action=credential.');
  const live = page.getByRole('switch', { name: 'Live' });
  const following = page.waitForResponse(/\/api\/audit\/tail/);
  await live.click();
  await following;
  const first = await newCredential(server, { description: 'seen live' });
  await table(page).getByText(first.access_key_id.slice(-4)).first().waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused.').waitFor();
  const second = await newCredential(server, { description: 'while it is paused' });
  await page.getByText('Paused; 1 event came.').waitFor();
  const row = table(page).locator('tbody tr').filter({ hasText: second.access_key_id.slice(-4) });
  assert.equal(await row.count(), 0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await row.waitFor();
  await live.click();
  await page.getByRole('button', { name: 'Pause' }).waitFor({ state: 'detached' });
  await settled(page); // nothing is followed any more
  assertQuiet(seen);
});

test('the histogram is brushed, and its numbers narrow as well', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/audit?since=15m');
  const plot = page.locator('figure svg');
  await page.getByText(/^\d+ events?$/).waitFor();
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 6, box.y + 30);
  await page.mouse.up();
  await page.waitForURL((url) => url.searchParams.has('until') && url.searchParams.get('since') !== '15m');
  await settled(page);
  assert.equal(await page.getByRole('switch', { name: 'Live' }).isDisabled(), true);
  const { searchParams } = new URL(page.url());
  const range = `since=${searchParams.get('since')}&until=${searchParams.get('until')}`;
  const { items } = await server.api('GET', `/api/audit?${range}&limit=100`);
  assert.equal(await count(page), items.length);
  await page.getByRole('button', { name: 'Show the numbers' }).click();
  const before = place(page);
  await page.getByRole('table', { name: 'Events by time' }).getByRole('button').first().press('Enter');
  await page.waitForURL((url) => url.pathname + url.search !== before);
  assertQuiet(seen);
});

test('filters are saved under a name, come back, and are removed', async (t) => {
  const { page, seen } = await openSignedIn(t, browser, server);
  await visit(page, server, '/admin/audit?result=denied&since=24h');
  await page.getByRole('button', { name: 'Views' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name of these filters').fill('Refused today');
  await dialog.getByRole('button', { name: 'Save view' }).click();
  await dialog.getByRole('link', { name: 'Refused today' }).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.values(localStorage).filter((value) => value.includes('denied'))), []);
  await visit(page, server, '/admin/audit');
  await page.getByRole('button', { name: 'Views' }).click();
  await dialog.getByRole('link', { name: 'Refused today' }).click();
  await page.waitForURL(/result=denied/);
  assert.equal(place(page), '/admin/audit?result=denied&since=24h');
  await page.getByRole('button', { name: 'Views' }).click();
  await dialog.getByRole('button', { name: 'Remove view Refused today' }).click();
  await dialog.getByText('You have saved none.').waitFor();
  assertQuiet(seen);
});

test('the drawer has the events of the same request and key', async (t) => {
  const { page } = await openSignedIn(t, browser, server);
  await visit(page, server, `/admin/audit?access_key_id=${key.id}&action=credential.disable`);
  await table(page).getByRole('link').first().click();
  const same = page.getByRole('dialog').getByRole('list', { name: 'Same access key' });
  await same.getByRole('link', { name: 'credential.create' }).click();
  await page.getByRole('dialog').getByRole('heading', { name: 'credential.create' }).waitFor();
});

test('a search that looked at as much as one page may, and found nothing yet, goes on by itself', async (t) => {
  const { access_key_id: id, secret_access_key: secret } = await newCredential(server, { description: 'reads a lot' });
  await putAll(server, { id, secret }, 'uploads', ['read-by-all']);
  const { url } = await server.api('POST', '/api/anonymous-bindings', { backend: server.backend_id, bucket: 'uploads', name: 'read-by-all', rate_per_second: 100_000 });
  await server.api('PUT', '/api/audit/sampling', { backend: server.backend_id, bucket: 'uploads', rate: 1 });
  await readOften(`${url}/read-by-all`, 5_100); // one page looks at 5,000 events of a key
  const { page, seen } = await openSignedIn(t, browser, server);
  const answers = [];
  page.on('response', (answer) => {
    if (new URL(answer.url()).pathname === '/api/audit') {
      answers.push(answer.json());
    }
  });
  await visit(page, server, '/admin/audit?key=read-by-all&action=s3.proxy.putobject');
  assert.equal(await count(page), 1);
  const pages = (await Promise.all(answers)).map(({ items, next_cursor: next }) => [items.length, next !== undefined]);
  assert.deepEqual(pages, [[0, true], [1, false]]);
  assertQuiet(seen);
});

test('a sink that takes nothing is told of', async (t) => {
  const { page } = await openSignedIn(t, browser, server);
  await page.route(/\/api\/audit\/sinks$/, (route) => route.fulfill({ json: { items: [
    { name: 'siem', kind: 'syslog', target: 'log.example:6514', records: true, anchors: true, position: 7, lag: 1234, anchored: 0, failing: 'no connection', since: '2026-11-25T12:00:00Z' },
    { name: 'lines', kind: 'file', target: '/var/log/audit.jsonl', records: true, anchors: true, position: 1241, lag: 0, anchored: 1200 },
  ] } }));
  await visit(page, server, '/admin/audit');
  await page.getByText('The sink siem takes nothing: no connection. It lacks 1,234 records.').waitFor();
  await page.getByRole('button', { name: 'Chain' }).click();
  await assertText(page.getByRole('dialog'), /siem.*failing.*1,234 behind.*lines.*takes.*anchor of record 1,200/s);
});

describe('the alarm', () => {
  for (const [state, words] of [['recording', ''], ['full', 'is full'], ['failing', 'its disk fails']]) {
    test(`a journal that is ${state} ${words ? 'is told of on every page' : 'is not spoken of'}`, async (t) => {
      const { page } = await openSignedIn(t, browser, server);
      await page.route(/\/api\/server$/, async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...await answer.json(), audit_journal: state } });
      });
      for (const path of ['/admin/audit', '/admin/backends']) {
        await page.goto(new URL(path, server.url).href);
        await settled(page);
        const alarm = page.getByRole('alert').filter({ hasText: 'audit journal' });
        assert.equal(await alarm.count(), words ? 1 : 0, path);
        if (words) {
          assert.match(await alarm.innerText(), new RegExp(words));
        }
      }
    });
  }
});
