import { Radio, Stack } from '@mantine/core';
import type { RefObject } from 'react';

import { SecretInput } from '../../components/SecretInput';

interface PasswordChoiceProps {
  random: boolean;
  onRandom: (random: boolean) => void;
  field: RefObject<HTMLInputElement | null>;
  fault: string | undefined;
}

/** A random password, or one that is typed. */
export function PasswordChoice({ random, onRandom, field, fault }: PasswordChoiceProps) {
  return (
    <>
      <Radio.Group label="Password" value={random ? 'random' : 'given'} onChange={(value) => onRandom(value === 'random')}>
        <Stack gap={4} mt={4}>
          <Radio size="sm" value="random" label="Make a random one, shown once" />
          <Radio size="sm" value="given" label="Set one here" />
        </Stack>
      </Radio.Group>
      {!random && <SecretInput label="New password" description="12 to 256 characters" required minLength={12} field={field} error={fault} />}
    </>
  );
}
