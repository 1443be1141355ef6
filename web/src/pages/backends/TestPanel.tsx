import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { type Backend, backendsQuery } from '../../api/buckets';
import { api, type Schemas, send } from '../../api/client';
import { CopyButton } from '../../components/CopyButton';
import { ErrorNotice } from '../../components/ErrorNotice';
import { StatusBadge } from '../../components/StatusBadge';
import { useAction } from '../../components/useAction';
import classes from './TestPanel.module.css';
import { asking, type StepLine, stepLines } from './words';

/** Tries a backend step by step. */
export function TestPanel({ backend }: { backend: Backend }) {
  const [report, setReport] = useState<Schemas['TestReport']>();
  const queryClient = useQueryClient();
  const test = useAction(async () => {
    setReport(undefined);
    const { data } = await send(api.POST('/api/backends/{backend}/test', { params: { path: { backend: backend.id } } }));
    setReport(data);
    await queryClient.invalidateQueries(backendsQuery);
  });
  return (
    <Stack gap="sm">
      <Text c="dimmed">
        Asks the backend what the gateway needs of it. To see what it can be trusted with, it writes scratch objects and removes them.
      </Text>
      <Group>
        <Button variant={report ? 'default' : 'filled'} loading={test.busy} onClick={() => void test.run()}>{report ? 'Test backend again' : 'Test backend'}</Button>
      </Group>
      {test.error && <ErrorNotice title="The test did not run" error={test.error} />}
      <div aria-live="polite" aria-busy={test.busy}>
        {test.busy && !report && <Steps lines={asking(backend.kind)} />}
        {report && <Outcome report={report} kind={backend.kind} />}
      </div>
    </Stack>
  );
}

function Outcome({ report, kind }: { report: Schemas['TestReport']; kind: Backend['kind'] }) {
  return (
    <Stack gap="sm">
      <Alert variant="outline" color={report.ok ? 'accent' : 'danger'} title={report.ok ? 'The backend can be used' : 'The backend cannot be used as it is'} p="xs" />
      <Steps lines={stepLines(report, kind)} />
    </Stack>
  );
}

function Steps({ lines }: { lines: readonly StepLine[] }) {
  return (
    <ol className={classes.steps} aria-label="Steps of the test">
      {lines.map((line) => (
        <li key={line.name}>
          <span>{line.asks}</span>
          <StatusBadge {...line.outcome} />
          {line.message && <Text className={classes.message ?? ''} c="dimmed">{line.message}</Text>}
          {line.mend && <div className={classes.message ?? ''}><code>{line.mend}</code> <CopyButton text={line.mend} what="command" /></div>}
        </li>
      ))}
    </ol>
  );
}
