/** Copies a text. Reports whether it worked: a browser may refuse. */
export async function copyText(text: string): Promise<boolean> {
  // Over plain HTTP, except on this machine, browsers have no clipboard API.
  if (!window.isSecureContext) {
    return copyBySelection(text);
  }
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const holder = document.createElement('textarea');
  holder.value = text;
  holder.readOnly = true;
  holder.style.position = 'fixed';
  holder.style.opacity = '0';
  // Inside an open dialog, so that its focus trap does not take the focus back.
  const focused = document.activeElement;
  const host = focused?.closest('[role=dialog]') ?? document.body;
  host.append(holder);
  holder.select();
  // The only way that is left; it is deprecated, and works everywhere.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const copied = document.execCommand('copy');
  holder.remove();
  if (focused instanceof HTMLElement) {
    focused.focus();
  }
  return copied;
}
