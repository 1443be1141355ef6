// What people do in the pages, by what they see: roles, labels and words.
import assert from 'node:assert/strict';

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

/** Waits until a page has what it shows. */
export async function settled(page) {
  await page.locator('main').first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}

/** Opens the menu of the account and chooses something. */
export async function chooseAccountItem(page, item) {
  await page.getByRole('button', { name: /^Account / }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** What lies in the clipboard, which is how people take a key with them. */
export async function clipboard(page) {
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Asserts what stands somewhere, whitespace apart. */
export async function assertText(locator, pattern) {
  assert.match((await locator.innerText()).replace(/\s+/g, ' '), pattern);
}
