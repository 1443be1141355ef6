import { useQueryClient } from '@tanstack/react-query';

import { projectsQuery } from '../../api/projects';

/** Reads anew what a change of members concerns: the lists say who owns what, and what oneself may. */
export function useChanged(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries(projectsQuery);
}
