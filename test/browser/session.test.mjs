// Signing in and out: what ends, where, and how the pages say so.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertQuiet, openContext, startBrowser, until } from './lib/browser.mjs';
import { chooseAccountItem, field, fillCredential, fillSignIn, mint, place, signIn, visit } from './lib/pages.mjs';
import { newAccount, startServer, undoing } from './lib/server.mjs';

let browser;
let server;
const undo = undoing(after);
before(async () => {
  [browser, server] = await Promise.all([startBrowser(undo), startServer(undo)]);
});

/** Two browsers of the same person, both signed in. */
async function twoBrowsers(t) {
  const opened = await Promise.all([openContext(t, browser), openContext(t, browser)]);
  const pages = await Promise.all(opened.map((o) => o.newPage()));
  for (const page of pages) {
    await signIn(page, server);
  }
  return { here: pages[0], there: pages[1], seen: opened.map((o) => o.seen) };
}

/** What the API says to a page's session. */
const answers = (page) => page.evaluate(() => fetch('/api/sessions').then((response) => response.status));
/** The same after the page was left: the cookie as it was, from outside. */
async function answersTo(cookies) {
  const header = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  return (await fetch(new URL('/api/sessions', server.url), { headers: { Cookie: header } })).status;
}

describe('sign in', () => {
  test('a wrong password is refused in words, and nothing is opened', async (t) => {
    const { context, seen, newPage } = await openContext(t, browser);
    const page = await newPage();
    await page.goto(server.url);
    await fillSignIn(page, 'admin', 'not the password');
    await page.getByRole('alert').getByText('The user name or the password is wrong').waitFor();
    assert.deepEqual(await context.cookies(), []);
    assertQuiet(seen);
  });

  test('leads to the page that was asked for, with its query', async (t) => {
    const { newPage } = await openContext(t, browser);
    const page = await newPage();
    await signIn(page, server, { path: '/admin/profile?tab=sessions' });
    await page.getByRole('table', { name: 'Sessions' }).waitFor();
    assert.equal(place(page), '/admin/profile?tab=sessions');
  });

  for (const to of ['https://evil.test/', '//evil.test/', '/\\evil.test', 'javascript:alert(1)', '/admin\n//evil.test']) {
    test(`leads nowhere foreign: ${JSON.stringify(to)}`, async (t) => {
      const { context, seen, newPage } = await openContext(t, browser);
        const page = await newPage();
      await signIn(page, server, { path: `/?to=${encodeURIComponent(to)}` });
      assert.equal(new URL(page.url()).origin, new URL(server.url).origin);
      assert.match(place(page), /^\/admin/);
      await page.goto(new URL(`/?to=${encodeURIComponent(to)}`, server.url).href);
      await page.getByRole('button', { name: 'Account admin' }).waitFor();
      assert.match(place(page), /^\/admin/);
      assertQuiet(seen);
    });
  }

  test('the cookie is out of reach of scripts and other sites', async (t) => {
    const { context, newPage } = await openContext(t, browser);
    const page = await newPage();
    await signIn(page, server);
    const cookies = await context.cookies();
    assert.equal(cookies.length, 1);
    assert.equal(cookies[0].httpOnly, true);
    assert.equal(cookies[0].sameSite, 'Strict');
    const stored = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }));
    assert.ok(!stored.includes(cookies[0].value) && !stored.includes(server.password));
  });
});

describe('sign out', () => {
  test('here: this browser is out at once, the other stays', async (t) => {
    const { here, there } = await twoBrowsers(t);
    const kept = await here.context().cookies();
    await chooseAccountItem(here, 'Sign out here');
    await here.getByRole('dialog').getByRole('button', { name: 'Sign out here' }).click();
    await here.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(place(here), '/');
    assert.equal(await answersTo(kept), 401);
    assert.equal(await answers(there), 200);
    await here.goBack();
    await here.getByRole('button', { name: 'Sign in' }).waitFor();
  });

  test('everywhere: the other browser is out at once too', async (t) => {
    const { here, there } = await twoBrowsers(t);
    const kept = await here.context().cookies();
    await visit(there, server, '/admin/profile?tab=tokens');
    await chooseAccountItem(here, 'Sign out everywhere');
    await here.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await here.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(await answersTo(kept), 401);
    assert.equal(await answers(there), 401);
    await there.getByRole('tab', { name: 'Sessions' }).click();
    await there.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(place(there), `/?to=${encodeURIComponent('/admin/profile?tab=sessions')}`);
  });

  test('one session ended from the list ends that browser only', async (t) => {
    const { here, there } = await twoBrowsers(t);
    await visit(here, server, '/admin/profile?tab=sessions');
    const others = here.getByRole('button', { name: 'End session' });
    await others.first().click();
    await here.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
    await until('the other browser is out', async () => await answers(there) === 401);
    assert.equal(await answers(here), 200);
  });

  test('a new password ends the others', async (t) => {
    const password = await newAccount(server, 'changes', 'user');
    const opened = await Promise.all([openContext(t, browser), openContext(t, browser)]);
    const [here, there] = await Promise.all(opened.map((o) => o.newPage()));
    for (const page of [here, there]) {
      await signIn(page, server, { name: 'changes', password });
    }
    await visit(here, server, '/admin/profile');
    await field(here, 'Current password').fill(password);
    await field(here, 'New password').fill('a password of some length');
    await field(here, 'New password again').fill('a password of some length');
    await here.getByRole('button', { name: 'Change password' }).click();
    await here.getByText('Password changed').waitFor();
    assert.equal(await answers(here), 200);
    assert.equal(await answers(there), 401);
  });
});

