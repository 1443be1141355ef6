// What a person does who has no mouse.
import assert from 'node:assert/strict';

import { until } from './browser.mjs';

/** What has the focus: its name as a screen reader has it, and whether one sees that it has. */
export const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const label = element.labels?.[0]?.innerText ?? '';
  // Hidden inputs of toggles show the focus at their label.
  const places = [element, element.nextElementSibling, element.parentElement, element.closest('label'), ...(element.labels ?? [])].filter(Boolean);
  const visible = places.some((place) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(place);
    const accent = getComputedStyle(document.documentElement).getPropertyValue('--mantine-primary-color-filled');
    return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none' || (place === element && place.matches('input') && borderColor !== '' && accent !== '');
  });
  return { name: (element.getAttribute('aria-label') ?? (label || element.innerText || element.value || '')).replace(/\s+/g, ' ').replace(/ \*$/, '').trim(), tag: element.tagName, visible };
});

/** Tabs until something has the focus, as a person does; every stop on the way is visible. */
export async function tabTo(page, name, { back = false, at = 60 } = {}) {
  const passed = [];
  for (let i = 0; i < at; i += 1) {
    const now = await focused(page);
    if (i > 0 || now.tag !== 'BODY') {
      assert.ok(now.visible, `the focus on ${now.tag} ${now.name} cannot be seen`);
    }
    if (name instanceof RegExp ? name.test(now.name) : now.name === name) {
      return;
    }
    passed.push(now.name);
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  assert.fail(`Tab does not reach ${name}; it passed ${passed.join(' | ')}`);
}

/** Presses Tab often, and asserts that the focus stays in the dialog. */
export async function assertTrapped(page) {
  for (let i = 0; i < 25; i += 1) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement.closest('[role=dialog], [role=listbox]') !== null), `Tab ${i} left the dialog`);
  }
}

/** Opens a question by its button, and sees that it keeps the focus and gives it back. */
export async function ask(page, button, title) {
  const question = page.getByRole('dialog', { name: title });
  await tabTo(page, button);
  await page.keyboard.press('Enter');
  await question.waitFor();
  await assertTrapped(page);
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  await until('the focus returns to where it was', async () => (await focused(page)).name === button);
  await page.keyboard.press('Enter');
  await question.waitFor();
  return question;
}
