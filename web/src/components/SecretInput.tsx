import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import type { RefObject } from 'react';

interface SecretInputProps extends Omit<PasswordInputProps, 'value' | 'defaultValue' | 'ref'> {
  label: string;
  /** The one place that holds what was typed; it goes when the form goes. */
  field: RefObject<HTMLInputElement | null>;
}

/**
 * A field for a secret. The browser's input alone holds it: no state, no cache,
 * no attribute of the page.
 */
export function SecretInput({ field, ...props }: SecretInputProps) {
  return (
    <PasswordInput
      ref={field} autoComplete="new-password" spellCheck={false}
      visibilityToggleButtonProps={{ 'aria-label': `Show ${props.label.toLowerCase()}` }} {...props}
    />
  );
}
