import { Checkbox, NumberInput } from '@mantine/core';
import { useState } from 'react';

import type { RGWUser } from '../../api/rgw';
import { faultOf } from '../../components/faults';
import { ChangeForm } from './ChangeForm';
import { useChange } from './useChange';
import { quotaText, toGiB, toKiB } from './words';

/** Bounds what a user's buckets hold together. */
export function SetQuota({ user, onClose }: { user: RGWUser; onClose: () => void }) {
  const [gib, setGiB] = useState(toGiB(user.quota.max_size_kb));
  const [enabled, setEnabled] = useState(user.quota.enabled);
  const change = useChange(user, onClose);
  const quota = { max_size_kb: toKiB(gib), enabled };
  return (
    <ChangeForm
      title={`Set the quota of ${user.name}`} confirm="Set quota" refused="The quota was not set" fields={['quota.max_size_kb']} change={change}
      onSubmit={() => void change.run({ quota }, `Quota of ${user.name}: ${quotaText(quota)}.`)} onClose={onClose}
    >
      <NumberInput
        label="Size" description="Of all its buckets together; empty: unlimited" suffix=" GiB" min={0} decimalScale={3} data-autofocus
        value={gib} onChange={(next) => setGiB(typeof next === 'number' ? next : '')} error={faultOf(change.error, 'quota.max_size_kb')}
      />
      <Checkbox size="sm" label="Enforce it" description="Otherwise the number is kept and nothing is refused" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
    </ChangeForm>
  );
}
