import type { RGWUser } from '../../api/rgw';
import type { Filling } from '../../snippets';

/** What the snippets of a user's key are filled with; without a bucket they list its buckets. */
export function fillingOf({ access_key_id, secret_key, endpoint, region }: RGWUser, bucket?: string): Filling {
  return { accessKeyId: access_key_id, secretAccessKey: secret_key, endpoint, region, ...(bucket === undefined ? {} : { bucket, prefix: '' }) };
}
