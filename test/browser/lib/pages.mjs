// What people do in the pages, by what they see: roles, labels and words.
import assert from 'node:assert/strict';

import { isQuiet, until } from './browser.mjs';

/** The field of a label; one that is required has a star at its label. */
export function field(within, label) {
  return within.getByLabel(new RegExp(`^${label}( \\*)?$`));
}

/** Fills in the sign-in form. */
export async function fillSignIn(page, name, password) {
  await field(page, 'User name').fill(name);
  await field(page, 'Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens an address that needs a sign-in and signs in there, as a person would. */
export async function signIn(page, server, { name = server.username, password = server.password, path = '/' } = {}) {
  await page.goto(new URL(path, server.url).href);
  await fillSignIn(page, name, password);
  await page.getByRole('button', { name: `Account ${name}` }).waitFor();
}

/** The path and query of where a page is. */
export function place(page) {
  const { pathname, search } = new URL(page.url());
  return pathname + search;
}

/** Goes to a path of the dashboard. */
export async function visit(page, server, path) {
  await page.goto(new URL(path, server.url).href);
  await settled(page);
}

/** Waits until a page has what it shows: nothing is asked for, nothing loads, nothing moves. */
export async function settled(page) {
  await until('the page has settled', async () => isQuiet(page) && await atRest(page) && isQuiet(page));
}

/** Looks two frames later, so that what an answer sets off has begun. */
const atRest = (page) => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(
    document.querySelector('main') !== null
    && document.querySelector('[aria-busy=true], .mantine-Skeleton-root') === null
    && document.getAnimations().every(({ playState }) => playState !== 'running'),
  )));
})).catch(() => false); // it went to another page meanwhile

/** Opens the menu of the account and chooses something. */
export async function chooseAccountItem(page, item) {
  await page.getByRole('button', { name: /^Account / }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** What lies in the clipboard, which is how people take a key with them. */
export async function clipboard(page) {
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Waits for what stands somewhere, whitespace apart; says what stood there instead. */
export async function assertText(locator, pattern) {
  const end = Date.now() + 30_000;
  for (;;) {
    const text = (await locator.innerText()).replace(/\s+/g, ' ');
    if (pattern.test(text)) {
      return;
    }
    if (Date.now() > end) {
      assert.match(text, pattern);
    }
    await locator.page().waitForTimeout(20);
  }
}

/** The fields of "Create credential", filled in for one bucket. Toggles are as they stand: read and list. */
export async function fillCredential(page, { description, bucket, also = [] }) {
  await page.getByRole('button', { name: 'Create credential' }).first().click();
  const form = page.getByRole('dialog', { name: 'Create credential' });
  await field(form, 'Description').fill(description);
  await field(form, 'Bucket').click();
  await page.getByRole('option', { name: bucket, exact: true }).click();
  for (const permission of also) {
    await form.getByText(permission, { exact: true }).click();
  }
  return form;
}

/** Mints in the page, and leaves the dialog with the secret open. */
export async function mint(page, choice) {
  const form = await fillCredential(page, choice);
  await form.getByRole('button', { name: 'Create credential' }).click();
  return secretDialog(page);
}

/** The dialog that shows a secret, with what it shows. */
export async function secretDialog(page) {
  const dialog = page.getByRole('dialog', { name: /^(Credential created|RGW user created|New secret)$/ });
  await dialog.waitFor();
  return {
    dialog, id: await dialog.getByTestId('Access key id').innerText(), secret: await dialog.getByTestId('Secret access key').innerText(),
    close: async () => {
      await dialog.getByRole('button', { name: 'I have saved it' }).click();
      await dialog.waitFor({ state: 'detached' });
    },
  };
}

/** Clicks a button that copies, and gives what is in the clipboard then. */
export async function copied(page, within, what) {
  const button = within.getByRole('button', { name: `Copy ${what}` });
  await button.click();
  await button.waitFor({ state: 'detached' }); // it says "Copied" now
  return clipboard(page);
}
