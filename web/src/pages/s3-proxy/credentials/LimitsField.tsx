import { Input, Select, SimpleGrid, TextInput } from '@mantine/core';

import type { ApiError } from '../../../api/client';
import { faultOf } from '../../../components/faults';
import type { LimitFaults, LimitsChoice } from './limits';

interface LimitsFieldProps {
  value: LimitsChoice;
  onChange: (value: LimitsChoice) => void;
  faults: LimitFaults;
  error: ApiError | undefined;
}

/** What a key may write below what its buckets may hold. */
export function LimitsField({ value, onChange, faults, error }: LimitsFieldProps) {
  const text = (name: 'ceiling' | 'ceilingObjects' | 'allowance', field: string) => ({
    value: value[name], error: faults[name] ?? faultOf(error, field), autoComplete: 'off', spellCheck: false,
    onChange: (event: { currentTarget: { value: string } }) => onChange({ ...value, [name]: event.currentTarget.value }),
  });
  return (
    <Input.Wrapper label="Quota" labelElement="div" description="Its buckets’ quotas hold in any case. Empty fields: nothing beside them.">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" mt={4}>
        <TextInput label="Ceiling" description="It writes while a bucket holds no more" placeholder="8 GiB" {...text('ceiling', 'quota.ceiling_bytes')} />
        <TextInput label="Ceiling in objects" description="Likewise" placeholder="100000" {...text('ceilingObjects', 'quota.ceiling_objects')} />
        <TextInput label="Allowance" description="What it may write, whatever becomes of it" placeholder="1 GiB" {...text('allowance', 'quota.allowance_bytes')} />
        <Select
          label="Allowance begins anew" description="Another choice begins anew, too" allowDeselect={false} error={faultOf(error, 'quota.allowance_per')}
          data={[{ value: 'day', label: 'Each day (UTC)' }, { value: 'total', label: 'Never' }]}
          value={value.per} onChange={(per) => onChange({ ...value, per: per === 'total' ? 'total' : 'day' })}
        />
      </SimpleGrid>
    </Input.Wrapper>
  );
}
