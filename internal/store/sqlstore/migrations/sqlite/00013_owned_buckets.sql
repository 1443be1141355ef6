-- +goose Up

-- What RGW users may store is kept by the gateway where it is their home: their
-- buckets are counted from now on.
INSERT INTO bucket_quotas (backend, bucket, soft_bytes, soft_objects, hard_bytes, hard_objects, tracked_at, updated_at)
    SELECT backend, name, -1, -1, -1, -1, created_at, created_at FROM rgw_buckets WHERE made <> 0
    ON CONFLICT (backend, bucket) DO NOTHING;
