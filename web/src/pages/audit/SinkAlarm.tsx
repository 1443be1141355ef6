import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { IconWarning } from '../../components/icons';
import { visible } from '../../lib/text';
import { sinksQuery, trouble } from './sinks';

/** Says which places the journal does not get to. */
export function SinkAlarm() {
  const { data = [] } = useQuery(sinksQuery);
  return data.map((sink) => trouble(sink) && (
    <Alert key={sink.name} color={sink.failing ? 'danger' : 'warn'} variant="outline" icon={<IconWarning />} mb="sm" role="status">
      {visible(trouble(sink))}
    </Alert>
  ));
}