describe('the end of a session', () => {
  const asked = '/admin/profile?tab=sessions';
  const ways = {
    'ended at the server': async ({ name }) => server.api('DELETE', `/api/accounts/${name}/sessions`),
    'its cookie gone': async ({ context }) => context.clearCookies(),
  };
  for (const [way, end] of Object.entries(ways)) {
    test(`leads to the sign-in and back to where one was: ${way}`, async (t) => {
      const name = `ends-${way.replaceAll(/[^a-z]/g, '-')}`;
      const password = await newAccount(server, name, 'user');
      const { context, seen, newPage } = await openContext(t, browser);
        const page = await newPage();
      await signIn(page, server, { name, password, path: '/admin/profile' });
      await end({ name, context });
      await page.getByRole('tab', { name: 'Sessions' }).click();
      await page.getByText('Sign in to go on where you were').waitFor();
      assert.equal(place(page), `/?to=${encodeURIComponent(asked)}`);
      await fillSignIn(page, name, password);
      await page.getByRole('table', { name: 'Sessions' }).waitFor();
      assert.equal(place(page), asked);
      assertQuiet(seen);
    });
  }

  test('behind a form leads to the sign-in, and back', async (t) => {
    const password = await newAccount(server, 'ends-in-a-form', 'admin');
    const { seen, newPage } = await openContext(t, browser);
    const page = await newPage();
    await signIn(page, server, { name: 'ends-in-a-form', password, path: '/admin/s3-proxy' });
    const form = await fillCredential(page, { description: 'never made', bucket: 'uploads' });
    await server.api('DELETE', '/api/accounts/ends-in-a-form/sessions');
    await form.getByRole('button', { name: 'Create credential' }).click();
    await page.getByText('Sign in to go on where you were').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    await fillSignIn(page, 'ends-in-a-form', password);
    await page.getByRole('heading', { name: 'Credentials' }).waitFor();
    assert.equal(place(page), '/admin/s3-proxy');
    assert.deepEqual((await server.api('GET', '/api/credentials?q=never')).items, []);
    assertQuiet(seen);
  });

  test('behind a secret leaves when that is saved, and not before', async (t) => {
    const password = await newAccount(server, 'ends-at-a-secret', 'admin');
    const { seen, newPage } = await openContext(t, browser);
    const page = await newPage();
    await signIn(page, server, { name: 'ends-at-a-secret', password, path: '/admin/s3-proxy' });
    // The list is read again when the key is made: by then nobody is signed in.
    await page.route(/\/api\/credentials(\?|$)/, async (route) => {
      if (route.request().method() === 'GET') {
        await server.api('DELETE', '/api/accounts/ends-at-a-secret/sessions');
      }
      await route.continue();
    });
    const { id, dialog, close } = await mint(page, { description: 'still shown', bucket: 'uploads' });
    await until('the page knows', () => seen.responses.some(({ url, status }) => status === 401 && url.includes('/api/credentials')));
    await page.waitForTimeout(300); // it could leave now
    assert.equal(await dialog.isVisible(), true);
    assert.equal(await dialog.getByTestId('Access key id').innerText(), id);
    await close();
    await page.getByText('Sign in to go on where you were').waitFor();
    assert.equal(place(page), `/?to=${encodeURIComponent('/admin/s3-proxy')}`);
    assertQuiet(seen);
  });
});

test('an API token is made, listed and revoked by its account', async (t) => {
  const { newPage } = await openContext(t, browser);
  const page = await newPage();
  await signIn(page, server, { path: '/admin/profile?tab=tokens' });
  await page.getByRole('button', { name: 'Create API token' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create API token' });
  await field(form, 'Name').fill('nightly');
  await form.getByRole('button', { name: 'Create API token' }).click();
  const shown = page.getByRole('dialog', { name: 'Save this token now' });
  const headers = { Authorization: `Bearer ${(await shown.locator('pre, code').first().innerText()).trim()}` };
  await shown.getByRole('button', { name: 'I have saved it' }).click();
  const status = async () => (await fetch(`${server.url}/api/session`, { headers })).status;
  assert.equal(await status(), 200);
  const row = page.getByRole('table', { name: 'API tokens' }).getByRole('row').filter({ hasText: 'nightly' });
  await row.getByRole('button', { name: 'Revoke token' }).click();
  await page.getByRole('dialog', { name: 'Revoke token nightly?' }).getByRole('button', { name: 'Revoke token' }).click();
  await page.getByText('Token nightly revoked.').waitFor();
  assert.equal(await status(), 401);
});
