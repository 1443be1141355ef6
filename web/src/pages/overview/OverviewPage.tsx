import { Skeleton, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { ErrorNotice } from '../../components/ErrorNotice';
import { PageHeader } from '../../components/PageHeader';
import { BackendStates } from './BackendStates';
import { Busiest } from './Busiest';
import { FirstSteps } from './FirstSteps';
import { HourTable } from './HourTable';
import { anyCredentialQuery, type Overview, overviewQuery } from './overview';
import classes from './OverviewPage.module.css';
import { Totals } from './Totals';
import { TrafficChart } from './TrafficChart';

/** What an admin looks at first: whether all is well, and who is busy. */
export function OverviewPage() {
  const { data, error, refetch } = useQuery(overviewQuery);
  const retry = () => void refetch();
  return (
    <>
      <PageHeader title="Overview">Backends now, and S3 requests of the last 24 hours.</PageHeader>
      <Stack gap="xl">
        {error && <ErrorNotice title={data ? 'The overview could not be read again' : 'The overview could not be read'} error={error} onRetry={retry} />}
        {data && (
          <Section title="Backends">
            <BackendStates backends={data.backends} />
          </Section>
        )}
        {data ? <Activity overview={data} /> : !error && <Loading />}
      </Stack>
    </>
  );
}

/** What was asked of the gateway; the way there where nothing was. */
function Activity({ overview }: { overview: Overview }) {
  const quiet = overview.totals.requests === 0;
  const any = useQuery({ ...anyCredentialQuery, enabled: quiet });
  if (quiet) {
    const minted = any.data ?? any.isError;
    return any.isPending ? <Skeleton height={96} /> : <Section title={minted ? 'Requests' : 'First steps'}><FirstSteps minted={minted} /></Section>;
  }
  return (
    <>
      <Section title="Requests">
        <Totals totals={overview.totals} />
        <TrafficChart hours={overview.hours} />
        <HourTable hours={overview.hours} />
      </Section>
      <Section title="Busiest credentials">
        <Busiest credentials={overview.busiest} />
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <Title order={2} mb="xs">{title}</Title>
      <div className={classes.parts}>{children}</div>
    </section>
  );
}

function Loading() {
  return (
    <Stack gap="md" role="status" aria-label="Loading">
      <Skeleton height={96} />
      <Skeleton height={44} maw={640} />
      <Skeleton height={204} />
      <Skeleton height={160} />
    </Stack>
  );
}
