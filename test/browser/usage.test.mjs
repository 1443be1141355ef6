// What was used, sorted as it is asked for, and who is called when it was too much.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { assertQuiet, openSignedIn, startBrowser, until } from './lib/browser.mjs';
import { assertText, field, place, visit } from './lib/pages.mjs';
import { putAll } from './lib/s3.mjs';
import { newCredential, startServer, undoing } from './lib/server.mjs';

const undo = undoing(after);
let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

const open = async (t, path, options) => {
  const opened = await openSignedIn(t, browser, server, options);
  await visit(opened.page, server, path);
  return opened;
};

/** A receiver of calls: what came, and what it answers. */
async function receiver(t, status) {
  const calls = [];
  const answers = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    calls.push({ path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(status).end();
  });
  await new Promise((resolve) => { answers.listen(0, '127.0.0.1', resolve); });
  t.after(() => answers.close());
  return { calls, url: (path) => `http://127.0.0.1:${answers.address().port}${path}` };
}

/** Whether a call is from who knows the secret. */
function isSigned({ headers, body }, secret) {
  const mac = createHmac('sha256', secret).update(`${headers['x-keystile-timestamp']}.${body}`).digest('hex');
  return headers['x-keystile-signature'] === `v1=${mac}`;
}

test('a webhook is added, its secret shown once, tried, changed, moved and removed', async (t) => {
  const to = await receiver(t, 204);
  const { page, seen } = await open(t, '/admin/webhooks');
  await page.getByText('There is no webhook').waitFor();
  await page.getByRole('button', { name: 'Add webhook' }).first().click();
  const form = page.getByRole('dialog', { name: 'Add webhook' });
  await field(form, 'URL').fill(to.url('/first'));
  await form.getByRole('checkbox', { name: 'A bucket goes over a soft cap' }).uncheck();
  await form.getByRole('button', { name: 'Add webhook' }).click();
  const once = page.getByRole('dialog', { name: 'Save this secret now' });
  const secret = (await once.locator('pre, code').first().innerText()).trim();
  await once.getByRole('button', { name: 'I have saved it' }).click();
  const drawer = page.getByRole('dialog', { name: 'Webhook' });
  await assertText(drawer, /Events quota\.hard_refused .*Nothing was delivered/);
  assert.ok(!(await page.content()).includes(secret), 'it is not in the page any more');

  await drawer.getByRole('button', { name: 'Send test' }).click();
  await page.getByText('Delivered: the receiver answered 204.').waitFor();
  await assertText(drawer.getByRole('table', { name: 'Deliveries' }), /webhook\.test ?delivered ?1/);
  assert.equal(to.calls.length, 1);
  assert.equal(to.calls[0].path, '/first');
  assert.ok(isSigned(to.calls[0], secret), JSON.stringify(to.calls[0].headers));

  await drawer.getByRole('button', { name: 'Edit webhook' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit webhook' });
  await field(edit, 'What for').fill('the team on call');
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Webhook changed.').waitFor();
  await assertText(drawer, /What for the team on call/);

  await drawer.getByRole('button', { name: 'Edit webhook' }).click();
  await field(edit, 'URL').fill(to.url('/second'));
  await field(edit, 'Secret').fill('ksw_not-the-secret');
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await edit.getByText(/A new URL needs the webhook.s secret; without it/i).waitFor();
  assert.equal((await server.api('GET', '/api/webhooks')).items[0].url, to.url('/first'), 'who does not know the secret moves nothing');
  await field(edit, 'Secret').fill(secret);
  await edit.getByRole('button', { name: 'Save changes' }).click();
  await edit.waitFor({ state: 'detached' });
  await drawer.getByRole('button', { name: 'Send test' }).click();
  await until('the new address is called', () => to.calls.length === 2);
  assert.equal(to.calls[1].path, '/second');

  await drawer.getByRole('button', { name: 'Remove webhook' }).click();
  await page.getByRole('dialog', { name: 'Remove webhook?' }).getByRole('button', { name: 'Remove webhook' }).click();
  await page.getByText('Webhook removed.').waitFor();
  assert.equal(place(page), '/admin/webhooks');
  await page.getByText('There is no webhook').waitFor();
  assertQuiet(seen);
});

test('a webhook whose receiver refuses is shown as retrying, with what it answered', async (t) => {
  const to = await receiver(t, 503);
  const { id } = await server.api('POST', '/api/webhooks', { url: to.url('/'), description: 'refuses' });
  const { page, seen } = await open(t, `/admin/webhooks/${id}`);
  await page.getByRole('button', { name: 'Send test' }).click();
  await page.getByText(/^Not delivered: .*503/).waitFor();
  await assertText(page.getByRole('table', { name: 'Deliveries' }), /webhook\.test ?(retrying|failed).*503/);
  await server.api('DELETE', `/api/webhooks/${id}`);
  assertQuiet(seen);
});

test('the table of usage is sorted by each column, both ways, and a reload keeps it', async (t) => {
  const key = async (description) => {
    const { access_key_id: id, secret_access_key: secret } = await newCredential(server, { description });
    return { id, secret };
  };
  const [few, many] = [await key('writes little'), await key('writes much')];
  await putAll(server, few, 'uploads', ['one', 'two', 'three']); // many, and little in each
  await putAll(server, many, 'uploads', [`${'long/'.repeat(40)}name`]); // one, with more bytes
  await until('both are counted', async () => {
    const { items } = await server.api('GET', '/api/usage?by=credential');
    return items.length === 2 && items.every(({ bytes_in }) => bytes_in > 0);
  }, 30_000);
  const { page, seen } = await open(t, '/admin/usage?by=credential');
  const table = page.getByRole('table', { name: 'Who uses what' });
  const firsts = async (want, why) => until(why, async () => (await table.locator('tbody tr').first().innerText()).includes(want.id));
  const by = (name) => table.getByRole('columnheader', { name }).getByRole('button').click();
  await by('Writes');
  await firsts(few, 'most writes first');
  await by('Writes');
  await firsts(many, 'fewest writes first');
  await by('In');
  await firsts(many, 'most bytes first');
  assert.equal(await table.getByRole('columnheader', { name: 'In' }).getAttribute('aria-sort'), 'descending');
  await by('In');
  await firsts(few, 'fewest bytes first');
  await page.reload();
  await firsts(few, 'the same after a reload');
  assert.equal(place(page), '/admin/usage?by=credential&sort=-in');
  await table.getByText('writes much').waitFor();
  await table.getByRole('button', { name: many.id, exact: false }).click();
  await until('one is left', async () => await table.locator('tbody tr').count() === 1);
  await firsts(many, 'the one that was chosen');
  assertQuiet(seen);
});

test('usage over time is a chart, a table of its numbers, and a file', async (t) => {
  const { access_key_id: id, secret_access_key: secret } = await newCredential(server, { description: 'measured' });
  await putAll(server, { id, secret }, 'uploads', ['measured']);
  await until('it is counted', async () => (await server.api('GET', `/api/usage?by=credential&access_key_id=${id}`)).items[0]?.bytes_in === 'at measured'.length, 30_000);
  const { page, seen } = await open(t, `/admin/usage?by=credential&show=in&access_key_id=${id}`, { acceptDownloads: true });
  const over = page.getByRole('region', { name: 'Usage over time' });
  await over.getByText('Bytes in per day (UTC)').waitFor();
  const tall = () => over.locator('svg [data-now] rect').last().evaluate((bar) => Number(bar.getAttribute('height')));
  await until('today has a bar', async () => await tall() > 0);
  await over.getByRole('button', { name: 'Show the numbers' }).click();
  await assertText(over.getByRole('row').nth(1), /^\d{4}-\d\d-\d\d .* 11 B /); // the newest day is first
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download CSV' }).click()]);
  assert.equal(download.suggestedFilename(), 'usage.csv');
  const [head, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split('\n').map((line) => line.split(','));
  assert.deepEqual([lines.length, lines[0][head.indexOf('access_key_id')], lines[0][head.indexOf('bytes_in')]], [1, id, '11']);
  assertQuiet(seen);
});

test('a soft cap that is passed is told on every page, until it is no more', async (t) => {
  const { access_key_id: id, secret_access_key: secret } = await newCredential(server, {
    grants: [{ backend: server.backend_id, bucket: 'reports', permissions: ['write'] }],
  });
  const quota = `/api/backends/${server.backend_id}/buckets/reports/quota`;
  await server.api('PUT', quota, { soft_bytes: 5, hard_bytes: 1 << 20 });
  await until('the bucket is counted', async () => (await server.api('GET', quota)).usage.scanned_at !== undefined, 30_000);
  await putAll(server, { id, secret }, 'reports', ['too much']);
  const { page, seen } = await open(t, '/admin');
  const banner = page.getByRole('status').filter({ hasText: 'Buckets are over their soft caps' });
  await assertText(banner, /local\/reports: .* in /);
  await visit(page, server, '/admin/audit?action=quota.');
  await page.getByRole('table', { name: 'Audit events' }).getByText('quota.soft_exceeded').first().waitFor();
  await banner.getByRole('link', { name: 'local/reports' }).click();
  await page.getByRole('table', { name: 'Buckets' }).getByText('over the soft cap').waitFor();
  await server.api('PUT', quota, { soft_bytes: 1 << 20 });
  await page.reload();
  await page.getByRole('progressbar', { name: 'Quota of reports' }).waitFor({ state: 'attached' });
  await banner.waitFor({ state: 'detached' });
  await server.api('DELETE', quota);
  assertQuiet(seen);
});
