import type { Schemas } from '../../api/client';
import type { BackendFields } from './BackendForm';

type Changes = Omit<Schemas['BackendEdit'], 'secret_access_key' | 'admin_secret_access_key'>;

/** A form's fields as a backend is. */
export function fieldsOf(backend: Schemas['Backend']): BackendFields {
  return {
    kind: backend.kind === 'ceph-rgw' ? 'ceph-rgw' : 's3', endpoint: backend.endpoint ?? '', region: backend.region, pathStyle: backend.path_style,
    accessKeyId: backend.access_key_id ?? '', forceHashing: backend.force_hashing, scratch: backend.scratch ?? '',
    adminEndpoint: backend.admin_endpoint ?? '', adminAccessKeyId: backend.admin_access_key_id ?? '',
  };
}

/** What a form changes of a backend; empty: nothing. */
export function changesOf(backend: Schemas['Backend'], fields: BackendFields): Changes {
  const endpoint = fields.endpoint.trim();
  const region = fields.region.trim();
  const accessKeyId = fields.accessKeyId.trim();
  const scratch = fields.scratch.trim();
  const adminEndpoint = fields.adminEndpoint.trim();
  const adminAccessKeyId = fields.adminAccessKeyId.trim();
  return {
    ...(endpoint !== (backend.endpoint ?? '') ? { endpoint } : {}),
    ...(region !== backend.region ? { region } : {}),
    ...(fields.pathStyle !== backend.path_style ? { path_style: fields.pathStyle } : {}),
    ...(fields.forceHashing !== backend.force_hashing ? { force_hashing: fields.forceHashing } : {}),
    ...(scratch !== (backend.scratch ?? '') ? { scratch } : {}),
    ...(accessKeyId !== (backend.access_key_id ?? '') ? { access_key_id: accessKeyId } : {}),
    ...(adminEndpoint !== (backend.admin_endpoint ?? '') ? { admin_endpoint: adminEndpoint } : {}),
    ...(adminAccessKeyId !== (backend.admin_access_key_id ?? '') ? { admin_access_key_id: adminAccessKeyId } : {}),
  };
}

/** Whether the API asks for the S3 key's secret again. */
export function needsSecret(changes: Changes): boolean {
  return changes.endpoint !== undefined || changes.access_key_id !== undefined;
}

/** Whether it asks for the secret of the Admin Ops API's key, which moves with the endpoint where it has none of its own. */
export function needsAdminSecret(backend: Schemas['Backend'], fields: BackendFields): boolean {
  if (backend.kind !== 'ceph-rgw') {
    return false;
  }
  const was = backend.admin_endpoint ?? backend.endpoint ?? '';
  const is = fields.adminEndpoint.trim() || fields.endpoint.trim();
  return is !== was || fields.adminAccessKeyId.trim() !== (backend.admin_access_key_id ?? '');
}
