// What a backend is proven to do, which pages of other origins may use a bucket,
// what a folder shows: chosen in the page, and true at the gateway.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { assertText, field, visit } from './lib/pages.mjs';
import { awsCli } from './lib/s3.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

const open = async (t, path) => {
  const opened = await openSignedIn(t, browser, server);
  await visit(opened.page, server, path);
  return opened;
};

/** How the gateway answers the preflight of a page. */
async function preflight(bucket, origin, method = 'GET') {
  const response = await fetch(`${server.s3_endpoint}/${bucket}/welcome.txt`, { method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': method } });
  return { status: response.status, allowed: response.headers.get('access-control-allow-origin') };
}

test('abilities are listed with what follows from them, and a probe finds them anew', async (t) => {
  // What the first probe finds while the page is read would differ from the page.
  await until('the first probe has ended', async () => (await server.api('GET', '/api/backends/local')).probed_at, 60_000);
  const { abilities: known } = await server.api('GET', '/api/backends/local');
  const { page, seen } = await open(t, '/admin/backends/local?tab=abilities');
  const abilities = page.getByRole('list', { name: 'Abilities' });
  assert.ok(known.length >= 5, `${known.length} abilities`);
  for (const { title, means } of known) {
    await abilities.getByText(title, { exact: true }).waitFor();
    await abilities.getByText(means).first().waitFor();
  }
  const before = (await server.api('GET', '/api/backends/local')).probed_at;
  await page.getByRole('button', { name: 'Probe again' }).click();
  await page.getByText('Backend local was probed.').waitFor({ timeout: 60_000 });
  const { probed_at: now, abilities: found } = await server.api('GET', '/api/backends/local');
  assert.notEqual(now, before);
  assert.equal(await abilities.getByText('proven', { exact: true }).count(), found.filter(({ verdict }) => verdict === 'yes').length);
  assertQuiet(seen);
});

test('reads of a bucket are recorded for as long as the page says', async (t) => {
  const { page, seen } = await open(t, '/admin/backends/local?tab=buckets');
  const choose = async (choice) => {
    await page.getByRole('button', { name: 'Recorded reads of bucket uploads' }).click();
    const dialog = page.getByRole('dialog', { name: 'Recorded reads of uploads' });
    await dialog.getByRole('radio', { name: choice }).check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
  };
  await choose('All, for 2 hours');
  const [rule, ...others] = (await server.api('GET', '/api/audit/sampling')).items;
  assert.deepEqual([rule.bucket, rule.rate, others], ['uploads', 1, []]);
  const left = new Date(rule.until) - Date.now();
  assert.ok(left > 0 && left <= 7_200_000, `it ends in ${left} ms`);
  await choose('As configured');
  assert.deepEqual((await server.api('GET', '/api/audit/sampling')).items ?? [], []);
  assertQuiet(seen);
});

test('CORS rules of a bucket are chosen in the page and hold at the gateway', async (t) => {
  assert.equal((await preflight('uploads', 'https://app.example.com')).status, 403);
  const { page, seen } = await open(t, '/admin/backends/local?tab=buckets');
  const ask = async () => {
    await page.getByRole('button', { name: 'CORS of bucket uploads' }).click();
    const dialog = page.getByRole('dialog', { name: 'CORS of uploads' });
    await dialog.getByRole('radio', { name: 'None: CORS is off' }).waitFor();
    return dialog;
  };
  let dialog = await ask();
  assert.equal(await dialog.getByRole('radio', { name: 'None: CORS is off' }).isChecked(), true);
  await dialog.getByRole('radio', { name: 'Kept here' }).check();
  const rules = field(dialog, 'Rules as JSON');
  for (const [text, fault] of [['{', 'This is not JSON'], ['{}', 'An object with a list of CORSRules is needed'], ['[{"Origins": []}]', 'Rule 1 has an unknown field Origins']]) {
    await rules.fill(text);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText(fault).waitFor();
  }
  await rules.fill('[{"AllowedOrigins": ["https://app.example.com"], "AllowedMethods": ["FETCH"]}]');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').getByText('The rules were not saved').waitFor();
  assert.equal((await preflight('uploads', 'https://app.example.com')).status, 403, 'what is refused does not hold');
  await rules.fill('[{"AllowedOrigins": ["https://app.example.com"], "AllowedMethods": ["GET"]}]');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('CORS of uploads saved.').waitFor();
  assert.deepEqual(await preflight('uploads', 'https://app.example.com'), { status: 200, allowed: 'https://app.example.com' });
  assert.equal((await preflight('uploads', 'https://evil.example.com')).status, 403);
  assert.equal((await preflight('uploads', 'https://app.example.com', 'PUT')).status, 403);
  dialog = await ask();
  assert.match(await field(dialog, 'Rules as JSON').inputValue(), /https:\/\/app\.example\.com/);
  await dialog.getByRole('radio', { name: 'None: CORS is off' }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('CORS of uploads is off.').waitFor();
  assert.equal((await preflight('uploads', 'https://app.example.com')).status, 403);
  assertQuiet(seen);
});

test('a binding with an index document shows it for its folders, and a fault is at the field', async (t) => {
  const made = await newCredential(server);
  const put = await awsCli(server, { id: made.access_key_id, secret: made.secret_access_key }, 's3', 'cp', '-', 's3://uploads/site/index.html', '--content-type', 'text/html');
  assert.equal(put.code, 0, put.all);
  const { page, seen } = await open(t, '/admin/s3-proxy/anonymous');
  await page.getByRole('button', { name: 'Add anonymous binding' }).first().click();
  const form = page.getByRole('dialog', { name: 'Add anonymous binding' });
  await field(form, 'Bucket').click();
  await page.getByRole('option', { name: 'uploads', exact: true }).click();
  await form.getByLabel('Prefix').fill('site/');
  await field(form, 'Public name').fill('site');
  await field(form, 'Index document').fill('a/b.html');
  await form.getByRole('button', { name: 'Add anonymous binding' }).click();
  await assertText(form, /Index document .*must/i);
  assert.equal((await fetch(`${server.s3_endpoint}/site/site/`)).status, 403, 'nothing is open yet');
  await field(form, 'Index document').fill('index.html');
  await form.getByRole('button', { name: 'Add anonymous binding' }).click();
  await page.getByText('Binding site added.').waitFor();
  const [index, bucket, none] = await Promise.all(['/site/', '', '/site/other/'].map((path) => fetch(`${server.s3_endpoint}/site${path}`)));
  assert.deepEqual([index.status, index.headers.get('content-type'), bucket.status], [200, 'text/html', 200]);
  assert.notEqual(none.status, 200);
  assertQuiet(seen);
});

test('a backend whose certificate is not verified says so, and a verified one does not', async (t) => {
  const { page } = await open(t, '/admin/backends/local');
  await page.getByRole('tabpanel', { name: 'About' }).getByText('Keeps keys').waitFor();
  assert.equal(await page.getByText('Its certificate is not verified').count(), 0);
  // The configuration of a quickstart cannot say it: the answer is changed on its way.
  await page.route(/\/api\/backends$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    body.items[0].health.tls_unverified = true;
    await route.fulfill({ response: answer, json: body });
  });
  await visit(page, server, '/admin/backends/local');
  await page.getByRole('alert').getByText('Its certificate is not verified').waitFor();
  await page.getByRole('alert').getByText('tls.insecure_skip_verify').waitFor();
});

test('a bucket gets a hard cap, shows it as a bar, and loses it again', async (t) => {
  const { page, seen } = await open(t, '/admin/backends/local?tab=buckets');
  await page.getByRole('button', { name: 'Quota of bucket reports' }).click();
  const dialog = page.getByRole('dialog', { name: 'Quota of reports' });
  await field(dialog, 'Hard cap in bytes').fill('ten');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('A number of bytes, or one with KiB').waitFor();
  await field(dialog, 'Hard cap in bytes').fill('64 KiB');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('progressbar', { name: 'Quota of reports' }).waitFor({ state: 'attached' }); // an empty bar has no width
  await page.getByText('of 64.0 KiB').waitFor();
  const quota = await server.api('GET', '/api/backends/local/buckets/reports/quota');
  assert.equal(quota.hard_bytes, 65536);
  await page.getByRole('button', { name: 'Quota of bucket reports' }).click();
  await dialog.getByRole('button', { name: 'Remove quota' }).click();
  await page.getByText('reports has no quota').waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'Quota of reports' }).count(), 0);
  assertQuiet(seen);
});
