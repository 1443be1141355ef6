import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useReducedMotion } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useState } from 'react';

import { api, send } from '../../api/client';
import { over, type RGWJob, rgwJobQuery, rgwKey, rgwUserQuery } from '../../api/rgw';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { tellDone } from '../../components/done';
import { RelativeTime } from '../../components/RelativeTime';
import { counted } from '../../lib/text';
import { paceOf, progressOf } from './words';

/** How far the deletion of a user has come; it goes on when the page is left. */
export function JobProgress({ job: begun, name }: { job: RGWJob; name: string }) {
  const job = useQuery({ ...rgwJobQuery(begun.id), initialData: begun }).data;
  const [cancelling, setCancelling] = useState(false);
  const still = useReducedMotion();
  useEnd(job, name);
  // Until they have been counted no bucket is known.
  const done = job.buckets === 0 ? 'Counting its buckets' : `${(job.buckets - job.buckets_left).toLocaleString('en')} of ${counted(job.buckets, 'bucket')} deleted`;
  const pace = paceOf(job);
  return (
    <Alert variant="outline" color="gray" title={job.state === 'cancelling' ? 'Its deletion is being cancelled' : 'It is being deleted'}>
      <Stack gap="xs">
        <Progress value={progressOf(job) * 100} animated={!still} aria-label={done} />
        <Text aria-live="polite">
          {done}, with {counted(job.objects_deleted, 'object')} so far{pace && <>: {pace}</>}. Began <RelativeTime value={job.created_at} />; it goes on when this page is left.
        </Text>
        {job.message && <Text>It waits: {job.message}</Text>}
        {job.state === 'running' && <Group><Button variant="default" onClick={() => setCancelling(true)}>Cancel deletion</Button></Group>}
      </Stack>
      {cancelling && <CancelJob job={job} name={name} onClose={() => setCancelling(false)} />}
    </Alert>
  );
}

/** Leaves the page of a user that is gone, and reads one anew that stays. */
function useEnd(job: RGWJob, name: string) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const end = useEffectEvent(async () => {
    if (job.state === 'done') {
      tellDone(`RGW user ${name} deleted with its objects.`);
      await navigate({ to: '/rgw/users', search: ({ q, project }) => ({ q, project }) });
      queryClient.removeQueries(rgwUserQuery(job.user_id));
    }
    await queryClient.invalidateQueries({ queryKey: rgwKey });
  });
  const ended = over(job);
  useEffect(() => {
    if (ended) {
      void end();
    }
  }, [ended]);
}

function CancelJob({ job, name, onClose }: { job: RGWJob; name: string; onClose: () => void }) {
  const queryClient = useQueryClient();
  const cancel = async () => {
    const { requestId } = await send(api.DELETE('/rgw/jobs/{job_id}', { params: { path: { job_id: job.id } } }));
    await queryClient.invalidateQueries(rgwJobQuery(job.id));
    tellDone(`Deletion of ${name} cancelled.`, requestId);
  };
  return (
    <ConfirmDialog title={`Cancel the deletion of ${name}?`} confirm="Cancel deletion" action={cancel} onClose={onClose}>
      What is deleted stays deleted. The user stays disabled until an administrator enables it.
    </ConfirmDialog>
  );
}
