import type { Schemas } from '../../api/client';
import type { BackendFields } from './BackendForm';

type Changes = Omit<Schemas['BackendEdit'], 'secret_access_key'>;

/** What a form changes of a backend; empty: nothing. */
export function changesOf(backend: Schemas['Backend'], fields: BackendFields): Changes {
  const endpoint = fields.endpoint.trim();
  const region = fields.region.trim();
  const accessKeyId = fields.accessKeyId.trim();
  const scratch = fields.scratch.trim();
  return {
    ...(endpoint !== (backend.endpoint ?? '') ? { endpoint } : {}),
    ...(region !== backend.region ? { region } : {}),
    ...(fields.pathStyle !== backend.path_style ? { path_style: fields.pathStyle } : {}),
    ...(fields.forceHashing !== backend.force_hashing ? { force_hashing: fields.forceHashing } : {}),
    ...(scratch !== (backend.scratch ?? '') ? { scratch } : {}),
    ...(accessKeyId !== (backend.access_key_id ?? '') ? { access_key_id: accessKeyId } : {}),
  };
}

/** Whether the API asks for the secret again. */
export function needsSecret(changes: Changes): boolean {
  return changes.endpoint !== undefined || changes.access_key_id !== undefined;
}
