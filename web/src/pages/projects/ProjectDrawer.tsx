import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { type Project, projectQuery } from '../../api/projects';
import { useIsAdmin } from '../../api/session';
import { DetailDrawer } from '../../components/DetailDrawer';
import { ErrorNotice } from '../../components/ErrorNotice';
import { Facts } from '../../components/Facts';
import { MonoId } from '../../components/MonoId';
import { RelativeTime } from '../../components/RelativeTime';
import { DeleteProject } from './DeleteProject';
import { Members } from './Members';
import { RenameProject } from './RenameProject';
import { accessWords, manages } from './words';

const route = getRouteApi('/projects/list/$project');

/** A project with its members. */
export function ProjectDrawer() {
  const { project: id } = route.useParams();
  const navigate = useNavigate();
  const project = useQuery(projectQuery(id));
  const close = () => void navigate({ to: '/projects', search: (was) => was });
  return (
    <DetailDrawer title={project.data ? `Project ${project.data.name}` : 'Project'} onClose={close}>
      {project.data && <Detail key={id} project={project.data} />}
      {!project.data && project.error && <ErrorNotice title="The project could not be read" error={project.error} onRetry={() => void project.refetch()} />}
    </DetailDrawer>
  );
}

function Detail({ project }: { project: Project }) {
  const [doing, setDoing] = useState<'rename' | 'delete'>();
  const isAdmin = useIsAdmin();
  const close = () => setDoing(undefined);
  return (
    <Stack gap="md">
      <Facts
        items={[
          ['Name', <Text key="name" span inherit style={{ overflowWrap: 'anywhere' }}>{project.name}</Text>],
          ['Project id', <MonoId key="id" value={project.id} what="project id" max={40} />],
          ['You may', accessWords[project.access]],
          ['Created', <RelativeTime key="created" value={project.created_at} />],
          ['Renamed', project.updated_at === project.created_at ? undefined : <RelativeTime value={project.updated_at} />],
        ]}
      />
      <Members project={project} />
      {manages(project) && (
        <Group gap="xs">
          <Button variant="default" onClick={() => setDoing('rename')}>Rename project</Button>
          {isAdmin && <Button color="danger" onClick={() => setDoing('delete')}>Delete project</Button>}
        </Group>
      )}
      {doing === 'rename' && <RenameProject project={project} onClose={close} />}
      {doing === 'delete' && <DeleteProject project={project} onClose={close} />}
    </Stack>
  );
}
