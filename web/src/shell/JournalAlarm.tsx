import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { serverQuery } from '../api/session';
import { IconWarning } from '../components/icons';

const told = {
  full: 'The disk of the audit journal is full. Writes, deletes and whatever gives a right are refused until there is room; reads, sign-ins and revocations go on.',
  failing: 'The audit journal cannot be written: its disk fails. Writes and deletes are refused until it can; reads go on.',
};

/** An alarm on every page while changes are refused. */
export function JournalAlarm() {
  const state = useQuery({ ...serverQuery, refetchInterval: 30_000 }).data?.audit_journal ?? 'recording';
  if (state === 'recording') {
    return null;
  }
  return <Alert color="danger" variant="outline" icon={<IconWarning />} role="alert" mb="md">{told[state]}</Alert>;
}
