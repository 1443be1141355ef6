import { Button, Group, Radio, Stack, Text } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';

import { api, type Schemas, send } from '../api/client';
import { Dialog } from './Dialog';
import { tellDone } from './done';
import { ErrorNotice } from './ErrorNotice';
import { RelativeTime } from './RelativeTime';
import { useAction } from './useAction';

type Rule = Schemas['SamplingRule'];
/** The reads of a credential or of a bucket. */
type Reads = { access_key_id: string } | { backend: string; bucket: string };

interface SampleReadsProps {
  /** How the credential or bucket is called here. */
  name: string;
  reads: Reads;
  onClose: () => void;
}

type Choice = 'configured' | '2' | '24' | 'always';

const samplingQuery = queryOptions({
  queryKey: ['audit', 'sampling'],
  queryFn: async ({ signal }) => (await send(api.GET('/api/audit/sampling', { signal }))).data.items,
});

/** Has the successful reads of a credential or bucket recorded in the audit trail, for a time. */
export function SampleReads({ name, reads, onClose }: SampleReadsProps) {
  const rules = useQuery(samplingQuery);
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={`Recorded reads of ${name}`} busy={busy} onClose={onClose}>
      {rules.data && <Choose name={name} reads={reads} rule={rules.data.find((one) => isOf(one, reads))} onBusy={setBusy} onClose={onClose} />}
      {rules.error && <ErrorNotice title="The rules could not be read" error={rules.error} onRetry={() => void rules.refetch()} />}
    </Dialog>
  );
}

function isOf(rule: Rule, reads: Reads): boolean {
  return 'access_key_id' in reads ? rule.access_key_id === reads.access_key_id : rule.backend === reads.backend && rule.bucket === reads.bucket;
}

function Choose({ name, reads, rule, onBusy, onClose }: SampleReadsProps & { rule: Rule | undefined; onBusy: (busy: boolean) => void }) {
  const [choice, setChoice] = useState<Choice>(rule ? 'configured' : '2');
  const queryClient = useQueryClient();
  const save = useAction(async () => {
    onBusy(true);
    try {
      const { requestId } = choice === 'configured'
        ? await send(api.DELETE('/api/audit/sampling', { params: { query: reads } }))
        : await send(api.PUT('/api/audit/sampling', { body: { ...reads, rate: 1, ...endOf(choice) } }));
      await queryClient.invalidateQueries(samplingQuery);
      onClose();
      tellDone(choice === 'configured' ? `Reads of ${name} are recorded as configured.` : `All reads of ${name} are recorded.`, requestId);
    } finally {
      onBusy(false);
    }
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void save.run();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <Text>Writes, deletes and refusals are always in the audit trail. Successful reads are there by the configured share, and by what is chosen here, if that is more.</Text>
        {rule && (
          <Text>
            Now {rule.rate === 1 ? 'all are' : `a share of ${rule.rate} is`} recorded, set by {rule.set_by}
            {rule.until ? <>; it ends <RelativeTime value={rule.until} /></> : ', without an end'}.
          </Text>
        )}
        <Radio.Group label="Successful reads" value={choice} onChange={(next) => setChoice(next)}>
          <Stack gap={4} mt={4}>
            <Radio value="2" label="All, for 2 hours" />
            <Radio value="24" label="All, for 24 hours" />
            <Radio value="always" label="All, until it is changed" />
            <Radio value="configured" label="As configured" />
          </Stack>
        </Radio.Group>
        {save.error && <ErrorNotice title="This was not saved" error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={save.busy}>Cancel</Button>
          <Button type="submit" loading={save.busy}>Save</Button>
        </Group>
      </Stack>
    </form>
  );
}

function endOf(choice: '2' | '24' | 'always'): { until?: string } {
  return choice === 'always' ? {} : { until: new Date(Date.now() + Number(choice) * 3_600_000).toISOString() };
}
